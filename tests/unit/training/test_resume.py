"""A run that is interrupted goes on, and ends as if it had not been."""

import csv
import random
import signal
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

from dlcompare import _files
from dlcompare.models import MLP, MLPConfig
from dlcompare.training import ResumeError, Run, fit, regression_loss

EVERYTHING = {
    "steps": 60,
    "dropout": 0.1,
    "muon_learning_rate": 0.02,
    "average": 0.9,
    "evaluate_every": 7,
    "patience": 50,
    "save_every": 1,
}


def test_a_run_killed_at_random_moments_ends_with_the_same_weights(workers, tmp_path):
    """Dropout, Muon, AdamW, the running average, the best weights and the log: all of it goes on."""
    undisturbed = workers.run("undisturbed", folder=str(tmp_path / "whole"), **EVERYTHING)
    folder = tmp_path / "run"
    delays, kills = [], 0
    for _ in range(6):
        (process,), began = workers.start("killed", folder=str(folder), **EVERYTHING)
        while process.is_alive() and not began.wait(0.01):
            pass
        delays.append(random.random() * 0.25)
        time.sleep(delays[-1])
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
    history, weights = workers.run("killed", folder=str(folder), **EVERYTHING)
    assert kills, f"it was faster than every one of {delays}"
    assert history == undisturbed[0], f"killed after {delays}"
    for name, expected in undisturbed[1].items():
        assert torch.equal(weights[name], expected), f"{name}, killed after {delays}"
    assert not list(folder.glob(".*.tmp"))

    def logged(where: str) -> list[dict[str, str]]:
        with (tmp_path / where / "log.csv").open(newline="") as file:
            return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]

    assert logged("run") == logged("whole")
    assert [int(row["step"]) for row in logged("run")] == list(range(1, 61))


def tiny(run: Run | None, steps: int = 6, loss=regression_loss, **options):
    torch.manual_seed(0)
    model = MLP(MLPConfig((1, 3, 1)))
    generator = torch.Generator().manual_seed(0)
    batches = iter(lambda: (torch.rand(4, 1, generator=generator), torch.ones(4, 1)), None)
    return model, fit(model, loss, batches, steps=steps, learning_rate=0.1, run=run, **options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_end_waits_for_the_step_saves_and_stops(tmp_path, number):
    calls = []

    def interrupted(model, batch):
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(number)
        return regression_loss(model, batch)

    before = signal.getsignal(number)
    run = Run(folder=tmp_path)
    with pytest.raises(KeyboardInterrupt, match="stopped after step 4 of 6; the state is kept in"):
        tiny(run, loss=interrupted)
    assert signal.getsignal(number) is before
    resumed, history = tiny(run)
    whole, expected = tiny(None)
    assert history.loss == expected.loss
    assert all(torch.equal(a, b) for a, b in zip(resumed.parameters(), whole.parameters(), strict=True))


def test_a_finished_run_is_not_trained_further(tmp_path):
    model, history = tiny(Run(folder=tmp_path))

    def never(model, batch):
        raise AssertionError("it trained")

    again, found = tiny(Run(folder=tmp_path), loss=never)
    assert found.loss == history.loss
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_the_state_of_another_run_or_model_and_a_damaged_one_are_refused(tmp_path):
    tiny(Run(folder=tmp_path, identity="one"))
    with pytest.raises(ResumeError, match="is the state of another run"):
        tiny(Run(folder=tmp_path, identity="two"))
    batches = iter([(torch.ones(1, 2), torch.ones(1, 1))])
    with pytest.raises(ResumeError, match="is the state of another model"):
        fit(
            MLP(MLPConfig((2, 1))),
            regression_loss,
            batches,
            steps=1,
            learning_rate=0.1,
            run=Run(folder=tmp_path, identity="one"),
        )
    state = tmp_path / "state.safetensors"
    whole = state.read_bytes()
    for damaged in (whole[:-5], b"", b"{}"):
        state.write_bytes(damaged)
        with pytest.raises(ResumeError, match="is no whole state of a run"):
            tiny(Run(folder=tmp_path, identity="one"))
    save_file({"x": torch.ones(1)}, state)
    with pytest.raises(ResumeError, match="another run"):
        tiny(Run(folder=tmp_path, identity="one"))


def test_a_full_disk_is_named_and_the_last_state_stays(tmp_path, monkeypatch):
    run = Run(folder=tmp_path, save_every=2)
    fsync, calls = _files.os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 4:  # the log, then the states of steps 2 and 4, and then
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device; what stood there before stays: '.*state.safetensors'"):
        tiny(run)
    monkeypatch.undo()
    assert not list(tmp_path.glob(".*.tmp"))
    assert "model.layers.0.weight" in load_file(run.state)
    resumed, history = tiny(run)
    whole, expected = tiny(None)
    assert history.loss == expected.loss
    assert all(torch.equal(a, b) for a, b in zip(resumed.parameters(), whole.parameters(), strict=True))


def test_what_interrupted_writing_left_is_swept_up(tmp_path):
    left = tmp_path / ".state.safetensors.abc.tmp"
    left.write_bytes(b"half")
    tiny(Run(folder=tmp_path))
    assert not left.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"save_every": 0}, "save_every is 0; allowed are integers of at least 1"),
        ({"accumulate": 0}, "accumulate is 0; allowed are integers of at least 1"),
        ({"dry_run": -1}, "dry_run is -1; allowed are the processes to plan for"),
        ({"tensorboard": True}, "tensorboard is True but folder is None"),
        ({"sharded": True}, "sharded is True but there is one process"),
    ],
)
def test_bad_circumstances_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Run(**options)
