"""A trait that refuses what is not allowed, in the form that all explorables share."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import traitlets

from dlcompare.widgets.base import StateError

__all__ = ["Checked", "as_flag", "as_number", "as_whole"]


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
