"""The comparison on real data: the tasks' forms, their bars, and the order that the reduced run is to give again."""

import pytest
import torch

from dlcompare import comparison, results
from dlcompare.comparison import FAMILIES, TASKS, Form, Job, scaling
from dlcompare.comparison.budgets import UNLIMITED
from dlcompare.comparison.grids import QUICK

#: What each task asks of a model, and how many examples its parts have (characters, where they are one text).
FORMS = {
    "digits": (Form("image", "class", 28, 28, 10), (3600, 400, 1000)),
    "sentiment": (Form("tokens", "class", 1024, 120, 2, end=0), (8033, 1004, 1004)),
    "surnames": (Form("tokens", "class", 115, 41, 14, end=114), (12808, 1595, 1595)),
    "shakespeare": (Form("tokens", "next", 84, 128, 84), (4552577, 40000, 226473)),
    "sentiment-100": (Form("tokens", "class", 1024, 120, 2, end=0), (100, 1004, 1004)),
    "digits-10": (Form("image", "class", 28, 28, 10), (10, 400, 1000)),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_forms_are_those_that_the_unit_tests_build_for(name):
    examples = TASKS[name].load(0)
    assert (examples.form, tuple(map(len, examples.splits))) == FORMS[name]


def test_the_scaling_curves_count_all_characters_that_there_are():
    assert len(TASKS["shakespeare"].load(0).splits.train) == scaling.ALL_CHARACTERS


def test_temperatures_are_a_days_forecast():
    examples = TASKS["temperatures"].load(0)
    assert (examples.form.length, examples.form.size_in, examples.form.size_out) == (48, 1, 24)
    assert tuple(map(len, examples.splits)) == (6060, 1242, 1244)


@pytest.mark.parametrize("name", ["sentiment", "surnames"])
def test_no_text_stands_in_two_parts(name):
    train, validation, test = (set(part.raw) for part in TASKS[name].load(0).splits)
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_the_digits_of_a_small_sample_are_one_of_each():
    first, second = (TASKS["digits-10"].load(seed).splits.train for seed in (0, 1))
    assert sorted(first.targets.tolist()) == sorted(second.targets.tolist()) == list(range(10))
    assert not torch.equal(first.inputs, second.inputs)


#: Bands that hold on any machine; the sentiment bar is the one that the design states, 80.1 %.
BASELINES = {
    "digits": ("accuracy", 0.92, 0.94),
    "sentiment": ("accuracy", 0.79, 0.82),
    "temperatures": ("mean_absolute_error", 0.08, 0.11),
}


@pytest.mark.parametrize("name", BASELINES)
def test_the_simple_baselines_are_where_they_should_be(name):
    metric, low, high = BASELINES[name]
    record = Job(TASKS[name], FAMILIES["baseline"], UNLIMITED, 0).run()
    assert low <= record.test[metric] <= high
    assert TASKS[name].metric.name == metric


def test_the_reduced_run_gives_the_committed_order_again(tmp_path):
    """Of digits, what takes seconds; `make compare-quick` does it for all."""
    committed = results.comparison(quick=True)
    if not committed:
        pytest.skip("no reduced run has been committed yet")
    grid = QUICK.only(["digits"], ["baseline", "mlp", "cnn"])
    comparison.run(grid.jobs(), tmp_path / "now.jsonl", processes=1, quiet=True)
    (task,), (budget,) = grid.tasks, grid.budgets
    now, before = (
        grid.table(records, task, budget) for records in (comparison.read(tmp_path / "now.jsonl"), committed)
    )
    assert {row.family for row in now} == {"baseline", "mlp", "cnn"}
    assert comparison.contradictions(before, now, task.metric) == []
