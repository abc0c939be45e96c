"""The attention explorer as a printed figure: all heads, the chosen head's map, and what is expected next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dlcompare import style
from dlcompare.catalogue import text
from dlcompare.models.attention import causal_mask

if TYPE_CHECKING:
    from torch import Tensor

    from dlcompare.widgets.attention import AttentionExplorer

__all__ = ["draw"]

MARK = style.FAMILY["cnn"]
HALO = "#08283b"  # the mark stands on light and on dark cells
INK = "#222222"
BLANK = "#e9ecef"


def draw(explorer: AttentionExplorer) -> Figure:
    """Return the figure of the explorer's present state."""
    figure = Figure(figsize=(7.4, 5.2), layout="constrained", facecolor="white")
    parts: Any = figure.subfigures(1, 2, width_ratios=(1, 1.75))
    left, right = parts
    above, below = left.subfigures(2, 1, height_ratios=(1.25, 1))
    attention = explorer.attention  # (n_layer, n_head, seq, seq)
    if explorer.causal:  # what must not be seen is left blank, so that it differs from a weight near 0
        attention = attention.masked_fill(~causal_mask(attention.shape[-1]), math.nan)
    _draw_heads(above, explorer, attention)
    _draw_expected(below, explorer)
    _draw_map(right, explorer, attention[explorer.layer, explorer.head])
    return figure


def _draw_heads(part: Any, explorer: AttentionExplorer, attention: Tensor) -> None:
    n_layer, n_head = attention.shape[:2]
    axes = part.subplots(n_layer, n_head, squeeze=False)
    part.suptitle(text("attention.heads_title"), color=INK, fontsize=10)
    keep = explorer.keep
    for layer, row in enumerate(axes):
        for head, axis in enumerate(row):
            off = not keep[layer, head]
            axis.imshow(attention[layer, head].numpy(), cmap=style.SEQUENTIAL, vmin=0, vmax=1, alpha=0.25 if off else 1)
            if off:
                axis.plot([0, 1], [0, 1], transform=axis.transAxes, color=INK, linewidth=1)
            axis.set_facecolor(BLANK)
            axis.set(xticks=[], yticks=[])
            chosen = (layer, head) == (explorer.layer, explorer.head)
            for spine in axis.spines.values():
                spine.set(visible=True, color=MARK if chosen else "#bbbbbb", linewidth=2.5 if chosen else 0.6)
    for layer, axis in enumerate(axes[:, 0]):
        axis.set_ylabel(text("attention.layer_short", layer=layer), color=INK, fontsize=8)
    for head, axis in enumerate(axes[0]):
        axis.set_title(text("attention.head_short", head=head), color=INK, fontsize=8, loc="center")


def _draw_expected(part: Any, explorer: AttentionExplorer) -> None:
    axis = part.subplots()
    expected = explorer.expected
    places = range(len(expected))
    values = [value for _, value in expected]
    axis.barh(places, values, color=style.FAMILY["gpt"])
    axis.set_yticks(places, [style.readable(token) for token, _ in expected], family="monospace", fontsize=8)
    axis.invert_yaxis()
    axis.set(xticks=[], xlim=(0, max(values) * 1.25))
    for place, value in zip(places, values, strict=True):
        axis.text(value, place, f" {value:.3g}", va="center", fontsize=8, color=INK)
    for name, spine in axis.spines.items():
        spine.set_visible(name == "left")
    axis.grid(False)
    title = text("attention.next_title", token=style.readable(explorer.tokens[-1]))
    axis.set_title(title, color=INK, fontsize=10, loc="left")


def _draw_map(part: Any, explorer: AttentionExplorer, weights: Tensor) -> None:
    axis = part.subplots()
    image = style.attention_map(axis, weights, explorer.tokens)
    image.set(interpolation="nearest", clim=(0, 1))
    axis.set_facecolor(BLANK)
    seq = len(weights)
    for colour, width in ((HALO, 4), (MARK, 1.8)):
        corner = (-0.5, explorer.query - 0.5)
        axis.add_patch(Rectangle(corner, seq, 1, fill=False, edgecolor=colour, linewidth=width, clip_on=False))
    title = text("attention.map_weights", layer=explorer.layer, head=explorer.head)
    axis.set_title(title, color=INK, fontsize=10, loc="left")
    part.colorbar(image, ax=axis, shrink=0.6)
