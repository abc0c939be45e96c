"""The committed results can be read; the comparison's are records of jobs that there are."""

import re

import pytest

from dlcompare import results
from dlcompare.comparison import FAMILIES, TASKS, Record, RecordError, append
from dlcompare.comparison.grids import FULL, QUICK
from dlcompare.comparison.scaling_runs import SCALING


def test_records_are_read_and_a_later_try_counts(tmp_path):
    path = tmp_path / "records.jsonl"
    for error in ("memory", None):
        append(path, Record("1", "digits", "mlp", "parameters", 0, error=error))
    assert [record.error for record in results.comparison(path=path)] == [None]
    path.write_text("nonsense\n{}\n")
    with pytest.raises(RecordError, match="line 1"):
        results.comparison(path=path)


@pytest.mark.parametrize("quick", [False, True])
def test_committed_records_are_those_of_the_grid(quick):
    grid = QUICK if quick else FULL
    keys = {job.key for job in grid.jobs()}
    for record in results.comparison(quick=quick):
        assert record.key in keys, f"{record.task} {record.family} {record.budget} {record.seed} is of no job"
        assert record.task in TASKS
        assert record.family in FAMILIES
        if record.error is None:
            assert TASKS[record.task].metric.name in record.test
        else:
            assert re.search(r"\d operations allow \d+ steps of .* each; at least 20 are needed", record.error)


def test_a_prompted_model_has_seen_what_its_prompt_shows():
    prompted = [record for record in results.comparison() if record.configuration.get("method") == "prompting"]
    assert {record.examples for record in prompted} == {0, 8}
    assert all(record.examples == record.configuration["shots"] for record in prompted)


@pytest.mark.parametrize("task", FULL.tasks, ids=lambda task: task.name)
def test_every_cell_has_records_of_all_seeds_or_a_reason(task):
    seeds, wanted = {}, {}
    for record in results.comparison():
        if record.task == task.name:
            seeds.setdefault((record.family, record.budget), set()).add(record.seed)
    for job in FULL.jobs():
        if job.task.name == task.name:
            wanted.setdefault((job.family.name, job.budget.name), set()).add(job.seed)
    assert seeds == wanted
    for family in FULL.families:
        assert (family.name in {name for name, _ in seeds}) is (FULL.reason(task, family) is None)


def test_records_of_the_sweeps_are_read_the_same_way(tmp_path):
    path = tmp_path / "scaling.jsonl"
    assert results.scaling(path=path) == []
    for error in ("memory", None):
        append(path, Record("1", "scaling", "gpt", "parameters", 0, error=error))
    assert [record.error for record in results.scaling(path=path)] == [None]


def test_committed_records_of_the_sweeps_are_those_of_their_grid():
    records = results.scaling()
    assert {record.key for record in records} == {job.key for job in SCALING.jobs()}
    for record in records:
        assert record.error is None
        assert {"bits_per_character", "loss"} <= set(record.test)
