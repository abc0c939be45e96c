"""The learning rate: found for every family in the same way, and the validation part alone decides.

Three rates are tried, a factor of about three apart; what is pre-trained begins a factor of ten lower. While the best
is the lowest or the highest that was tried, the next one beyond it is tried too. A try is a whole run, of the first
seed; the best one is that seed's run, and the other seeds take its rate over. Shorter tries would cost less, but they
prefer rates that are too high for a whole run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["Search"]

T = TypeVar("T")

#: How many rates, in the middle of the grid, are tried in any case.
_FIRST = 3


@dataclass(frozen=True)
class Search:
    """A search for the learning rate.

    Parameters
    ----------
    grid
        the rates that may be tried, AdamW's peaks, in increasing order.
    seed
        whose runs are the tries.
    lower
        how many places of the grid below its middle the first tries begin.

    Raises
    ------
    ValueError
        for an empty grid, a rate that is not positive, an order that does not increase, or a negative ``lower``.
    """

    grid: tuple[float, ...] = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    seed: int = 0
    lower: int = 0

    def __post_init__(self) -> None:
        if not self.grid or any(not rate > 0 for rate in self.grid):
            raise ValueError(f"grid is {self.grid!r}; allowed is at least one rate > 0")
        if list(self.grid) != sorted(set(self.grid)):
            raise ValueError(f"grid is {self.grid!r}; allowed are rates in increasing order, each once")
        if self.lower < 0:
            raise ValueError(f"lower is {self.lower}; allowed are integers of at least 0")

    @property
    def identity(self) -> dict[str, Any]:
        """What determines the search, for the key of a record."""
        told = {"grid": list(self.grid), "first": _FIRST, "seed": self.seed}
        return {**told, "lower": self.lower} if self.lower else told

    def best(self, trained: Callable[[float], tuple[T, float]]) -> tuple[float, T, dict[str, Any]]:
        """Return the best rate, what was trained at it, and what a record tells of the search.

        Parameters
        ----------
        trained
            trains a new network at a rate, and returns it with its loss on the validation part. A FloatingPointError
            of it means that the rate is too high.

        Raises
        ------
        FloatingPointError
            when no rate leads to a finite loss.
        """
        losses: dict[int, float] = {}  # by the place in the grid; not finite where it is too high
        best: tuple[int, T] | None = None
        low = max(0, (len(self.grid) - _FIRST) // 2 - self.lower)
        ahead = list(range(low, min(len(self.grid), low + _FIRST)))
        while ahead:
            place = ahead.pop(0)
            try:
                model, losses[place] = trained(self.grid[place])
            except FloatingPointError:
                losses[place] = math.inf
            else:
                if math.isfinite(losses[place]) and (best is None or losses[place] < losses[best[0]]):
                    best = place, model
            if not ahead:
                at = min(losses) if best is None else best[0]  # where all are too high, a lower one may do
                ahead = [other for other in (at - 1, at + 1) if 0 <= other < len(self.grid) and other not in losses]
        if best is None:
            raise FloatingPointError(f"no learning rate of {self.grid} leads to a finite loss")
        tried = sorted(losses)
        told = {
            **self.identity,
            "tried": [self.grid[place] for place in tried],
            "validation": [losses[place] if math.isfinite(losses[place]) else None for place in tried],
            "how": "lowest validation loss",
            "at_the_edge": len(tried) > 1 and best[0] in (tried[0], tried[-1]),
        }
        return self.grid[best[0]], best[1], told
