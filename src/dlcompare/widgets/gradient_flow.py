"""How far a gradient reaches by depth and by time, in five networks side by side: an explorable."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.chance import Chance
from dlcompare.export import Graph
from dlcompare.graphs.gradient_flow import DEPTH, LENGTH, MATRICES, WIDTH, gradient_norms
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_flag, as_number, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LARGEST_BIAS", "LARGEST_SEED", "SCALES", "GradientFlow"]

#: The smallest and the largest standard deviation of the weights, times the root of the width.
SCALES = (0.25, 2.0)
#: The largest bias of the gates that keep a state.
LARGEST_BIAS = 4.0
#: The largest seed.
LARGEST_SEED = 999


@functools.lru_cache(maxsize=8)
def _draws(seed: int) -> tuple[Tensor, Tensor]:
    """Return the numbers from 0 to 1 of a seed: (DEPTH, matrices, WIDTH, WIDTH) and (LENGTH, WIDTH)."""
    chance = Chance(seed)
    most = max(MATRICES.values())
    weights = [chance.uniform() for _ in range(DEPTH * most * WIDTH * WIDTH)]
    inputs = [chance.uniform() for _ in range(LENGTH * WIDTH)]
    return torch.tensor(weights).view(DEPTH, most, WIDTH, WIDTH), torch.tensor(inputs).view(LENGTH, WIDTH)


class GradientFlow(Explorable):
    """See where the gradient of a loss arrives in an MLP, an RNN, an LSTM, a GRU and a GPT with random weights.

    The loss reads the last layer's output at the last step; see :func:`dlcompare.graphs.gradient_norms`. The networks
    read the same sequence and take their weights from the same random numbers.

    Parameters
    ----------
    **traits:
        ``depth`` (1 to 8 layers), ``length`` (1 to 16 steps), ``scale`` (0.25 to 2: the weights' standard deviation
        times the root of the width), ``gate_bias`` (0 to 4, within the gates that keep an LSTM's and a GRU's state),
        ``residual`` (whether there are connections around each layer), ``seed`` (0 to 999, of weights and sequence),
        ``layer`` (0, the sequence itself, to ``depth``) and ``time`` (1 to ``length``), the place that is read out;
        and ``name``, see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "gradients"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "gradients")

    sizes: Any = traitlets.Dict(read_only=True).tag(sync=True)
    depth = Checked(lambda _, value: as_whole(value, "depth", 1, DEPTH), 4).tag(sync=True)
    length = Checked(lambda _, value: as_whole(value, "length", 1, LENGTH), LENGTH).tag(sync=True)
    scale = Checked(lambda _, value: as_number(value, "scale", *SCALES), 0.6).tag(sync=True)
    gate_bias = Checked(lambda _, value: as_number(value, "gate_bias", 0, LARGEST_BIAS), 0.0).tag(sync=True)
    residual = Checked(lambda _, value: as_flag(value, "residual"), True).tag(sync=True)
    seed = Checked(lambda _, value: as_whole(value, "seed", 0, LARGEST_SEED), 0).tag(sync=True)
    layer = Checked(lambda _, value: as_whole(value, "layer", 0, DEPTH), 0).tag(sync=True)
    time = Checked(lambda _, value: as_whole(value, "time", 1, LENGTH), 1).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self.set_trait("sizes", {"depth": DEPTH, "length": LENGTH, "width": WIDTH, "matrices": dict(MATRICES)})
        super().__init__(**traits)

    @traitlets.validate("layer")
    def _check_layer(self, proposal: Any) -> int:
        if proposal["value"] > self.depth:
            raise StateError(f"layer is {proposal['value']}; allowed are 0 to {self.depth}, the depth")
        return int(proposal["value"])

    @traitlets.validate("time")
    def _check_time(self, proposal: Any) -> int:
        if proposal["value"] > self.length:
            raise StateError(f"time is {proposal['value']}; allowed are 1 to {self.length}, the length")
        return int(proposal["value"])

    @traitlets.observe("depth", "length")
    def _keep_inside(self, _change: Any) -> None:
        self.layer, self.time = min(self.layer, self.depth), min(self.time, self.length)

    def make_graphs(self) -> Sequence[Graph]:
        """Return the graph of each network."""
        return [gradient_norms(network) for network in MATRICES]

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the question to each network; the place only chooses from the answers."""
        draws, inputs = _draws(self.seed)
        shared = {
            "inputs": inputs,
            "scale": torch.tensor(self.scale),
            "gate_bias": torch.tensor(self.gate_bias),
            "residual": torch.tensor(float(self.residual)),
            "depth": torch.tensor(self.depth, dtype=torch.int32),
            "length": torch.tensor(self.length, dtype=torch.int32),
        }
        return [
            (f"gradient-{network}", {"draws": draws[:, :count].contiguous(), **shared})
            for network, count in MATRICES.items()
        ]

    @property
    def norms(self) -> dict[str, Tensor]:
        """By network, the norm of the gradient by the sequence and by what leaves each layer, (depth + 1, length)."""
        return {
            graph.removeprefix("gradient-"): self.ask(graph, **inputs)["norms"][: self.depth + 1, : self.length]
            for graph, inputs in self.questions()
        }

    def table(self) -> Table:
        """Return, for each step, the norms in the chosen layer."""
        columns = [norms[self.layer].tolist() for norms in self.norms.values()]
        rows: list[list[str | float]] = [
            [str(step), *values] for step, values in enumerate(zip(*columns, strict=True), start=1)
        ]
        return Table([text("gradients.step"), *(text(f"gradients.{network}") for network in MATRICES)], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        norms = self.norms
        return text(
            "gradients.alternative",
            depth=self.depth,
            length=self.length,
            layer=self.layer,
            time=self.time,
            numbers=", ".join(
                f"{text(f'gradients.{network}')} {value[self.layer, self.time - 1].item():.2g}"
                for network, value in norms.items()
            ),
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("gradients.figure_caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.gradient_flow_figure import draw

        return draw(self)
