"""Answers to the exercises of part 6: right ones, and wrong ones with a piece of what is said of them."""

import math
import statistics

from dlcompare.comparison.intervals import interval, student_t


def by_the_package(values):
    found = interval(values)
    return found.low, found.high


def with_factor(values, factor, deviation=statistics.stdev):
    half = factor * deviation(values) / math.sqrt(len(values))
    return statistics.fmean(values) - half, statistics.fmean(values) + half


ANSWERS: dict[str, tuple[list, list]] = {
    "6-a": (
        [lambda nats, tokens, characters: nats / math.log(2) * tokens / characters],
        [
            (lambda nats, tokens, characters: nats * tokens / characters, "ln 2 nats"),
            (lambda nats, tokens, characters: nats / math.log(2), "bits per token"),
            (lambda nats, tokens, characters: nats / math.log(2) * characters / tokens, "other way round"),
            (lambda nats, tokens, characters: nats * math.log(2) * tokens / characters, "less than a nat"),
            (lambda nats, tokens, characters: -nats, "example 1"),
            (1.5, "of the type float"),
        ],
    ),
    "6-b": (
        [by_the_package, lambda values: with_factor(values, student_t(0.95, len(values) - 1))],
        [
            (lambda values: with_factor(values, 1.96), "from few"),
            (lambda values: with_factor(values, student_t(0.95, len(values))), "degrees of freedom"),
            (
                lambda values: with_factor(values, student_t(0.95, len(values) - 1), statistics.pstdev),
                "divide by n − 1",
            ),
            (
                lambda values: with_factor(values, math.sqrt(len(values)) * student_t(0.95, len(values) - 1)),
                "where a single run may lie",
            ),
            (lambda values: statistics.fmean(values), "The shape is ()"),
        ],
    ),
}
