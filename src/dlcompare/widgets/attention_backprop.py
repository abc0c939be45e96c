"""The gradient through an attention head, one operation at a time: an explorable of the chapter on the Transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.export import Graph
from dlcompare.graphs.attention_backprop import TOKENS, WIDTH, attention_backward
from dlcompare.widgets.base import Explorable, Table
from dlcompare.widgets.checked import Checked, as_choice, as_flag, as_matrix, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["GIVEN", "LARGEST", "LOSSES", "STEPS", "AttentionBackprop"]

#: The largest number of a vector, a target or a weight, either way.
LARGEST = 10.0
#: Whose loss counts: every token's, or the last one's alone.
LOSSES = ("every", "last")
#: Operations forward and back.
STEPS = 7 + 11
#: What a reader can change, with rows and columns.
GIVEN = {
    "x": (TOKENS, WIDTH),
    "wq": (WIDTH, WIDTH),
    "wk": (WIDTH, WIDTH),
    "wv": (WIDTH, WIDTH),
    "target": (TOKENS, WIDTH),
}


def _matrix(name: str, *rows: Sequence[float]) -> Checked:
    trait: Checked = Checked(lambda _, value: as_matrix(value, name, GIVEN[name], -LARGEST, LARGEST), rows)
    return trait.tag(sync=True)


def _place(name: str, first: int, most: int = TOKENS - 1) -> Checked:
    trait: Checked = Checked(lambda _, value: as_whole(value, name, 0, most), first)
    return trait.tag(sync=True)


class AttentionBackprop(Explorable):
    """Walk through one attention head forward, then back, one operation at a time, with every sum as its numbers.

    Four tokens with vectors of three numbers, one head of that width, a residual connection, and half the squared
    difference from a target as loss. See :func:`dlcompare.graphs.attention_backward`.

    Parameters
    ----------
    **traits:
        ``x`` and ``target`` (four rows of three numbers), ``wq``, ``wk``, ``wv`` (three of three), all from -10 to 10;
        ``causal`` (whether a token sees only itself and what is before it); ``loss_on`` (``"every"`` token or the
        ``"last"``); ``step`` (0 to 18: seven operations forward, eleven back); the open cell: ``part`` (0 to 2, which
        of a step's results), ``row`` and ``column``, and for the softmax's derivatives ``middle``, all 0 to 3;
        ``edited`` (whose numbers stand in the fields); and ``name``, see
        :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "attention-backprop"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "attention-backprop")

    x = _matrix("x", (1.0, 0.0, -1.0), (0.5, 1.0, -0.5), (-1.0, 0.5, 1.0), (0.0, -1.0, 0.5))
    wq = _matrix("wq", (1.0, -0.5, 0.0), (0.0, 1.0, 0.5), (0.5, 0.0, -1.0))
    wk = _matrix("wk", (0.5, 1.0, 0.0), (-1.0, 0.5, 1.0), (0.0, 0.5, -1.0))
    wv = _matrix("wv", (1.0, 0.0, 0.5), (0.0, -1.0, 0.5), (0.5, 0.5, 0.0))
    # Each token is to become the one after it, and the last the first.
    target = _matrix("target", (0.5, 1.0, -0.5), (-1.0, 0.5, 1.0), (0.0, -1.0, 0.5), (1.0, 0.0, -1.0))
    causal = Checked(lambda _, value: as_flag(value, "causal"), True).tag(sync=True)
    loss_on = Checked(lambda _, value: as_choice(value, "loss_on", LOSSES), LOSSES[0]).tag(sync=True)
    step = Checked(lambda _, value: as_whole(value, "step", 0, STEPS), STEPS).tag(sync=True)
    part = _place("part", 0, 2)
    row = _place("row", 2)
    column = _place("column", 0)
    middle = _place("middle", 1)
    edited = Checked(lambda _, value: as_choice(value, "edited", tuple(GIVEN)), "wv").tag(sync=True)

    def make_graphs(self) -> Sequence[Graph]:
        """Return the pass forward and back."""
        return (attention_backward(),)

    @property
    def counts(self) -> Tensor:
        """By what each token's loss is multiplied, (4,): 1 where it counts, else 0."""
        return torch.tensor([float(self.loss_on == "every" or token == TOKENS - 1) for token in range(TOKENS)])

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the question of the present state; the step and the open cell only decide what of it is shown."""
        given = {name: torch.tensor(getattr(self, name)) for name in GIVEN}
        causal = torch.tensor(int(self.causal), dtype=torch.int32)
        return [("attention-backprop", {**given, "causal": causal, "counts": self.counts})]

    @property
    def answers(self) -> dict[str, Tensor]:
        """What :func:`dlcompare.graphs.attention_backward` gives in the present state."""
        ((graph, inputs),) = self.questions()
        return self.ask(graph, **inputs)

    def table(self) -> Table:
        """Return what comes back to each number of X, by each way and in all."""
        answers = self.answers
        names = ("dxr", "dxq", "dxk", "dxv", "dx")
        subscripts = "₁₂₃₄"
        rows: list[list[str | float]] = [
            [f"x{subscripts[i]}{subscripts[j]}", *(answers[name][i, j].item() for name in names)]
            for i in range(TOKENS)
            for j in range(WIDTH)
        ]
        return Table([text(f"attention-backprop.column_{name}") for name in ("x", *names)], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        answers = self.answers
        norms = {name: f"{answers[f'norm_{name}'].item():.3g}" for name in ("residual", "attention", "both")}
        loss = f"{answers['loss'].item():.3g}"
        return text("attention-backprop.alternative", tokens=TOKENS, loss=loss, **norms)

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("attention-backprop.caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.attention_backprop_figure import draw

        return draw(self)
