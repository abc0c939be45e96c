"""The digit pad as a printed figure: the drawing, and beside it what each network makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text
from dlcompare.widgets.digits import CLASSES, KINDS

if TYPE_CHECKING:
    from dlcompare.widgets.digits import DigitPad

__all__ = ["draw"]

INK = "#222222"


def draw(widget: DigitPad) -> Figure:
    """Return the figure of the explorable's present state."""
    found = widget.probabilities
    figure = Figure(figsize=(7.4, 2.9), layout="constrained", facecolor="white")
    panels: Any = figure.subplots(1, 1 + len(found), width_ratios=[2, *([1] * len(found))])
    drawing, *bars = panels
    drawing.imshow(widget.pixels.numpy(), cmap=style.SEQUENTIAL, vmin=0, vmax=1, interpolation="nearest")
    drawing.set(xticks=[], yticks=[])
    drawing.grid(False)
    drawing.set_title(text("digits.pad"), color=INK, fontsize=10, loc="left")
    digits = list(range(CLASSES))
    for axes, (kind, p) in zip(bars, found.items(), strict=True):
        axes.barh(digits, p.numpy(), color=style.FAMILY[KINDS[kind]], height=0.75)
        best = int(p.argmax())
        axes.set_title(f"{text(f'digits.{kind}')}: {best}", color=INK, fontsize=10, loc="left")
        axes.set(xlim=(0, 1), ylim=(CLASSES - 0.4, -0.6), xticks=[0, 1], yticks=digits)
        axes.grid(False)
        axes.tick_params(length=0, labelsize=8, labelcolor=INK)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return figure
