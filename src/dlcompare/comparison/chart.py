"""The comparison's tables as figures.

:func:`chart` shows one task: a line for each family, the best on top, with its runs and its interval.
:func:`few_labels` shows a task at growing numbers of labelled examples.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes

from dlcompare import style
from dlcompare.catalogue import text
from dlcompare.comparison.families import FAMILIES, FineTuned, family_named, short_title
from dlcompare.comparison.record import Record
from dlcompare.comparison.tables import Row, table
from dlcompare.comparison.tasks import task_named
from dlcompare.comparison.tasks.few_labels import SIZES

__all__ = ["chart", "few_labels"]

#: How those that share a colour and a mark with others differ from these.
_APART: dict[str, Any] = {"rnn": {"fillstyle": "none"}, "gru": {"marker": ">"}}


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
    names, runs = [], []
    for place, row in enumerate(rows):
        family = family_named(row.family)
        names.append(short_title(family))
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


def few_labels(
    axis: Axes, records: Iterable[Record], of: str, everything: int, *, families: Iterable[str] | None = None
) -> dict[tuple[int, str], Row]:
    """Draw what each family reaches from 10, 100, 1,000 and from all labelled examples: its mean, a line for each.

    Where some are drawn that were pre-trained, the lines of the others are dotted. Of the recurrent families the RNN's
    mark is hollow, and the GRU's is turned.

    Parameters
    ----------
    axis
        where to draw; its horizontal axis becomes logarithmic.
    records
        of any tasks and budgets, such as :func:`dlcompare.results.comparison`'s.
    of
        the task with all examples; the smaller ones are called ``{of}-10``, …
    everything
        how many examples it has to learn from.
    families
        which families to draw, each as far as it was measured; when None, all but those that are asked by prompts: they
        learn from no label.

    Returns
    -------
    dict
        the row of each number of examples and each family that is drawn.

    Raises
    ------
    ValueError
        when there are no such tasks, or when ``families`` names one that was measured with none of the numbers.
    """
    records, metric = list(records), task_named(of).metric
    sizes = {n: task_named(f"{of}-{n}").name for n in SIZES} | {everything: of}
    measured = {(n, row.family): row for n, task in sizes.items() for row in table(records, task, "parameters", metric)}
    there = [name for name in FAMILIES if any(family == name for _, family in measured)]
    learned = [name for name in there if "shots" not in FAMILIES[name].settings]
    wanted = learned if families is None else list(families)
    if missing := [family for family in wanted if family not in there]:
        raise ValueError(f"families has {', '.join(missing)}; measured on {of!r} with few labels are {_listed(there)}")
    scale = 100 if metric.unit == "share" else 1
    pretrained = {name for name in wanted if isinstance(family_named(name), FineTuned)}
    for name in wanted:
        family = family_named(name)
        line = {n: scale * measured[n, name].value.mean for n in sizes if (n, name) in measured}
        axis.semilogx(
            list(line),
            list(line.values()),
            ":" if pretrained and name not in pretrained else "-",
            color=style.FAMILY[family.group],
            label=family.title,
            **{"marker": style.MARKER[family.group], **_APART.get(name, {})},
        )
    axis.set_xticks(list(sizes), [f"{n:,}" for n in sizes])
    axis.minorticks_off()
    axis.set(xlabel=text("chart.labels"), ylabel=text(f"chart.{metric.name}"))
    return {key: row for key, row in measured.items() if key[1] in wanted}


def _listed(measured: Iterable[str]) -> str:
    return ", ".join(measured) or "none"
