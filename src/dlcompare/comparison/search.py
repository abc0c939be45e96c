"""The learning rate: the same few are tried for every family, and the validation part alone decides."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Search"]


@dataclass(frozen=True)
class Search:
    """A search for the learning rate.

    Parameters
    ----------
    grid
        the rates that are tried, AdamW's peaks.
    share
        how long each is tried: this share of the run's steps, with the whole course from warm-up to the end.

    Raises
    ------
    ValueError
        for an empty grid, a rate that is not positive, or a share outside 0 < share ≤ 1.
    """

    grid: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2)
    share: float = 0.25

    def __post_init__(self) -> None:
        if not self.grid or any(not rate > 0 for rate in self.grid):
            raise ValueError(f"grid is {self.grid!r}; allowed is at least one rate > 0")
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share!r}; allowed is 0 < share ≤ 1")

    @property
    def identity(self) -> dict[str, Any]:
        """What determines the search, for the key of a record."""
        return {"grid": list(self.grid), "share": self.share}

    def best(self, validation_loss: Callable[[float, int], float], steps: int) -> tuple[float, dict[str, Any]]:
        """Return the best rate, and what a record tells of the search.

        Parameters
        ----------
        validation_loss
            trains a new network at a rate for so many steps, and returns its loss on the validation part. A
            FloatingPointError of it means that the rate is too high.
        steps
            those of the whole run.

        Raises
        ------
        FloatingPointError
            when no rate leads to a finite loss.
        """
        if len(self.grid) == 1:
            return self.grid[0], {**self.identity, "steps": 0, "validation": [], "how": "given"}
        tries = max(1, round(self.share * steps))
        found: list[float] = []
        for rate in self.grid:
            try:
                found.append(validation_loss(rate, tries))
            except FloatingPointError:
                found.append(math.inf)
        losses = [loss if math.isfinite(loss) else None for loss in found]
        if not any(loss is not None for loss in losses):
            raise FloatingPointError(f"no learning rate of {self.grid} leads to a finite loss within {tries} steps")
        best = min(range(len(found)), key=lambda i: found[i] if math.isfinite(found[i]) else math.inf)
        return self.grid[best], {
            **self.identity,
            "steps": tries,
            "validation": losses,
            "how": "lowest validation loss",
            "at_the_edge": best in (0, len(found) - 1),
        }
