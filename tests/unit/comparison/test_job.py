import dataclasses
import functools
import json
import re
from pathlib import Path

import pytest
import torch

from dlcompare import checkpoints, comparison, data
from dlcompare.comparison import (
    FAMILIES,
    TASKS,
    UNLIMITED,
    Budget,
    BudgetError,
    Examples,
    FineTuned,
    Form,
    Job,
    Part,
    Record,
    Search,
    Task,
    jobs,
    pretrained,
)
from dlcompare.comparison.tasks import memory
from dlcompare.data import Images, Splits
from dlcompare.models import GPT, GPTConfig
from dlcompare.tokenization import BPETokenizer
from dlcompare.training import n_parameters
from tests.unit.comparison.toys import ACCURACY, COIN, SMALL, TOY, build, load, points

CONTRIBUTING = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text(encoding="utf-8")
PARAMETERS = Budget("parameters", "100 parameters", parameters=100)
SEARCH = Search((0.001, 0.03))


@pytest.fixture(scope="module")
def record() -> Record:
    return Job(TOY, SMALL, PARAMETERS, 0, SEARCH).run()


def test_a_record_tells_all_of_a_run(record):
    assert (record.task, record.family, record.budget, record.seed) == ("toy", "small", "parameters", 0)
    assert record.parameters == n_parameters(build(load(0).form, record.configuration["width"])) in range(95, 106)
    assert record.learning_rate == 0.03
    assert record.search["validation"][1] < record.search["validation"][0]
    assert (record.search["seed"], record.search["how"]) == (0, "lowest validation loss")
    assert (record.steps, record.examples, record.tokens) == (60, 60 * 20, None)
    assert record.flops == 60 * 3 * 2 * 20 * (record.parameters - record.configuration["width"] - 2)
    assert record.seconds > 0
    assert record.cpu_seconds > 0
    assert [point.step for point in record.curve] == [*range(7, 57, 7), 60]
    assert record.curve[-1].loss < record.curve[0].loss
    assert record.validation["loss"] == pytest.approx(min(point.validation for point in record.curve))
    assert record.test["accuracy"] > 0.85
    assert record.configuration["model"] == "MLP"
    assert record.configuration["config"]["sizes"] == (2, record.configuration["width"], 2)
    assert record.configuration["budget"] == {"parameters": 100, "tolerance": 0.05}
    assert set(record.versions) == {"dlcompare", "python", "torch"}
    assert record.machine["threads"] == torch.get_num_threads()
    assert Record.from_json(record.to_json()).to_json() == record.to_json()


def test_the_same_job_gives_the_same_record_and_another_seed_another(record):
    again = Job(TOY, SMALL, PARAMETERS, 0, SEARCH).run()
    measured = ("key", "curve", "validation", "test", "search", "learning_rate", "flops")
    assert all(getattr(again, name) == getattr(record, name) for name in measured)
    other = Job(TOY, SMALL, PARAMETERS, 1, SEARCH).run(source=record)
    assert other.key != record.key
    assert other.curve != record.curve


def test_other_seeds_take_the_learning_rate_over(record):
    job = Job(TOY, SMALL, PARAMETERS, 1, SEARCH)
    assert job.source == Job(TOY, SMALL, PARAMETERS, 0, SEARCH)
    assert job.source.source is None
    assert Job(TOY, COIN, UNLIMITED, 1).source is None
    taken = job.run(source=record)
    assert taken.learning_rate == record.learning_rate
    assert taken.search == {**record.search, "how": "taken over from seed 0"}
    alone = Job(TOY, SMALL, PARAMETERS, 1, Search((0.03,), seed=1)).run()
    assert alone.curve == taken.curve  # the same run, however its rate was found
    for given in (None, dataclasses.replace(record, key="other")):
        with pytest.raises(ValueError, match="the job 'toy small parameters 1' needs the record"):
            job.run(source=given)
    with pytest.raises(ValueError, match=r"source is '.*'; the job 'toy small parameters 0' needs the record None"):
        Job(TOY, SMALL, PARAMETERS, 0, SEARCH).run(source=record)


def test_the_key_depends_on_what_determines_the_run():
    job = Job(TOY, SMALL, PARAMETERS, 0, SEARCH)
    assert job.key == dataclasses.replace(job).key
    others = [
        {"task": dataclasses.replace(TOY, settings={**TOY.settings, "steps": 61})},
        {"task": dataclasses.replace(TOY, name="toy-2")},
        {"family": dataclasses.replace(SMALL, settings={"layers": 2})},
        {"budget": dataclasses.replace(PARAMETERS, parameters=101)},
        {"seed": 1},
        {"search": Search((0.03,))},
    ]
    assert len({job.key, *(dataclasses.replace(job, **change).key for change in others)}) == 7
    renamed = dataclasses.replace(job, budget=dataclasses.replace(PARAMETERS, title="so many"))
    assert renamed.key == job.key


def test_test_data_is_looked_at_once_and_at_the_end(monkeypatch):
    seen = []
    parts = {id(part): name for part, name in ((points(100, 1), "validation"), (points(100, 2), "test"))}
    kept = {"train": points(200, 0), "validation": points(100, 1), "test": points(100, 2)}
    parts = {id(part): name for name, part in kept.items()}
    examples = Examples(load(0).form, Splits(*kept.values()))
    measure = Task.measure

    def watched(self, model, examples, part, collate=None):
        seen.append(parts[id(part)])
        return measure(self, model, examples, part, collate)

    monkeypatch.setattr(Task, "measure", watched)
    Job(dataclasses.replace(TOY, load=lambda seed: examples), SMALL, PARAMETERS, 0, SEARCH).run()
    assert seen.count("test") == 1
    assert seen[-1] == "test"
    assert set(seen) == {"validation", "test"}


def test_a_budget_of_operations_sets_the_steps(record):
    per_step = record.flops // record.steps
    budget = Budget("flops", "few", parameters=100, flops=31.5 * per_step)
    run = Job(TOY, SMALL, budget, 0, Search((0.03,))).run()
    assert run.steps == 31
    assert run.flops == 31 * per_step
    with pytest.raises(BudgetError, match="operations allow 3 steps"):
        Job(TOY, SMALL, dataclasses.replace(budget, flops=3.5 * per_step), 0).run()


def test_a_budget_of_time_is_measured():
    budget = Budget("time", "a blink", parameters=100, seconds=2.0)
    run = Job(TOY, SMALL, budget, 0, Search((0.03,))).run()
    assert run.steps == min(20 * 60, int(2.0 / run.configuration["seconds_per_step"]))
    assert run.steps >= 20


def test_no_run_is_longer_than_twenty_of_the_tasks_own():
    budget = Budget("flops", "very many", parameters=100, flops=1e15)
    run = Job(
        dataclasses.replace(TOY, settings={"batch_size": 20, "steps": 5}), SMALL, budget, 0, Search((0.03,))
    ).run()
    assert run.steps == 100
    assert run.flops < 1e15


def test_a_size_that_cannot_be_matched_is_refused():
    with pytest.raises(BudgetError, match="parameters is 7 ± 5%; the nearest are 12 at width 2"):
        Job(TOY, SMALL, Budget("b", "b", parameters=7), 0).run()
    with pytest.raises(ValueError, match="budget 'b' sets no parameters, but 'small' needs a width"):
        Job(TOY, SMALL, Budget("b", "b", flops=1e9), 0).run()


def test_a_method_is_asked_and_not_trained():
    run = Job(TOY, COIN, UNLIMITED, 0).run()
    assert run.test == run.validation == {"accuracy": 0.5}
    assert (run.learning_rate, run.steps, run.configuration) == (None, 0, {"method": "a coin", "seeded": False})
    assert "scikit-learn" in run.versions


def test_a_checkpoint_is_trained_on(tmp_path, monkeypatch):
    raw = ("a dull film", "a fine film", "so dull", "so fine") * 5
    labels = torch.tensor([0, 1] * 10)
    tokenizer = BPETokenizer.train(" ".join(raw), 270)
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(tokenizer.vocab_size, 12, 1, 2, 8))
    checkpoints.save("tiny", gpt, {"recipe": {"name": "tiny"}, "metrics": {}}, tokenizer, folder=tmp_path)
    monkeypatch.setattr(checkpoints, "directory", lambda: tmp_path)
    part = Part([([0],)] * 20, labels, raw=raw)
    examples = Examples(Form("tokens", "class", 10, 100, 2, end=0), Splits(part, part, part))
    task = Task("films", "", lambda seed: examples, ACCURACY, {"batch_size": 10, "steps": 30})
    tuned = FineTuned("tuned", "GPT, pre-trained", "gpt", "tiny", pretrained.gpt_classifier)
    run = Job(task, tuned, PARAMETERS, 0, Search((0.01,))).run()
    assert run.test["accuracy"] == 1
    assert run.configuration["checkpoint"] == "tiny"
    assert run.configuration["checkpoint_sha256"] == checkpoints.card("tiny")["sha256"]
    assert run.parameters == gpt.config.n_parameters + 9 * 2
    assert "width" not in run.configuration


def test_tokens_are_counted_where_there_are_any():
    copying = TASKS["copying"]
    task = dataclasses.replace(
        copying,
        load=functools.partial(memory.load, memory.copying, copying.load(0).form, 20),
        settings={**copying.settings, "steps": 20, "batch_size": 4},
    )
    run = Job(task, FAMILIES["gru"], Budget("b", "b", parameters=2000, tolerance=0.1), 0, Search((0.01,))).run()
    assert (run.examples, run.tokens) == (80, 80 * 64)
    assert set(run.test) == {"loss", "accuracy", *(f"accuracy_at_{n}" for n in (8, 16, 24, 32))}


def test_a_grid_has_each_cell_once_and_leaves_reasons_out():
    seeded = dataclasses.replace(COIN, name="seeded coin", seeded=True)
    budgets = [PARAMETERS, Budget("time", "t", 100, seconds=1)]
    made = jobs([TOY, TASKS["shakespeare"]], [SMALL, COIN, seeded, FAMILIES["encoder"]], budgets, [0, 1, 2])
    names = [job.name for job in made]
    assert len(names) == len(set(names))
    assert sum("toy small" in name for name in names) == 6
    assert sum("toy coin none" in name for name in names) == 1
    assert sum("toy seeded coin none" in name for name in names) == 3
    assert sum("toy encoder" in name for name in names) == 6
    assert not any("shakespeare encoder" in name for name in names)
    assert [job.seed for job in made] == sorted(job.seed for job in made)
    sampled = jobs([dataclasses.replace(TOY, sampled=True)], [COIN], budgets, [0, 1, 2])
    assert [job.seed for job in sampled] == [0, 1, 2]
    later = jobs([TOY], [SMALL], budgets[:1], [5, 6], Search((0.1,)))
    assert [job.source and job.source.seed for job in later] == [None, 5]
    assert jobs([TOY], [SMALL], budgets, []) == []
    (tuned,) = jobs([TASKS["sentiment"]], [FAMILIES["gpt-finetuned"]], budgets[:1], [0])
    assert tuned.search == Search(lower=2), "what is pre-trained is not to be destroyed by the first steps"
    assert made[0].search == Search()


def test_a_failure_has_the_jobs_key():
    job = Job(TOY, SMALL, PARAMETERS, 0)
    failed = job.failed("MemoryError: none left")
    assert (failed.key, failed.error, failed.test) == (job.key, "MemoryError: none left", {})
    assert json.loads(failed.to_json())["machine"]["cores"]


def test_a_reader_adds_a_model_in_twenty_lines(tmp_path, monkeypatch, capsys):
    """The lines that CONTRIBUTING shows, on made-up images and for a few steps."""
    (code,) = re.findall(r"^```python\n(from pathlib.*?)^```", CONTRIBUTING, flags=re.MULTILINE | re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    labels = torch.arange(10).repeat(8)
    images = torch.rand(80, 1, 28, 28, generator=torch.Generator().manual_seed(0)) + labels[:, None, None, None]
    part = Images(images, labels)
    monkeypatch.setattr(data, "load_digits", lambda: Splits(part, part, part))
    digits = TASKS["digits"]
    few = dataclasses.replace(digits, settings={**digits.settings, "steps": 20})
    monkeypatch.setitem(comparison.TASKS, "digits", few)
    monkeypatch.setenv("DLCOMPARE_QUIET", "1")
    monkeypatch.chdir(tmp_path)
    given: dict[str, object] = {}
    exec(compile(code, "CONTRIBUTING.md", "exec"), given)
    shown = capsys.readouterr().out.splitlines()
    assert {line.split()[1] for line in shown} == {"two-layers", "mlp"}
    records = comparison.read(tmp_path / "runs" / "mine.jsonl")
    assert [record.error for record in records] == [None] * 6
    sizes = [record.configuration["config"]["sizes"] for record in records if record.family == "two-layers"]
    assert all(len(size) == 4 and size[1] == size[2] for size in sizes)
    lab = eval(code.splitlines()[-1], given)
    lab.task = "digits"
    assert {"two-layers", "mlp"} <= {row["family"] for row in lab.rows}, "it is one more mark"
