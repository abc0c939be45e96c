import matplotlib as mpl
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt

from dlcompare import style
from dlcompare.comparison import TASKS, Record
from dlcompare.comparison.chart import chart, few_labels

REACHED = {"mlp": [0.80, 0.82, 0.84], "gpt": [0.90, 0.91, 0.92], "baseline": [0.7], "cnn": [0.5]}


def records(task="digits", metric="accuracy"):
    return [
        Record(
            f"{family} {seed}",
            task,
            family,
            "none" if family == "baseline" else "parameters",
            seed,
            configuration={"seeded": family != "baseline"},
            test={metric: value},
        )
        for family, values in REACHED.items()
        for seed, value in enumerate(values)
    ]


@pytest.fixture
def axis():
    _, axis = plt.subplots()
    yield axis
    plt.close("all")


def drawn(axis, place):
    """What is drawn on a line: its marks, the small ones first, and its interval."""
    lines = [line for line in axis.lines if set(line.get_ydata()) == {place}]
    marks = [line for line in lines if line.get_marker() not in ("None", None, "none", "")]
    return marks, [line for line in lines if line not in marks]


def test_the_best_stands_on_top_with_its_runs_and_its_interval(axis):
    rows = chart(axis, records(), "digits")
    assert list(rows) == ["gpt", "mlp", "baseline", "cnn"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["GPT", "MLP", "baseline", "CNN"]
    bottom, top = axis.get_ylim()
    assert bottom > top, "the first line is the highest"
    for place, (family, row) in enumerate(rows.items()):
        (runs, mean), interval = drawn(axis, place)
        assert list(runs.get_xdata()) == pytest.approx([100 * value for value in REACHED[family]])
        assert list(mean.get_xdata()) == pytest.approx([100 * row.value.mean])
        assert mean.get_color() == style.FAMILY[family]
        assert mean.get_marker() == style.MARKER[family]
        if family == "baseline":
            assert interval == [], "no seed changes it"
        elif family == "cnn":
            assert interval[0].get_xdata()[0] < 0 < 100 < interval[0].get_xdata()[1], "one run says nothing of others"
        else:
            assert list(interval[0].get_xdata()) == pytest.approx([100 * row.value.low, 100 * row.value.high])
    assert axis.get_xlim()[0] < 50 < 92 < axis.get_xlim()[1]


def test_only_some_families(axis):
    assert list(chart(axis, records(), "digits", families=["mlp", "gpt"])) == ["gpt", "mlp"]
    assert axis.get_xlim()[0] > 75


def test_where_less_is_better_the_least_is_on_top(axis):
    task = TASKS["temperatures"]
    assert not task.metric.higher_is_better
    rows = chart(axis, records("temperatures", task.metric.name), "temperatures")
    assert list(rows) == ["cnn", "baseline", "mlp", "gpt"]
    (_, mean), _ = drawn(axis, 0)
    assert list(mean.get_xdata()) == [0.5], "a degree is no share"


def test_what_was_not_measured_is_named(axis):
    with pytest.raises(ValueError, match="families has lstm; measured on 'digits' within 'parameters' are gpt"):
        chart(axis, records(), "digits", families=["gpt", "lstm"])
    with pytest.raises(ValueError, match=r"families has none to draw; .* within 'time' are baseline"):
        chart(axis, records(), "digits", budget="time", families=[])
    with pytest.raises(ValueError, match=r"families has none to draw; .* are none"):
        chart(axis, [], "digits")
    with pytest.raises(ValueError, match="task is 'chess'; allowed are digits"):
        chart(axis, records(), "chess")
    assert axis.lines[:] == []


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_name_for_its_axis(axis, task):
    chart(axis, records(task, TASKS[task].metric.name), task)
    assert axis.get_xlabel()


def learned_from_few(family, *values):
    tasks = ("sentiment-10", "sentiment-100", "sentiment-1000", "sentiment")
    return [
        Record(f"{family} {task} {seed}", task, family, "parameters", seed, test={"accuracy": value + seed / 100})
        for task, value in zip(tasks, values, strict=False)
        for seed in (0, 2)
    ]


def test_a_line_over_the_numbers_of_labels(axis):
    made = learned_from_few("mlp", 0.5, 0.6, 0.65, 0.7) + learned_from_few("gpt-finetuned", 0.6, 0.7)
    made += learned_from_few("smollm2-few-shot", 0.55)  # learns from no label, and has no place among them
    rows = few_labels(axis, made, "sentiment", 8000)
    scratch, pretrained = axis.lines
    assert list(scratch.get_xdata()) == [10, 100, 1000, 8000]
    assert list(scratch.get_ydata()) == pytest.approx([51, 61, 66, 71])
    assert list(pretrained.get_xdata()) == [10, 100], "only as far as it was measured"
    assert (scratch.get_linestyle(), pretrained.get_linestyle()) == (":", "-")
    assert scratch.get_color() == style.FAMILY["mlp"]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["10", "100", "1,000", "8,000"]
    assert axis.get_xscale() == "log"
    assert rows[8000, "mlp"].value.mean == pytest.approx(0.71)
    assert set(rows) == {(10, "gpt-finetuned"), (100, "gpt-finetuned")} | {(n, "mlp") for n in (10, 100, 1000, 8000)}


def test_where_nobody_was_pretrained_no_line_is_dotted(axis):
    made = learned_from_few("mlp", 0.5) + learned_from_few("gpt-finetuned", 0.6)
    assert set(few_labels(axis, made, "sentiment", 8000, families=["mlp"])) == {(10, "mlp")}
    assert [line.get_linestyle() for line in axis.lines] == ["-"]


def test_who_never_learned_from_few_is_named(axis):
    made = learned_from_few("mlp", 0.5)
    with pytest.raises(ValueError, match="families has cnn; measured on 'sentiment' with few labels are mlp"):
        few_labels(axis, made, "sentiment", 8000, families=["cnn", "mlp"])
    with pytest.raises(ValueError, match="task is 'copying-10'"):
        few_labels(axis, made, "copying", 8000)


def test_recurrent_families_can_be_told_apart(axis):
    kinds = ("rnn", "lstm", "gru")
    few_labels(axis, [one for kind in kinds for one in learned_from_few(kind, 0.5)], "sentiment", 8000)
    looks = [(line.get_color(), line.get_linestyle(), line.get_marker(), line.get_fillstyle()) for line in axis.lines]
    assert len(set(looks)) == len(kinds)
