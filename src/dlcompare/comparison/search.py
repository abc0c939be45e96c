"""The learning rate: the same few are tried for every family, and the validation part alone decides.

A try is a whole run, of the first seed; the best one is that seed's run, and the other seeds take its rate over.
Shorter tries would cost less, but they prefer rates that are too high for a whole run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["Search"]

T = TypeVar("T")


@dataclass(frozen=True)
class Search:
    """A search for the learning rate.

    Parameters
    ----------
    grid
        the rates that are tried, AdamW's peaks.
    seed
        whose runs are the tries.

    Raises
    ------
    ValueError
        for an empty grid, or a rate that is not positive.
    """

    grid: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.grid or any(not rate > 0 for rate in self.grid):
            raise ValueError(f"grid is {self.grid!r}; allowed is at least one rate > 0")

    @property
    def identity(self) -> dict[str, Any]:
        """What determines the search, for the key of a record."""
        return {"grid": list(self.grid), "seed": self.seed}

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
        found: list[float | None] = []
        best: tuple[float, T, float] | None = None
        for rate in self.grid:
            try:
                model, loss = trained(rate)
            except FloatingPointError:
                found.append(None)
                continue
            found.append(loss if math.isfinite(loss) else None)
            if math.isfinite(loss) and (best is None or loss < best[2]):
                best = rate, model, loss
        if best is None:
            raise FloatingPointError(f"no learning rate of {self.grid} leads to a finite loss")
        edge = len(self.grid) > 1 and best[0] in (self.grid[0], self.grid[-1])
        told = {**self.identity, "validation": found, "how": "lowest validation loss", "at_the_edge": edge}
        return best[0], best[1], told
