"""From records to tables: mean and interval over the seeds, and an order in which what can't be told apart is tied."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dlcompare.comparison.record import Record, latest
from dlcompare.comparison.task import Metric

__all__ = ["Interval", "Row", "contradictions", "interval", "student_t", "table"]


@dataclass(frozen=True)
class Interval:
    """The mean of a figure over seeds, and the interval that holds its expectation with the confidence asked for.

    Parameters
    ----------
    mean, low, high
        in the figure's unit. From a single run nothing is known of other seeds: the interval then reaches from minus to
        plus infinity.
    n
        how many runs.
    """

    mean: float
    low: float
    high: float
    n: int

    def overlaps(self, other: Interval) -> bool:
        """Return whether the two have a value in common."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Row:
    """One family in a table.

    Parameters
    ----------
    family, budget
        their names.
    rank
        1 + the number of families that are surely better: whose interval lies wholly on the better side of this one's.
    value
        the metric on the test part.
    parameters, flops, seconds, peak_memory, cpu_seconds, examples
        means over the runs, None where no run has one.
    better
        the families that are surely better, the best first.
    records
        the runs themselves, in the order of their seeds.
    """

    family: str
    budget: str
    rank: int
    value: Interval
    parameters: float | None
    flops: float | None
    seconds: float | None
    peak_memory: float | None
    cpu_seconds: float | None = None
    examples: float | None = None
    better: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()


def student_t(confidence: float, degrees: int) -> float:
    """Return the t for which Student's distribution holds ``confidence`` between -t and t.

    From the distribution's closed form for whole degrees of freedom (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4), by
    bisection.

    Raises
    ------
    ValueError
        for a confidence outside 0 < confidence < 1, or less than one degree of freedom.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence!r}; allowed is 0 < confidence < 1")
    if degrees < 1:
        raise ValueError(f"degrees is {degrees}; allowed are integers of at least 1")
    low, high = 0.0, 1.0
    while _within(high, degrees) < confidence:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return high


def _within(t: float, degrees: int) -> float:
    """Return the probability of -t to t."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine, sine = math.cos(angle), math.sin(angle)
    if degrees % 2:
        total, term = 0.0, cosine
        for k in range(1, (degrees - 1) // 2 + 1):
            total += term
            term *= cosine**2 * 2 * k / (2 * k + 1)
        return 2 / math.pi * (angle + sine * total)
    total, term = 0.0, 1.0
    for k in range(1, degrees // 2 + 1):
        total += term
        term *= cosine**2 * (2 * k - 1) / (2 * k)
    return sine * total


def interval(values: Sequence[float], *, fixed: bool = False, confidence: float = 0.95) -> Interval:
    r"""Return the mean :math:`\bar x` of n values and the interval :math:`\bar x \pm t \, s / \sqrt n`.

    Parameters
    ----------
    values
        one per seed.
    fixed
        whether no seed changes the value: one value is then all there is to know.
    confidence
        of the interval, by Student's t with n - 1 degrees of freedom.

    Raises
    ------
    ValueError
        for no values.
    """
    if not values:
        raise ValueError("values is empty; at least one is needed")
    mean, n = statistics.fmean(values), len(values)
    if fixed:
        return Interval(mean, mean, mean, n)
    if n == 1:
        return Interval(mean, -math.inf, math.inf, n)
    half = student_t(confidence, n - 1) * statistics.stdev(values) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def table(records: Iterable[Record], task: str, budget: str, metric: Metric, confidence: float = 0.95) -> list[Row]:
    """Return a row for each family that was measured on ``task`` within ``budget``, the best first.

    What has no budget (:data:`~dlcompare.comparison.budgets.UNLIMITED`) stands in the table of each. Records with an
    error are left out.

    Parameters
    ----------
    records
        of any tasks and budgets.
    task, budget
        their names.
    metric
        what the families are ranked by, on the test part.
    confidence
        of the intervals.

    Raises
    ------
    ValueError
        when a record of the task lacks the metric.
    """
    found: dict[str, list[Record]] = {}
    for record in latest(records):
        if record.task == task and record.budget in (budget, "none") and record.error is None:
            if metric.name not in record.test:
                raise ValueError(
                    f"metric is {metric.name!r}; the record {record.key} of {record.family!r} has"
                    f" {', '.join(record.test)}"
                )
            found.setdefault(record.family, []).append(record)
    values = {
        family: interval(
            [record.test[metric.name] for record in of],
            fixed=not all(record.configuration.get("seeded", True) for record in of),
            confidence=confidence,
        )
        for family, of in found.items()
    }
    sign = -1 if metric.higher_is_better else 1
    ordered = sorted(found, key=lambda family: sign * values[family].mean)
    rows = [_row(family, found[family], values, ordered, metric) for family in ordered]
    return sorted(rows, key=lambda row: row.rank)


def _row(
    family: str, of: Sequence[Record], values: Mapping[str, Interval], ordered: Sequence[str], metric: Metric
) -> Row:
    better = tuple(other for other in ordered if _surely_better(values[other], values[family], metric))
    return Row(
        family,
        of[0].budget,
        1 + len(better),
        values[family],
        _mean([record.parameters for record in of]),
        _mean([record.flops for record in of]),
        _mean([record.seconds for record in of]),
        _mean([record.peak_memory for record in of]),
        _mean([record.cpu_seconds for record in of]),
        _mean([record.examples for record in of]),
        better,
        tuple(sorted(of, key=lambda record: record.seed)),
    )


def _surely_better(one: Interval, other: Interval, metric: Metric) -> bool:
    return one.low > other.high if metric.higher_is_better else one.high < other.low


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if there else None


def contradictions(first: Sequence[Row], second: Sequence[Row], metric: Metric) -> list[tuple[str, str]]:
    """Return the pairs of families of which the first table surely says one order, and the second surely the other.

    Each pair has first what the first table has as the better one. Families that only one table has are left out.
    """
    ours = {row.family: row.value for row in first}
    theirs = {row.family: row.value for row in second}
    both = [family for family in ours if family in theirs]
    return [
        (a, b)
        for a in both
        for b in both
        if _surely_better(ours[a], ours[b], metric) and _surely_better(theirs[b], theirs[a], metric)
    ]
