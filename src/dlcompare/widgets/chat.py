"""A dialogue with a GPT, turn by turn and token by token: the explorable of the chapter on dialogue."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import traitlets
from torch import Tensor

from dlcompare import dialogue
from dlcompare.catalogue import text
from dlcompare.chance import LARGEST_SEED
from dlcompare.export import Graph
from dlcompare.export.graph import to_json
from dlcompare.graphs.generation import reply_step
from dlcompare.models import GPT
from dlcompare.style import readable
from dlcompare.tokenization import BPETokenizer
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.chat_talk import LONGEST_REPLY, MOST_TURNS, WAYS, Reply, Rules, talk
from dlcompare.widgets.checked import Checked, as_flag, as_number, as_whole
from dlcompare.widgets.generation import LOWEST_TOP_P, TEMPERATURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BESIDES", "LAST_STEP", "LONGEST_TURN", "SHORTEST_REPLY", "SMALLEST_CONTEXT", "TURNS", "ChatStepper"]

#: What can stand beside the whole conversation.
BESIDES = WAYS[:0:-1]
#: Two turns of which the second means nothing without the first.
TURNS = ("What is your name?", "Why?")
#: And what the reader may say next.
SUGGESTION = "Tell me more."
#: Characters of a turn at most.
LONGEST_TURN = 200
#: The context is not made smaller.
SMALLEST_CONTEXT = 64
#: Nor the longest reply.
SHORTEST_REPLY = 8
#: The traits on which the replies depend.
DECISIVE = ("turns", "choices", "context", "longest", "seed", "temperature", "top_k", "top_p", "greedy")
#: A step that no dialogue goes beyond: it stands for the last one.
LAST_STEP = MOST_TURNS * LONGEST_REPLY


class ChatStepper(Explorable):
    """Talk with a GPT, and watch each token of its replies: what was read for it, and what it was drawn from.

    The conversation is written in the template of :mod:`dlcompare.dialogue`, and what no longer fits is cut off as
    :func:`dlcompare.chat.kept_turns` says: the replies are those of :func:`dlcompare.dialogue.talker`. Beside them are
    the replies of the same model to the same turns when it reads less. The number that decides the token at a place of
    a reply is the one that the seed gives for that place, on both sides.

    Parameters
    ----------
    model:
        A GPT that was fine-tuned on the template, in evaluation mode.
    tokenizer:
        Its tokenizer.
    turns:
        What the user says, one text per turn.
    suggestion:
        What stands in the field for the next turn.
    **traits:
        ``choices`` (of the replies to the whole conversation, the tokens that the reader chose: triples of the reply,
        the place in it, both from 0, and the token's id), ``beside`` (``"article"``: the article's loop, which after
        the first token of a reply reads the last token alone; ``"turn"``: each turn read alone, with the reply so far),
        ``context`` (tokens that the model may read, 64 up to its ``block_size``), ``longest`` (tokens of a reply at
        most, 8 to 60), ``seed`` (0 to 2⁵³ − 1), ``temperature`` (0.1 to 3), ``top_k`` (0, which keeps all, up to the
        size of the vocabulary), ``top_p`` (0.01 to 1), ``greedy`` (take the most probable token), ``step`` (how many
        tokens of the replies are there; a number beyond the last stands for the last); and ``name``, see
        :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "chat"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "generation", "chat")

    tokenizer = traitlets.Dict(read_only=True).tag(sync=True)
    config = traitlets.Dict(read_only=True).tag(sync=True)
    suggestion = traitlets.Unicode(SUGGESTION).tag(sync=True)
    #: The replies of the first picture, as the front end would have computed them, and the state that they belong to.
    known: Any = traitlets.Dict(read_only=True).tag(sync=True)
    turns = Checked(lambda self, value: self._as_turns(value), TURNS).tag(sync=True)
    choices = Checked(lambda self, value: self._as_choices(value), ()).tag(sync=True)
    beside = traitlets.Enum(BESIDES, BESIDES[0]).tag(sync=True)
    context = Checked(lambda self, value: self._as_context(value), SMALLEST_CONTEXT).tag(sync=True)
    longest = Checked(lambda _, value: as_whole(value, "longest", SHORTEST_REPLY, LONGEST_REPLY), 32).tag(sync=True)
    seed = Checked(lambda _, value: as_whole(value, "seed", 0, LARGEST_SEED), 0).tag(sync=True)
    temperature = Checked(lambda _, value: as_number(value, "temperature", *TEMPERATURES), 0.7).tag(sync=True)
    top_k = Checked(lambda self, value: as_whole(value, "top_k", 0, self._model.config.vocab_size), 0).tag(sync=True)
    top_p = Checked(lambda _, value: as_number(value, "top_p", LOWEST_TOP_P, 1.0), 0.9).tag(sync=True)
    greedy = Checked(lambda _, value: as_flag(value, "greedy"), True).tag(sync=True)
    step = Checked(lambda _, value: as_whole(value, "step", 0, LAST_STEP), LAST_STEP).tag(sync=True)

    def __init__(
        self,
        model: GPT,
        tokenizer: BPETokenizer,
        turns: Sequence[str] = TURNS,
        suggestion: str = SUGGESTION,
        **traits: Any,
    ) -> None:
        self._model, self._tokenizer = model, tokenizer
        c = model.config
        if tokenizer.vocab_size != c.vocab_size:
            raise StateError(
                f"tokenizer has {tokenizer.vocab_size} tokens; allowed are {c.vocab_size}, as many as the model knows"
            )
        self._talker = dialogue.talker(model, tokenizer)
        #: The dialogues last computed, by all that decides them.
        self._talks: dict[tuple[object, ...], list[Reply]] = {}
        self.set_trait("tokenizer", tokenizer.to_page())
        self.set_trait("config", {**dataclasses.asdict(c), "d_head": c.attention_width // c.n_head})
        super().__init__(**{"context": c.block_size, "turns": turns, "suggestion": suggestion, **traits})

    def _as_turns(self, value: object) -> tuple[str, ...]:
        given = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (None,)
        allowed = f"at most {MOST_TURNS} texts of 1 to {LONGEST_TURN} characters, without space around them"
        for turn in given:
            if not isinstance(turn, str) or not 1 <= len(turn) <= LONGEST_TURN or turn != turn.strip():
                raise StateError(f"turns is {value!r}; allowed are {allowed}")
            try:
                self._talker.write([turn])
            except ValueError as error:
                raise StateError(str(error)) from None
        if len(given) > MOST_TURNS:
            raise StateError(f"turns has {len(given)} entries; allowed are {allowed}")
        return given

    def _as_choices(self, value: object) -> tuple[tuple[int, int, int], ...]:
        given = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (None,)
        last = (MOST_TURNS - 1, LONGEST_REPLY - 1, self._model.config.vocab_size - 1)
        choices = []
        for index, choice in enumerate(given):
            if not isinstance(choice, Sequence) or isinstance(choice, str) or len(choice) != len(last):
                raise StateError(f"choices[{index}] is {choice!r}; allowed is a reply, a place in it, and a token")
            choices.append(
                tuple(as_whole(n, f"choices[{index}]", 0, most) for n, most in zip(choice, last, strict=True))
            )
        if any(before[:2] >= after[:2] for before, after in zip(choices, choices[1:], strict=False)):
            raise StateError(f"choices is {value!r}; allowed are places in rising order")
        return tuple(choices)  # type: ignore[arg-type]

    def _as_context(self, value: object) -> int:
        return as_whole(value, "context", SMALLEST_CONTEXT, self._model.config.block_size)

    @traitlets.validate("turns", "context", "longest")
    def _check_room(self, proposal: Any) -> Any:
        now = {name: getattr(self, name) for name in ("turns", "context", "longest")}
        now[proposal["trait"].name] = proposal["value"]
        room = now["context"] - now["longest"]
        for turn in now["turns"]:
            taken = len(self._talker.write([turn]))
            if taken > room:
                raise StateError(
                    f"the turn {turn!r} takes {taken} tokens with its marks; allowed are at most {room}, a context of "
                    f"{now['context']} less {now['longest']} for the reply"
                )
        return proposal["value"]

    @functools.cached_property
    def _nothing(self) -> Tensor:
        c = self.config
        return torch.zeros(0, c["n_layer"], 2 * c["n_head"], c["d_head"])

    def make_graphs(self) -> Sequence[Graph]:
        """Return the step of a reply."""
        return (reply_step(self._model),)

    @property
    def rules(self) -> Rules:
        """What decides the dialogue in the present state, besides what the user says."""
        return Rules(
            write=self._talker.write,
            tokenizer=self._tokenizer,
            stop=self._talker.stop,
            context=self.context,
            longest=self.longest,
            settings={
                "temperature": torch.tensor(self.temperature),
                "top_k": torch.tensor(self.top_k, dtype=torch.int32),
                "top_p": torch.tensor(self.top_p),
                "greedy": torch.tensor(self.greedy),
            },
            seed=self.seed,
            choices={(turn, place): token for turn, place, token in self.choices},
        )

    def replies(self, way: str = "whole") -> list[Reply]:
        """Return the replies in the present state, with all that they were made from.

        ``way`` is ``"whole"``, or what ``beside`` may be.

        Raises
        ------
        StateError
            for any other ``way``.
        """
        if way not in WAYS:
            raise StateError(f"way is {way!r}; allowed are {', '.join(WAYS)}")

        def ask(new: list[int], past: Tensor | None, **settings: Tensor) -> Mapping[str, Tensor]:
            ids = torch.tensor([new], dtype=torch.int32)
            return self.ask("reply", ids=ids, past=self._nothing if past is None else past, **settings)

        state = (way, *(getattr(self, name) for name in DECISIVE))
        if state not in self._talks:
            self._talks = {
                **dict(list(self._talks.items())[1 - len(WAYS) :]),
                state: talk(ask, self.rules, self.turns, way),
            }
        return self._talks[state]

    def _remember(self) -> None:
        super()._remember()
        replies = []
        for way in ("whole", self.beside):
            for turn, reply in enumerate(self.replies(way)):
                steps = {name: torch.stack([step[name] for step in reply.steps]) for name in reply.steps[0]}
                read = list(reply.ids[reply.cut :])
                replies.append({"way": way, "turn": turn, "read": read, "steps": to_json(steps)})
        known = {"state": {name: getattr(self, name) for name in DECISIVE}, "replies": replies}
        if known != self.known:
            self.set_trait("known", known)

    def present(self, replies: Sequence[Sequence[Reply]]) -> tuple[int, int]:
        """Return the reply at which the step stands, and how many of its places are there, on both sides together."""
        lengths = [max(len(reply.steps) for reply in both) for both in zip(*replies, strict=False)]
        left = self.step
        for turn, length in enumerate(lengths):
            if left <= length or turn == len(lengths) - 1:
                return turn, min(left, length)
            left -= length
        return 0, 0

    def table(self) -> Table:
        """Return the tokens of the present reply on both sides, each with its probability before and after."""
        sides = (self.replies("whole"), self.replies(self.beside))
        turn, places = self.present(sides)
        rows: list[list[str | float]] = []
        for place in range(places):
            row: list[str | float] = [str(place)]
            for replies in sides:
                steps = replies[turn].steps
                row += self._cells(steps[place]) if place < len(steps) else ["", "", ""]
            rows.append(row)
        side = [text(f"generation.{head}") for head in ("token", "stage_own", "stage_p")]
        heads = [f"{head}, {text(f'chat.{way}_short')}" for way in ("whole", self.beside) for head in side]
        return Table([text("chat.place"), *heads], rows)

    def _cells(self, step: Mapping[str, Tensor]) -> list[str | float]:
        own, p = step["chances"].tolist()
        return [readable(self._tokenizer.decode([int(step["token"])])), own, p]

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        whole, beside = self.replies("whole"), self.replies(self.beside)
        said = (
            text("chat.said", turn=turn, whole=one.text, other=other.text)
            for turn, one, other in zip(self.turns, whole, beside, strict=False)
        )
        return " ".join([text("chat.alternative", beside=text(f"chat.{self.beside}_short")), *said])

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("chat.figure_caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.chat_figure import draw

        return draw(self)
