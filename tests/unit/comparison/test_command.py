"""``dlcompare compare``, on a toy in the place of the grids."""

import json

import pytest
from typer.testing import CliRunner

from dlcompare.cli import app
from dlcompare.comparison import Budget, Search, append, grids, read
from dlcompare.comparison.grids import FULL, QUICK, Grid
from dlcompare.comparison.scaling_runs import CHARACTERS, PARAMETERS, SCALING
from tests.unit.comparison.toys import COIN, CRASHING, SMALL, TOY

GRID = Grid((TOY,), (COIN, SMALL), (Budget("parameters", "100 parameters", parameters=100),), (0, 1), Search((0.03,)))


@pytest.fixture(autouse=True)
def toy(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(grids, "FULL", GRID)


def run(*arguments: str):
    return CliRunner().invoke(app, ["compare", *arguments])


def test_a_grid_is_measured_once_and_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = run("--processes", "0")
    assert result.exit_code == 0, result.stderr
    assert "3 of 3 jobs were measured now; the records are in runs/comparison.jsonl" in result.stdout
    assert all(text in result.stdout for text in ("toy, 100 parameters", "accuracy (share)", "small", "no seed"))
    assert "…" not in result.stdout, "the table stands whole in a terminal of 80 columns"
    assert len(read(tmp_path / "runs" / "comparison.jsonl")) == 3
    assert "0 of 3 jobs were measured now" in run("--processes", "0").stdout


def test_a_part_of_the_grid_can_be_chosen(tmp_path):
    result = run("--family", "small", "--seeds", "1", "--out", "part.jsonl", "--processes", "0")
    assert "1 of 1 jobs" in result.stdout
    assert "one seed" in result.stdout
    assert [record.family for record in read(tmp_path / "part.jsonl")] == ["small"]
    shown = run("--show", "--out", "part.jsonl")
    assert "small" in shown.stdout
    assert "measured" not in shown.stdout


def test_a_plan_says_why_not(monkeypatch):
    monkeypatch.setattr(grids, "FULL", FULL.only(["shakespeare"], ["encoder", "gpt"], ["time"]))
    result = run("--dry-run")
    assert result.exit_code == 0
    assert "An encoder sees the whole row at once" in " ".join(result.stdout.split())
    assert "3 jobs, 3 still to run" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--task", "sums"), "task is 'sums'; allowed are toy"),
        (("--family", "svm"), "family is 'svm'; allowed are coin, small"),
        (("--budget", "money"), "budget is 'money'; allowed are parameters"),
        (("--memory", "-1"), "memory is -1000000000; allowed are"),
        (("--quick", "--scaling"), "--quick and --scaling are two grids; allowed is one of them"),
    ],
)
def test_mistakes_are_named(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_file_that_is_none_is_named(tmp_path):
    (tmp_path / "r.jsonl").write_text("nonsense\n{}\n")
    result = run("--out", "r.jsonl")
    assert result.exit_code == 1
    assert "r.jsonl, line 1: no JSON" in result.stderr


def test_a_job_that_fails_is_told_at_the_end(monkeypatch):
    monkeypatch.setattr(grids, "FULL", Grid((TOY,), (COIN, CRASHING), GRID.budgets, (0,)))
    result = run("--processes", "0")
    assert result.exit_code == 1
    assert "toy crashing parameters 0: RuntimeError: nobody can build this" in result.stderr
    assert "1 jobs failed, 0 orders" in result.stderr
    assert "coin" in result.stdout


def test_an_order_that_has_turned_round_is_told(tmp_path):
    assert run("--processes", "0", "--out", "now.jsonl").exit_code == 0
    before = tmp_path / "before.jsonl"
    for record in read(tmp_path / "now.jsonl"):
        fields = json.loads(record.to_json())
        if record.family == "small":
            fields["test"] = {"accuracy": 0.1 + record.seed / 1000}
        append(before, record.from_json(json.dumps(fields)))
    result = run("--processes", "0", "--out", "now.jsonl", "--against", "before.jsonl")
    assert result.exit_code == 1
    assert "coin was surely better than small, and now is surely worse" in result.stderr
    assert run("--processes", "0", "--out", "now.jsonl", "--against", "now.jsonl").exit_code == 0


def test_the_grids_are_those_of_the_book():
    assert len(FULL.seeds) >= 3
    assert {budget.name for budget in FULL.budgets} == {"parameters", "flops", "time"}
    assert len({job.key for job in FULL.jobs()}) == len(FULL.jobs())
    assert not {job.key for job in FULL.jobs()} & {job.key for job in QUICK.jobs()} - {
        job.key for job in QUICK.jobs() if job.family.name == "baseline"
    }
    assert len(QUICK.seeds) == 3


def test_for_scaling_the_size_varies_at_all_the_data_and_the_data_at_one_size():
    jobs = SCALING.jobs()
    assert len({job.key for job in jobs}) == len(jobs)
    assert not {job.key for job in jobs} & {job.key for job in FULL.jobs()}
    found = {}
    for job in jobs:
        characters = job.task.settings.get("characters")
        found.setdefault((characters, job.task.settings["steps"]), set()).add(job.budget.parameters)
    everywhere = set(PARAMETERS)
    assert found == {(None, 1000): everywhere, (None, 250): everywhere} | {(c, 1000): {100_000} for c in CHARACTERS}
    assert {(job.family.name, job.seed) for job in jobs} == {(f, s) for f in ("lstm", "gpt") for s in (0, 1, 2)}


def test_the_plan_for_scaling_is_shown_without_measuring(tmp_path):
    result = run("--scaling", "--dry-run", "--task", "scaling", "--family", "gpt", "--seeds", "1")
    assert result.exit_code == 0, result.stderr
    assert "5 jobs, 5 still to run" in result.stdout
