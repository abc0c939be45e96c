import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlcompare import comparison
from dlcompare.comparison import Budget, Family, Job, Record, Search, append, read, remaining, runner
from tests.unit.comparison.toys import COIN, CRASHING, KILLED, SMALL, TOY, build

BUDGET = Budget("parameters", "100 parameters", parameters=100)
ROOT = Path(__file__).resolve().parents[3]


def job(family=SMALL, seed=0, steps=20) -> Job:
    task = dataclasses.replace(TOY, settings={**TOY.settings, "steps": steps})
    return Job(task, family, BUDGET, seed, Search((0.03,)))


def test_jobs_run_side_by_side_and_none_twice(tmp_path):
    path = tmp_path / "records.jsonl"
    grid = [job(seed=seed) for seed in range(3)]
    made = comparison.run([*grid, grid[0]], path, processes=2, quiet=True)
    assert {record.key for record in made} == {one.key for one in grid}
    assert [record.error for record in made] == [None] * 3
    assert read(path) == [Record.from_json(record.to_json()) for record in made]
    for record in made:
        assert 50e6 < record.peak_memory < 5e9
        assert record.machine["threads"] == 1
    assert comparison.run(grid, path, quiet=True) == []
    assert remaining([*grid, job(seed=3)], path) == [job(seed=3)]
    here = job(seed=0).run()
    assert made[0].seed == 0  # the others need its learning rate
    assert made[0].test == here.test
    assert {record.search["how"] for record in made[1:]} == {"taken over from seed 0"}


def test_an_error_is_a_record_and_stops_nobody(tmp_path):
    path = tmp_path / "records.jsonl"
    made = comparison.run([job(CRASHING), job(KILLED), job(COIN)], path, processes=1, quiet=True)
    errors = {record.family: record.error for record in made}
    assert errors["coin"] is None
    assert errors["crashing"].startswith("RuntimeError: nobody can build this (toys.py, line ")
    assert errors["killed"] == "the process ended by signal SIGKILL, as the system does when memory runs out"
    assert [one.family.name for one in remaining([job(CRASHING), job(KILLED), job(COIN)], path)] == [
        "crashing",
        "killed",
    ]


def test_who_needs_a_search_that_failed_fails_with_it(tmp_path):
    for processes in (0, 1):
        path = tmp_path / f"{processes}.jsonl"
        made = comparison.run([job(CRASHING, seed=1), job(CRASHING)], path, processes=processes, quiet=True)
        assert [record.seed for record in made] == [0, 1]
        assert made[1].error.startswith("the search for its learning rate failed (RuntimeError: nobody can build this")
        assert len(remaining([job(CRASHING, seed=1), job(CRASHING)], path)) == 2


def test_what_a_budget_is_too_small_for_says_why(tmp_path):
    small = dataclasses.replace(BUDGET, flops=10.0)
    refused = dataclasses.replace(job(), budget=small)
    for processes in (0, 1):
        (made,) = comparison.run([refused], tmp_path / f"{processes}.jsonl", processes=processes, quiet=True)
        assert re.fullmatch(r"10 operations allow 0 steps of .* operations each; at least 20 are needed", made.error)


def test_here_it_is_the_same_and_a_notebooks_families_may_take_part(tmp_path):
    path = tmp_path / "records.jsonl"
    grid = [job(seed=1)]
    with pytest.raises(ValueError, match="jobs has 'toy small parameters 1' without 'toy small parameters 0'"):
        comparison.run(grid, path, processes=0, quiet=True)
    mine = Family("mine", "mine", "mlp", lambda form, width: build(form, width), range(2, 200))
    made = comparison.run([job(mine), job(CRASHING)], path, processes=0, quiet=True)
    assert [record.error is None for record in made] == [True, False]
    assert made[0].peak_memory is None
    assert made[0].test == job().run().test
    with pytest.raises(ValueError, match="job 'toy mine parameters 1' can't be sent to another process"):
        comparison.run([job(mine, seed=1)], path, processes=1, quiet=True)  # the other one's record is there


def test_what_json_cannot_hold_is_an_error(tmp_path):
    endless = dataclasses.replace(COIN, measure=lambda *_: comparison.Outcome({}, {"accuracy": float("nan")}, {}))
    (made,) = comparison.run([job(endless)], tmp_path / "records.jsonl", processes=0, quiet=True)
    assert "ValueError" in made.error


class Pool(runner._Pool):
    """One that starts no process, but tells what it would have started."""

    def __init__(self, path, processes, memory):
        super().__init__(path, processes, memory, 1, "cpu")
        self.started = []

    def _start(self, job, source, needs):
        self.started.append(job.name)
        self.running.append(runner._Running(job, None, None, needs))


def test_a_job_starts_only_where_it_fits(tmp_path):
    path = tmp_path / "records.jsonl"
    like = Record("1", "toy", "small", "parameters", 0, peak_memory=400_000_000)
    for record in (like, dataclasses.replace(like, key="2", peak_memory=300_000_000)):
        append(path, record)
    append(path, dataclasses.replace(like, key="3", family="coin", peak_memory=700_000_000))
    pool = Pool(path, 3, 1_000_000_000)
    pool.found[job().key] = dataclasses.replace(like, key=job().key)
    waiting = [job(seed=1), job(COIN), job(seed=2), job(KILLED), job(seed=3)]
    refused = pool._start_what_fits(waiting)
    assert pool.started == ["toy small parameters 1", "toy small parameters 2"]  # 0.8 GB; the coin needs 0.7 more
    assert [one.family.name for one in waiting] == ["coin", "small"]
    assert [record.family for record in refused] == ["killed"]  # nothing like it is known, and the guess is too much
    assert refused[0].error == "MemoryError: needs about 1,500,000,000 bytes; allowed are 1,000,000,000 for all jobs"
    pool.running.clear()
    assert pool._start_what_fits(waiting) == []
    assert pool.started[2:] == ["toy coin parameters 0"]
    pool.running.clear()
    del pool.found[job().key]
    assert pool._start_what_fits([job(seed=4)]) == []  # the search is not there yet
    assert len(pool.started) == 3


def test_bad_numbers_are_named(tmp_path):
    for name, value in (("processes", -1), ("threads", 0), ("memory", -5)):
        with pytest.raises(ValueError, match=f"{name} is {value}; allowed are integers of at least"):
            comparison.run([], tmp_path / "r.jsonl", quiet=True, **{name: value})


SCRIPT = """
import sys
from pathlib import Path
from tests.unit.comparison.test_runner import job
from dlcompare import comparison
if __name__ == "__main__":
    endless = job(steps=10**7)
    comparison.run([endless, job(), job(seed=1)], Path(sys.argv[1]), processes=2, quiet=True)
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_loses_nothing_that_finished(tmp_path, ending):
    path, script = tmp_path / "records.jsonl", tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, str(script), str(path)], env=environment, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 90
        while len(read(path)) < 2 and time.monotonic() < until and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(ending)
        process.communicate(timeout=30)
    finally:
        process.kill()
    # The pipe of its error stream, which its children have as well, is closed: none of them goes on.
    assert len(read(path)) == 2
    todo = [job(seed=i, steps=20) for i in range(2)]
    assert remaining(todo, path) == []
