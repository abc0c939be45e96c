"""Backpropagation, one operation at a time: an explorable of the chapter on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.export import Graph
from dlcompare.graphs.backprop import backprop_step
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_number, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LARGEST", "STEPS", "BackpropStepper"]

#: The largest input, target, weight or bias, either way.
LARGEST = 10.0
#: The largest learning rate.
LARGEST_RATE = 2.0
#: Operations forward, the same back, and the step of gradient descent.
STEPS = 7 + 7 + 1

#: The parameters, by their names in the figure: rows of ``hidden``, then ``output``.
HIDDEN_NAMES = (("w11", "w12", "b1"), ("w21", "w22", "b2"))
OUTPUT_NAMES = ("v1", "v2", "c")


def _as_numbers(value: object, argument: str, count: int) -> tuple[float, ...]:
    given = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if len(given) != count:
        raise StateError(f"{argument} is {value!r}; allowed are {count} numbers from {-LARGEST:g} to {LARGEST:g}")
    return tuple(as_number(v, f"{argument}[{i}]", -LARGEST, LARGEST) for i, v in enumerate(given))


def _as_rows(value: object) -> tuple[tuple[float, ...], ...]:
    given = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if len(given) != 2:
        raise StateError(f"hidden is {value!r}; allowed are 2 rows of 3 numbers")
    return tuple(_as_numbers(row, f"hidden[{i}]", 3) for i, row in enumerate(given))


class BackpropStepper(Explorable):
    """Walk through a small network forward, then back, one operation at a time, and take the step.

    The network has two inputs, two hidden neurons with tanh, and one output; its loss is half the squared error. See
    :func:`dlcompare.graphs.backprop_step`.

    Parameters
    ----------
    **traits:
        ``x`` (two inputs), ``target``, ``hidden`` (two rows: the weights of a hidden neuron and its bias), ``output``
        (two weights and a bias), all from -10 to 10; ``learning_rate`` (0 to 2); ``step`` (0 to 15: seven operations
        forward, seven back, and the update); and ``name``, see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "backprop"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "backprop")

    x = Checked(lambda _, value: _as_numbers(value, "x", 2), (1.0, -0.5)).tag(sync=True)
    target = Checked(lambda _, value: as_number(value, "target", -LARGEST, LARGEST), 1.0).tag(sync=True)
    hidden = Checked(lambda _, value: _as_rows(value), ((0.5, -1.0, 0.2), (1.0, 0.3, -0.4))).tag(sync=True)
    output = Checked(lambda _, value: _as_numbers(value, "output", 3), (0.8, -1.2, 0.1)).tag(sync=True)
    learning_rate = Checked(lambda _, value: as_number(value, "learning_rate", 0, LARGEST_RATE), 0.1).tag(sync=True)
    step = Checked(lambda _, value: as_whole(value, "step", 0, STEPS), STEPS).tag(sync=True)

    def make_graphs(self) -> Sequence[Graph]:
        """Return the pass forward, back, and the step."""
        return (backprop_step(),)

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the question of the present state; the step only decides how much of the answer is shown."""
        keys = ("x", "target", "hidden", "output", "learning_rate")
        return [("backprop", {key: torch.tensor(getattr(self, key)) for key in keys})]

    @property
    def answers(self) -> dict[str, Tensor]:
        """What :func:`dlcompare.graphs.backprop_step` gives in the present state."""
        ((graph, inputs),) = self.questions()
        return self.ask(graph, **inputs)

    def table(self) -> Table:
        """Return each parameter with its gradient and its new value."""
        answers = self.answers
        rows: list[list[str | float]] = []
        for names, key, place in (
            (HIDDEN_NAMES[0], "hidden", 0),
            (HIDDEN_NAMES[1], "hidden", 1),
            (OUTPUT_NAMES, "output", ...),
        ):
            old = torch.tensor(getattr(self, key))[place]
            columns = (old, answers[f"d_{key}"][place], answers[f"new_{key}"][place])
            rows += [[name, *(column[i].item() for column in columns)] for i, name in enumerate(names)]
        return Table([text(f"backprop.{head}") for head in ("parameter", "value", "gradient", "new_value")], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        answers = self.answers
        return text(
            "backprop.alternative",
            y=f"{answers['y'].item():.3g}",
            target=f"{self.target:g}",
            loss=f"{answers['loss'].item():.3g}",
            new_loss=f"{answers['new_loss'].item():.3g}",
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("backprop.caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.backprop_figure import draw

        return draw(self)
