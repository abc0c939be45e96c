"""The comparison lab: what it makes of records, its state, its words, and what it refuses."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random

import matplotlib as mpl
import pytest

from dlcompare import comparison, results
from dlcompare.comparison import BUDGETS, FAMILIES, TASKS, Family, Metric, Record, Task, table, wilson
from dlcompare.style import short
from dlcompare.widgets import ComparisonLab
from dlcompare.widgets.comparison import SCALES
from dlcompare.widgets.comparison_rows import AXES

from .made_records import made

mpl.use("Agg")
RECORDS = made()


@pytest.fixture(scope="module")
def lab() -> ComparisonLab:
    return ComparisonLab(RECORDS)


def test_every_row_is_the_comparisons_table() -> None:
    widget = ComparisonLab(RECORDS)
    assert [task["name"] for task in widget.tasks] == list(TASKS)
    assert [budget["title"] for budget in widget.budgets] == [budget.title for budget in BUDGETS.values()]
    assert {(one["task"], one["budget"]) for one in widget.tables} == {(task, b) for task in TASKS for b in BUDGETS}
    for one in widget.tables:
        metric = TASKS[one["task"]].metric
        rows = table(RECORDS, one["task"], one["budget"], metric)
        assert [row["family"] for row in one["rows"]] == [row.family for row in rows]
        for shown, row in zip(one["rows"], rows, strict=True):
            memory = row.peak_memory and row.peak_memory / 1e6
            costs = [row.parameters, row.flops, row.cpu_seconds, memory, row.examples]
            assert shown["at"] == [row.value.mean, *costs]
            assert shown["rank"] == row.rank == 1 + len(shown["better"])
            known = row.value.n > 1 or row.family == "baseline" or row.family.startswith("smollm2")
            assert shown["interval"] == ([row.value.low, row.value.high] if known else None)
            runs = [r for r in RECORDS if (r.task, r.family) == (one["task"], row.family) and r.budget == row.budget]
            assert [run["seed"] for run in shown["runs"]] == sorted(r.seed for r in runs) == [r.seed for r in runs]
            for run, record in zip(shown["runs"], runs, strict=True):
                cost = [record.parameters, record.flops, record.cpu_seconds, record.peak_memory / 1e6, record.examples]
                assert run["at"] == [record.test[metric.name], *cost]
                assert [step for step, _ in run["curve"]] == [point.step for point in record.curve]
                losses = [point.validation for point in record.curve]
                assert [loss for _, loss in run["curve"]] == pytest.approx(losses, rel=5e-5)


def test_what_has_no_budget_stands_in_each(lab: ComparisonLab) -> None:
    for one in lab.tables:
        assert "baseline" in [row["family"] for row in one["rows"]]
    assert [budget["name"] for budget in lab.budgets] == list(BUDGETS)


def test_the_setup_is_the_records(lab: ComparisonLab) -> None:
    record = next(r for r in RECORDS if (r.task, r.family, r.budget, r.seed) == ("recall", "gpt", "flops", 0))
    one = next(t for t in lab.tables if (t["task"], t["budget"]) == ("recall", "flops"))
    row = next(row for row in one["rows"] if row["family"] == "gpt")
    setup = row["setup"]
    assert (setup["model"], setup["width"], setup["layers"]) == ("Net", record.configuration["width"], 2)
    assert (setup["batch"], setup["decay"], setup["rate"]) == (64, 0.01, 3e-3)
    assert setup["sizes"] == "d_model 64; n_layer 2; sizes 784, 100, 10"
    assert [rate for rate, _ in setup["tried"]] == list(record.search["tried"])
    assert [loss for _, loss in setup["tried"]] == [
        loss and pytest.approx(loss, rel=5e-5) for loss in record.search["validation"]
    ]
    assert [lab.made[i] for i in row["made"]] == [
        "A processor, threads: 1; dlcompare 0.1.0, python 3.11.9, torch 2.13.0"
    ]
    baseline = next(row for row in one["rows"] if row["family"] == "baseline")
    assert baseline["setup"]["rate"] is None
    assert baseline["setup"]["sizes"] == "method by hand; k 3"


def test_whoever_has_no_row_has_a_reason() -> None:
    failed = dataclasses.replace(RECORDS[1], test={}, error="BudgetError: too small")
    assert (failed.task, failed.family) == ("digits", "mlp")
    others = [r for r in RECORDS if not ((r.task, r.family) == ("digits", "mlp") and r.budget == failed.budget)]
    others = [r for r in others if r.family != "rnn"]
    widget = ComparisonLab([*others, failed])
    reasons = {
        (one["task"], one["budget"], missing["family"]): missing["why"]
        for one in widget.tables
        for missing in one["missing"]
    }
    for one in widget.tables:
        told = [missing["family"] for missing in one["missing"]]
        assert sorted([*told, *(row["family"] for row in one["rows"])]) == sorted(FAMILIES), "each once"
    assert reasons["digits", failed.budget, "mlp"] == "No result: BudgetError: too small"
    assert reasons["digits", "time", "smollm2-few-shot"] == "It reads words; an image has none."
    assert reasons["digits-10", "flops", "mlp"] == f"Measured only within: {BUDGETS['parameters'].title}."
    assert reasons["recall", "time", "rnn"] == "No run of it is among the records."


def test_a_single_run_has_no_interval() -> None:
    widget = ComparisonLab(made(tasks=["digits"], families=["mlp", "baseline"], seeds=1), task="digits")
    rows = {row["family"]: row for row in widget.rows}
    assert rows["mlp"]["interval"] is None
    assert rows["baseline"]["interval"] == [rows["baseline"]["at"][0]] * 2
    json.dumps(widget.page_state(), allow_nan=False)


def test_a_sample_of_the_test_part_has_wilsons_interval() -> None:
    rows = {row["family"]: row for row in ComparisonLab(task="sentiment").rows}
    asked = rows["smollm2-zero-shot"]
    assert (asked["asked"], asked["fixed"]) == (200, False)
    assert asked["interval"] == list(wilson(asked["at"][0], 200))
    assert (rows["baseline"]["asked"], rows["baseline"]["fixed"]) == (None, True)
    assert (rows["gpt"]["asked"], rows["gpt"]["fixed"]) == (None, False)


def test_the_state_is_always_one(lab: ComparisonLab) -> None:
    widget = ComparisonLab(RECORDS)
    first = widget.tables[0]
    assert (widget.task, widget.budget, widget.x, widget.y) == ("digits", "parameters", "flops", "quality")
    assert widget.family == first["rows"][0]["family"], "the best one"
    widget.x = "quality"
    assert (widget.x, widget.y) == ("quality", "flops"), "they change places"
    widget.y = "memory"
    widget.y = "quality"
    assert (widget.x, widget.y) == ("memory", "quality")
    other = ComparisonLab(RECORDS, x="quality", task="copying", family="gpt")
    assert (other.x, other.y, other.family) == ("quality", "flops", "gpt")
    other.task = "surnames"
    assert other.family == "gpt", "it is measured there too"
    other.family = "gpt-finetuned"
    other.task = "copying"
    assert other.family == other.rows[0]["family"], "and that one is not"
    chance = random.Random(1)
    for _ in range(50):
        widget.set_trait(*chance.choice([("x", chance.choice(AXES)), ("y", chance.choice(AXES))]))
        widget.set_trait(
            *chance.choice([("task", chance.choice(list(TASKS))), ("budget", chance.choice(list(BUDGETS)))])
        )
        assert widget.x != widget.y
        assert widget.family in [row["family"] for row in widget.rows]


def test_the_words_say_best_bar_and_who_is_surely_worse(lab: ComparisonLab) -> None:
    widget = ComparisonLab(RECORDS, task="sentiment", budget="time")
    rows = table(RECORDS, "sentiment", "time", TASKS["sentiment"].metric)
    worse = sum(rows[0].family in row.better for row in rows)
    words = widget.alternative_text()
    assert f"the best is {FAMILIES[rows[0].family].title} with {short(rows[0].value.mean)}" in words
    assert f"{worse} of the others are surely worse" in words
    bar = next(row.value.mean for row in rows if row.family == "baseline")
    assert f"It has {short(bar)}. Stated beforehand: 0.801." in words
    assert widget.bar() == bar
    cells = widget.table().rows
    assert [row[0] for row in cells] == [FAMILIES[row.family].title for row in rows]
    assert [row[1:3] for row in cells] == [[str(row.rank), short(row.value.mean)] for row in rows]
    assert {len(row) for row in cells} == {11}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("x", "y"), [("flops", "quality"), ("quality", "flops"), ("memory", "seconds")])
def test_the_figure_names_every_family(x: str, y: str, scale: str) -> None:
    widget = ComparisonLab(RECORDS, task="sentiment", x=x, y=y, scale=scale)
    figure = widget.figure()
    names = [text.get_text() for axes in figure.axes for text in axes.texts]
    placed = [row for row in widget.rows if row["at"][AXES.index(y)] is not None]
    expected = [next(f["short"] for f in widget.families if f["name"] == row["family"]) for row in placed]
    assert sorted(names) == sorted(expected)
    left_out = {row["family"] for row in widget.rows} - {row["family"] for row in placed}
    assert (figure.get_suptitle() != "") == bool(left_out)
    scales = {"x": figure.axes[-1].get_xscale(), "y": figure.axes[-1].get_yscale()}
    assert scales == {key: "linear" if axis == "quality" else scale for key, axis in (("x", x), ("y", y))}


@pytest.mark.parametrize("x", ["parameters", "flops", "seconds", "memory"])
def test_the_figures_ticks_have_labels_that_do_not_meet(x: str) -> None:
    for task in ("digits", "sentiment", "recall"):
        figure = ComparisonLab(task=task, x=x).figure()
        figure.draw_without_rendering()
        labels = [one for one in figure.axes[-1].get_xticklabels(which="both") if one.get_text()]
        low, high = figure.axes[-1].get_window_extent().intervalx
        boxes = sorted((box.x0, box.x1) for box in (one.get_window_extent() for one in labels))
        shown = [(left, right) for left, right in boxes if left < high and right > low]
        assert len(shown) > 1, (task, x)
        assert all(right < left for (_, right), (left, _) in itertools.pairwise(shown)), (task, x)


def test_all_of_the_full_run_fits_a_page(lab: ComparisonLab) -> None:
    points = sum(len(one["rows"]) for one in lab.tables)
    assert points > 260
    assert len(json.dumps(lab.page_state(), separators=(",", ":"))) < 400_000


def mine(record: Record, **changes: str) -> Record:
    return dataclasses.replace(record, key=f"mine {changes}", **changes)


def test_a_readers_own_is_one_more_point(lab: ComparisonLab) -> None:
    task = Task(
        "riddles", "who is it?", lambda seed: None, Metric("charm", "laughs", False), {"batch_size": 1, "steps": 1}
    )  # type: ignore[arg-type,return-value]
    own = Family("own", "my own", "mlp", FAMILIES["mlp"].build)  # type: ignore[union-attr]
    budget = dataclasses.replace(BUDGETS["time"], name="night", title="a night")
    record = next(r for r in RECORDS if (r.task, r.family, r.budget) == ("digits", "mlp", "parameters"))
    added = [
        mine(record, family="own"),
        mine(record, task="riddles", test={"charm": 3.0}),  # type: ignore[arg-type]
        mine(record, budget="night"),
    ]
    widget = ComparisonLab([*RECORDS, *added], families=[own], tasks=[task], budgets=[budget])
    assert len(widget.rows) == len(lab.tables[0]["rows"]) + 1
    assert widget.title_of("own") == "my own"
    assert next(f for f in widget.families if f["name"] == "own")["short"] == "my own"
    widget.task = "riddles"
    assert [row["family"] for row in widget.rows] == ["mlp"]
    assert (widget.about["title"], widget.about["metric"], widget.about["bar"]) == ("riddles", "charm", None)
    widget.budget = "night"
    assert (widget.rows, widget.family) == ([], "")
    assert "No family has been measured" in widget.alternative_text()
    assert widget.figure().texts
    assert widget.table().rows == []
    widget.task = "digits"
    assert widget.family in {"mlp", "baseline"}
    for wrong, argument in zip(added, ("families", "tasks", "budgets"), strict=True):
        with pytest.raises(ValueError, match=rf"ComparisonLab\(records, {argument}=\[…\]\)"):
            ComparisonLab([*RECORDS, wrong])


def test_one_with_a_known_name_takes_its_place() -> None:
    budget = dataclasses.replace(BUDGETS["parameters"], title="30,000 parameters")
    widget = ComparisonLab(made(tasks=["digits"]), budgets=[budget])
    assert next(one["title"] for one in widget.budgets) == "30,000 parameters"


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"task": "chess"}, "task is 'chess'; allowed are 'digits'"),
        ({"budget": "none"}, "budget is 'none'; allowed are 'parameters', 'flops', 'time'"),
        ({"x": "beauty"}, "x is 'beauty'; allowed are 'quality', 'parameters'"),
        ({"y": None}, "y is None; allowed"),
        ({"scale": "loglog"}, "scale is 'loglog'; allowed are 'log', 'linear'"),
        ({"family": "horse"}, "family is 'horse'; allowed are "),
        ({"family": ""}, "family is ''; allowed are "),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ComparisonLab(RECORDS, **traits)  # type: ignore[arg-type]


def test_no_records_say_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"records is empty; `make compare` measures all"):
        ComparisonLab([])
    monkeypatch.setattr(results, "comparison", lambda: RECORDS)
    assert len(ComparisonLab().tables) == len(TASKS) * len(BUDGETS), "the committed ones by default"
    with pytest.raises(ValueError, match="metric is 'accuracy'; the record"):
        ComparisonLab([dataclasses.replace(RECORDS[0], test={"beauty": 1.0})])


def test_only_what_has_no_budget(lab: ComparisonLab) -> None:
    widget = ComparisonLab(made(tasks=["digits"], families=["baseline"]))
    assert [one["name"] for one in widget.budgets] == [comparison.UNLIMITED.name]
    assert [row["family"] for row in widget.rows] == ["baseline"]
