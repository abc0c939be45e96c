"""The objectives of pre-training on the reader's own sentences: an explorable of the chapter on pre-training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.checkpoints import Checkpoint
from dlcompare.export import Graph
from dlcompare.graphs.objectives import LONGEST_TEXT, causal_objective, encoder_objective
from dlcompare.models import BERT, GPT
from dlcompare.style import readable
from dlcompare.tokenization import BPETokenizer
from dlcompare.training import IGNORED, Marks
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_flag, as_text, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["OBJECTIVES", "TOP", "ObjectiveViewer"]

#: The next token (GPT), hidden tokens (BERT), and whether the second text follows the first (BERT).
OBJECTIVES = ("causal", "masked", "next")
#: How many of the likeliest tokens are shown.
TOP = 8


def _as_objective(value: object) -> str:
    if value not in OBJECTIVES:
        raise StateError(f"objective is {value!r}; allowed are {', '.join(map(repr, OBJECTIVES))}")
    return str(value)


def _as_hidden(value: object) -> tuple[int, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise StateError(f"hidden is {value!r}; allowed are places of tokens, counted from 0")
    places = [as_whole(place, f"hidden[{i}]", 0, LONGEST_TEXT - 1) for i, place in enumerate(value)]
    if len(set(places)) != len(places):
        raise StateError(f"hidden is {value!r}; allowed is each place once")
    return tuple(sorted(places))


class ObjectiveViewer(Explorable):
    """What causal LM, masked LM and next-sentence prediction see and ask for on one's own sentences.

    Parameters
    ----------
    gpt:
        A checkpoint of a :class:`~dlcompare.models.GPT` with a BPE tokenizer.
    bert:
        One of a :class:`~dlcompare.models.BERT` whose tokenizer has the same tokens, and after them those of an
        encoder.
    first, second:
        The sentences, 1 to 500 characters; of each, the first 20 tokens are read. ``second`` is read by next-sentence
        prediction alone.
    **traits:
        ``objective`` ("causal", "masked" or "next"), ``hidden`` (places of the tokens of ``first`` that masked LM
        hides, from 0), ``follows`` (whether the reader says that ``second`` follows ``first``), ``place`` (the position
        that is looked at, counted in what the model reads, [CLS] included; without it one that is asked for); and
        ``name``, see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "objectives"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "objectives")

    tokenizer: Any = traitlets.Dict(read_only=True).tag(sync=True)
    #: The ids of [CLS], [SEP] and [MASK]; the tokens that only the encoder has, in the order of their ids; limits.
    sizes: Any = traitlets.Dict(read_only=True).tag(sync=True)
    #: What a guess costs without looking, in nats, by the objective; and how often the encoder was right on held-out
    #: pairs, None where its card does not tell.
    measured: Any = traitlets.Dict(read_only=True).tag(sync=True)
    objective = Checked(lambda _, value: _as_objective(value), OBJECTIVES[0]).tag(sync=True)
    first = Checked(lambda self, value: as_text(value, "first", self._tokenizer), "?").tag(sync=True)
    second = Checked(lambda self, value: as_text(value, "second", self._tokenizer), "?").tag(sync=True)
    hidden = Checked(lambda _, value: _as_hidden(value), ()).tag(sync=True)
    follows = Checked(lambda _, value: as_flag(value, "follows"), True).tag(sync=True)
    place = Checked(lambda _, value: as_whole(value, "place", 0, 2 * LONGEST_TEXT + 2), 0).tag(sync=True)

    def __init__(self, gpt: Checkpoint[GPT], bert: Checkpoint[BERT], first: str, second: str, **traits: Any) -> None:
        for argument, checkpoint, kind in (("gpt", gpt, GPT), ("bert", bert, BERT)):
            if not isinstance(checkpoint.model, kind):
                raise StateError(f"{argument} is of a {type(checkpoint.model).__name__}; allowed is a {kind.__name__}")
            if not isinstance(checkpoint.tokenizer, BPETokenizer):
                raise StateError(f"{argument} has no BPE tokenizer; allowed is a checkpoint with one")
        assert isinstance(gpt.tokenizer, BPETokenizer)
        assert isinstance(bert.tokenizer, BPETokenizer)
        shared, both = gpt.tokenizer.vocab_size, bert.tokenizer
        if both.vocab_size < shared or any(gpt.tokenizer.decode([i]) != both.decode([i]) for i in range(shared)):
            raise StateError("bert has other tokens than gpt; allowed are the same, and those of an encoder after them")
        self._gpt, self._bert, self._tokenizer = gpt.model, bert.model, gpt.tokenizer
        self._marks = Marks.of(both)
        marks = {name: getattr(self._marks, name) for name in ("cls", "sep", "mask")}
        names = [both.decode([i]) for i in range(shared, both.vocab_size)]
        self.set_trait("tokenizer", gpt.tokenizer.to_page())
        self.set_trait("sizes", {**marks, "names": names, "vocab_size": shared, "longest": LONGEST_TEXT})
        guess = {"causal": math.log(shared), "masked": math.log(both.vocab_size), "next": math.log(2)}
        right = bert.card.get("metrics", {}).get("validation_next_sentence_accuracy")
        self.set_trait("measured", {"guess": guess, "right": right})
        super().__init__(first=first, second=second, **traits)
        if "place" not in traits:
            self.place = self._first_place()

    @traitlets.validate("hidden")
    def _check_hidden(self, proposal: Any) -> tuple[int, ...]:
        places: tuple[int, ...] = proposal["value"]
        last = len(self._read(self.first)) - 1
        if places and places[-1] > last:
            raise StateError(f"hidden is {list(places)}; allowed are 0 to {last}, the tokens that are read")
        return places

    @traitlets.validate("place")
    def _check_place(self, proposal: Any) -> int:
        last = len(self.row) - 1
        if proposal["value"] > last:
            raise StateError(f"place is {proposal['value']}; allowed are 0 to {last}, the positions that are read")
        return int(proposal["value"])

    @traitlets.observe("first", "second", "objective")
    def _keep_inside(self, _change: Any) -> None:
        count = len(self._read(self.first))
        self.hidden = tuple(place for place in self.hidden if place < count)
        self.place = min(self.place, len(self.row) - 1)

    def _first_place(self) -> int:
        if self.objective == "causal":
            return max(0, len(self.row) - 2)
        return self.hidden[0] + 1 if self.objective == "masked" and self.hidden else 0

    def _read(self, sentence: str) -> list[int]:
        return self._tokenizer.encode(sentence)[:LONGEST_TEXT]

    def _packed(self) -> tuple[list[int], list[int]]:
        """Return what stands in the row before anything is hidden, and the segments."""
        first, m = self._read(self.first), self._marks
        if self.objective == "causal":
            return first, [0] * len(first)
        row = [m.cls, *first, m.sep]
        if self.objective == "masked":
            return row, [0] * len(row)
        second = [*self._read(self.second), m.sep]
        return row + second, [0] * len(row) + [1] * len(second)

    @property
    def row(self) -> list[int]:
        """The ids that the model reads."""
        row, _ = self._packed()
        gone = {place + 1 for place in self.hidden} if self.objective == "masked" else set()
        return [self._marks.mask if place in gone else token for place, token in enumerate(row)]

    @property
    def targets(self) -> list[int]:
        """What the loss asks for at each position: an id, or -100 for nothing."""
        row, _ = self._packed()
        if self.objective == "causal":
            return [*row[1:], IGNORED]
        gone = {place + 1 for place in self.hidden} if self.objective == "masked" else set()
        return [token if place in gone else IGNORED for place, token in enumerate(row)]

    def name_of(self, token: int) -> str:
        """Return the text of a token, of one that only the encoder has, too."""
        shared = self.sizes["vocab_size"]
        return self._tokenizer.decode([token]) if token < shared else str(self.sizes["names"][token - shared])

    def make_graphs(self) -> Sequence[Graph]:
        """Return what each of the two models sees and is asked for."""
        return causal_objective(self._gpt), encoder_objective(self._bert)

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return the numbers of the present state."""
        row, place = torch.tensor([self.row], dtype=torch.int32), torch.tensor(self.place, dtype=torch.int32)
        if self.objective == "causal":
            return [("objective-causal", {"ids": row, "place": place})]
        _, segments = self._packed()
        inputs = {
            "ids": row,
            "segments": torch.tensor([segments], dtype=torch.int32),
            "targets": torch.tensor(self.targets, dtype=torch.int32),
            "place": place,
            "label": torch.tensor(int(not self.follows), dtype=torch.int32),
        }
        return [("objective-encoder", inputs)]

    @property
    def answers(self) -> dict[str, Tensor]:
        """What :mod:`dlcompare.graphs.objectives` gives in the present state."""
        ((graph, inputs),) = self.questions()
        return self.ask(graph, **inputs)

    @property
    def loss(self) -> float:
        """The loss of the present objective in nats; 0 where nothing is asked for."""
        return self.answers["next_loss" if self.objective == "next" else "loss"].item()

    @property
    def expected(self) -> list[tuple[str, float]]:
        """What the model holds for the likeliest at ``place``, the likeliest first; of next sentences, both classes."""
        answers = self.answers
        if self.objective == "next":
            return list(
                zip((text("objectives.follows"), text("objectives.not")), answers["next"].tolist(), strict=True)
            )
        values, ids = answers["probabilities"].topk(min(TOP, len(answers["probabilities"])))
        return [(self.name_of(i), value) for i, value in zip(ids.tolist(), values.tolist(), strict=True)]

    def table(self) -> Table:
        """Return what the loss asks for: the targets with their probabilities and losses."""
        answers = self.answers
        heads = [text(f"objectives.column_{name}") for name in ("read", "target", "probability", "loss")]
        if self.objective == "next":
            label = 0 if self.follows else 1
            target = text("objectives.follows" if self.follows else "objectives.not")
            row: list[str | float] = ["[CLS]", target, answers["next"][label].item(), answers["next_loss"].item()]
            return Table(heads, [row])
        rows: list[list[str | float]] = [
            [readable(self.name_of(read)), readable(self.name_of(target)), given, loss]
            for read, target, given, loss in zip(
                self.row, self.targets, answers["given"].tolist(), answers["losses"].tolist(), strict=True
            )
            if target != IGNORED
        ]
        return Table(heads, rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        count = 1 if self.objective == "next" else sum(target != IGNORED for target in self.targets)
        token, probability = self.expected[0]
        return text(
            f"objectives.alternative_{self.objective}",
            count=len(self.row),
            targets=count,
            loss=f"{self.loss:.3g}",
            place=readable(self.name_of(self.row[self.place])),
            token=readable(token),
            probability=f"{probability:.3g}",
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("objectives.caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.objectives_figure import draw

        return draw(self)
