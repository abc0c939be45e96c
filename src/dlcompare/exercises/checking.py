"""Checkers by the names of their exercises, and what many ask: whether a number, a tensor, a function is right."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeVar

import torch
from torch import Tensor

from dlcompare.catalogue import text

__all__ = [
    "ExerciseError",
    "Verdict",
    "check",
    "exercise",
    "exercises",
    "read_tensor",
    "slip",
    "wrong_function",
    "wrong_number",
    "wrong_tensor",
]

#: Says what is wrong with an answer; None when nothing is.
Checker = Callable[[Any], str | None]

T = TypeVar("T")

_CHECKERS: dict[str, Checker] = {}


class ExerciseError(ValueError):
    """There is no checker of that name; the message names those that are near."""


@dataclass(frozen=True)
class Verdict:
    """What a checker says of an answer: whether it is right, and what is wrong. It is true when it is right."""

    right: bool
    message: str

    def __bool__(self) -> bool:
        """Return whether the answer is right."""
        return self.right

    def __repr__(self) -> str:
        """Return the message alone."""
        return self.message


def exercise(name: str) -> Callable[[Checker], Checker]:
    """Return a decorator that makes a function the checker of the exercise ``name``.

    The function gets an answer, whatever it is, and returns what is wrong with it, or None.
    """

    def register(checker: Checker) -> Checker:
        if name in _CHECKERS:
            raise ExerciseError(f"name is {name!r}, which has a checker; allowed is one")
        _CHECKERS[name] = checker
        return checker

    return register


def exercises() -> list[str]:
    """Return the names of the exercises that have a checker."""
    return sorted(_CHECKERS)


def check(name: str, answer: object) -> Verdict:
    """Say whether an answer is right, and if not, what is wrong, without giving the right one.

    Parameters
    ----------
    name
        the exercise's chapter and letter, such as "3.1.2-b".
    answer
        what the exercise asks for: a number, a tensor or a function, as it says.

    Raises
    ------
    ExerciseError
        when there is no checker of that name.
    """
    if name not in _CHECKERS:
        near = difflib.get_close_matches(str(name), _CHECKERS) or exercises()
        raise ExerciseError(f"name is {name!r}; there are checkers of {', '.join(near)}")
    wrong = _CHECKERS[name](answer)
    return Verdict(wrong is None, text("exercises.right") if wrong is None else wrong)


def wrong_number(answer: object, expected: float, *, rel: float = 1e-6, atol: float = 0.0) -> str | None:
    """Return what is wrong with a number, or None.

    A tensor with one number counts as that number. ``rel`` and ``atol`` are the largest share of the expected number,
    and the largest difference, by which it may be off.
    """
    if isinstance(answer, Tensor) and answer.numel() == 1:
        answer = answer.item()
    if isinstance(answer, bool) or not isinstance(answer, Real):
        return text("exercises.no_number", found=type(answer).__name__)
    value = float(answer)
    if not math.isfinite(value):
        return text("exercises.not_finite", found=value)
    if math.isclose(value, expected, rel_tol=rel, abs_tol=atol):
        return None
    if math.isclose(-value, expected, rel_tol=rel, abs_tol=atol):
        return text("exercises.sign")
    if abs(value) >= 10 * abs(expected):
        return text("exercises.much_too_large")
    if 10 * abs(value) <= abs(expected):
        return text("exercises.much_too_small")
    return text("exercises.too_large") if abs(value) > abs(expected) else text("exercises.too_small")


def slip(slips: Mapping[str, T], differs: Callable[[T], str | None]) -> str | None:
    """Return the name of the first likely mistake that a wrong answer makes, or None.

    Parameters
    ----------
    slips
        by name, what comes of each mistake.
    differs
        holds the answer against one of these, and returns None where they are the same.
    """
    return next((name for name, value in slips.items() if differs(value) is None), None)


def read_tensor(answer: object, shape: tuple[int, ...]) -> Tensor | str:
    """Return an answer as a tensor of ``shape`` and of type float64; a text that says what is wrong if it is none.

    What ``torch.as_tensor`` takes counts as a tensor.
    """
    try:
        value = torch.as_tensor(answer).detach()
    except (TypeError, ValueError, RuntimeError):
        return text("exercises.no_tensor", found=type(answer).__name__)
    found = tuple(value.shape)
    if found != shape:
        if len(found) == 2 and found[::-1] == shape:
            return text("exercises.transposed", found=found, wanted=shape)
        return text("exercises.shape", found=found, wanted=shape)
    return value.to(torch.float64)


def wrong_tensor(answer: object, expected: Tensor, *, rel: float = 1e-5, atol: float = 1e-7) -> str | None:
    """Return what is wrong with a tensor of any shape, or None: its type, its shape, how many of its numbers.

    It is read by :func:`read_tensor`; ``rel`` and ``atol`` are those of :func:`torch.isclose`.
    """
    value = read_tensor(answer, tuple(expected.shape))
    if isinstance(value, str):
        return value
    wanted = expected.to(torch.float64)
    if not bool(value.isfinite().all()) and bool(wanted.isfinite().all()):
        return text("exercises.not_finite", found="NaN, ∞")
    apart = ~torch.isclose(value, wanted, rtol=rel, atol=atol, equal_nan=True)
    if not bool(apart.any()):
        return None
    if torch.allclose(-value, wanted, rtol=rel, atol=atol):
        return text("exercises.sign")
    first = tuple(int(place) for place in apart.nonzero()[0])
    return text("exercises.entries", wrong=int(apart.sum()), all=apart.numel(), first=first)


def wrong_function(
    answer: object,
    reference: Callable[..., Any],
    cases: Iterable[tuple[Any, ...]],
    wrong: Callable[[object, Any], str | None],
) -> str | None:
    """Return what is wrong with a function, or None.

    Parameters
    ----------
    answer
        the function.
    reference
        gives what is expected.
    cases
        arguments to call both with.
    wrong
        compares what they give, such as :func:`wrong_tensor`.
    """
    if not callable(answer):
        return text("exercises.no_function", found=type(answer).__name__)
    for number, arguments in enumerate(cases, 1):
        try:
            got = answer(*arguments)
        except Exception as reason:
            return text("exercises.raises", number=number, reason=f"{type(reason).__name__}: {reason}")
        if got is None:
            return text("exercises.returns_nothing", number=number)
        found = wrong(got, reference(*arguments))
        if found is not None:
            return text("exercises.case", number=number, wrong=found)
    return None
