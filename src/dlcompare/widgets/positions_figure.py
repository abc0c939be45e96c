"""Positions as a printed figure: vectors, products by distance, and how far a shuffle moves what attention puts out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text
from dlcompare.graphs.positions import KINDS

if TYPE_CHECKING:
    from dlcompare.widgets.positions import PositionExplorer

__all__ = ["draw"]

INK = "#222222"


def draw(widget: PositionExplorer) -> Figure:
    """Return the figure: for each kind its vectors and its products, and below the shuffle with and without a mask."""
    figure = Figure(figsize=(7.4, 5.4), layout="constrained", facecolor="white")
    answers = widget.answers
    above, below = figure.subfigures(2, 1, height_ratios=(1.7, 1))  # type: ignore[misc]
    axes = above.subplots(2, 3, height_ratios=(1.3, 1))
    for column, kind in enumerate(KINDS[1:]):
        style.signed_image(axes[0, column], answers[kind]).set(interpolation="nearest")
        axes[0, column].set_aspect("auto")
        axes[0, column].set_title(text(f"positions.kind_{kind}"), fontsize=9, color=INK)
        axes[1, column].plot(answers[f"dots_{kind}"], color=style.FAMILY["transformer"])
        axes[1, column].axvline(widget.position, color=INK, linewidth=0.8, linestyle=":")
        for axis in axes[:, column]:
            axis.tick_params(labelsize=7)
        axes[0, column].set_xlabel(text("positions.axis_entry"), fontsize=8, color=INK)
        axes[1, column].set_xlabel(text("positions.axis"), fontsize=8, color=INK)
    axes[0, 0].set_ylabel(text("positions.axis"), fontsize=8, color=INK)
    axes[1, 0].set_ylabel(text("positions.axis_product"), fontsize=8, color=INK)
    axis = below.subplots()
    for offset, causal in ((-0.2, False), (0.2, True)):
        values = [widget.largest(kind, causal=causal) for kind in KINDS]
        places = [place + offset for place in range(len(KINDS))]
        label = text(f"positions.mask_{'on' if causal else 'off'}")
        colour = style.FAMILY["gpt" if causal else "transformer"]
        axis.barh(places, values, height=0.36, color=colour, label=label, hatch="//" if causal else None)
        for place, value in zip(places, values, strict=True):
            axis.text(value, place, f" {value:.2g}", va="center", fontsize=8, color=INK)
    axis.set_yticks(range(len(KINDS)), [text(f"positions.kind_{kind}") for kind in KINDS], fontsize=8)
    axis.invert_yaxis()
    axis.margins(x=0.12)
    axis.set_xlabel(text("positions.axis_largest"), fontsize=8, color=INK)
    axis.legend(fontsize=8)
    return figure
