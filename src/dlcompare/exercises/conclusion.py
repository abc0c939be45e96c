"""The checkers of part 6, the conclusion."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.comparison.intervals import student_t
from dlcompare.exercises.checking import exercise, slip, wrong_function, wrong_number, wrong_tensor

__all__: list[str] = []


@exercise("6-a")
def _bits_per_character(answer: object) -> str | None:
    cases: list[tuple[object, ...]] = [(3.2, 1000, 3400), (math.log(2), 50, 50), (1.7, 600, 500)]

    def bits(nats: float, tokens: int, characters: int) -> float:
        return nats * tokens / characters / math.log(2)

    wrong = wrong_function(answer, bits, cases, wrong_number)
    slips: dict[str, Callable[[float, int, int], float]] = {
        "nats": lambda nats, tokens, characters: nats * tokens / characters,
        "token": lambda nats, tokens, characters: nats / math.log(2),
        "inverse": lambda nats, tokens, characters: nats * characters / tokens / math.log(2),
        "times": lambda nats, tokens, characters: nats * tokens / characters * math.log(2),
    }
    name = wrong and slip(slips, lambda mistake: wrong_function(answer, mistake, cases, wrong_number))
    return text(f"exercise-6-a.{name}") if name else wrong


def _interval(values: Sequence[float], mistake: str = "") -> Tensor:
    """Return the 95 % interval of a mean, (2,), or what one of three mistakes makes of it."""
    n, mean = len(values), statistics.fmean(values)
    factor = 1.959964 if mistake == "normal" else student_t(0.95, n if mistake == "degrees" else n - 1)
    deviation = statistics.pstdev(values) if mistake == "population" else statistics.stdev(values)
    half = factor * deviation / (1 if mistake == "spread" else math.sqrt(n))
    return torch.tensor([mean - half, mean + half], dtype=torch.float64)


@exercise("6-b")
def _interval_of_a_mean(answer: object) -> str | None:
    cases: list[tuple[object, ...]] = [([0.91, 0.93, 0.95],), ([2.0, 1.5, 1.7, 2.4, 1.9],)]
    near = functools.partial(wrong_tensor, rel=1e-3)
    wrong = wrong_function(answer, _interval, cases, near)
    slips = {name: functools.partial(_interval, mistake=name) for name in ("normal", "degrees", "population", "spread")}
    name = wrong and slip(slips, lambda mistake: wrong_function(answer, mistake, cases, near))
    return text(f"exercise-6-b.{name}") if name else wrong
