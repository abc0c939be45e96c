"""Made-up points of two classes in the plane, for networks that are small enough to look into."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from dlcompare.chance import Chance

if TYPE_CHECKING:
    import torch

__all__ = ["PLANE_SETS", "Points", "make_points"]


@dataclasses.dataclass(frozen=True, eq=False)
class Points:
    """Points in the plane and the class of each.

    Attributes
    ----------
    points : torch.Tensor
        ``(n, 2)``, float32, both coordinates about -1 to 1
    labels : torch.Tensor
        ``(n,)``, int64, 0 or 1

    Raises
    ------
    ValueError
        when ``points`` or ``labels`` has another shape.
    """

    points: torch.Tensor
    labels: torch.Tensor

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or self.points.shape[1] != 2:
            raise ValueError(f"points has the shape {tuple(self.points.shape)}; it must be (n, 2)")
        if self.labels.shape != self.points.shape[:1]:
            raise ValueError(
                f"labels has the shape {tuple(self.labels.shape)}; "
                f"for {len(self.points)} points it must be ({len(self.points)},)"
            )

    def __len__(self) -> int:
        return len(self.points)


def _blobs(chance: Chance, label: int) -> tuple[float, float]:
    centre = 0.45 if label else -0.45
    return centre, centre


def _moons(chance: Chance, label: int) -> tuple[float, float]:
    angle = math.pi * chance.uniform()
    x, y = 0.6 * math.cos(angle), 0.6 * math.sin(angle)
    return (x + 0.3, 0.15 - y) if label else (x - 0.3, y - 0.15)


def _circles(chance: Chance, label: int) -> tuple[float, float]:
    angle = 2 * math.pi * chance.uniform()
    radius = 0.3 if label else 0.8
    return radius * math.cos(angle), radius * math.sin(angle)


def _squares(chance: Chance, label: int) -> tuple[float, float]:
    x, y = 0.1 + 0.8 * chance.uniform(), 0.1 + 0.8 * chance.uniform()
    left = chance.uniform() < 0.5
    return (-x if left else x), (y if left == bool(label) else -y)


def _spirals(chance: Chance, label: int) -> tuple[float, float]:
    along = chance.uniform() ** 0.7  # denser within, but less so than evenly in the angle
    radius, angle = 0.08 + 0.87 * along, 2.5 * math.pi * along + (math.pi if label else 0)
    return radius * math.cos(angle), radius * math.sin(angle)


#: The sets that there are, each with the standard deviation of its noise in each coordinate.
PLANE_SETS = {"blobs": 0.2, "moons": 0.09, "circles": 0.08, "squares": 0.03, "spirals": 0.03}

_SHAPES: dict[str, Callable[[Chance, int], tuple[float, float]]] = {
    "blobs": _blobs,
    "moons": _moons,
    "circles": _circles,
    "squares": _squares,
    "spirals": _spirals,
}


def make_points(name: str, n: int, seed: int) -> Points:
    """Draw points of a set, as many of the one class as of the other (one more of class 0 where ``n`` is odd).

    The same arguments give the same points everywhere: they come from :class:`~dlcompare.chance.Chance`. Two seeds
    give two independent samples, one to train on and one to hold out.

    Parameters
    ----------
    name
        one of :data:`PLANE_SETS`: "blobs", two clouds; "moons", two half circles, one in the other's opening;
        "circles", one within the other; "squares", the four quadrants, opposite ones alike, as in exclusive or;
        "spirals", two arms that wind around each other.
    n
        how many.
    seed
        as :class:`~dlcompare.chance.Chance` takes it.

    Raises
    ------
    ValueError
        for an unknown name, an ``n`` below 1 or a seed that is not allowed.
    """
    import torch

    if name not in PLANE_SETS:
        raise ValueError(f"name is {name!r}; allowed are {', '.join(map(repr, PLANE_SETS))}")
    if n < 1:
        raise ValueError(f"n is {n}; allowed are integers of at least 1")
    chance = Chance(seed)
    labels = [i % 2 for i in range(n)]
    points = []
    for label in labels:
        x, y = _SHAPES[name](chance, label)
        # Two independent normal numbers from two uniform ones (Box & Muller 1958).
        radius = PLANE_SETS[name] * math.sqrt(-2 * math.log(1 - chance.uniform()))
        angle = 2 * math.pi * chance.uniform()
        points.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
    return Points(torch.tensor(points, dtype=torch.float32), torch.tensor(labels))
