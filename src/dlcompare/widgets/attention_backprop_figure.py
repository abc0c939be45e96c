"""The way through an attention head as a printed figure: each matrix above the derivative of the loss by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

    from dlcompare.widgets.attention_backprop import AttentionBackprop

__all__ = ["draw"]

INK = "#222222"
MATRICES = ("x", "q", "k", "v", "s", "a", "o", "y")
#: The two paths and their sum, with what the second is made of.
NORMS = ("residual", "attention", "q", "k", "v", "both")


def draw(widget: AttentionBackprop) -> Figure:
    """Return the figure of the matrices, their derivatives, and the norms of what comes back to X."""
    figure = Figure(figsize=(7.4, 4.6), layout="constrained", facecolor="white")
    answers = widget.answers
    maps, bars = figure.subfigures(2, 1, height_ratios=(1.5, 1))  # type: ignore[misc]
    rows = maps.subplots(2, len(MATRICES))
    for column, name in enumerate(MATRICES):
        value = torch.tensor(widget.x) if name == "x" else answers[name]
        _matrix(rows[0, column], value, name.upper())
        _matrix(rows[1, column], answers[f"d{name}"], f"∂L/∂{name.upper()}")
    axis = bars.subplots()
    values = [answers[f"norm_{name}"].item() for name in NORMS]
    places = range(len(NORMS))
    axis.barh(places, values, color=style.FAMILY["transformer"])
    axis.set_yticks(places, [text(f"attention-backprop.path_{name}") for name in NORMS], fontsize=8, color=INK)
    axis.invert_yaxis()
    axis.set(xticks=[], xlim=(0, 1.15 * max(values) or 1))
    for place, norm in zip(places, values, strict=True):
        axis.text(norm, place, f" {norm:.3g}", va="center", fontsize=8, color=INK)
    for side, spine in axis.spines.items():
        spine.set_visible(side == "left")
    axis.grid(False)
    return figure


def _matrix(axis: Axes, values: Tensor, title: str) -> None:
    style.signed_image(axis, values)
    axis.set(xticks=[], yticks=[])
    axis.set_title(title, fontsize=8, color=INK, loc="center")
    limit = values.abs().max().item() or 1.0
    for i, row in enumerate(values.tolist()):
        for j, number in enumerate(row):
            ink = "white" if abs(number) > 0.7 * limit else INK
            label = f"{round(number, 2) + 0:.2f}".replace("-", "\u2212")
            axis.text(j, i, label, ha="center", va="center", fontsize=14.5 / len(row), color=ink)
