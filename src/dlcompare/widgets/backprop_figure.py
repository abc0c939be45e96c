"""Backpropagation as a printed figure: each value with the derivative of the loss by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from dlcompare import style

if TYPE_CHECKING:
    from dlcompare.widgets.backprop import BackpropStepper

__all__ = ["draw"]

INK = "#222222"
#: Where each value stands: column and height.
PLACES = {
    "x1": (0, 0.75), "x2": (0, 0.25), "z1": (1, 0.75), "z2": (1, 0.25), "h1": (2, 0.75), "h2": (2, 0.25),
    "y": (3, 0.5), "e": (4, 0.5), "L": (5, 0.5),
}  # fmt: skip
LINES = ("x1 z1", "x1 z2", "x2 z1", "x2 z2", "z1 h1", "z2 h2", "h1 y", "h2 y", "y e", "e L")


def draw(widget: BackpropStepper) -> Figure:
    """Return the figure of all values and derivatives."""
    figure = Figure(figsize=(6.6, 2.8), layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.set_axis_off()
    answers = widget.answers
    values = {"y": answers["y"], "e": answers["e"], "L": answers["loss"]}
    slopes = {"y": answers["d_y"], "e": answers["d_e"]}
    for i in (0, 1):
        values |= {f"x{i + 1}": widget.x[i], f"z{i + 1}": answers["z"][i], f"h{i + 1}": answers["h"][i]}
        slopes |= {f"{name}{i + 1}": answers[f"d_{name}"][i] for name in "xzh"}
    for line in LINES:
        (x0, y0), (x1, y1) = (PLACES[name] for name in line.split())
        axes.plot((x0, x1), (y0, y1), color="#999999", linewidth=1, zorder=1)
    for name, (x, y) in PLACES.items():
        number = f"{name} = {float(values[name]):.3g}"
        slope = f"\n∂L/∂{name} = {float(slopes[name]):.3g}" if name in slopes else ""
        box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": style.FAMILY["mlp"], "linewidth": 1.6}
        label = (number + slope).replace("-", "\u2212")
        axes.text(x, y, label, ha="center", va="center", fontsize=7.5, color=INK, bbox=box, zorder=2)
    axes.set(xlim=(-0.5, 5.4), ylim=(0, 1))
    return figure
