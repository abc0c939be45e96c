"""A power law through measured losses, by least squares, with what is not known about it."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from dlcompare.comparison.intervals import student_t
from dlcompare.export import Graph

__all__ = ["CONFIDENCE", "FEWEST", "GRID", "MOST", "power_law"]

#: How surely the intervals hold what they are to hold.
CONFIDENCE = 0.95
#: Points that there must be for a line with an uncertainty.
FEWEST = 3
#: Places at which line and bands are told.
GRID = 49
#: Points that the quantiles are tabled for; with more, the last one is taken.
MOST = 64


@functools.cache
def _quantiles() -> tuple[float, ...]:
    """Student's t of 1 to MOST - 2 degrees of freedom."""
    return tuple(student_t(CONFIDENCE, degrees) for degrees in range(1, MOST - 1))


def _fit(
    quantiles: Tensor, /, x: Tensor, loss: Tensor, keep: Tensor, grid: Tensor, reference: Tensor
) -> dict[str, Tensor]:
    # In double precision: what is far beyond the points goes through an exponential.
    at, y, keep, places = x.double().log(), loss.double().log(), keep.double(), grid.double().log()
    kept = keep.sum()
    enough = kept >= FEWEST
    count = kept.clamp_min(1)
    middle, level = (keep * at).sum() / count, (keep * y).sum() / count
    spread = (keep * (at - middle).square()).sum()
    spread = torch.where(spread > 0, spread, 1.0)  # where all are in one place, there is no slope to divide for
    slope = (keep * (at - middle) * (y - level)).sum() / spread
    rest = y - level - slope * (at - middle)
    degrees = (kept - 2).clamp_min(1)
    deviation = ((keep * rest.square()).sum() / degrees).sqrt()
    error = deviation / spread.sqrt()
    t = quantiles.index_select(0, (degrees.long() - 1).clamp_max(MOST - 3).view(1))[0]

    def told(where: Tensor) -> dict[str, Tensor]:
        line = level + slope * (where - middle)
        of_line = t * deviation * (1 / count + (where - middle).square() / spread).sqrt()
        of_new = t * deviation * (1 + 1 / count + (where - middle).square() / spread).sqrt()
        return {
            "line": line.exp(),
            "line_low": (line - of_line).exp(),
            "line_high": (line + of_line).exp(),
            "new_low": (line - of_new).exp(),
            "new_high": (line + of_new).exp(),
        }

    at_points = told(at)
    fitted = {
        "alpha": -slope,
        "error": error,
        "alpha_low": -slope - t * error,
        "alpha_high": -slope + t * error,
        "intercept": level - slope * middle,
        "deviation": deviation,
        "tenfold": (math.log(10) * slope).exp(),
        **told(places),
        **{f"point_{name}": at_points[name] for name in ("line", "new_low", "new_high")},
        "residuals": rest,
        "apart": 100 * (rest.exp() - 1),
    }
    missing = torch.full((), math.nan, dtype=torch.float64)
    return {
        **{name: torch.where(enough, value, missing).float() for name, value in fitted.items()},
        "reference_line": (y[0] - reference.double() * (places - at[0])).exp().float(),
    }


def _draw(generator: torch.Generator) -> dict[str, Tensor]:
    n = int(torch.randint(3, 21, (), generator=generator))
    at = torch.linspace(8, 8 + 2 * n, n) + torch.rand(n, generator=generator)
    noise = 0.03 * torch.randn(n, generator=generator)
    return {
        "x": at.exp(),
        "loss": (2 - 0.1 * torch.rand((), generator=generator) * at + noise).exp(),
        "keep": (torch.rand(n, generator=generator) < 0.8).float(),
        "grid": torch.linspace(7, 12 + 2 * n, GRID).exp(),
        "reference": 0.2 * torch.rand((), generator=generator),
    }


def power_law() -> Graph:
    r"""Return the graph of :math:`\log L = a - \alpha \log x`, fitted by least squares, with its uncertainty.

    With :math:`n` points kept, of mean :math:`\bar u` in :math:`u = \log x`, with the sum of squares
    :math:`S = \sum (u - \bar u)^2` and the residuals' deviation :math:`s`, :math:`s^2 = \sum r^2 / (n - 2)`, the slope
    has the standard error :math:`s / \sqrt S`; at :math:`u` the line is known within
    :math:`t s \sqrt{1/n + (u - \bar u)^2 / S}`, and a new point lies within
    :math:`t s \sqrt{1 + 1/n + (u - \bar u)^2 / S}`, with Student's :math:`t` of :math:`n - 2` degrees of freedom
    (Draper & Smith 1998, chapters 1 and 3). That holds where the law does, and where residuals are independent, normal
    and equally large in :math:`\log L`. A pure power law goes to zero; a real loss doesn't.

    Inputs, float32: ``x`` and ``loss`` (n,), both positive; ``keep`` (n,), 1 for the points that count and 0 for the
    others; ``grid`` (GRID,), where the line is told; ``reference``, a scalar, another exponent. Outputs, float32, all
    NaN where fewer than ``FEWEST`` points are kept, but for the last one:

    - ``alpha``, its standard ``error``, and its interval from ``alpha_low`` to ``alpha_high``; ``intercept``, a;
      ``deviation``, s; ``tenfold``, by what ten times x multiplies the loss: scalars,
    - ``line``, its interval from ``line_low`` to ``line_high``, a new point's from ``new_low`` to ``new_high``
      (GRID,),
    - ``point_line``, ``point_new_low``, ``point_new_high`` (n,): the same at the points, kept or not,
    - ``residuals`` (n,), in log L, and ``apart`` (n,), by how many percent a loss lies above the line,
    - ``reference_line`` (GRID,): the line of the other exponent through the first point.
    """
    fit = functools.partial(_fit, torch.tensor(_quantiles(), dtype=torch.float64))
    return Graph("power-law", fit, _draw, varying={"x": (0,), "loss": (0,), "keep": (0,)})
