"""The published models in time: an explorable of the chapter on how deep learning and GPT relate."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from dlcompare.catalogue import text
from dlcompare.history import LANES, Event, history
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MEASURES", "SCALES", "ModelTimeline"]

#: What is shown of each model, upwards.
MEASURES = ("parameters", "layers", "width")
#: How: by powers of ten, or by equal amounts.
SCALES = ("log", "linear")


def _one_of(value: object, argument: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise StateError(f"{argument} is {value!r}; allowed are {', '.join(map(repr, allowed))}")
    return str(value)


class ModelTimeline(Explorable):
    """Walk through the published models in the order of time: layers, width, parameters, and the paper of each.

    What is shown is :func:`dlcompare.history.history`.

    Parameters
    ----------
    **traits:
        ``measure`` (``"parameters"``, ``"layers"`` or ``"width"``), ``scale`` (``"log"`` or ``"linear"``), ``step``
        (the model that is looked at, counted in the order of time; without it the last one); and ``name``, see
        :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "timeline"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "timeline")

    models: Any = traitlets.List(read_only=True).tag(sync=True)
    lanes: Any = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    measure = Checked(lambda _, value: _one_of(value, "measure", MEASURES), MEASURES[0]).tag(sync=True)
    scale = Checked(lambda _, value: _one_of(value, "scale", SCALES), SCALES[0]).tag(sync=True)
    step = Checked(lambda _, value: as_whole(value, "step", 0, len(history()) - 1), 0).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self.set_trait("models", [{**dataclasses.asdict(event), "when": event.when} for event in history()])
        self.set_trait("lanes", list(LANES))
        super().__init__(**{"step": len(history()) - 1, **traits})

    @property
    def model(self) -> Event:
        """The model that is looked at."""
        step: int = self.step
        return history()[step]

    def date_of(self, event: Event) -> str:
        """Return a model's date in words: month and year, or the year alone."""
        paper = event.paper
        return str(paper.year) if paper.month is None else f"{text(f'timeline.month_{paper.month}')} {paper.year}"

    def table(self) -> Table:
        """Return all models with their dates, sizes and papers."""
        rows: list[list[str | float]] = [
            [
                event.name,
                self.date_of(event),
                str(event.layers),
                f"{event.width:,}",
                f"{event.parameters:,}",
                event.paper.key,
            ]
            for event in history()
        ]
        heads = ("model", "date", "layers", "width", "parameters", "paper")
        return Table([text(f"timeline.{head}") for head in heads], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        events = history()
        least, most = (bound(events, key=lambda event: getattr(event, self.measure)) for bound in (min, max))
        return text(
            "timeline.alternative",
            count=len(events),
            first=events[0].paper.year,
            last=events[-1].paper.year,
            measure=text(f"timeline.{self.measure}"),
            least=least.name,
            least_value=f"{getattr(least, self.measure):,}",
            most=most.name,
            most_value=f"{getattr(most, self.measure):,}",
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("timeline.figure_caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.timeline_figure import draw

        return draw(self)
