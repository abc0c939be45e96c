"""The convolution stepper as a printed figure: the same parts in the same places as on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dlcompare import style
from dlcompare.catalogue import text

if TYPE_CHECKING:
    from torch import Tensor

    from dlcompare.widgets.convolution import ConvolutionStepper

__all__ = ["draw"]

MARK = style.FAMILY["cnn"]
HALO = "#08283b"  # the mark stands on light and on dark pixels
INK = "#222222"


def draw(stepper: ConvolutionStepper) -> Figure:
    """Return the figure of the stepper's present state."""
    figure = Figure(figsize=(7.2, 5.4), layout="constrained", facecolor="white")
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.75, 1))
    maps, numbers = parts
    _draw_maps(maps, stepper)
    _draw_numbers(numbers, stepper)
    return figure


def _draw_maps(part: Any, stepper: ConvolutionStepper) -> None:
    image, output = stepper._pixels[stepper.image], stepper.output
    padding, size = stepper.padding, len(stepper.kernel)
    row, column = stepper.position
    left, right = part.subplots(1, 2)

    height, width = image.shape
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    border = (-padding - 0.5, -padding - 0.5)
    outside = Rectangle(border, width + 2 * padding, height + 2 * padding, facecolor="#eeeeee", edgecolor="#999999")
    outside.set(hatch="////", linewidth=0, zorder=-1)  # under the image
    left.add_patch(outside)
    left.imshow(image.numpy(), cmap=style.SEQUENTIAL, vmin=0, vmax=1, extent=extent, interpolation="nearest")
    corner = (column * stepper.stride - padding - 0.5, row * stepper.stride - padding - 0.5)
    left.add_patch(Rectangle(corner, size, size, fill=False, edgecolor=HALO, linewidth=4.5))
    left.add_patch(Rectangle(corner, size, size, fill=False, edgecolor=MARK, linewidth=2))
    left.set(xlim=(border[0], width + padding - 0.5), ylim=(height + padding - 0.5, border[1]))
    key = "convolution.input_padded" if padding else "convolution.input"
    left.set_title(text(key, height=height, width=width, padding=padding), color=INK, fontsize=10, loc="left")

    shown = style.signed_image(right, output)
    shown.set_interpolation("nearest")
    right.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=HALO, linewidth=4.5))
    right.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=MARK, linewidth=2))
    title = text("convolution.output", height=output.shape[0], width=output.shape[1])
    right.set_title(title, color=INK, fontsize=10, loc="left")
    part.colorbar(shown, ax=right, shrink=0.8)
    for axis in (left, right):
        axis.set(xticks=[], yticks=[])
        axis.grid(False)


def _draw_numbers(part: Any, stepper: ConvolutionStepper) -> None:
    window = stepper.window
    kernel = stepper.kernel_tensor
    row, column = stepper.position
    value = stepper.output[row, column].item()
    axes = part.subplots(1, 4)
    limit = kernel.abs().max().item()
    scales = {"cmap": style.DIVERGING, "vmin": -limit or -1, "vmax": limit or 1}
    _draw_grid(axes[0], window, text("convolution.window"), cmap=style.SEQUENTIAL, vmin=0, vmax=1)
    _draw_grid(axes[1], kernel, "×  " + text("convolution.kernel"), **scales)
    _draw_grid(axes[2], window * kernel, "=  " + text("convolution.products"), **scales)
    axes[3].set_title("→  " + text("convolution.sum_title"), color=INK, fontsize=10, loc="left")
    axes[3].text(0.5, 0.5, _number(value), ha="center", va="center", fontsize=18, color=INK)
    axes[3].set_axis_off()


def _number(value: float) -> str:
    """Return ``value`` with three significant digits and a true minus sign; zero has none."""
    return f"{value:.3g}".replace("-", "−") if value else "0"


def _draw_grid(axis: Any, values: Tensor, title: str, **scale: Any) -> None:
    shown = axis.imshow(values.numpy(), interpolation="nearest", **scale)
    axis.set_title(title, color=INK, fontsize=10, loc="left")
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    fontsize = 9 if len(values) <= 3 else 5.5
    for row, line in enumerate(values.tolist()):
        for column, value in enumerate(line):
            red, green, blue, _ = shown.cmap(shown.norm(value))
            ink = "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45 else "black"
            axis.text(column, row, _number(value), ha="center", va="center", fontsize=fontsize, color=ink)
