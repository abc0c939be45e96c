"""A layer of a CNN as a printed figure: the digit with what one unit sees, the unit's map, and the saliency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dlcompare import style
from dlcompare.catalogue import text
from dlcompare.graphs.digits import SIDE

if TYPE_CHECKING:
    from dlcompare.widgets.features import FeatureMaps

__all__ = ["draw"]

MARK, HALO, INK = style.FAMILY["cnn"], "#08283b", "#222222"


def _outline(axes: Any, row: float, column: float, height: float, width: float) -> None:
    for colour, line in ((HALO, 4.5), (MARK, 2)):
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=line))


def draw(widget: FeatureMaps) -> Figure:
    """Return the figure of the explorable's present state."""
    answers, stage = widget.answers, widget.stage
    channel, row, column = widget.unit
    figure = Figure(figsize=(7.4, 2.8), layout="constrained", facecolor="white")
    panels: Any = figure.subplots(1, 3)
    digit, maps, gradient = panels
    digit.imshow(widget.pixels.numpy(), cmap=style.SEQUENTIAL, vmin=0, vmax=1, interpolation="nearest")
    if stage.field is not None:
        rows, columns = stage.field.pixels(row), stage.field.pixels(column)
        top, left = max(rows.start, 0), max(columns.start, 0)
        _outline(digit, top, left, min(rows.stop, SIDE) - top, min(columns.stop, SIDE) - left)
    digit.set_title(text("features.input"), color=INK, fontsize=10, loc="left")
    values = answers["maps"]
    if values.ndim == 1:
        maps.bar(range(len(values)), values.numpy(), color=MARK)
        maps.bar([channel], [values[channel].item()], color=HALO)
    else:
        style.signed_image(maps, values[channel]).set_interpolation("nearest")
        _outline(maps, row, column, 1, 1)
    maps.set_title(
        f"{widget.stage_title(stage)}, {text('features.map', channel=channel)}", color=INK, fontsize=10, loc="left"
    )
    style.signed_image(gradient, answers["gradient"]).set_interpolation("nearest")
    gradient.set_title(text("features.saliency", digit=widget.digit), color=INK, fontsize=10, loc="left")
    for axes in (digit, *([maps] if values.ndim > 1 else []), gradient):
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
    return figure
