"""How a set is divided into training, validation and test part.

A random generator's stream may change between versions of numpy or torch, and with it a split, silently. So
nothing here draws at random: items are put in the order of the SHA-256 of the seed and a stable key of the item.
That order looks random, is the same on every machine for ever, and an item's place does not depend on its
position in the file.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

__all__ = ["SEED", "Splits", "shuffled"]

T = TypeVar("T")
U = TypeVar("U")

SEED = 0
"""The seed of every split."""


@dataclasses.dataclass(frozen=True)
class Splits(Generic[T]):
    """The three parts of a data set; iterating gives them in this order.

    Attributes
    ----------
    train, validation, test
        what a model learns from, what we choose settings on, and what is looked at once at the end
    """

    train: T
    validation: T
    test: T

    def __iter__(self) -> Iterator[T]:
        return iter((self.train, self.validation, self.test))

    def map(self, function: Callable[[T], U]) -> Splits[U]:
        """Return the three parts with ``function`` applied to each."""
        return Splits(function(self.train), function(self.validation), function(self.test))


def shuffled(keys: Iterable[str], seed: int = SEED) -> list[str]:
    """Return ``keys`` in an order that looks random and is fixed by ``seed``."""
    return sorted(keys, key=lambda key: (hashlib.sha256(f"{seed}:{key}".encode()).digest(), key))
