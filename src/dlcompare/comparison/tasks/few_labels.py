"""Digits and sentiment from a few labels: what pre-training is for."""

from __future__ import annotations

import dataclasses
import functools

import torch
from torch import Tensor

from dlcompare.comparison.task import Examples, Part, Task
from dlcompare.comparison.tasks import digits, sentiment
from dlcompare.data import Splits

__all__ = ["FEW_LABELS", "SIZES", "sample"]

#: How many labelled examples there are to learn from.
SIZES = (10, 100, 1000)


def sample(part: Part, n: int, seed: int) -> Part:
    """Return ``n`` examples of ``part`` (n, …) drawn by ``seed``, as many of each class as can be.

    A larger sample of the same seed holds the smaller one.

    Raises
    ------
    ValueError
        when ``n`` is not between 1 and the number of examples.
    """
    if not 1 <= n <= len(part):
        raise ValueError(f"n is {n}; allowed are 1 to {len(part)}, the number of examples")
    order = torch.randperm(len(part), generator=torch.Generator().manual_seed(seed))
    labels = part.targets[order]
    place = torch.zeros(len(order), dtype=torch.int64)  # of each example among those of its class
    for label in sorted(set(labels.tolist())):
        chosen = labels == label
        place[chosen] = torch.arange(int(chosen.sum()))
    first = order[place.argsort(stable=True)[:n]]  # one of each class, then another of each, …
    return _taken(part, first)


def _taken(part: Part, chosen: Tensor) -> Part:
    rows = chosen.tolist()
    inputs = part.inputs[chosen] if isinstance(part.inputs, Tensor) else [part.inputs[i] for i in rows]
    return Part(inputs, part.targets[chosen], [part.raw[i] for i in rows] if part.raw else ())


def load(of: Task, n: int, seed: int) -> Examples:
    """Return the data of task ``of`` with ``n`` of its training examples, drawn by ``seed``."""
    examples = of.load(seed)
    splits = examples.splits
    fewer = Splits(sample(splits.train, n, seed), splits.validation, splits.test)
    return dataclasses.replace(examples, splits=fewer)


#: The tasks: ``digits-10`` to ``sentiment-1000``. Learning rate and best step are still chosen on the whole validation
#: part, which nobody with ten labels has: all families are helped by that alike.
FEW_LABELS: tuple[Task, ...] = tuple(
    dataclasses.replace(
        of,
        name=f"{of.name}-{n}",
        summary=f"{of.summary[:-1]}, learned from {n:,} examples?",
        load=functools.partial(load, of, n),
        settings={**of.settings, "batch_size": 32, "steps": 300, "labels": n},
        bar=None
        if of.bar is None
        else dataclasses.replace(of.bar, family="baseline", what="the baseline", stated=None),
        of=of.name,
        sampled=True,
    )
    for of in (digits.DIGITS, sentiment.SENTIMENT)
    for n in SIZES
)
