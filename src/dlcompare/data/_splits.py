"""How a set is divided into training, validation and test part.

A random generator's stream may change between versions of numpy or torch, and with it a split, silently. So
nothing here draws at random: items are put in the order of the SHA-256 of the seed and a key that belongs
to the item. That order looks random, is the same on every machine for ever, and does not depend on the
order in the file.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

__all__ = ["SEED", "Splits", "divided", "shuffled"]

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
        what a model learns from, what settings are chosen on, and what is looked at once, at the end
    """

    train: T
    validation: T
    test: T

    def __iter__(self) -> Iterator[T]:
        return iter((self.train, self.validation, self.test))

    def map(self, function: Callable[[T], U]) -> Splits[U]:
        """Return the three parts with ``function`` applied to each."""
        return Splits(function(self.train), function(self.validation), function(self.test))


def shuffled(items: Iterable[T], key: Callable[[T], str], seed: int = SEED) -> list[T]:
    """Return ``items`` in an order that looks random and is fixed by ``seed`` and the text ``key(item)``."""

    def place(item: T) -> bytes:
        return hashlib.sha256(f"{seed}:{key(item)}".encode()).digest()

    return sorted(items, key=place)


def divided(
    items: Iterable[T],
    *,
    key: Callable[[T], str],
    validation: int,
    test: int,
    stratum: Callable[[T], object] = lambda item: None,
    seed: int = SEED,
) -> Splits[tuple[T, ...]]:
    """Divide ``items`` by whole groups: items with the same ``key`` stand in the same part.

    Parameters
    ----------
    items : iterable
        what to divide
    key : callable
        the text that an item's place depends on
    validation, test : int
        the share of these parts in percent, of the groups of each stratum, rounded down
    stratum : callable
        the parts have (up to rounding) the same share of each value of this, for instance of each label
    seed : int
        another seed gives another division

    Returns
    -------
    Splits
        the parts; within a part, items are in the order of :func:`shuffled`, so that its first items are a
        sample of it.
    """
    if not (validation >= 0 and test >= 0 and validation + test <= 100):
        raise ValueError(
            f"validation is {validation} and test is {test}; they must be percentages with a sum of at most 100"
        )
    strata: dict[object, dict[str, list[T]]] = {}
    for item in items:
        strata.setdefault(stratum(item), {}).setdefault(key(item), []).append(item)
    parts: tuple[list[T], list[T], list[T]] = ([], [], [])
    for groups in strata.values():
        order = shuffled(groups, str, seed)
        n_validation, n_test = len(order) * validation // 100, len(order) * test // 100
        for i, group in enumerate(order):
            part = 2 if i < n_test else 1 if i < n_test + n_validation else 0
            parts[part].extend(groups[group])
    # Another order than the one that divided: with that, a part would begin with the stratum whose hashes
    # begin first.
    return Splits(*(tuple(shuffled(part, lambda item: f"order:{key(item)}", seed)) for part in parts))
