"""A task that is learned within a second, and families for it: other processes can import them."""

from __future__ import annotations

import os
import signal

import torch

from dlcompare.comparison import Bar, Examples, Family, Form, Method, Metric, Part, Task
from dlcompare.comparison.baselines import Outcome
from dlcompare.data import Splits
from dlcompare.models import MLP, MLPConfig

FORM = Form("series", "class", size_in=2, length=1, size_out=2)


def points(n: int, seed: int) -> Part:
    """Points in a square (n, 1, 2), and whether the first coordinate is the larger one."""
    x = torch.rand(n, 1, 2, generator=torch.Generator().manual_seed(seed))
    return Part(x, (x[:, 0, 0] > x[:, 0, 1]).long())


def load(seed: int) -> Examples:
    return Examples(FORM, Splits(points(200, 0), points(100, 1), points(100, 2)))


ACCURACY = Metric("accuracy", "share", higher_is_better=True)
TOY = Task("toy", "which is larger?", load, ACCURACY, {"batch_size": 20, "steps": 60}, bar=Bar("a coin", "coin"))


def build(form: Form, width: int) -> MLP:
    return MLP(MLPConfig((form.length * form.size_in, width, form.size_out)))


def coin(task: Task, examples: Examples, seed: int) -> Outcome:
    return Outcome({"accuracy": 0.5}, {"accuracy": 0.5}, {"method": "a coin"})


def crash(form: Form, width: int) -> MLP:
    raise RuntimeError("nobody can build this")


def killed(form: Form, width: int) -> MLP:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


SMALL = Family("small", "small MLP", "mlp", build, range(2, 200))
COIN = Method("coin", "a coin", "baseline", coin)
CRASHING = Family("crashing", "crashing", "mlp", crash)
KILLED = Family("killed", "killed", "mlp", killed)
