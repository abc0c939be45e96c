"""Training of an MLP, step by step and back: the explorable of the chapter on backpropagation."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor
from torch.nn import functional as F

from dlcompare.catalogue import text
from dlcompare.data import PLANE_SETS, Images, Splits, make_points
from dlcompare.export import Graph
from dlcompare.graphs.training import ACTIVATIONS, DEPTHS, first_weights, training_step
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_whole
from dlcompare.widgets.training_run import (
    BATCHES,
    LAST_STEP,
    Change,
    Examples,
    Run,
    as_schedule,
    settings_at,
    train,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["HELD_OUT", "LARGEST_SEED", "RECORD_EVERY", "SIDE", "SPAN", "WIDTHS", "TrainingScrubber", "plane_grid"]

#: Neurons in each hidden layer.
WIDTHS = (2, 4, 8, 16)
#: Seeds go from 0 to this.
LARGEST_SEED = 9
#: Examples that are held out of each set.
HELD_OUT = 128
#: Rows and columns of the grid on which the plane is asked.
SIDE = 61
#: How far the grid reaches from the middle, in each direction.
SPAN = 1.25
#: The record that travels with a page has the parameters of every so manieth step, and of the last; the front end
#: finds those between by training again.
RECORD_EVERY = 20
#: The learning rate and the batch of a run, where nothing else is said.
FIRST = Change(0, 0.2, 32)
#: Pixels of a digit's side, down-sampled from 28.
DIGIT_SIDE = 14

_SETTINGS = ("data", "activation", "depth", "width", "seed", "schedule")


def plane_grid() -> Tensor:
    """Return the middles of the grid's cells, row by row from the top left one: (SIDE², 2), float32."""
    along = [SPAN * ((2 * i + 1) / SIDE - 1) for i in range(SIDE)]
    return torch.tensor([[x, -y] for y in along for x in along], dtype=torch.float32)


def _as_choice(value: object, argument: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise StateError(f"{argument} is {value!r}; allowed are {', '.join(map(repr, allowed))}")
    return str(value)


def _as_width(value: object) -> int:
    if isinstance(value, bool) or value not in WIDTHS:
        raise StateError(f"width is {value!r}; allowed are {', '.join(map(str, WIDTHS))}")
    return int(value)


def _points(name: str) -> Examples:
    train_set, held = make_points(name, BATCHES[-1], seed=1), make_points(name, HELD_OUT, seed=2)
    return Examples(train_set.points, train_set.labels.int(), held.points, held.labels.int(), plane_grid(), classes=2)


def _pixels(images: Tensor) -> Tensor:
    """Return images (n, 1, 28, 28) as bytes (n, 196)."""
    small = F.avg_pool2d(images, images.shape[-1] // DIGIT_SIDE)  # (n, 1, 14, 14)
    return (small * 255).round().to(torch.uint8).flatten(1)


def _written(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else text("training.no_number")


def _encode(value: Tensor) -> str:
    return base64.b64encode(value.contiguous().numpy().tobytes()).decode()


class TrainingScrubber(Explorable):
    r"""Train an MLP and scrub back through its weights, gradients and losses.

    Stochastic gradient descent on the mean cross-entropy of each batch, by autograd: see
    :func:`~dlcompare.graphs.training_step`. The first weights are uniform: He's for ReLU (He et al. 2015), Glorot's for
    tanh and sigmoid (Glorot & Bengio 2010); biases are zero. Everything follows from the settings, so that any step can
    be come back to: from there, another learning rate or another batch begins a branch.

    Parameters
    ----------
    digits:
        Handwritten digits, as :func:`~dlcompare.data.load_digits` gives them: a further set to choose, the first 256 of
        the training part to train on and the first 128 of the validation part held out, in 14 × 14 pixels.
    learning_rate, batch:
        From the first step on: learning rates from 0.001 to 10 in steps of 1, 2, 5; batches of 1, 2, 4, … 256 examples.
    **traits:
        ``data`` (``"spirals"``, ``"moons"``, ``"circles"``, ``"squares"``, ``"blobs"``, with digits ``"digits"``),
        ``activation`` (``"relu"``, ``"tanh"``, ``"sigmoid"``), ``depth`` (1 to 4 hidden layers), ``width`` (2, 4, 8 or
        16 neurons in each), ``seed`` (0 to 9), ``step`` (0 to 2000: how many steps have been taken), ``schedule``
        (entries (step, learning rate, batch) that hold from that step on, in place of the two arguments above); and
        ``name``, see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "training"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "training")

    sets: Any = traitlets.Dict(read_only=True).tag(sync=True)
    #: The run up to the present step, as far as it travels with the page.
    recorded: Any = traitlets.Dict(read_only=True).tag(sync=True)
    data = Checked(lambda self, value: _as_choice(value, "data", list(self.examples)), "spirals").tag(sync=True)
    activation = Checked(lambda _, value: _as_choice(value, "activation", ACTIVATIONS), "relu").tag(sync=True)
    depth = Checked(lambda _, value: as_whole(value, "depth", DEPTHS[0], DEPTHS[-1]), 2).tag(sync=True)
    width = Checked(lambda _, value: _as_width(value), 8).tag(sync=True)
    seed = Checked(lambda _, value: as_whole(value, "seed", 0, LARGEST_SEED), 0).tag(sync=True)
    schedule = Checked(lambda _, value: as_schedule(value), (FIRST,)).tag(sync=True)
    step = Checked(lambda _, value: as_whole(value, "step", 0, LAST_STEP), 0).tag(sync=True)

    def __init__(
        self,
        digits: Splits[Images] | None = None,
        *,
        learning_rate: float | None = None,
        batch: int | None = None,
        **traits: Any,
    ) -> None:
        #: The sets to choose from, by name.
        self.examples = {name: _points(name) for name in PLANE_SETS}
        sets = {name: self._plane_state(name) for name in self.examples}
        if digits is not None:
            self.examples["digits"], sets["digits"] = self._digits(digits)
        self.set_trait("sets", sets)
        self._run: tuple[object, Run] | None = None
        if learning_rate is not None or batch is not None:
            if "schedule" in traits:
                raise StateError("schedule is given beside learning_rate or batch; allowed is one or the other")
            rate = FIRST.learning_rate if learning_rate is None else learning_rate
            traits["schedule"] = ((0, rate, FIRST.batch if batch is None else batch),)
        super().__init__(**traits)

    def _plane_state(self, name: str) -> dict[str, Any]:
        examples = self.examples[name]
        return {
            "features": 2,
            "classes": examples.classes,
            "x": _encode(examples.x),
            "y": _encode(examples.y.to(torch.uint8)),
            "held_x": _encode(examples.held_x),
            "held_y": _encode(examples.held_y.to(torch.uint8)),
        }

    @staticmethod
    def _digits(digits: Splits[Images]) -> tuple[Examples, dict[str, Any]]:
        n, m = BATCHES[-1], HELD_OUT
        for part, images, least in (("train", digits.train, n), ("validation", digits.validation, m)):
            if len(images) < least or images.images.shape[-2:] != (28, 28):
                raise StateError(
                    f"digits.{part} holds {len(images)} images of {tuple(images.images.shape[1:])}; "
                    f"allowed are at least {least} of (1, 28, 28)"
                )
        x, held_x = _pixels(digits.train.images[:n]), _pixels(digits.validation.images[:m])
        y, held_y = digits.train.labels[:n].int(), digits.validation.labels[:m].int()
        state = {
            "features": x.shape[1],
            "classes": 10,
            "x": _encode(x),
            "y": _encode(y.to(torch.uint8)),
            "held_x": _encode(held_x),
            "held_y": _encode(held_y.to(torch.uint8)),
        }
        held = held_x.float() / 255
        return Examples(x.float() / 255, y, held, held_y, held, classes=10), state

    def make_graphs(self) -> Sequence[Graph]:
        """Return a training step for each depth, and what makes the first weights."""
        return (*map(training_step, DEPTHS), first_weights())

    @property
    def learning_rate(self) -> float:
        """The learning rate at the present step."""
        return settings_at(self.schedule, self.step).learning_rate

    @property
    def batch(self) -> int:
        """The number of examples in a batch at the present step."""
        return settings_at(self.schedule, self.step).batch

    @property
    def run(self) -> Run:
        """The run up to the present step, trained by torch when it is first asked for."""
        key = tuple(getattr(self, name) for name in (*_SETTINGS, "step"))
        if self._run is None or self._run[0] != key:
            made = train(
                self.ask,
                self.examples[self.data],
                depth=self.depth,
                width=self.width,
                activation=self.activation,
                seed=self.seed,
                schedule=self.schedule,
                steps=self.step,
            )
            self._run = key, made
        return self._run[1]

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the training step at the present step."""
        return [(f"training-step-{self.depth}", self.run.inputs)]

    def _remember(self) -> None:
        run = self.run
        steps = [*range(0, run.last, RECORD_EVERY), run.last]
        kept = [torch.cat([p.flatten() for p in run.parameters[step].values()]) for step in steps]
        record = {
            "settings": {name: getattr(self, name) for name in _SETTINGS},
            "every": RECORD_EVERY,
            "parameters": _encode(torch.stack(kept)),
            "measures": _encode(run.measures),
        }
        if record != self.recorded:
            self.set_trait("recorded", record)
        super()._remember()

    def table(self) -> Table:
        """Return losses and accuracies at some of the steps, from the first to the present one."""
        run = self.run
        steps = sorted({round(i * run.last / 10) for i in range(11)})
        heads = ("step", "train_loss", "held_loss", "train_accuracy", "held_accuracy")
        return Table([text(f"training.{head}") for head in heads], [[str(t), *run.measures[t].tolist()] for t in steps])

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        train_loss, held_loss, _, held_accuracy = self.run.measures[-1].tolist()
        return text(
            "training.figure_alt",
            data=text(f"training.set_{self.data}"),
            activation=text(f"training.{self.activation}"),
            depth=self.depth,
            width=self.width,
            step=self.run.last,
            first=_written(self.run.measures[0, 0].item()),
            train=_written(train_loss),
            held=_written(held_loss),
            accuracy=f"{held_accuracy:.0%}",
            norms=", ".join(map(_written, self.run.outputs["norms"].tolist())),
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("training.figure_caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.training_figure import draw

        return draw(self)
