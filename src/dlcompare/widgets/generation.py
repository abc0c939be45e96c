"""Writing with a GPT under a debugger: the explorable of the chapter on GPT's concepts."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.chance import LARGEST_SEED, Chance
from dlcompare.export import Graph
from dlcompare.graphs.generation import CUT_BY_GREEDY, CUT_BY_TOP_K, CUT_BY_TOP_P, KEPT, generation_step, sampling
from dlcompare.models import GPT
from dlcompare.style import readable
from dlcompare.tokenization import BPETokenizer, CharTokenizer
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_flag, as_number, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["TEMPERATURES", "GenerationDebugger"]

#: Lowest and highest temperature that is offered.
TEMPERATURES = (0.1, 3.0)
#: The lowest ``top_p``: at least the most probable token is always kept.
LOWEST_TOP_P = 0.01
#: A line that many a reader can go on from.
PROMPT = "To be, or not to"
#: Tokens that the figure shows, the most probable first.
SHOWN = 12

#: What became of a token, by its key in the catalogue.
FATES = {
    KEPT: "generation.kept",
    CUT_BY_TOP_K: "generation.cut_by_top_k",
    CUT_BY_TOP_P: "generation.cut_by_top_p",
    CUT_BY_GREEDY: "generation.cut_by_greedy",
}


class GenerationDebugger(Explorable):
    """Let a GPT write, token by token: step, undo, branch, choose oneself, and see what each choice was made from.

    The model reads each token once and keeps its keys and values; the next token is drawn from its distribution after
    temperature, top-k and top-p, as :class:`~dlcompare.sampling.Sampler` has them. The number that decides the token at
    a place of the text is the one that the seed gives for that place, whatever stands before it: so the same seed,
    prompt and settings give the same text, here, in a page, and after any number of steps back.

    Parameters
    ----------
    model:
        A trained GPT, in evaluation mode.
    tokenizer:
        Its tokenizer.
    prompt:
        The text to go on from: at least one token, and fewer than the model's context holds.
    examples:
        Further prompts to choose from.
    **traits:
        ``ids`` (the tokens of the text so far; without it those of the prompt), ``own`` (the places of those among them
        that the reader chose), ``seed`` (0 to 2⁵³ − 1), ``temperature`` (0.1 to 3), ``top_k`` (0, which keeps all, up
        to the size of the vocabulary), ``top_p`` (0.01 to 1), ``greedy`` (take the most probable token); and ``name``,
        see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "generation"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "generation")

    tokenizer = traitlets.Dict(read_only=True).tag(sync=True)
    config = traitlets.Dict(read_only=True).tag(sync=True)
    examples: Any = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    prompt = Checked(lambda self, value: self._as_prompt(value), "").tag(sync=True)
    ids = Checked(lambda self, value: self._as_ids(value), ()).tag(sync=True)
    own = Checked(lambda self, value: self._as_places(value), ()).tag(sync=True)
    seed = Checked(lambda _, value: as_whole(value, "seed", 0, LARGEST_SEED), 0).tag(sync=True)
    temperature = Checked(lambda _, value: as_number(value, "temperature", *TEMPERATURES), 1.0).tag(sync=True)
    top_k = Checked(lambda self, value: as_whole(value, "top_k", 0, self._model.config.vocab_size), 0).tag(sync=True)
    top_p = Checked(lambda _, value: as_number(value, "top_p", LOWEST_TOP_P, 1.0), 1.0).tag(sync=True)
    greedy = Checked(lambda _, value: as_flag(value, "greedy"), False).tag(sync=True)

    def __init__(
        self,
        model: GPT,
        tokenizer: BPETokenizer | CharTokenizer,
        prompt: str = PROMPT,
        examples: Sequence[str] = (),
        **traits: Any,
    ) -> None:
        self._model, self._tokenizer = model, tokenizer
        c = model.config
        if tokenizer.vocab_size != c.vocab_size:
            raise StateError(
                f"tokenizer has {tokenizer.vocab_size} tokens; allowed are {c.vocab_size}, as many as the model knows"
            )
        self.set_trait("tokenizer", tokenizer.to_page())
        self.set_trait("config", {**dataclasses.asdict(c), "d_head": c.attention_width // c.n_head})
        self.set_trait("examples", [self._as_prompt(example, "examples") for example in examples])
        first = {"prompt": prompt, "ids": self._tokenizer.encode(self._as_prompt(prompt)), **traits}
        self._settled: tuple[str, tuple[int, ...], tuple[int, ...]] = (prompt, tuple(first["ids"]), ())
        super().__init__(**first)

    def _as_prompt(self, value: object, argument: str = "prompt") -> str:
        allowed = f"a text of 1 to {self._model.config.block_size - 1} tokens"
        if not isinstance(value, str):
            raise StateError(f"{argument} is {value!r}; allowed is {allowed}")
        try:
            count = len(self._tokenizer.encode(value))
        except ValueError as error:
            raise StateError(f"{argument}: {error}") from None
        if not 1 <= count < self._model.config.block_size:
            raise StateError(f"{argument} has {count} tokens; allowed is {allowed}")
        return value

    def _as_ids(self, value: object) -> tuple[int, ...]:
        c = self._model.config
        allowed = f"1 to {c.block_size} whole numbers from 0 to {c.vocab_size - 1}"
        given = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
        if not 1 <= len(given) <= c.block_size:
            raise StateError(f"ids is {value!r}; allowed are {allowed}")
        return tuple(as_whole(token, f"ids[{place}]", 0, c.vocab_size - 1) for place, token in enumerate(given))

    def _as_places(self, value: object) -> tuple[int, ...]:
        given = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (None,)
        last = self._model.config.block_size - 1
        places = tuple(as_whole(place, f"own[{index}]", 0, last) for index, place in enumerate(given))
        if list(places) != sorted(set(places)):
            raise StateError(f"own is {value!r}; allowed are places in rising order")
        return places

    @traitlets.validate("own")
    def _check_own(self, proposal: Any) -> tuple[int, ...]:
        places: tuple[int, ...] = proposal["value"]
        if places and places[-1] >= len(self.ids):
            raise StateError(f"own has {places[-1]}; allowed are places in the text, 0 to {len(self.ids) - 1}")
        return places

    @traitlets.observe("prompt", "ids")
    def _keep_together(self, _change: Any) -> None:
        # A new prompt begins a new text, unless the text came with it. Of a new text, only the old part was chosen.
        prompt, ids, own = self._settled
        self._settled = (self.prompt, self.ids, self.own)
        if self.prompt != prompt and self.ids == ids:
            self.ids = tuple(self._tokenizer.encode(self.prompt))
        elif self.ids != ids and self.own == own:
            kept = next((i for i, (a, b) in enumerate(zip(ids, self.ids, strict=False)) if a != b), len(ids))
            self.own = tuple(place for place in own if place < min(kept, len(self.ids)))
        self._settled = (self.prompt, self.ids, self.own)

    @functools.cached_property
    def _nothing(self) -> Tensor:
        c = self.config
        return torch.zeros(0, c["n_layer"], 2 * c["n_head"], c["d_head"])

    def make_graphs(self) -> Sequence[Graph]:
        """Return the step of the model, and the sampling."""
        return (generation_step(self._model), sampling(self._model.config.vocab_size))

    def _settings(self, place: int) -> dict[str, Tensor]:
        return {
            "temperature": torch.tensor(self.temperature),
            "top_k": torch.tensor(self.top_k, dtype=torch.int32),
            "top_p": torch.tensor(self.top_p),
            "greedy": torch.tensor(self.greedy),
            "uniform": torch.tensor(self.number(place)),
        }

    def _question(self) -> dict[str, Tensor]:
        ids = torch.tensor([self.ids], dtype=torch.int32)
        return {"ids": ids, "past": self._nothing, **self._settings(len(self.ids))}

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the reading of the text so far, and the draw of the next token."""
        logits = self.ask("generation", **self._question())["logits"][-1]
        return [
            ("generation", self._question()),
            ("sampling", {"logits": logits, **self._settings(len(self.ids))}),
        ]

    def number(self, place: int) -> float:
        """Return the number in [0, 1) that decides the token at ``place``, counted from 0: the seed's, by its turn."""
        chance = Chance(self.seed)
        numbers = [chance.uniform() for _ in range(place + 1)]
        return numbers[-1]

    @property
    def text(self) -> str:
        """The text so far."""
        return self._tokenizer.decode(self.ids)

    @property
    def sample(self) -> dict[str, Tensor]:
        """What :func:`dlcompare.graphs.sampling` gives for the next token: distributions (vocab_size,) and a scalar."""
        (_, inputs) = self.questions()[1]
        return self.ask("sampling", **inputs)

    def generate(self, n: int) -> str:
        """Go on by ``n`` tokens, as the front end does when it steps, and return the text.

        Raises
        ------
        StateError
            when there is no room for so many: a window of learned positions cannot slide with its cache.
        """
        block_size: int = self.config["block_size"]
        if not 0 <= n <= block_size - len(self.ids):
            raise StateError(
                f"n is {n}; allowed is 0 to {block_size - len(self.ids)}: the context holds {block_size} tokens, "
                f"{len(self.ids)} are there"
            )
        ids, past = list(self.ids), self._nothing
        new = ids
        for _ in range(n):
            settings = self._settings(len(ids))
            step = self.ask("generation", ids=torch.tensor([new], dtype=torch.int32), past=past, **settings)
            past = torch.cat([past, step["new"]])
            new = [int(step["token"])]
            ids += new
        self.ids = tuple(ids)
        return self.text

    def table(self) -> Table:
        """Return the most probable tokens, with their probabilities before and after."""
        sample = self.sample
        rows: list[list[str | float]] = [
            [
                readable(self._tokenizer.decode([token])),
                *(sample[stage][token].item() for stage in ("own", "tempered", "p")),
                text(FATES[int(sample["cut"][token])]),
            ]
            for token in sample["order"][:SHOWN].tolist()
        ]
        heads = ("token", "stage_own", "stage_tempered", "stage_p", "fate")
        return Table([text(f"generation.{head}") for head in heads], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        sample = self.sample
        first, second, third = (
            f"“{readable(self._tokenizer.decode([token]))}” {sample['own'][token].item():.3g}"
            for token in sample["order"][:3].tolist()
        )
        return text(
            "generation.figure_alt",
            text=self.text,
            first=first,
            second=second,
            third=third,
            kept=int((sample["cut"] == KEPT).sum()),
            count=f"{len(sample['own']):,}",
            token=readable(self._tokenizer.decode([int(sample["token"])])),
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("generation.figure_caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.generation_figure import draw

        return draw(self)
