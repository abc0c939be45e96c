"""The published models in time as a printed figure: a lane each for classic networks, Transformers and GPT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text
from dlcompare.history import LANES, history

if TYPE_CHECKING:
    from dlcompare.widgets.timeline import ModelTimeline

__all__ = ["draw"]

INK = "#222222"


def draw(widget: ModelTimeline) -> Figure:
    """Return the figure of all models, by the chosen measure and scale."""
    figure = Figure(figsize=(7.2, 5.6), layout="constrained", facecolor="white")
    lanes = figure.subplots(len(LANES), sharex=True, sharey=True)
    for axes, lane in zip(lanes, LANES, strict=True):
        events = [event for event in history() if event.lane == lane]
        for paper in dict.fromkeys(event.paper for event in events):
            same = [event for event in events if event.paper == paper]
            values = [getattr(event, widget.measure) for event in same]
            when, family = same[0].when, same[0].family
            axes.plot([when, when], [min(values), max(values)], color=style.FAMILY[family], linewidth=1.5, alpha=0.5)
            spread = 0 if paper.month else 0.5  # only the year is known
            look = {"color": style.FAMILY[family], "markersize": 6, "markeredgecolor": INK, "markeredgewidth": 0.5}
            axes.errorbar([when] * len(values), values, xerr=spread, fmt=style.MARKER[family], elinewidth=1, **look)
            highest = same[values.index(max(values))]
            axes.annotate(
                highest.name, (when, max(values)), xytext=(0, 6), textcoords="offset points", fontsize=7.5, ha="center",
                color=INK,
            )  # fmt: skip
        axes.set_title(text(f"timeline.lane_{lane}"), fontsize=9, color=INK, loc="left")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylabel(text(f"timeline.{widget.measure}"))
        if widget.scale == "log":
            axes.set_yscale("log")
        axes.margins(y=0.25 if widget.scale == "log" else 0.15)
    return figure
