"""The generation debugger as a printed figure: the text so far, and what the next token is drawn from."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text
from dlcompare.graphs.generation import KEPT
from dlcompare.widgets.generation import FATES, SHOWN

if TYPE_CHECKING:
    from torch import Tensor

    from dlcompare.widgets.generation import GenerationDebugger

__all__ = ["draw"]

COLOUR = style.FAMILY["gpt"]
INK = "#222222"
SOFT = "#57606a"


def draw(debugger: GenerationDebugger) -> Figure:
    """Return the figure of the debugger's present state."""
    figure = Figure(figsize=(7.2, 4.4), layout="constrained", facecolor="white")
    sample = debugger.sample
    written = debugger.text.replace("\n", "⏎ ")
    lines = textwrap.wrap("… " + written[-200:] if len(written) > 200 else written, 80) or [""]
    title = {"fontsize": 11, "color": INK, "x": 0.02, "ha": "left", "family": "monospace", "parse_math": False}
    figure.suptitle("\n".join(lines) + " …", **title)
    bars, curve = figure.subplots(1, 2, width_ratios=(1.25, 1))
    _draw_bars(bars, debugger, sample)
    _draw_curve(curve, sample)
    return figure


def _draw_bars(axis: Any, debugger: GenerationDebugger, sample: dict[str, Tensor]) -> None:
    tokens = sample["order"][:SHOWN].tolist()
    before, after, cut = ([sample[key][token].item() for token in tokens] for key in ("own", "p", "cut"))
    places = range(len(tokens))
    axis.barh(places, after, color=COLOUR, height=0.7, label=text("generation.after"))
    axis.barh(places, before, fill=False, edgecolor=INK, height=0.7, label=text("generation.before"))
    for place, fate, longest in zip(places, cut, map(max, before, after), strict=True):
        if fate != KEPT:
            axis.text(longest, place, "  " + text(FATES[int(fate)]), va="center", fontsize=7, color=SOFT)
    labels = [style.readable(debugger._tokenizer.decode([token])) for token in tokens]
    axis.set_yticks(places, labels, family="monospace", parse_math=False)
    axis.invert_yaxis()
    axis.set_xlim(0, 1.08 * max(*before, *after))
    axis.set_xlabel(text("axis.probability"))
    axis.set_title(text("generation.next"), color=INK, fontsize=10, loc="left")
    axis.legend(fontsize=8, frameon=False, loc="lower right")
    axis.spines[["top", "right"]].set_visible(False)


def _draw_curve(axis: Any, sample: dict[str, Tensor]) -> None:
    order = sample["order"].long()
    before, after = sample["own"][order], sample["p"][order]
    ranks = range(1, len(order) + 1)
    axis.step(ranks, before, where="mid", color=INK, linewidth=1)
    kept = after > 0
    axis.fill_between(
        [rank for rank, there in zip(ranks, kept.tolist(), strict=True) if there],
        1e-6,
        after[kept],
        step="mid",
        color=COLOUR,
        alpha=0.8,
        linewidth=0,
    )
    axis.set(xscale="log", yscale="log", xlim=(0.8, len(order)), ylim=(1e-6, 1.5))
    axis.set_xlabel(text("generation.rank"))
    axis.set_ylabel(text("axis.probability"))
    axis.set_title(text("generation.vocabulary", count=f"{len(order):,}"), color=INK, fontsize=10, loc="left")
    axis.spines[["top", "right"]].set_visible(False)
