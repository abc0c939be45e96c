"""Loss against size, data or compute as a printed figure: points, seeds, the fitted line and what it is not sure of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from dlcompare import style
from dlcompare.catalogue import text

if TYPE_CHECKING:
    from dlcompare.widgets.scaling import ScalingCurve

__all__ = ["draw"]

SOFT = "#57606a"


def _draw_fit(axes: Any, colour: str, grid: Tensor, fit: Mapping[str, Tensor], kept: tuple[float, float]) -> None:
    axes.fill_between(grid, fit["new_low"], fit["new_high"], color=colour, alpha=0.1, linewidth=0)
    axes.fill_between(grid, fit["line_low"], fit["line_high"], color=colour, alpha=0.2, linewidth=0)
    inside = (grid >= kept[0]) & (grid <= kept[1])
    nowhere = torch.full_like(grid, torch.nan)
    axes.plot(grid, fit["line"], "--", color=colour, linewidth=1.2)
    axes.plot(grid, torch.where(inside, fit["line"], nowhere), color=colour, linewidth=2)


def _draw_points(axes: Any, widget: ScalingCurve, family: str, fit: Mapping[str, Tensor]) -> None:
    colour, marker = style.FAMILY[widget.families[family]], style.MARKER[widget.families[family]]
    there = widget.shown()[family]
    for place, i in enumerate(there):
        point, out = widget.points[i], i in widget.left_out
        seeds = [seed["bits"] for seed in point["seeds"]]
        axes.plot([point["x"]] * len(seeds), seeds, marker, color=colour, alpha=0.35, markersize=3.5)
        look = {"markersize": 6.5, "markeredgecolor": "#222222", "markeredgewidth": 0.7}
        name = text(f"scaling.{family}") if place == 0 else "_"
        axes.plot([point["x"]], [point["bits"]], marker, color="white" if out else colour, label=name, **look)
        if out and not fit["alpha"].isnan():
            low, middle, high = (fit[f"point_{key}"][place] for key in ("new_low", "line", "new_high"))
            bar = torch.stack([middle - low, high - middle])[:, None]
            axes.errorbar([point["x"]], [middle], bar, color=colour, elinewidth=1, capsize=4, fmt="none")


def draw(widget: ScalingCurve) -> Figure:
    """Return the figure of the explorable's present state."""
    figure = Figure(figsize=(7.2, 4.2), layout="constrained", facecolor="white")
    axes = figure.subplots()
    log, grid = widget.scale == "log", torch.tensor(widget.grids[widget.over])
    everything, largest = [], 0.0
    for place, (family, fit) in enumerate(widget.fits.items()):
        if place == 0:
            label = text("scaling.reference", alpha=f"{widget.references[widget.over]:g}")
            axes.plot(grid, fit["reference_line"], ":", color=SOFT, linewidth=1.2, label=label)
        points = [widget.points[i] for i in widget.shown()[family]]
        kept = [widget.points[i]["x"] for i in widget.shown()[family] if i not in widget.left_out]
        if not fit["alpha"].isnan():
            _draw_fit(axes, style.FAMILY[widget.families[family]], grid, fit, (min(kept), max(kept)))
        off = [spot for spot in widget.others[widget.over] if spot["family"] == family]
        look: dict[str, Any] = {
            "color": style.FAMILY[widget.families[family]],
            "markerfacecolor": "none",
            "alpha": 0.4,
            "markersize": 4,
        }
        axes.plot([s["x"] for s in off], [s["bits"] for s in off], style.MARKER[widget.families[family]], **look)
        _draw_points(axes, widget, family, fit)
        everything += [seed["bits"] for point in points for seed in point["seeds"]] + [spot["bits"] for spot in off]
        largest = max([largest, *(point["x"] for point in points)])
    axes.set_ylim(0.75 * min(everything) if log else 0, 1.06 * max(everything))
    axes.set(xlabel=text(f"scaling.axis_{widget.over}"), ylabel=text("scaling.axis_bits"))
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(grid[0].item(), grid[-1].item())
        ticks = [tick for tick in (1, 1.5, 2, 2.5, 3, 4, 5, 6) if axes.get_ylim()[0] < tick < axes.get_ylim()[1]]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.yaxis.set_minor_formatter("")
    else:
        axes.set_xlim(0, 1.05 * largest)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="upper right")
    return figure
