"""A table of the comparison as a figure: a line for each family, the best on top, with its runs and its interval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes

from dlcompare import style
from dlcompare.catalogue import text, texts
from dlcompare.comparison.families import family_named
from dlcompare.comparison.record import Record
from dlcompare.comparison.tables import Row, table
from dlcompare.comparison.tasks import task_named

__all__ = ["chart"]


def chart(
    axis: Axes,
    records: Iterable[Record],
    task: str,
    *,
    budget: str = "parameters",
    families: Iterable[str] | None = None,
) -> dict[str, Row]:
    """Draw who reached what on a task: the mean as a large mark, its 95 % interval as a line, each run as a small mark.

    The axis reaches as far as the runs do; where an interval is wider, its line is cut at the edge.

    Parameters
    ----------
    axis
        where to draw.
    records
        of any tasks and budgets, such as :func:`dlcompare.results.comparison`'s.
    task, budget
        their names.
    families
        which of the measured ones to draw; all of them when None.

    Returns
    -------
    dict
        the row of each family that is drawn, the best mean first.

    Raises
    ------
    ValueError
        when there is no such task, when ``families`` names one that has not been measured so, or when a record is of a
        family that is none of :data:`~dlcompare.comparison.FAMILIES`.
    """
    metric = task_named(task).metric
    measured = {row.family: row for row in table(records, task, budget, metric)}
    wanted = list(measured) if families is None else list(families)
    if missing := [family for family in wanted if family not in measured]:
        raise ValueError(
            f"families has {', '.join(missing)}; measured on {task!r} within {budget!r} are {_listed(measured)}"
        )
    if not wanted:
        raise ValueError(f"families has none to draw; measured on {task!r} within {budget!r} are {_listed(measured)}")
    sign = -1 if metric.higher_is_better else 1
    rows = sorted((measured[family] for family in wanted), key=lambda row: sign * row.value.mean)
    scale = 100 if metric.unit == "share" else 1
    short, names, runs = texts("comparison"), [], []
    for place, row in enumerate(rows):
        family = family_named(row.family)
        names.append(short.get(f"short_{family.name}", family.title))
        look: dict[str, Any] = {
            "color": style.FAMILY[family.group],
            "marker": style.MARKER[family.group],
            "linestyle": "none",
        }
        reached = [scale * record.test[metric.name] for record in row.records]
        runs += reached
        axis.plot(reached, [place] * len(reached), markersize=3.5, alpha=0.5, **look)
        axis.plot([scale * row.value.mean], [place], markersize=8, **look)
        if row.value.low < row.value.high:
            ends = [max(scale * row.value.low, -1e9), min(scale * row.value.high, 1e9)]  # of one run they are infinite
            axis.plot(ends, [place, place], color=look["color"], linewidth=1.4)
    margin = 0.06 * (max(runs) - min(runs)) or 0.5
    axis.set_xlim(min(runs) - margin, max(runs) + margin)
    axis.set_yticks(range(len(rows)), names)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel(text(f"chart.{metric.name}"))
    return {row.family: row for row in rows}


def _listed(measured: Iterable[str]) -> str:
    return ", ".join(measured) or "none"
