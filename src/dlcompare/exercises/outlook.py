"""The checkers of part 5, the outlook."""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Callable

import torch
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.constrained import Grammar, GrammarError
from dlcompare.exercises.checking import exercise, slip, wrong_function, wrong_number
from dlcompare.models import GPT3

__all__: list[str] = []


@exercise("5.1-a")
def _times(answer: object) -> str | None:
    cases: list[tuple[object, ...]] = [(0.1, 0.5), (0.25, 0.5), (0.076, 0.9), (0.5, 0.1)]

    def times(alpha: float, share: float) -> float:
        return math.pow(share, -1 / alpha)

    wrong = wrong_function(answer, times, cases, wrong_number)
    slips: dict[str, Callable[[float, float], float]] = {
        "inverse": lambda alpha, share: share ** (1 / alpha),
        "loss": lambda alpha, share: share**-alpha,
    }
    name = wrong and slip(slips, lambda mistake: wrong_function(answer, mistake, cases, wrong_number))
    return text(f"exercise-5-1-a.{name}") if name else wrong


def _calibration_error(p: Tensor, labels: Tensor, mistake: str = "") -> float:
    """Return the calibration error over ten bins, (n, classes) and (n,), or what one of three mistakes makes of it."""
    guess = p.argmax(-1)
    confidence = p.double().gather(-1, (labels if mistake == "label" else guess)[:, None])[:, 0]
    right = (guess == labels).double()
    bins = (confidence * 10).ceil()
    filled = [bins == one for one in torch.unique(bins)]
    parts: list[float] = [(confidence[here].mean() - right[here].mean()).item() for here in filled]
    weights: list[float] = [1 / len(filled) if mistake == "empty" else here.double().mean().item() for here in filled]
    if mistake == "sign":
        return abs(sum(weight * part for weight, part in zip(weights, parts, strict=True)))
    return sum(weight * abs(part) for weight, part in zip(weights, parts, strict=True))


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
    slips = {name: functools.partial(_calibration_error, mistake=name) for name in ("empty", "sign", "label")}
    name = wrong and slip(slips, lambda mistake: wrong_function(answer, mistake, cases, near))
    return text(f"exercise-5-1-b.{name}") if name else wrong


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
    name = wrong and slip(hints, lambda value: wrong_number(answer, value))
    return text(f"exercise-5-2-a.{name}") if name else wrong


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
