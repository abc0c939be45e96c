"""Budgets: what is equal for all families when they are compared.

*Matched parameters*: the width whose network has as many parameters as asked for, within 5 %; all make the task's own
number of steps. *Matched FLOPs* and *matched time*: the same width, and as many steps as the operations or the seconds
allow. A checkpoint that is fine-tuned has the size that it has; only its steps follow the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from dlcompare.models.costs import costs
from dlcompare.training import Batch, LossFunction, n_parameters, plan

__all__ = ["BUDGETS", "UNLIMITED", "Budget", "BudgetError", "flops_per_step", "matched_width", "steps_within"]

#: A training of fewer steps than this is none.
FEWEST_STEPS = 20


class BudgetError(ValueError):
    """A family can't be brought to a budget; the message says what it comes to."""


@dataclass(frozen=True)
class Budget:
    """What all families get.

    Parameters
    ----------
    name
        in records and commands.
    title
        for people.
    parameters
        how many a network is to have; None for what has no size of its own to choose.
    flops
        floating-point operations of all training steps together, forward and backward; None for the task's steps.
    seconds
        of all training steps together: of the processor (on one thread, the wall time where nothing else runs), on a
        GPU of the wall; None for the task's steps.
    tolerance
        how far the number of parameters may lie from what is asked for, as a share of it.

    Raises
    ------
    ValueError
        when a number is not positive, or both ``flops`` and ``seconds`` are given.
    """

    name: str
    title: str
    parameters: int | None = None
    flops: float | None = None
    seconds: float | None = None
    tolerance: float = 0.05

    def __post_init__(self) -> None:
        for name in ("parameters", "flops", "seconds", "tolerance"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} is {value!r}; allowed is > 0")
        if self.flops is not None and self.seconds is not None:
            raise ValueError(f"flops is {self.flops:g} and seconds is {self.seconds:g}; allowed is one of them")

    @property
    def identity(self) -> dict[str, Any]:
        """What determines a run's size and length, for the key of a record."""
        return {
            "parameters": self.parameters,
            "flops": self.flops,
            "seconds": self.seconds,
            "tolerance": self.tolerance,
        }


#: For what isn't trained by gradients.
UNLIMITED = Budget("none", "no budget")

#: How many parameters the networks of the full run have.
_PARAMETERS = 50_000
#: The budgets of the full run, by their names. The operations and the seconds are about what a recurrent network needs
#: for the digits' own 800 steps; an MLP gets twenty times as many for the operations, the most that a run may have.
BUDGETS: dict[str, Budget] = {
    budget.name: budget
    for budget in (
        Budget("parameters", f"{_PARAMETERS:,} parameters", parameters=_PARAMETERS),
        Budget("flops", "3·10¹¹ operations", parameters=_PARAMETERS, flops=3e11),
        Budget("time", "10 seconds of one core", parameters=_PARAMETERS, seconds=10.0),
    )
}


def matched_width(
    build: Callable[[int], nn.Module], widths: Sequence[int], parameters: int, tolerance: float = 0.05
) -> int:
    """Return the width whose network comes nearest to so many ``parameters``.

    The networks are built on torch's meta device: they take no memory.

    Parameters
    ----------
    build
        from a width to a network; a wider one has more parameters.
    widths
        to choose from, in increasing order.
    parameters, tolerance
        how many there are to be, and how far from that they may be, as a share of it.

    Raises
    ------
    BudgetError
        when none comes near enough, with the counts of the nearest.
    """

    def count(width: int) -> int:
        with torch.device("meta"):
            return n_parameters(build(width))

    low, high = 0, len(widths)  # the first of at least so many lies in between
    while low < high:
        middle = (low + high) // 2
        if count(widths[middle]) < parameters:
            low = middle + 1
        else:
            high = middle
    near = {width: count(width) for width in widths[max(0, low - 1) : low + 1]}
    width = min(near, key=lambda w: abs(near[w] - parameters))
    if abs(near[width] - parameters) > tolerance * parameters:
        found = " and ".join(f"{n:,} at width {w}" for w, n in near.items())
        raise BudgetError(f"parameters is {parameters:,} ± {tolerance:.0%}; the nearest are {found}")
    return width


def flops_per_step(model: nn.Module, loss: LossFunction, batches: Sequence[Batch]) -> int:
    """Return the floating-point operations of one training step, the mean over ``batches``.

    Three times a forward pass, by the formulas of :mod:`dlcompare.models.costs`: the backward pass has two products for
    each of the forward pass's. For a network that has a layer without a formula, what torch counts in a step on its
    meta device. What the optimiser does is left out.

    The last tensor of a batch, (batch, …), holds the targets; the network reads the others.
    """
    try:
        return sum(3 * costs(model, *batch[:-1])[""].flops for batch in batches) // len(batches)
    except ValueError:
        return sum(plan(model, loss, batch, lambda _: [], steps=1).flops_per_step for batch in batches) // len(batches)


def steps_within(total: float, of_one: float, unit: str, most: int) -> int:
    """Return how many steps of ``of_one`` fit into ``total``, both in ``unit``, and at most ``most``.

    Raises
    ------
    BudgetError
        when fewer than 20 fit: that would be no training.
    """
    steps = most if of_one <= 0 else min(most, int(total / of_one))
    if steps < FEWEST_STEPS:
        raise BudgetError(
            f"{total:.3g} {unit} allow {steps} steps of {of_one:.3g} {unit} each; at least {FEWEST_STEPS} are needed"
        )
    return steps


def take(batches: Iterator[Batch], n: int) -> list[Batch]:
    """Return the next ``n`` batches, tensors (batch, …)."""
    return [next(batches) for _ in range(n)]
