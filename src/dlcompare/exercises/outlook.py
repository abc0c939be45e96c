"""The checkers of part 5, the outlook."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable

import torch
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.constrained import Grammar, GrammarError
from dlcompare.exercises.checking import exercise, wrong_function, wrong_number
from dlcompare.models import GPT3

__all__: list[str] = []


def _of_the_kind(answer: object, other: Callable[..., object], cases: list[tuple[object, ...]]) -> bool:
    """Return whether a function is a certain wrong one."""
    return wrong_function(answer, other, cases, wrong_number) is None


@exercise("5.1-a")
def _times(answer: object) -> str | None:
    cases: list[tuple[object, ...]] = [(0.1, 0.5), (0.25, 0.5), (0.076, 0.9), (0.5, 0.1)]

    def times(alpha: float, share: float) -> float:
        return math.pow(share, -1 / alpha)

    wrong = wrong_function(answer, times, cases, wrong_number)
    if wrong and _of_the_kind(answer, lambda alpha, share: share ** (1 / alpha), cases):
        return text("exercise-5-1-a.inverse")
    if wrong and _of_the_kind(answer, lambda alpha, share: share**-alpha, cases):
        return text("exercise-5-1-a.loss")
    return wrong


def _calibration_error(p: Tensor, labels: Tensor, *, weighted: bool = True, signed: bool = False) -> float:
    confidence, guess = p.double().max(-1)
    right = (guess == labels).double()
    bins = (confidence * 10).ceil()
    parts, weights = [], []
    for one in torch.unique(bins):
        here = bins == one
        parts.append((confidence[here].mean() - right[here].mean()).item())
        weights.append(here.double().mean().item() if weighted else 1 / len(torch.unique(bins)))
    return sum(weight * (part if signed else abs(part)) for weight, part in zip(weights, parts, strict=True))


def _by_label(p: Tensor, labels: Tensor) -> float:
    confidence = p.double().gather(-1, labels[:, None])[:, 0]
    right = (p.argmax(-1) == labels).double()
    bins = (confidence * 10).ceil()
    parts: list[float] = [
        ((bins == one).double().mean() * (confidence[bins == one].mean() - right[bins == one].mean()).abs()).item()
        for one in torch.unique(bins)
    ]
    return sum(parts)


@exercise("5.1-b")
def _calibration(answer: object) -> str | None:
    generator = torch.Generator().manual_seed(51)
    cases: list[tuple[object, ...]] = [
        (
            (scale * torch.randn(200, classes, generator=generator)).softmax(-1),
            torch.randint(classes, (200,), generator=generator),
        )
        for scale, classes in ((1.0, 10), (4.0, 3), (2.0, 5))
    ]

    def near(got: object, expected: float) -> str | None:
        return wrong_number(got, expected, rel=1e-3, atol=1e-5)

    wrong = wrong_function(answer, _calibration_error, cases, near)
    if wrong is None:
        return None
    others: dict[str, Callable[..., float]] = {
        "empty": lambda p, labels: _calibration_error(p, labels, weighted=False),
        "sign": lambda p, labels: abs(_calibration_error(p, labels, signed=True)),
        "label": _by_label,
    }
    for name, other in others.items():
        if wrong_function(answer, other, cases, near) is None:
            return text(f"exercise-5-1-b.{name}")
    return wrong


@exercise("5.2-a")
def _cache_of_many(answer: object) -> str | None:
    c, conversations = GPT3["175B"], 32
    one_layer = 2 * c.attention_width * c.block_size * 2  # keys and values, of 2 bytes each
    expected = conversations * c.n_layer * one_layer
    wrong = wrong_number(answer, expected)
    hints = {
        "one": c.n_layer * one_layer,
        "half": expected // 2,
        "layer": conversations * one_layer,
    }
    for name, value in hints.items():
        if wrong and wrong_number(answer, value) is None:
            return text(f"exercise-5-2-a.{name}")
    return wrong


@exercise("5.2-b")
def _nested_lists(answer: object) -> str | None:
    if not isinstance(answer, dict):
        return text("exercise-5-2-b.no_rules", found=type(answer).__name__)
    try:
        grammar = Grammar(answer)
    except (GrammarError, TypeError) as reason:
        return text("exercise-5-2-b.grammar", reason=reason)
    for length in range(1, 8):
        for characters in itertools.product("[],1", repeat=length):
            found = "".join(characters)
            if "11" in found:  # a number of two digits is JSON's, and not asked for
                continue
            try:
                expected = isinstance(json.loads(found), list)
            except ValueError:
                expected = False
            if grammar.accepts(found) != expected:
                if expected:
                    return text("exercise-5-2-b.refuses", found=found)
                return text("exercise-5-2-b.accepts", found=found)
    if grammar.accepts(""):
        return text("exercise-5-2-b.accepts", found="''")
    return None
