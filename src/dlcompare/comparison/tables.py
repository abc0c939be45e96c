"""From records to tables: mean and interval over the seeds, and an order in which what can't be told apart is tied."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dlcompare.comparison.intervals import Interval, interval, wilson
from dlcompare.comparison.record import Record, latest
from dlcompare.comparison.task import Metric

__all__ = ["Row", "contradictions", "table"]


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
    asked
        of how many examples of the test part the figure is, where the interval speaks of these: of a single run that no
        seed changes, and that was asked about a sample only (:func:`wilson`). None where it speaks of seeds, or there
        is none.
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
    asked: int | None = None


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
    values = {family: _value(of, metric, confidence) for family, of in found.items()}
    sign = -1 if metric.higher_is_better else 1
    ordered = sorted(found, key=lambda family: sign * values[family].mean)
    rows = [_row(family, found[family], values, ordered, metric) for family in ordered]
    return sorted(rows, key=lambda row: row.rank)


def _fixed(of: Sequence[Record]) -> bool:
    """Return whether no seed changes what these runs reach."""
    return not all(record.configuration.get("seeded", True) for record in of)


def _asked(of: Sequence[Record], metric: Metric) -> int | None:
    """Return how many examples stand behind a share, where a single run that no seed changes was not asked all."""
    alone = _fixed(of) and len(of) == 1 and metric.unit == "share"
    return of[0].configuration.get("asked_of_test") if alone else None


def _value(of: Sequence[Record], metric: Metric, confidence: float) -> Interval:
    values, asked = [record.test[metric.name] for record in of], _asked(of, metric)
    if asked is not None:
        return Interval(values[0], *wilson(values[0], asked, confidence), 1)
    return interval(values, fixed=_fixed(of), confidence=confidence)


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
        _asked(of, metric),
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
