"""Layer by layer through a trained CNN: the explorable of the chapter that trains and uses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.export import Graph
from dlcompare.graphs.digits import SIDE
from dlcompare.graphs.features import Stage, feature_maps, saliency, stages
from dlcompare.models import CNN
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_whole
from dlcompare.widgets.pixel_text import from_text, to_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FeatureMaps"]


def _as_unit(value: object) -> tuple[int, int, int]:
    given = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if len(given) != 3:
        raise StateError(f"unit is {value!r}; allowed are three whole numbers: channel, row, column")
    channel, row, column = (as_whole(v, f"unit[{i}]", 0, 10**6) for i, v in enumerate(given))
    return channel, row, column


class FeatureMaps(Explorable):
    """Walk through a CNN layer by layer: its feature maps, one unit's sum, and which pixels an answer depends on.

    Parameters
    ----------
    model:
        The network, in evaluation mode, for grey images of 28 × 28 pixels.
    images:
        Digits to choose from, (n, 1, 28, 28) or (n, 28, 28), from 0 (paper) to 1 (ink).
    labels:
        What each of them shows.
    **traits:
        ``image`` (an index), ``step`` (which layer, from 0; see :func:`dlcompare.graphs.stages`), ``unit`` (its
        channel, row and column; without it the one with the largest output), ``source`` (the map or unit below whose
        products are shown; None, which it is at first, for the one that adds most), ``digit`` (the class whose logit is
        differentiated; without it the answer); and ``name``, see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "features"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "features")

    stages: Any = traitlets.List(read_only=True).tag(sync=True)
    examples: Any = traitlets.List(read_only=True).tag(sync=True)
    classes = traitlets.Int(read_only=True).tag(sync=True)
    image = Checked(lambda self, value: as_whole(value, "image", 0, len(self.examples) - 1), 0).tag(sync=True)
    step = Checked(lambda self, value: as_whole(value, "step", 0, len(self.stages) - 1), 0).tag(sync=True)
    unit = Checked(lambda _, value: _as_unit(value), (0, 0, 0)).tag(sync=True)
    source = Checked(lambda _, value: None if value is None else as_whole(value, "source", 0, 10**6), None).tag(
        sync=True
    )
    digit = Checked(lambda self, value: as_whole(value, "digit", 0, self.classes - 1), 0).tag(sync=True)

    def __init__(self, model: CNN, images: Tensor, labels: Sequence[int] | Tensor, **traits: Any) -> None:
        if model.config.image_size != SIDE:
            raise StateError(f"model takes images of {model.config.image_size} pixels a side; allowed are {SIDE}")
        self._model, self._stages = model, stages(model)
        self.set_trait("classes", model.config.classes)
        self.set_trait("stages", [self._described(stage) for stage in self._stages])
        digits = [int(label) for label in labels]
        if len(digits) != len(images) or not digits:
            raise StateError(f"labels has {len(digits)} entries; allowed is one for each of {len(images)} images")
        try:
            drawn = [to_text(image.detach().cpu().reshape(SIDE, SIDE)) for image in images]
        except (ValueError, RuntimeError) as error:
            raise StateError(f"images: {error}") from None
        examples = [{"label": label, "image": pixels} for label, pixels in zip(digits, drawn, strict=True)]
        self.set_trait("examples", examples)
        super().__init__(**traits)
        if "digit" not in traits:
            self.digit = int(self.answers["probabilities"].argmax())
        if "unit" not in traits:
            place = int(self.answers["maps"].argmax())
            channels, height, width = self._shape
            self.unit = (place // (height * width) % channels, place // width % height, place % width)

    def _described(self, stage: Stage) -> dict[str, Any]:
        """Return what the front end knows of a layer."""
        field = stage.field and [stage.field.size, stage.field.jump, stage.field.start]
        own = {"name": stage.name, "kind": stage.kind, "level": stage.level, "shape": [*stage.shape, 1, 1][:3]}
        return {**own, "field": field, "sources": self._sources_of(stage)}

    @property
    def stage(self) -> Stage:
        """The layer that is looked at."""
        found: Stage = self._stages[self.step]
        return found

    @property
    def _shape(self) -> tuple[int, int, int]:
        channels, height, width = (*self.stage.shape, 1, 1)[:3]
        return channels, height, width

    def _sources_of(self, stage: Stage) -> int:
        """Return how many maps or units a unit of this layer adds up."""
        if stage.kind == "pooling":
            return 1
        below = next((s for s in self._stages if s.module == stage.source), None)
        return below.shape[0] if below else 1

    @property
    def _sources(self) -> int:
        return self._sources_of(self.stage)

    @traitlets.validate("unit")
    def _check_unit(self, proposal: Any) -> tuple[int, int, int]:
        unit: tuple[int, int, int] = proposal["value"]
        if any(place >= size for place, size in zip(unit, self._shape, strict=True)):
            last = ", ".join(str(size - 1) for size in self._shape)
            raise StateError(f"unit is {unit}; allowed are channel, row and column up to {last}")
        return unit

    @traitlets.validate("source")
    def _check_source(self, proposal: Any) -> int | None:
        source: int | None = proposal["value"]
        if source is not None and source >= self._sources:
            raise StateError(f"source is {source}; allowed are None and a whole number from 0 to {self._sources - 1}")
        return source

    @traitlets.observe("step")
    def _keep_inside(self, _change: Any) -> None:
        channel, row, column = (min(place, size - 1) for place, size in zip(self.unit, self._shape, strict=True))
        self.unit = (channel, row, column)
        if self.source is not None and self.source >= self._sources:
            self.source = None

    def make_graphs(self) -> Sequence[Graph]:
        """Return what each layer puts out, and the saliency."""
        return [*(feature_maps(self._model, stage) for stage in self._stages), saliency(self._model)]

    @property
    def pixels(self) -> Tensor:
        """The image, (28, 28), float32, from 0 (paper) to 1 (ink)."""
        return from_text(self.examples[self.image]["image"])

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the layer with its unit, and the saliency, in the present state."""

        def whole(value: int) -> Tensor:
            return torch.tensor(value, dtype=torch.int32)

        unit = dict(zip(("channel", "row", "column"), map(whole, self.unit), strict=True))
        return [
            (f"features-{self.stage.name}", {"image": self.pixels, **unit}),
            ("saliency", {"image": self.pixels, "digit": whole(self.digit)}),
        ]

    @property
    def answers(self) -> dict[str, Tensor]:
        """What both graphs give in the present state."""
        return {key: value for graph, inputs in self.questions() for key, value in self.ask(graph, **inputs).items()}

    def stage_title(self, stage: Stage) -> str:
        """Return a layer's name for readers."""
        return text(f"features.{stage.kind}", level=stage.level)

    def table(self) -> Table:
        """Return what the unit adds up, or the numbers of which pooling takes the largest."""
        answers = self.answers
        if self.stage.kind == "pooling":
            window = enumerate(answers["window"].flatten().tolist())
            rows: list[list[str | float]] = [[f"{i // 2}, {i % 2}", value] for i, value in window]
        else:
            rows = [[str(i), share] for i, share in enumerate(answers["shares"].tolist())]
            rows += [[text(f"features.{key}"), answers[key].item()] for key in ("bias", "z")]
        rows.append([text("features.y"), answers["y"].item()])
        return Table([text("features.source"), text("features.share")], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        answers = self.answers
        channel, row, column = self.unit
        return text(
            "features.alternative",
            label=self.examples[self.image]["label"],
            answer=int(answers["probabilities"].argmax()),
            probability=f"{answers['probabilities'].max().item():.3g}",
            stage=self.stage_title(self.stage),
            channels=self._shape[0],
            channel=channel,
            row=row,
            column=column,
            y=f"{answers['y'].item():.3g}",
            digit=self.digit,
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("features.caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.features_figure import draw

        return draw(self)
