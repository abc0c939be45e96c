"""A GPT's attention, layer by layer and head by head: the explorable of the chapter on the Transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.export import Graph
from dlcompare.graphs.attention import LONGEST, attention_pass, attention_terms
from dlcompare.models import GPT
from dlcompare.style import readable
from dlcompare.tokenization import BPETokenizer, CharTokenizer
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_flag, as_text, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["HEADS", "STEPS", "TOP", "AttentionExplorer"]

#: Which heads are at work: all; all but the chosen one; of its layer the chosen one alone; of all the chosen one alone.
HEADS = ("all", "without", "layer", "only")
#: The steps from two vectors to what the head puts out.
STEPS = ("vectors", "dots", "scaled", "masked", "weights", "terms", "sum")
#: How many of the likeliest next tokens are shown.
TOP = 8


def _as_heads(value: object) -> str:
    if value not in HEADS:
        raise StateError(f"heads is {value!r}; allowed are {', '.join(map(repr, HEADS))}")
    return str(value)


class AttentionExplorer(Explorable):
    r"""Type a text, choose a head: queries, keys, values, scores, mask, weights and their sum, as the numbers they are.

    Scaled dot-product attention (Vaswani et al. 2017, section 3.2), as a trained GPT computes it. A head can be
    switched off or left alone, and the mask taken away: what the model expects next then changes, too.

    Parameters
    ----------
    model:
        A :class:`~dlcompare.models.GPT`, on the CPU, in evaluation mode. It stays as it is.
    tokenizer:
        Its tokenizer.
    prompt:
        The text, 1 to 500 characters. Of its tokens the first 32 are read, or ``block_size`` if that is less.
    **traits:
        ``layer``, ``head`` (counted from 0), ``query`` (the token that asks; without it the last one), ``causal``
        (whether a token sees only itself and what is before it, as in training), ``heads`` (``"all"``, ``"without"``
        the chosen one, in its ``"layer"`` the chosen one alone, ``"only"`` the chosen one), ``step`` (0 to 6, how far
        the calculation is shown); and ``name``, see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "attention"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "attention")

    tokenizer: Any = traitlets.Dict(read_only=True).tag(sync=True)
    sizes: Any = traitlets.Dict(read_only=True).tag(sync=True)
    prompt = Checked(lambda self, value: as_text(value, "prompt", self._tokenizer), "?").tag(sync=True)
    layer = Checked(lambda self, value: as_whole(value, "layer", 0, self._model.config.n_layer - 1), 0).tag(sync=True)
    head = Checked(lambda self, value: as_whole(value, "head", 0, self._model.config.n_head - 1), 0).tag(sync=True)
    query = Checked(lambda self, value: as_whole(value, "query", 0, self._longest - 1), 0).tag(sync=True)
    causal = Checked(lambda _, value: as_flag(value, "causal"), True).tag(sync=True)
    heads = Checked(lambda _, value: _as_heads(value), HEADS[0]).tag(sync=True)
    step = Checked(lambda _, value: as_whole(value, "step", 0, len(STEPS) - 1), len(STEPS) - 1).tag(sync=True)

    def __init__(self, model: GPT, tokenizer: BPETokenizer | CharTokenizer, prompt: str, **traits: Any) -> None:
        if not isinstance(model, GPT):
            raise StateError(f"model is a {type(model).__name__}; allowed is a GPT")
        if model.training and model.config.dropout:
            raise StateError("model is in training mode, with dropout; allowed is evaluation mode: call model.eval()")
        config = model.config
        if tokenizer.vocab_size != config.vocab_size:
            raise StateError(
                f"tokenizer has {tokenizer.vocab_size} tokens; allowed are the {config.vocab_size} of the model"
            )
        self._model, self._tokenizer = model, tokenizer
        self._longest = min(LONGEST, config.block_size)
        self.set_trait("tokenizer", tokenizer.to_page())
        d_head = config.attention_width // config.n_head
        sizes = {"n_layer": config.n_layer, "n_head": config.n_head, "d_head": d_head, "longest": self._longest}
        self.set_trait("sizes", sizes)
        super().__init__(prompt=prompt, **traits)
        if "query" not in traits:
            self.query = len(self.ids) - 1

    @traitlets.validate("query")
    def _check_query(self, proposal: Any) -> int:
        last = len(self.ids) - 1
        if proposal["value"] > last:
            raise StateError(f"query is {proposal['value']}; allowed are 0 to {last}, the tokens that are read")
        return int(proposal["value"])

    @traitlets.observe("prompt")
    def _keep_query_inside(self, _change: Any) -> None:
        self.query = min(self.query, len(self.ids) - 1)

    def make_graphs(self) -> Sequence[Graph]:
        """Return the pass with and without the mask, and the terms of one row."""
        return (
            attention_pass(self._model, causal=True),
            attention_pass(self._model, causal=False),
            attention_terms(self.sizes["d_head"]),
        )

    def _pass_question(self, *, trained: bool = False) -> tuple[str, dict[str, Tensor]]:
        """Return the question for the present pass, or for that of the model as it was trained."""
        causal = trained or self.causal
        inputs = {
            "ids": torch.tensor([self.ids], dtype=torch.int32),
            "keep": torch.ones_like(self.keep) if trained else self.keep,
            "layer": torch.tensor(self.layer, dtype=torch.int32),
            "head": torch.tensor(self.head, dtype=torch.int32),
        }
        return ("attention-causal" if causal else "attention-bidirectional"), inputs

    def _terms_question(self, numbers: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
        inputs = {
            "query": numbers["query"][self.query],
            "key": numbers["key"],
            "masked": numbers["masked"][self.query],
            "weights": numbers["attention"][self.layer, self.head, self.query],
            "value": numbers["value"],
        }
        return "attention-terms", inputs

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the present pass, the terms of its row, and the pass as trained where it is another."""
        asked = [self._pass_question(), self._terms_question(self.numbers)]
        return asked if self.causal and self.heads == "all" else [*asked, self._pass_question(trained=True)]

    @property
    def ids(self) -> list[int]:
        """The ids of the prompt's tokens, as many as are read."""
        return self._tokenizer.encode(self.prompt)[: self._longest]

    @property
    def tokens(self) -> list[str]:
        """The same as texts."""
        return [self._tokenizer.decode([number]) for number in self.ids]

    @property
    def keep(self) -> Tensor:
        """By what each head's output is multiplied, (n_layer, n_head) float32: 0 for one that is switched off."""
        chosen = torch.zeros(self._model.config.n_layer, self._model.config.n_head)
        chosen[self.layer, self.head] = 1
        if self.heads == "without":
            return 1 - chosen
        if self.heads == "layer":
            others = torch.ones_like(chosen)
            others[self.layer] = chosen[self.layer]
            return others
        return chosen if self.heads == "only" else torch.ones_like(chosen)

    @property
    def numbers(self) -> dict[str, Tensor]:
        """Everything of the present pass, by name; see :func:`dlcompare.graphs.attention_pass`."""
        graph, inputs = self._pass_question()
        return self.ask(graph, **inputs)

    @property
    def numbers_as_trained(self) -> dict[str, Tensor]:
        """The same of the pass with all heads and the mask."""
        graph, inputs = self._pass_question(trained=True)
        return self.ask(graph, **inputs)

    @property
    def terms(self) -> dict[str, Tensor]:
        """The sums of the chosen token's row, term by term; see :func:`dlcompare.graphs.attention_terms`."""
        graph, inputs = self._terms_question(self.numbers)
        return self.ask(graph, **inputs)

    @property
    def attention(self) -> Tensor:
        """Every head's weights in the present pass, (n_layer, n_head, seq, seq); rows ask, columns answer."""
        return self.numbers["attention"]

    @property
    def output(self) -> Tensor:
        """What the chosen head puts out, (seq, d_head), before it is switched off."""
        return self.numbers["mixed"]

    @property
    def expected(self) -> list[tuple[str, float]]:
        """The likeliest next tokens in the present pass with their probabilities, the likeliest first."""
        return self._likeliest(self.numbers["probabilities"])

    @property
    def expected_as_trained(self) -> list[tuple[str, float]]:
        """The same with all heads and the mask."""
        return self._likeliest(self.numbers_as_trained["probabilities"])

    def _likeliest(self, probabilities: Tensor) -> list[tuple[str, float]]:
        values, places = probabilities.topk(min(TOP, len(probabilities)))
        names = [self._tokenizer.decode([place]) for place in places.tolist()]
        return list(zip(names, values.tolist(), strict=True))

    def table(self) -> Table:
        """Return the chosen token's row: dot products, scores, exponentials and weights, a line per token."""
        numbers, query = self.numbers, self.query
        columns: list[Sequence[float]] = [numbers[name][query].tolist() for name in ("dots", "scaled", "masked")]
        columns.append(self.terms["exponentials"].tolist())
        columns.append(numbers["attention"][self.layer, self.head, query].tolist())
        rows = [[token, *values] for token, *values in zip(map(readable, self.tokens), *columns, strict=True)]
        names = ("token", "dot", "scaled", "masked", "exponential", "weight")
        return Table([text(f"attention.column_{name}") for name in names], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        weights = self.attention[self.layer, self.head, self.query]
        tokens = [readable(token) for token in self.tokens]
        place = int(weights.argmax())
        first, probability = self.expected[0]
        return text(
            "attention.figure_alt",
            count=len(tokens),
            n_layer=self.sizes["n_layer"],
            n_head=self.sizes["n_head"],
            layer=self.layer,
            head=self.head,
            query=tokens[self.query],
            most=tokens[place],
            weight=f"{weights[place].item():.3g}",
            token=readable(first),
            probability=f"{probability:.3g}",
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("attention.figure_caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.attention_figure import draw

        return draw(self)
