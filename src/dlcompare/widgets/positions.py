"""Positions: what tells a Transformer the order of its tokens. An explorable of the chapter on core concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.export import Graph
from dlcompare.graphs.positions import KINDS, LONGEST, POSITIONS, position_pass
from dlcompare.models import GPT
from dlcompare.style import readable
from dlcompare.tokenization import BPETokenizer, CharTokenizer
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_choice, as_flag, as_text, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PositionExplorer"]


def _as_order(value: object) -> tuple[int, ...]:
    given = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
    places = tuple(as_whole(place, f"order[{i}]", 0, LONGEST - 1) for i, place in enumerate(given))
    if not places or sorted(places) != list(range(len(places))):
        raise StateError(f"order is {value!r}; allowed is each token's place once, counted from 0")
    return places


class PositionExplorer(Explorable):
    r"""Sinusoids, a learned table, rotations, or nothing: what each tells of order, and what a shuffle of a text does.

    The text goes through the attention of a GPT's first layer as it stands and shuffled. Without positions and without
    a mask, attention gives the same outputs in the new order. See :func:`dlcompare.graphs.position_pass`.

    Parameters
    ----------
    model:
        A :class:`~dlcompare.models.GPT`, on the CPU, in evaluation mode, that reads at least 64 tokens.
    tokenizer:
        Its tokenizer.
    prompt:
        The text, 1 to 500 characters. Of its tokens the first 24 are read.
    **traits:
        ``order`` (which token stands first, second and so on in the shuffled text; without it the text reversed),
        ``kind`` (``"none"``, ``"sinusoidal"``, ``"learned"`` or ``"rotary"``), ``causal`` (whether a token sees only
        itself and what is before it), ``token`` (a place in the text), ``position`` and ``distance`` (0 to 63, the
        positions that are compared), ``dimension`` (of the vectors); and ``name``, see
        :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "positions"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "positions")

    tokenizer: Any = traitlets.Dict(read_only=True).tag(sync=True)
    sizes: Any = traitlets.Dict(read_only=True).tag(sync=True)
    prompt = Checked(lambda self, value: as_text(value, "prompt", self._tokenizer), "?").tag(sync=True)
    order = Checked(lambda _, value: _as_order(value), (0,)).tag(sync=True)
    kind = Checked(lambda _, value: as_choice(value, "kind", KINDS), "sinusoidal").tag(sync=True)
    causal = Checked(lambda _, value: as_flag(value, "causal"), False).tag(sync=True)
    token = Checked(lambda _, value: as_whole(value, "token", 0, LONGEST - 1), 0).tag(sync=True)
    position = Checked(lambda _, value: as_whole(value, "position", 0, POSITIONS - 1), 20).tag(sync=True)
    distance = Checked(lambda _, value: as_whole(value, "distance", 0, POSITIONS - 1), 3).tag(sync=True)
    dimension = Checked(lambda self, value: as_whole(value, "dimension", 0, self.sizes["d_model"] - 1), 0).tag(
        sync=True
    )

    def __init__(self, model: GPT, tokenizer: BPETokenizer | CharTokenizer, prompt: str, **traits: Any) -> None:
        if not isinstance(model, GPT):
            raise StateError(f"model is a {type(model).__name__}; allowed is a GPT")
        config = model.config
        if tokenizer.vocab_size != config.vocab_size:
            raise StateError(
                f"tokenizer has {tokenizer.vocab_size} tokens; allowed are the {config.vocab_size} of the model"
            )
        self._model, self._tokenizer = model, tokenizer
        try:
            self._graph = position_pass(model)
        except ValueError as reason:
            raise StateError(str(reason)) from None
        self.set_trait("tokenizer", tokenizer.to_page())
        d_head = config.attention_width // config.n_head
        self.set_trait("sizes", {"longest": LONGEST, "d_model": config.d_model, "d_head": d_head})
        super().__init__(prompt=prompt, **{"dimension": min(18, d_head - 1), **traits})
        if "order" not in traits:
            self.order = range(len(self.ids))[::-1]
        self._check_order()

    def _check_order(self) -> None:
        count = len(self.ids)
        if len(self.order) != count:
            raise StateError(f"order is {self.order!r}; allowed is each place of the {count} tokens that are read")
        if self.token >= count:
            raise StateError(f"token is {self.token}; allowed are 0 to {count - 1}, the tokens that are read")

    @traitlets.observe("prompt")
    def _fit(self, change: Any) -> None:
        if change["old"] == "?":  # the first one: the order comes with it
            return
        count = len(self.ids)
        kept = [place for place in self.order if place < count]
        self.order = [*kept, *(place for place in range(count) if place not in kept)]
        self.token = min(self.token, count - 1)

    @traitlets.validate("order", "token")
    def _within(self, proposal: Any) -> Any:
        value, name = proposal["value"], proposal["trait"].name
        count = len(self.ids)
        if self.prompt != "?" and (value >= count if name == "token" else len(value) != count):
            raise StateError(f"{name} is {value!r}; allowed are the places of the {count} tokens that are read")
        return value

    def make_graphs(self) -> Sequence[Graph]:
        """Return the one graph."""
        return (self._graph,)

    @property
    def ids(self) -> list[int]:
        """The ids of the prompt's tokens, as many as are read."""
        return self._tokenizer.encode(self.prompt)[:LONGEST]

    @property
    def tokens(self) -> list[str]:
        """The same as texts."""
        return [self._tokenizer.decode([number]) for number in self.ids]

    def question(self, kind: str | None = None, *, causal: bool | None = None) -> tuple[str, dict[str, Tensor]]:
        """Return the question of the present state, or of the same with another ``kind`` or mask."""
        mask = self.causal if causal is None else causal
        numbers = {
            "kind": KINDS.index(kind or self.kind),
            "causal": int(mask),
            "token": self.token,
            "position": self.position,
            "distance": min(self.position, self.distance),
            "pair": min(self.dimension, self.sizes["d_head"] - 1) // 2,
        }
        inputs = {"ids": self.ids, "order": list(self.order), **numbers}
        return "positions", {name: torch.tensor(value, dtype=torch.int32) for name, value in inputs.items()}

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the question of the present state."""
        return [self.question()]

    @property
    def answers(self) -> dict[str, Tensor]:
        """What :func:`dlcompare.graphs.position_pass` gives in the present state."""
        graph, inputs = self.question()
        return self.ask(graph, **inputs)

    def largest(self, kind: str, *, causal: bool) -> float:
        """Return how far the shuffle moves an output at most, with other positions or another mask."""
        graph, inputs = self.question(kind, causal=causal)
        return self.ask(graph, **inputs)["largest"].item()

    def table(self) -> Table:
        """Return for each token of the shuffled text the size of its output and how far the shuffle has moved it."""
        answers = self.answers
        names = [readable(self.tokens[place]) for place in self.order]
        rows = zip(names, answers["sizes"].tolist(), answers["apart"].tolist(), strict=True)
        return Table([text(f"positions.column_{name}") for name in ("token", "size", "apart")], [list(r) for r in rows])

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        found = {kind: f"{self.largest(kind, causal=False):.2g}" for kind in KINDS[1:]}
        return text("positions.alternative", positions=POSITIONS, position=self.position, **found)

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("positions.caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.positions_figure import draw

        return draw(self)
