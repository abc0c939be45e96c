"""The published models in time as a printed figure: a lane each for classic networks, Transformers and GPT."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text
from dlcompare.history import LANES, Event, history

if TYPE_CHECKING:
    from dlcompare.widgets.timeline import ModelTimeline

__all__ = ["draw"]

INK = "#222222"
#: Years without a model after which the axis of time is broken, and years that the break takes the place of.
GAP, BREAK = 6, 2


def _places() -> tuple[Callable[[float], float], list[tuple[float, float]]]:
    """Return where a date stands, in years of the axis, and between which dates the axis is broken."""
    dates = sorted({event.when for event in history()})
    gaps = [(a, b) for a, b in itertools.pairwise(dates) if b - a > GAP]

    def place(when: float) -> float:
        return when + sum(b - a - BREAK for a, b in gaps if when < (a + b) / 2)

    return place, gaps


def _common_name(events: Sequence[Event]) -> str:
    """Return what the names of several models begin with; the name of a single one."""
    names = [event.name for event in events]
    letters = itertools.takewhile(lambda some: len(set(some)) == 1, zip(*names, strict=False))
    return names[0] if len(names) == 1 else re.sub(r"[ /-][^ /-]*$", "", "".join(some[0] for some in letters))


def _draw_lane(axes: Any, events: list[Event], measure: str, place: Callable[[float], float]) -> None:
    for paper in dict.fromkeys(event.paper for event in events):
        same = [event for event in events if event.paper == paper]
        values = [getattr(event, measure) for event in same]
        x, family = place(same[0].when), same[0].family
        axes.plot([x, x], [min(values), max(values)], color=INK, linewidth=1, alpha=0.6, zorder=1)
        if paper.month is None:  # only the year is known
            axes.errorbar([x], [max(values)], xerr=0.5, color=INK, elinewidth=1, capsize=2.5, zorder=1)
        look = {
            "color": style.FAMILY[family],
            "edgecolor": INK,
            "linewidth": 0.6,
            "s": 36,
            "zorder": 2,
            "clip_on": False,
        }
        axes.scatter([x] * len(values), values, marker=style.MARKER[family], **look)
        where = {"xytext": (0, 7), "textcoords": "offset points", "ha": "center"}
        axes.annotate(_common_name(same), (x, max(values)), fontsize=7.5, color=INK, **where)


def draw(widget: ModelTimeline) -> Figure:
    """Return the figure of all models, by the chosen measure and scale."""
    lanes = {lane: [event for event in history() if event.lane == lane] for lane in LANES}
    log = widget.scale == "log"

    def bounds(events: Sequence[Event]) -> tuple[float, float]:
        values = [getattr(event, widget.measure) for event in events]
        return (0.6 * min(values), 3 * max(values)) if log else (0, 1.15 * max(values))

    # By powers of ten each lane has its own part of one scale, by equal amounts all have the same.
    spans = {lane: bounds(events if log else history()) for lane, events in lanes.items()}
    heights = [math.log10(high / low) if log else 1 for low, high in spans.values()]
    figure = Figure(figsize=(7.2, 5.6), layout="constrained", facecolor="white")
    place, gaps = _places()
    first, last = history()[0].when, history()[-1].when
    years = [y for y in range(int(first), int(last) + 1) if y % 2 == 0 and not any(a + 1 < y < b - 1 for a, b in gaps)]
    for axes, (lane, events) in zip(
        figure.subplots(len(LANES), sharex=True, height_ratios=heights), lanes.items(), strict=True
    ):
        if log:
            axes.set_yscale("log")
        axes.set_ylim(*spans[lane])
        axes.set_xticks([place(year) for year in years], [str(year) for year in years])
        axes.set_title(text(f"timeline.lane_{lane}"), fontsize=9, color=INK, loc="left")
        axes.set_ylabel(text(f"timeline.{widget.measure}"), fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        _draw_lane(axes, events, widget.measure, place)
        for _, end in gaps:
            axes.text(
                place(end) - BREAK / 2,
                0,
                "//",
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="center",
                color=INK,
            )
    return figure
