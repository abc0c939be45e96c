"""The forward pass as a printed figure: the network with its values, and lines for what each weight contributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from dlcompare import style

if TYPE_CHECKING:
    from dlcompare.widgets.forward import ForwardPass

__all__ = ["draw"]

INK = "#222222"


def draw(widget: ForwardPass) -> Figure:
    """Return the figure of the explorable's present state."""
    figure = Figure(figsize=(6.4, 3.4), layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.set_axis_off()
    answers, sizes = widget.answers, widget.sizes
    values = [list(widget.x), *(answers[f"y{layer}"].tolist() for layer in range(1, len(sizes)))]
    places = [[(layer, -(i + 0.5) / size) for i in range(size)] for layer, size in enumerate(sizes)]
    products = [answers[f"products{layer}"] for layer in range(1, len(sizes))]
    limit = max(max(product.abs().max().item() for product in products), 1e-12)
    colours = mpl.colormaps[style.DIVERGING]
    for layer, product in enumerate(products, start=1):
        for i, row in enumerate(product.tolist()):
            for j, value in enumerate(row):
                (x0, y0), (x1, y1) = places[layer - 1][j], places[layer][i]
                share = value / limit
                axes.plot((x0, x1), (y0, y1), color=colours(0.5 + share / 2), linewidth=1 + 4 * abs(share), zorder=1)
    for column, numbers in zip(places, values, strict=True):
        for (x, y), number in zip(column, numbers, strict=True):
            box = {"boxstyle": "circle,pad=0.5", "facecolor": "white", "edgecolor": style.FAMILY["mlp"], "linewidth": 2}
            axes.text(
                x, y, f"{number:.3g}".replace("-", "\u2212"), ha="center", va="center", color=INK, bbox=box, zorder=2
            )
    axes.set(xlim=(-0.4, len(sizes) - 0.6), ylim=(-1.05, 0.05))
    return figure
