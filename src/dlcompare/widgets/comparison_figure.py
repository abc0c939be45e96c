"""What the comparison has measured as a printed figure: families by two of their figures."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatterSciNotation, LogLocator

from dlcompare import style
from dlcompare.catalogue import text
from dlcompare.widgets.comparison_rows import AXES

if TYPE_CHECKING:
    from dlcompare.widgets.comparison import ComparisonLab

__all__ = ["draw"]

INK = "#222222"
#: A letter's size, in points, as a share of the letters' height; the height of a line.
_LETTER, _LINE, _SIZE = 0.56, 1.25, 7.5


def _label(figure: Figure, points: list[tuple[Any, tuple[float, float], str]]) -> None:
    """Write names beside their marks, each where it meets neither a mark nor another name, as near as can be."""
    figure.canvas.draw()  # now it is known where the marks lie
    per_point = figure.dpi / 72
    places = [axes.transData.transform(at) / per_point for axes, at, _ in points]
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in places]
    for (axes, at, name), (x, y) in zip(points, places, strict=True):
        width, height = _LETTER * _SIZE * len(name), _LINE * _SIZE
        edges = axes.bbox.extents / per_point
        left, right = edges[0], edges[2] + 40
        best = None
        for far, turn in itertools.product(range(9, 150, 5), range(0, 360, 30)):
            cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            middle = (x + cosine * (far + width / 2), y + sine * (far + height / 2))
            box = (middle[0] - width / 2, middle[1] - height / 2, middle[0] + width / 2, middle[1] + height / 2)
            free = all(box[2] < o[0] or o[2] < box[0] or box[3] < o[1] or o[3] < box[1] for o in taken)
            if free and left < box[0] and box[2] < right and edges[1] < box[1] and box[3] < edges[3]:
                best = (far, middle, box)
                break
        if best is None:
            continue  # its table names it
        far, middle, box = best
        taken.append(box)
        axes.annotate(
            name,
            at,
            xytext=(middle[0] - x, middle[1] - y),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=_SIZE,
            color=INK,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": "#888888", "linewidth": 0.6} if far > 14 else None,
        )


def _mark(axes: Any, widget: ComparisonLab, row: dict[str, Any], x: float | None, y: float) -> None:
    group = next(one["group"] for one in widget.families if one["name"] == row["family"])
    colour, marker = style.FAMILY[group], style.MARKER[group]
    here = {"clip_on": False, "zorder": 3}
    edge = {} if marker == "x" else {"edgecolor": INK, "linewidth": 0.6}
    axes.scatter([0 if x is None else x], [y], marker=marker, s=42, color=colour, **edge, **here)
    for run in row["runs"]:
        at = [run["at"][AXES.index(axis)] for axis in (widget.x, widget.y)]
        if at[1] is not None and (x is None or at[0] is not None):
            axes.scatter([0 if x is None else at[0]], [at[1]], marker=marker, s=9, color=colour, alpha=0.5, zorder=2)
    if row["interval"] is not None:
        low, high = row["interval"]
        if widget.y == "quality":
            axes.plot([0 if x is None else x] * 2, [low, high], color=colour, linewidth=1.2, alpha=0.8, zorder=1)
        elif widget.x == "quality":
            axes.plot([low, high], [y, y], color=colour, linewidth=1.2, alpha=0.8, zorder=1)


def _title(widget: ComparisonLab, axis: str) -> str:
    if axis != "quality":
        return text(f"comparison.axis_{axis}")
    better = text("comparison.better_up" if widget.about["higher"] else "comparison.better_down")
    return f"{widget.about['metric']} ({better})"


def _value(widget: ComparisonLab, row: dict[str, Any], axis: str) -> float | None:
    """Return a row's figure for an axis; None for none, or none that powers of ten could show."""
    value: float | None = row["at"][AXES.index(axis)]
    log = widget.scale == "log" and axis != "quality"
    return None if value is None or (log and value <= 0) else value


def _short(widget: ComparisonLab, row: dict[str, Any]) -> str:
    return next(one["short"] for one in widget.families if one["name"] == row["family"])  # type: ignore[no-any-return]


def _bars(widget: ComparisonLab) -> list[tuple[float, Any, str]]:
    """Return what is to be beaten: each figure, how its line looks, and what explains it."""
    bar = widget.about["bar"]
    if bar is None or "quality" not in (widget.x, widget.y):
        return []
    both = (("bar_measured", widget.bar(), "--"), ("bar_stated", bar["stated"], ":"))
    return [
        (value, look, text(f"comparison.{key}", what=bar["what"])) for key, value, look in both if value is not None
    ]


def _draw_bars(widget: ComparisonLab, axes: Any, left: Any | None, figure: Figure) -> None:
    lines = {"color": INK, "linewidth": 0.9, "alpha": 0.7, "zorder": 0}
    bars = _bars(widget)
    for value, look, _ in bars:
        if widget.x == "quality":
            axes.axvline(value, linestyle=look, **lines)
        else:
            for on in filter(None, (left, axes)):
                on.axhline(value, linestyle=look, **lines)
    if bars:
        explained = [Line2D([], [], color=INK, linestyle=look, linewidth=0.9) for _, look, _ in bars]
        figure.legend(explained, [words for _, _, words in bars], loc="outside upper right", fontsize=8, frameon=False)


def _tick_powers(axis: Any) -> None:
    """Let the ticks of a logarithmic axis be few enough to be read: powers of ten, over few of them 2 and 5 as well."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axis.set_major_formatter(LogFormatterSciNotation(minor_thresholds=(math.inf, math.inf)))  # every tick has a label
    axis.set_minor_formatter("")


def draw(widget: ComparisonLab) -> Figure:
    """Return the figure of the present task and budget; what has no figure for the x axis stands left of it."""
    figure = Figure(figsize=(7.2, 4.4), layout="constrained", facecolor="white")
    rows = widget.rows
    if not rows:
        figure.text(0.5, 0.5, text("comparison.empty"), ha="center", color=INK)
        return figure
    left: Any | None = None
    axes: Any
    if any(_value(widget, row, widget.x) is None for row in rows):
        left, axes = figure.subplots(1, 2, sharey=True, width_ratios=(1, 5))
        left.set_xticks([0], [text("comparison.without")])
        left.set_xlim(-1, 1)
    else:
        axes = figure.subplots()
    if widget.scale == "log":
        axes.set_xscale("linear" if widget.x == "quality" else "log")
        axes.set_yscale("linear" if widget.y == "quality" else "log")
    labels, unplaced = [], []
    for row in rows:
        x, y = (_value(widget, row, axis) for axis in (widget.x, widget.y))
        if y is None:
            unplaced.append(_short(widget, row))
            continue
        on = axes if x is not None else left
        _mark(on, widget, row, x, y)
        labels.append((on, (x or 0, y), _short(widget, row)))
    _draw_bars(widget, axes, left, figure)
    for on in filter(None, (left, axes)):
        on.tick_params(labelsize=8)
        on.grid(alpha=0.25)
        on.spines[["top", "right"]].set_visible(False)
        on.margins(y=0.12)
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            _tick_powers(axis)
    axes.set_xlabel(_title(widget, widget.x), fontsize=9)
    (left or axes).set_ylabel(_title(widget, widget.y), fontsize=9)
    if unplaced:
        figure.suptitle(text("comparison.unplaced", families=", ".join(unplaced)), fontsize=8, color=INK)
    _label(figure, labels)
    return figure
