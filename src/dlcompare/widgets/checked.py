"""A trait that refuses what is not allowed, in the form that all explorables share."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from dlcompare.tokenization import Tokenizer
from dlcompare.widgets.base import StateError

__all__ = ["LONGEST_PROMPT", "Checked", "as_choice", "as_flag", "as_matrix", "as_number", "as_text", "as_whole"]

#: Characters that a text to be read may have.
LONGEST_PROMPT = 500


class Checked(traitlets.TraitType[Any, Any]):
    """A trait whose value goes through a function that returns it in its proper form or refuses it.

    A validator by decorator would not do: traitlets leaves it out when the new value equals the old one, as ``True``
    equals 1.

    Parameters
    ----------
    check
        called with the object and the value; returns the value in its proper form, or raises :class:`.StateError`.
    default
        the first value.
    """

    def __init__(self, check: Callable[[Any, object], Any], default: Any) -> None:
        super().__init__(default_value=default)
        self._check = check

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the value in its proper form."""
        return self._check(obj, value)


def as_whole(value: object, argument: str, low: int, high: int) -> int:
    """Return ``value`` as an integer; raise StateError for what is none, or lies outside ``low`` to ``high``."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or not low <= number <= high:
        raise StateError(f"{argument} is {value!r}; allowed is a whole number from {low} to {high}")
    return number


def as_number(value: object, argument: str, low: float, high: float) -> float:
    """Return ``value`` as a float; raise StateError for what is none, or lies outside ``low`` to ``high``."""
    # A comparison with NaN is false, so that NaN is refused too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise StateError(f"{argument} is {value!r}; allowed is a number from {low:g} to {high:g}")
    return float(value)


def as_flag(value: object, argument: str) -> bool:
    """Return ``value`` if it is True or False; raise StateError for anything else."""
    if not isinstance(value, bool):
        raise StateError(f"{argument} is {value!r}; allowed are True and False")
    return value


def as_text(value: object, argument: str, tokenizer: Tokenizer) -> str:
    """Return ``value`` if it is a text that the tokenizer reads; raise StateError for anything else."""
    if not isinstance(value, str):
        raise StateError(f"{argument} is {value!r}; allowed is a text of 1 to {LONGEST_PROMPT} characters")
    if not 1 <= len(value) <= LONGEST_PROMPT:
        raise StateError(f"{argument} has {len(value)} characters; allowed are 1 to {LONGEST_PROMPT}")
    try:
        tokenizer.encode(value)
    except ValueError as reason:
        raise StateError(f"{argument} cannot be read: {reason}") from None
    return value


def as_choice(value: object, argument: str, allowed: Sequence[str]) -> str:
    """Return ``value`` if it is one of the words ``allowed``; raise StateError for anything else."""
    if not isinstance(value, str) or value not in allowed:
        raise StateError(f"{argument} is {value!r}; allowed are {', '.join(map(repr, allowed))}")
    return value


def as_matrix(
    value: object, argument: str, size: tuple[int, int], low: float, high: float
) -> tuple[tuple[float, ...], ...]:
    """Return ``value`` as rows of floats; raise StateError for another ``size``, or what :func:`as_number` refuses."""

    def listed(given: object) -> tuple[object, ...]:
        return tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else ()

    rows, columns = size
    lines = [listed(row) for row in listed(value)]
    if len(lines) != rows or any(len(line) != columns for line in lines):
        raise StateError(f"{argument} is {value!r}; allowed are {rows} rows of {columns} numbers")
    return tuple(
        tuple(as_number(number, f"{argument}[{i}][{j}]", low, high) for j, number in enumerate(line))
        for i, line in enumerate(lines)
    )
