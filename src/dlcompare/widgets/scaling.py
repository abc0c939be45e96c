"""Loss against parameters, data and compute, with a power law through it that the reader can put to the test."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor

from dlcompare import results
from dlcompare.catalogue import text
from dlcompare.comparison import Record, ScalingPoint, series
from dlcompare.comparison.scaling import REFERENCES, SCALED, SERIES, beaten
from dlcompare.export import Graph
from dlcompare.graphs.scaling import FEWEST, GRID, power_law
from dlcompare.style import short
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_choice, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BEYOND", "BOTH", "KINDS", "SCALES", "ScalingCurve"]

#: Both axes by powers of ten, where a power law is a straight line, or by equal amounts.
SCALES = ("log", "linear")
#: The choice of all families.
BOTH = "both"
#: The family of the book that each of the figure's belongs to: its colour and its mark.
KINDS = {"gpt": "gpt", "lstm": "recurrent"}
#: How many times the largest run the line is told up to.
BEYOND = 10.0
#: Where it begins, as a share of the smallest run.
_BEFORE = 0.6


def _indices(value: object, count: int) -> list[int]:
    """Return ``value`` as the sorted numbers of points, of which there are ``count``; or raise StateError."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise StateError(f"left_out is {value!r}; allowed is a list of whole numbers from 0 to {count - 1}")
    return sorted({as_whole(one, "an entry of left_out", 0, count - 1) for one in value})


class ScalingCurve(Explorable):
    """See how loss falls with parameters, data and compute, and whether a power law foresees what it has not seen.

    The points are :func:`dlcompare.comparison.series` of our own small runs, the law is
    :func:`dlcompare.graphs.power_law`. A series is offered when every family that was measured at all has a point in
    it.

    Parameters
    ----------
    records
        the runs; without them, :func:`dlcompare.results.scaling`.
    **traits:
        ``over`` ("parameters", "data" or "compute"), ``family`` ("both", "gpt" or "lstm"), ``scale`` ("log" or
        "linear"), ``left_out`` (points that don't count in the fit) and ``point`` (the one that is read out), both by
        their numbers in ``points``; and ``name``, see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later; also when no series can be made
        of the records.
    """

    module: ClassVar[str] = "scaling"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "scaling")

    points: Any = traitlets.List(read_only=True).tag(sync=True)
    #: By series, what was measured and is none of its points: {family, x, bits}.
    others: Any = traitlets.Dict(read_only=True).tag(sync=True)
    #: By series, the places at which the line is told.
    grids: Any = traitlets.Dict(read_only=True).tag(sync=True)
    references: Any = traitlets.Dict(read_only=True).tag(sync=True)
    #: The families that were measured, each with the one of the book that it belongs to.
    families: Any = traitlets.Dict(read_only=True).tag(sync=True)
    fewest: Any = traitlets.Int(FEWEST, read_only=True).tag(sync=True)
    over = Checked(lambda self, value: as_choice(value, "over", self.overs), SERIES[0]).tag(sync=True)
    family = Checked(lambda self, value: as_choice(value, "family", self.choices), BOTH).tag(sync=True)
    scale = Checked(lambda _, value: as_choice(value, "scale", SCALES), SCALES[0]).tag(sync=True)
    left_out = Checked(lambda self, value: _indices(value, len(self.measured)), []).tag(sync=True)
    point = Checked(lambda self, value: as_whole(value, "point", 0, len(self.measured) - 1), 0).tag(sync=True)

    def __init__(self, records: Iterable[Record] | None = None, **traits: Any) -> None:
        records = results.scaling() if records is None else list(records)
        made = series(records)
        families = [family for family in SCALED if any(point.family == family for of in made.values() for point in of)]
        whole = [over for over in SERIES if families and {point.family for point in made[over]} == set(families)]
        if not whole:
            raise StateError(
                f"records has {len(records)} entries, of which no series can be made; allowed are those of "
                "dlcompare.results.scaling()"
            )
        #: The points, each with the series that it is in.
        self.measured: list[tuple[str, ScalingPoint]] = [(over, point) for over in whole for point in made[over]]
        self.set_trait("points", [_told(over, point) for over, point in self.measured])
        off = {over: beaten(records) if over == "compute" else [] for over in whole}
        self.set_trait("others", {over: [_spot(over, point) for point in of] for over, of in off.items()})
        self.set_trait("grids", {over: _grid([point.along(over) for point in made[over]]) for over in whole})
        self.set_trait("references", {over: REFERENCES[over] for over in whole})
        self.set_trait("families", {family: KINDS[family] for family in families})
        first = {"over": whole[0], "family": self.choices[0], **traits}
        as_choice(first["over"], "over", self.overs)
        as_choice(first["family"], "family", self.choices)
        super().__init__(**{"point": self._last(first["over"], first["family"]), **first})

    @property
    def overs(self) -> list[str]:
        """The series that there are."""
        return list(self.grids)

    @property
    def choices(self) -> list[str]:
        """What ``family`` may be: all together first, where there are several."""
        return [BOTH, *self.families] if len(self.families) > 1 else list(self.families)

    def shown(self, over: str | None = None, family: str | None = None) -> dict[str, list[int]]:
        """Return by family the numbers of the points of a series; without arguments, of what is shown."""
        over, family = over or self.over, family or self.family
        return {
            one: [i for i, (of, point) in enumerate(self.measured) if (of, point.family) == (over, one)]
            for one in self.families
            if family in (BOTH, one)
        }

    def _last(self, over: str, family: str) -> int:
        return next(iter(self.shown(over, family).values()))[-1]

    @traitlets.validate("point")
    def _check_point(self, proposal: Any) -> int:
        there = [i for of in self.shown().values() for i in of]
        if proposal["value"] not in there:
            raise StateError(
                f"point is {proposal['value']}; allowed are those of {self.over!r} and {self.family!r}, "
                f"{', '.join(map(str, there))}"
            )
        return int(proposal["value"])

    @traitlets.observe("over", "family")
    def _keep_inside(self, _change: Any) -> None:
        if not any(self.point in of for of in self.shown().values()):
            self.point = self._last(self.over, self.family)

    def make_graphs(self) -> Sequence[Graph]:
        """Return the graph of the fit."""
        return [power_law()]

    def _question(self, indices: Sequence[int]) -> dict[str, Tensor]:
        points = [self.points[i] for i in indices]
        return {
            "x": torch.tensor([float(point["x"]) for point in points]),
            "loss": torch.tensor([point["bits"] for point in points]),
            "keep": torch.tensor([float(i not in self.left_out) for i in indices]),
            "grid": torch.tensor(self.grids[self.over]),
            "reference": torch.tensor(self.references[self.over]),
        }

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the question for each family that is shown; scale and point only choose from the answers."""
        return [("power-law", self._question(of)) for of in self.shown().values()]

    @property
    def fits(self) -> dict[str, dict[str, Tensor]]:
        """By family that is shown, the outputs of :func:`dlcompare.graphs.power_law`, () or (n,)."""
        return {family: self.ask("power-law", **self._question(of)) for family, of in self.shown().items()}

    def table(self) -> Table:
        """Return the points that are shown, each with what the line gives there."""
        rows: list[list[str | float]] = []
        for family, fit in self.fits.items():
            for place, i in enumerate(self.shown()[family]):
                point = self.points[i]
                line, apart = fit["point_line"][place].item(), fit["apart"][place].item()
                rows.append(
                    [
                        text(f"scaling.{family}"),
                        *(f"{point[key]:,}" for key in ("parameters", "characters", "steps")),
                        short(point["flops"]),
                        point["bits"],
                        "–" if math.isnan(line) else line,
                        "–" if math.isnan(apart) else apart,
                        text("scaling.out" if i in self.left_out else "scaling.counts"),
                    ]
                )
        heads = ("family", "parameters", "data", "steps", "compute", "bits", "line", "apart", "fit")
        return Table([text(f"scaling.{head}") for head in heads], rows)

    def law(self, family: str, fit: Mapping[str, Tensor]) -> str:
        """Return the fitted exponent of a family in words, or that there are too few points."""
        name = text(f"scaling.{family}")
        if fit["alpha"].isnan():
            return text("scaling.too_few", family=name, fewest=FEWEST)
        numbers = {key: short(fit[key].item()) for key in ("alpha", "alpha_low", "alpha_high")}
        return text("scaling.law", family=name, **numbers)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        return text(
            "scaling.alternative",
            over=text(f"scaling.{self.over}"),
            scale=text(f"scaling.axes_{self.scale}"),
            count=sum(map(len, self.shown().values())),
            laws=" ".join(self.law(family, fit) for family, fit in self.fits.items()),
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("scaling.figure_caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.scaling_figure import draw

        return draw(self)


def _told(over: str, point: ScalingPoint) -> dict[str, Any]:
    """Return a point as the front end has it."""
    return {
        "over": over,
        "family": point.family,
        "x": point.along(over),
        "parameters": point.parameters,
        "characters": point.characters,
        "steps": point.steps,
        "tokens": point.tokens,
        "flops": point.flops,
        "bits": point.bits,
        "nats": point.nats,
        "rates": sorted({run.learning_rate for run in point.runs}),
        "seeds": [{"seed": run.seed, "bits": run.bits} for run in point.runs],
    }


def _spot(over: str, point: ScalingPoint) -> dict[str, Any]:
    return {"family": point.family, "x": point.along(over), "bits": point.bits}


def _grid(values: Sequence[int]) -> list[float]:
    """Places from before the smallest value to far beyond the largest, by equal factors."""
    low, high = math.log(min(values) * _BEFORE), math.log(max(values) * BEYOND)
    return [math.exp(low + (high - low) * step / (GRID - 1)) for step in range(GRID)]
