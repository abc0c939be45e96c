"""The objectives of pre-training as a printed figure: who sees whom, and what is expected at one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text

if TYPE_CHECKING:
    from dlcompare.widgets.objectives import ObjectiveViewer

__all__ = ["draw"]


def draw(widget: ObjectiveViewer) -> Figure:
    """Return the figure of the explorable's present state."""
    figure = Figure(figsize=(8.6, 3.6), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    tokens = [widget.name_of(token) for token in widget.row]
    style.attention_map(left, widget.answers["sees"].float(), tokens)
    left.set(xlabel=text("objectives.map_seen"), ylabel=text("objectives.map_place"))
    names, values = zip(*widget.expected, strict=True)
    places = range(len(names))
    family = "gpt" if widget.objective == "causal" else "transformer"
    right.barh(places, values, color=style.FAMILY[family])
    right.set_yticks(places, [style.readable(name) for name in names], family="monospace", fontsize=8)
    right.invert_yaxis()
    right.set(xlabel=text("objectives.column_probability"))
    place = style.readable(tokens[widget.place])
    right.set_title(text(f"objectives.expected_{widget.objective}", token=place), loc="left", fontsize=9)
    right.grid(axis="y", visible=False)
    return figure
