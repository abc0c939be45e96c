"""Four networks read one handwritten digit: the explorable of the chapter on deep learning's core concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor, nn

from dlcompare.catalogue import text
from dlcompare.export import Graph
from dlcompare.graphs.digits import SIDE, digit_reader
from dlcompare.models.costs import costs
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked
from dlcompare.widgets.pixel_text import from_text, to_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLASSES", "KINDS", "TOOLS", "DigitPad"]

#: The kinds of networks, in the order in which they stand side by side, each with its family.
KINDS = {"mlp": "mlp", "cnn": "cnn", "lstm": "recurrent", "vit": "transformer"}
#: The digits.
CLASSES = 10
#: What draws.
TOOLS = ("pen", "eraser")


def _as_image(value: object) -> str:
    if isinstance(value, Tensor):
        try:
            return to_text(value.detach().cpu().reshape(SIDE, SIDE) if value.numel() == SIDE * SIDE else value)
        except ValueError as error:
            raise StateError(str(error)) from None
    if isinstance(value, str):
        try:
            from_text(value)
        except ValueError:
            pass
        else:
            return value
    raise StateError(f"image is {value!r}; allowed is a tensor ({SIDE}, {SIDE}) from 0 to 1, or the text of one")


def _as_tool(value: object) -> str:
    if value not in TOOLS:
        raise StateError(f"tool is {value!r}; allowed are {', '.join(map(repr, TOOLS))}")
    return str(value)


class DigitPad(Explorable):
    """Draw a digit; an MLP, a CNN, an LSTM and a Vision Transformer answer at once, side by side.

    Parameters
    ----------
    models:
        The networks by their kinds, "mlp", "cnn", "lstm" or "vit", at least one: each maps images (batch, 1, 28, 28)
        to logits (batch, 10), in evaluation mode.
    images:
        Digits to start from, (n, 1, 28, 28) or (n, 28, 28), from 0 (paper) to 1 (ink).
    labels:
        What each of them shows.
    **traits:
        ``image``, what stands on the pad: a tensor (28, 28) or its text, by default the first of ``images``; ``tool``,
        what draws, "pen" or "eraser"; and ``name``, see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "digits"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "digits")

    models: Any = traitlets.List(read_only=True).tag(sync=True)
    examples: Any = traitlets.List(read_only=True).tag(sync=True)
    tool = Checked(lambda _, value: _as_tool(value), TOOLS[0]).tag(sync=True)
    image = Checked(lambda _, value: _as_image(value), to_text(torch.zeros(SIDE, SIDE))).tag(sync=True)

    def __init__(
        self, models: Mapping[str, nn.Module], images: Tensor, labels: Sequence[int] | Tensor, **traits: Any
    ) -> None:
        if not models or not set(models) <= set(KINDS):
            raise StateError(f"models has {list(models)}; allowed are one or more of {', '.join(KINDS)}")
        self._networks = {kind: models[kind] for kind in KINDS if kind in models}
        self.set_trait("models", [_described(kind, model) for kind, model in self._networks.items()])
        digits = [int(label) for label in labels]
        if len(digits) != len(images) or not digits:
            raise StateError(
                f"labels has {len(digits)} entries; allowed is one for each of {len(images)} images, one or more"
            )
        texts = [_as_image(image) for image in images]
        examples = [{"label": label, "image": drawn} for label, drawn in zip(digits, texts, strict=True)]
        self.set_trait("examples", examples)
        super().__init__(**{"image": texts[0], **traits})

    def make_graphs(self) -> Sequence[Graph]:
        """Return the forward pass of each network."""
        return [digit_reader(kind, model) for kind, model in self._networks.items()]

    @property
    def pixels(self) -> Tensor:
        """What stands on the pad, (28, 28), float32, from 0 (paper) to 1 (ink)."""
        return from_text(self.image)

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the image, asked of each network."""
        return [(f"digits-{kind}", {"image": self.pixels}) for kind in self._networks]

    @property
    def probabilities(self) -> dict[str, Tensor]:
        """Each network's probabilities for the ten digits, (10,), by its kind."""
        return {kind: self.ask(f"digits-{kind}", image=self.pixels)["probabilities"] for kind in self._networks}

    def table(self) -> Table:
        """Return the probability that each network gives each digit."""
        found = self.probabilities
        rows: list[list[str | float]] = [
            [str(digit), *(p[digit].item() for p in found.values())] for digit in range(CLASSES)
        ]
        return Table([text("digits.digit"), *(text(f"digits.{kind}") for kind in found)], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        said = [
            text("digits.says", name=text(f"digits.{kind}"), digit=int(p.argmax()), probability=f"{p.max().item():.3g}")
            for kind, p in self.probabilities.items()
        ]
        return text("digits.alternative", answers="; ".join(said))

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("digits.caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.digits_figure import draw

        return draw(self)


def _described(kind: str, model: nn.Module) -> dict[str, Any]:
    """Return what the front end tells of a network besides its answers."""
    x = torch.zeros(1, 1, SIDE, SIDE)
    with torch.no_grad():
        shape = tuple(model(x).shape)
    if shape != (1, CLASSES):
        raise StateError(f"models[{kind!r}] gives {shape} for one image; allowed is (1, {CLASSES})")
    cost = costs(model, x)[""]
    return {"kind": kind, "family": KINDS[kind], "parameters": cost.parameters, "multiply_adds": cost.multiply_adds}
