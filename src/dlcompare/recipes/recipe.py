"""What a recipe is, and what its run gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from dlcompare.tokenization import Tokenizer
from dlcompare.training import History, Run

__all__ = ["Recipe", "Trained"]

_COURSE = ("steps", "learning_rate", "muon_learning_rate", "weight_decay", "warmup", "evaluate_every")


@dataclass(frozen=True)
class Trained:
    """What a recipe's run gives: the model, how it went, what it is worth, and the tokenizer if there is one.

    ``sources`` holds the SHA-256 of what else it came from: other data sets, the checkpoint it started from.
    """

    model: nn.Module
    history: History
    metrics: dict[str, float | int]
    tokenizer: Tokenizer | None = None
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """How one checkpoint is trained.

    Parameters
    ----------
    name
        of the recipe and of its checkpoint.
    summary
        one line for people.
    data
        name of the data set, as in ``dlcompare data list``.
    seed
        of the initial weights, the batches and dropout.
    settings
        every other number that the result depends on; they stand on the card.
    run
        trains by these settings, under the circumstances that it is given.
    threads
        torch's threads on the CPU; another number sums up in another order.
    committed
        whether the checkpoint lies in the repository; a large one does not.
    """

    name: str
    summary: str
    data: str
    seed: int
    settings: dict[str, Any]
    run: Callable[[Recipe, Run], Trained]
    threads: int = 1
    committed: bool = True

    @property
    def course(self) -> dict[str, Any]:
        """Those of the settings that :func:`~dlcompare.training.fit` takes, by the names of its arguments."""
        return {name: value for name, value in self.settings.items() if name in _COURSE}
