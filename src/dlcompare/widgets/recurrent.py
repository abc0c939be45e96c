"""Recurrent networks that read a text, character by character: the explorable of the chapter on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.export import Graph
from dlcompare.graphs.recurrent import GATES, LONGEST, PARTS, recurrent_pass
from dlcompare.models import RecurrentLM
from dlcompare.models.recurrent import Kind
from dlcompare.style import readable
from dlcompare.tokenization import CharTokenizer
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["TOP", "RecurrentStepper"]

#: How many of the likeliest next characters are shown.
TOP = 8


class RecurrentStepper(Explorable):
    """Read a text with an RNN, an LSTM or a GRU: states, gates, what comes next, and any unit's sums, at every step.

    Parameters
    ----------
    models:
        By kind, "rnn", "lstm" and "gru" or some of them: trained language models of one layer, all as wide, in
        evaluation mode. They stay as they are.
    tokenizer:
        The one that they share; a token is a character.
    prompt:
        The text, 1 to 32 characters, all of which the tokenizer knows.
    **traits:
        ``kind`` (the model that reads; without it the first), ``step`` (how many characters it has read before the one
        it reads now; without it the last), ``part`` (which of what its cell computes is chosen, by the names in
        :data:`dlcompare.graphs.recurrent.PARTS`), ``unit`` (the one that is open, counted from 0); and ``name``, see
        :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "recurrent"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "recurrent")

    tokenizer: Any = traitlets.Dict(read_only=True).tag(sync=True)
    sizes: Any = traitlets.Dict(read_only=True).tag(sync=True)
    kinds = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    prompt = Checked(lambda self, value: self._as_prompt(value), "?").tag(sync=True)
    kind = Checked(lambda self, value: self._as_kind(value), "lstm").tag(sync=True)
    part = Checked(lambda self, value: self._as_part(value), "hidden").tag(sync=True)
    unit = Checked(lambda self, value: as_whole(value, "unit", 0, self.sizes["units"] - 1), 0).tag(sync=True)
    step = Checked(lambda self, value: as_whole(value, "step", 0, LONGEST - 1), 0).tag(sync=True)

    def __init__(
        self, models: Mapping[Kind, RecurrentLM], tokenizer: CharTokenizer, prompt: str, **traits: Any
    ) -> None:
        if not models or not set(models) <= set(PARTS):
            raise StateError(f"models has {sorted(models)}; allowed are {', '.join(map(repr, PARTS))}")
        if not isinstance(tokenizer, CharTokenizer):
            raise StateError(f"tokenizer is a {type(tokenizer).__name__}; allowed is a CharTokenizer")
        self._models, self._tokenizer = dict(models), tokenizer
        for kind, model in self._models.items():
            self._check_model(kind, model)
        units = next(iter(models.values())).config.d_model
        self.set_trait("tokenizer", tokenizer.to_page())
        self.set_trait("kinds", list(models))
        self.set_trait("sizes", {"units": units, "longest": LONGEST})
        super().__init__(prompt=prompt, **{"kind": next(iter(models)), **traits})
        if "step" not in traits:
            self.step = len(self.prompt) - 1

    def _check_model(self, kind: str, model: object) -> None:
        first = next(iter(self._models.values()))
        if not isinstance(model, RecurrentLM) or model.config.kind != kind or model.config.n_layer != 1:
            found = getattr(model, "config", model)
            raise StateError(f"models[{kind!r}] is {found}; allowed is a RecurrentLM of that kind with one layer")
        if model.training and model.config.dropout:
            raise StateError(f"models[{kind!r}] is in training mode, with dropout; allowed is evaluation mode")
        sizes = (model.config.vocab_size, model.config.d_model)
        if sizes != (self._tokenizer.vocab_size, first.config.d_model):
            raise StateError(
                f"models[{kind!r}] has {sizes[0]} tokens and {sizes[1]} units; allowed are the tokenizer's "
                f"{self._tokenizer.vocab_size} tokens, and for all models the same units"
            )

    def _as_prompt(self, value: object) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= LONGEST:
            raise StateError(f"prompt is {value!r}; allowed is a text of 1 to {LONGEST} characters")
        try:
            self._tokenizer.encode(value)
        except ValueError as reason:
            raise StateError(f"prompt cannot be read: {reason}") from None
        return value

    def _as_kind(self, value: object) -> str:
        if value not in self._models:
            raise StateError(f"kind is {value!r}; allowed are {', '.join(map(repr, self._models))}")
        return str(value)

    @staticmethod
    def _as_part(value: object) -> str:
        names = list(dict.fromkeys(name for parts in PARTS.values() for name in parts))
        if value not in names:
            raise StateError(f"part is {value!r}; allowed are {', '.join(map(repr, names))}")
        return str(value)

    @traitlets.validate("step")
    def _check_step(self, proposal: Any) -> int:
        last = len(self.prompt) - 1
        if proposal["value"] > last:
            raise StateError(f"step is {proposal['value']}; allowed are 0 to {last}, the characters of the text")
        return int(proposal["value"])

    @traitlets.validate("part")
    def _check_part(self, proposal: Any) -> str:
        allowed = PARTS[self.kind]
        if proposal["value"] not in allowed:
            raise StateError(f"part is {proposal['value']!r}; allowed are, for {self.kind!r}, {', '.join(allowed)}")
        return str(proposal["value"])

    @traitlets.observe("prompt")
    def _keep_step_inside(self, _change: Any) -> None:
        self.step = min(self.step, len(self.prompt) - 1)

    @traitlets.observe("kind")
    def _keep_part_inside(self, _change: Any) -> None:
        if self.part not in PARTS[self.kind]:
            self.part = "hidden"

    def make_graphs(self) -> Sequence[Graph]:
        """Return the pass of each model."""
        return [recurrent_pass(model) for model in self._models.values()]

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the pass over the text, with the sums of the open unit's gate; steps only choose from the answer."""
        ids = self._tokenizer.encode(self.prompt)
        gates = GATES[self.kind]
        inputs = {
            "ids": ids + [0] * (LONGEST - len(ids)),
            "unit": self.unit,
            "gate": gates.index(self.part) if self.part in gates else 0,
        }
        return [(f"recurrent-{self.kind}", {k: torch.tensor(v, dtype=torch.int32) for k, v in inputs.items()})]

    @property
    def answers(self) -> dict[str, Tensor]:
        """What :func:`dlcompare.graphs.recurrent_pass` gives in the present state, without what fills the text up."""
        ((graph, inputs),) = self.questions()
        seq = len(self.prompt)
        return {
            name: value[:seq] if value.shape[:1] == (LONGEST,) else value
            for name, value in self.ask(graph, **inputs).items()
        }

    @property
    def values(self) -> Tensor:
        """The chosen part at each step, (seq, units)."""
        return self.answers[self.part]

    @property
    def expected(self) -> list[tuple[str, float]]:
        """The likeliest next characters at the present step with their probabilities, the likeliest first."""
        values, places = self.answers["probabilities"][self.step].topk(min(TOP, self._tokenizer.vocab_size))
        names = [self._tokenizer.decode([place]) for place in places.tolist()]
        return list(zip(names, values.tolist(), strict=True))

    def table(self) -> Table:
        """Return, for each character, the open unit's value and what is expected next."""
        answers = self.answers
        best, ids = answers["probabilities"].max(1)
        rows: list[list[str | float]] = [
            [readable(character), value, readable(self._tokenizer.decode([following])), probability]
            for character, value, following, probability in zip(
                self.prompt,
                answers[self.part][:, self.unit].tolist(),
                ids.tolist(),
                best.tolist(),
                strict=True,
            )
        ]
        value_head = text("recurrent.unit_value", part=text(f"recurrent.{self.part}"), unit=self.unit)
        return Table(
            [text("recurrent.character"), value_head, text("recurrent.likeliest"), text("recurrent.probability")], rows
        )

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        first, probability = self.expected[0]
        return text(
            "recurrent.alternative",
            kind=text(f"recurrent.{self.kind}"),
            count=len(self.prompt),
            part=text(f"recurrent.{self.part}"),
            units=self.sizes["units"],
            character=readable(self.prompt[self.step]),
            next=readable(first),
            probability=f"{probability:.3g}",
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("recurrent.figure_caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.recurrent_figure import draw

        return draw(self)
