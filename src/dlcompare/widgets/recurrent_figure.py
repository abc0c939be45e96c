"""A recurrent network's states as a printed figure: a column for each character, and what it expects next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text
from dlcompare.style import readable

if TYPE_CHECKING:
    from dlcompare.widgets.recurrent import RecurrentStepper

__all__ = ["draw"]

INK = "#222222"


def draw(widget: RecurrentStepper) -> Figure:
    """Return the figure of the explorable's present state."""
    figure = Figure(figsize=(7.4, 3.4), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2, width_ratios=(3, 1))
    image = style.signed_image(left, widget.values.T)
    left.set_aspect("auto")
    left.set_xticks(range(len(widget.prompt)), [readable(character) for character in widget.prompt], fontsize=8)
    part = text(f"recurrent.{widget.part}")
    left.set(ylabel=text("recurrent.unit"), title=f"{text(f'recurrent.{widget.kind}')}: {part}")
    left.axvline(widget.step, color=INK, linewidth=0.8)
    figure.colorbar(image, ax=left, pad=0.01)
    names, values = zip(*widget.expected[::-1], strict=True)
    bars = right.barh(range(len(names)), values, color=style.FAMILY["recurrent"])
    right.bar_label(bars, fmt="%.2f", fontsize=8, padding=2)
    right.set_yticks(range(len(names)), [readable(name) for name in names])
    right.set(xlim=(0, max(values) * 1.3), xticks=[])
    right.set_title(text("recurrent.next_title", character=readable(widget.prompt[widget.step])))
    return figure
