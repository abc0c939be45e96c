"""The reach of gradients as a printed figure: back through time and down through the layers, on logarithmic axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dlcompare import style
from dlcompare.catalogue import text

if TYPE_CHECKING:
    from dlcompare.widgets.gradient_flow import GradientFlow

__all__ = ["draw"]

#: By network: its family, and how its line looks.
LOOKS = {
    "mlp": ("mlp", "s-"),
    "rnn": ("recurrent", "^-"),
    "lstm": ("recurrent", "v--"),
    "gru": ("recurrent", "D:"),
    "gpt": ("gpt", "o-"),
}


def draw(widget: GradientFlow) -> Figure:
    """Return the figure of the explorable's present state."""
    figure = Figure(figsize=(7.4, 3.4), layout="constrained", facecolor="white")
    by_time, by_depth = figure.subplots(1, 2, sharey=True)
    for network, norms in widget.norms.items():
        family, look = LOOKS[network]
        colour, label = style.FAMILY[family], text(f"gradients.{network}")
        kept = {"color": colour, "label": label, "markersize": 4, "markerfacecolor": "white"}
        if network != "mlp":  # which knows no time
            by_time.semilogy(range(1, widget.length + 1), norms[widget.layer], look, **kept)
        down = {layer: norm for layer, norm in enumerate(norms[:, widget.time - 1].tolist()) if norm > 0}
        if down:  # a layer from which no path leads to the loss has no place on a logarithmic axis
            by_depth.semilogy(list(down), list(down.values()), look, **kept)
    by_time.set(
        xlabel=text("gradients.step"),
        ylabel=text("gradients.norm"),
        title=text("gradients.by_time", layer=widget.layer),
    )
    by_depth.set(xlabel=text("gradients.layer"), title=text("gradients.by_depth", time=widget.time))
    for axis in (by_time, by_depth):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    by_time.legend(fontsize=8)
    return figure
