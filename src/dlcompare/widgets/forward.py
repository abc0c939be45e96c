"""The forward pass of a small MLP, neuron by neuron: the explorable of the chapter on forward propagation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import torch
import traitlets
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.export import Graph
from dlcompare.graphs.forward import forward_pass
from dlcompare.models.backpropagation import Layers
from dlcompare.models.mlp import Activation, MLPConfig
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_number, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LARGEST_INPUT", "LARGEST_WEIGHT", "ForwardPass"]

#: The largest input, either way.
LARGEST_INPUT = 2.0
#: The largest weight or bias, either way.
LARGEST_WEIGHT = 10.0
#: What there is room for: layers after the input, and neurons in each.
MOST_LAYERS, MOST_NEURONS = 4, 6
#: What beyond names: digits that an address keeps of a weight.
DIGITS = 4


class ForwardPass(Explorable):
    """Follow numbers through an MLP: each neuron opens to its weighted sum and its activation.

    Parameters
    ----------
    layers:
        The weights that the reader begins with, of at most four layers and six neurons in each.
    **traits:
        ``x`` (the inputs, from -2 to 2), ``weights`` (a matrix for each layer with a row for each neuron: the weight of
        each of its inputs, and last its bias; from -10 to 10), ``activation`` ("relu", "tanh" or "sigmoid"; without it
        that of ``layers``), ``step`` (how many neurons are computed, in reading order; without it all), ``neuron`` (the
        one that is open, counted from 0 through all layers); and ``name``, see
        :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "forward"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "forward")

    sizes = traitlets.List(traitlets.Int(), read_only=True).tag(sync=True)
    x = Checked(lambda self, value: self._as_numbers(value, "x", self.sizes[0], LARGEST_INPUT), ()).tag(sync=True)
    weights = Checked(lambda self, value: self._as_weights(value), ()).tag(sync=True)
    activation = Checked(lambda self, value: self._as_activation(value), "relu").tag(sync=True)
    step = Checked(lambda self, value: as_whole(value, "step", 0, self.n_neurons), 0).tag(sync=True)
    neuron = Checked(lambda self, value: as_whole(value, "neuron", 0, self.n_neurons - 1), 0).tag(sync=True)

    def __init__(self, layers: Layers, x: Sequence[float] | None = None, **traits: Any) -> None:
        sizes = (layers.weights[0].shape[1], *(len(w) for w in layers.weights))
        if len(sizes) > MOST_LAYERS + 1 or max(sizes) > MOST_NEURONS:
            raise StateError(
                f"layers has the sizes {sizes}; allowed are at most {MOST_LAYERS} layers after the input and "
                f"{MOST_NEURONS} neurons in each"
            )
        self.set_trait("sizes", list(sizes))
        matrices = [
            torch.cat([w, b[:, None]], dim=1).double().tolist()
            for w, b in zip(layers.weights, layers.biases, strict=True)
        ]
        last = self.n_neurons
        first = {"x": [1.0] * sizes[0] if x is None else x, "weights": _rounded(matrices)}
        given = {**first, "activation": layers.activation, "step": last, "neuron": last - 1, **traits}
        super().__init__(**given)

    @property
    def n_neurons(self) -> int:
        """How many neurons there are, in all layers after the input."""
        return sum(self.sizes[1:])

    @staticmethod
    def _as_numbers(value: object, argument: str, count: int, largest: float) -> tuple[float, ...]:
        given = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
        if len(given) != count:
            raise StateError(f"{argument} is {value!r}; allowed are {count} numbers from {-largest:g} to {largest:g}")
        return tuple(as_number(v, f"{argument}[{i}]", -largest, largest) for i, v in enumerate(given))

    def _as_weights(self, value: object) -> tuple[tuple[tuple[float, ...], ...], ...]:
        shapes = list(zip(self.sizes[1:], self.sizes, strict=False))
        given = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
        rows = [len(matrix) if isinstance(matrix, Sequence) else 0 for matrix in given]
        if rows != self.sizes[1:]:
            wanted = ", ".join(f"{n} rows of {below + 1}" for n, below in shapes)
            raise StateError(f"weights is {value!r}; allowed is a matrix for each layer: {wanted} numbers")
        return tuple(
            tuple(
                self._as_numbers(row, f"weights[{layer}][{i}]", shapes[layer][1] + 1, LARGEST_WEIGHT)
                for i, row in enumerate(matrix)
            )
            for layer, matrix in enumerate(given)
        )

    @staticmethod
    def _as_activation(value: object) -> str:
        if value not in get_args(Activation):
            allowed = ", ".join(map(repr, get_args(Activation)))
            raise StateError(f"activation is {value!r}; allowed are {allowed}")
        return str(value)

    def make_graphs(self) -> Sequence[Graph]:
        """Return the forward pass with each activation."""
        return [forward_pass(self._config(activation)) for activation in get_args(Activation)]

    def _config(self, activation: Activation) -> MLPConfig:
        return MLPConfig(tuple(self.sizes), activation)

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the forward pass in the present state."""
        inputs = {"x": torch.tensor(self.x)}
        for layer, matrix in enumerate(self.weights, start=1):
            both = torch.tensor(matrix)  # (n_l, n_{l-1} + 1)
            inputs |= {f"w{layer}": both[:, :-1].contiguous(), f"b{layer}": both[:, -1].contiguous()}
        return [(forward_pass(self._config(self.activation)).name, inputs)]

    @property
    def answers(self) -> dict[str, Tensor]:
        """What :func:`dlcompare.graphs.forward_pass` gives in the present state."""
        ((graph, inputs),) = self.questions()
        return self.ask(graph, **inputs)

    def place(self, neuron: int) -> tuple[int, int]:
        """Return the layer, from 1, and the place in it, from 0, of a neuron.

        Raises
        ------
        StateError
            when there is no such neuron.
        """
        place = as_whole(neuron, "neuron", 0, self.n_neurons - 1)
        layer = 1
        while place >= self.sizes[layer]:
            place -= self.sizes[layer]
            layer += 1
        return layer, place

    def table(self) -> Table:
        """Return each neuron's sum and output."""
        answers = self.answers
        rows: list[list[str | float]] = [
            [
                text("forward.neuron_name", layer=layer, place=i + 1),
                answers[f"z{layer}"][i].item(),
                answers[f"y{layer}"][i].item(),
            ]
            for layer, i in map(self.place, range(self.n_neurons))
        ]
        return Table([text(f"forward.{head}") for head in ("neuron", "z", "y")], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        outputs = self.answers[f"y{len(self.sizes) - 1}"].tolist()
        return text(
            "forward.alternative",
            sizes=", ".join(map(str, self.sizes)),
            x=", ".join(f"{value:g}" for value in self.x),
            y=", ".join(f"{value:.3g}" for value in outputs),
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("forward.caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.forward_figure import draw

        return draw(self)


def _rounded(matrices: Sequence[Sequence[Sequence[float]]]) -> list[list[list[float]]]:
    # The reader sees and edits the very numbers that are computed with.
    return [[[round(value, DIGITS) for value in row] for row in matrix] for matrix in matrices]
