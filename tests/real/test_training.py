"""The command that trains, started as its help says, on real data."""

import json
import os
import subprocess
import sys

import pytest

from dlcompare import checkpoints


def command(folder, *launcher: str, options: tuple[str, ...] = ()) -> dict:
    """Train digits-mlp for forty steps by the command line, and return its card."""
    arguments = ["-m", "dlcompare", "train", "digits-mlp", "--steps", "40", "--out", str(folder), *options]
    done = subprocess.run(
        [sys.executable, *launcher, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "DLCOMPARE_QUIET": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return checkpoints.card("digits-mlp", folder)


def test_torchrun_trains_a_recipe_in_two_processes_to_the_same_result(tmp_path):
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = command(tmp_path / "one")
    two = command(tmp_path / "two", *torchrun, options=("--accumulate", "2"))
    for (step, value), (other_step, other) in zip(
        one["training"]["validation"], two["training"]["validation"], strict=True
    ):
        assert step == other_step
        assert other == pytest.approx(value, abs=1e-4)
    assert json.dumps(one["recipe"]) == json.dumps(two["recipe"])
