"""The command that trains, started as its help says, on real data."""

import json
import os
import subprocess
import sys

import pytest

from dlcompare import checkpoints, recipes
from dlcompare.training import Run


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


def test_gpt2_with_124_million_parameters_is_planned_for_eight_processes():
    """The numbers that the help's example shows; half a million tokens per step, as in GPT-3's table 2.1."""
    plan = recipes.plan("gpt2-124m", run=Run(dry_run=8, accumulate=5))
    assert plan.parameters == 124_439_808
    assert 0.45e6 < plan.rows_per_step * 1024 < 0.55e6
    assert plan.weights == plan.gradients == 4 * plan.parameters
    assert plan.optimizer == pytest.approx(8 * plan.parameters, rel=1e-4)
    assert 1e9 < plan.activations_bfloat16 < plan.activations < 20e9
    assert 1 < plan.seconds(150e12) / 3600 < 3
    sharded = recipes.plan("gpt2-124m", run=Run(dry_run=8, accumulate=5, sharded=True))
    assert sharded.weights == plan.weights // 8
