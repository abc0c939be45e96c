"""A text cut into characters, words, bytes and byte pairs: an explorable of the chapter on GPT's concepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import traitlets

from dlcompare.catalogue import text
from dlcompare.tokenization import BPETokenizer, CharTokenizer, Merge, WordTokenizer
from dlcompare.widgets.base import Explorable, StateError, Table
from dlcompare.widgets.checked import Checked, as_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CUTS", "LONGEST_TEXT", "Count", "TokenizerExplorer"]

#: Characters that a text may have.
LONGEST_TEXT = 200
#: Whose tokens are shown: one of characters, of words, or of byte pairs.
CUTS = ("characters", "words", "bpe")
#: A line that every tokenizer of Shakespeare knows, two characters and an emoji that hardly any does.
TEXT = "What's in a name? 名字 🌹"


class Count(NamedTuple):
    """How a tokenizer cuts the text.

    Parameters
    ----------
    row
        ``"characters"``, ``"words"``, ``"bytes"`` (BPE before its first merge) or ``"bpe"``.
    tokens
        number of tokens.
    vocabulary
        number of different ones that there are.
    unknown
        how many of the text's tokens are not among them.
    """

    row: str
    tokens: int
    vocabulary: int
    unknown: int


def _as_text(value: object, argument: str = "text") -> str:
    if not isinstance(value, str):
        raise StateError(f"{argument} is {value!r}; allowed is a text of 1 to {LONGEST_TEXT} characters")
    if not 1 <= len(value) <= LONGEST_TEXT:
        raise StateError(f"{argument} has {len(value)} characters; allowed are 1 to {LONGEST_TEXT}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise StateError(f"{argument} is {value!r}, with half a surrogate pair; allowed is Unicode text") from None
    return value


def _as_cut(value: object) -> str:
    if value not in CUTS:
        raise StateError(f"cut is {value!r}; allowed are {', '.join(map(repr, CUTS))}")
    return str(value)


def _as_place(value: object) -> int | None:
    # A character has at most four bytes.
    return None if value is None else as_whole(value, "at", 0, 4 * LONGEST_TEXT - 1)


class TokenizerExplorer(Explorable):
    """Type a text and see it cut into characters, words, bytes and byte pairs, the latter merge by merge.

    Byte-pair encoding: Sennrich, Haddow & Birch (2016); on bytes: Radford et al. (2019), section 2.2.

    Parameters
    ----------
    tokenizer:
        The BPE.
    characters:
        A vocabulary of characters. What is not in it has no id.
    words:
        A vocabulary of words.
    text:
        The text, 1 to 200 characters.
    examples:
        Further texts to choose from.
    **traits:
        ``cut`` (whose tokens are shown: ``"characters"``, ``"words"`` or ``"bpe"``), ``step`` (how many of the merges
        that happen in the text have happened; without it all), ``at`` (the token that holds this byte of the text is
        looked at closely; None for no token); and ``name``, see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) for an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "tokenizer"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "tokenizer")

    tokenizers: Any = traitlets.Dict(read_only=True).tag(sync=True)
    examples: Any = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    text = Checked(lambda _, value: _as_text(value), TEXT).tag(sync=True)
    cut = Checked(lambda _, value: _as_cut(value), "bpe").tag(sync=True)
    step = Checked(lambda _, value: as_whole(value, "step", 0, 4 * LONGEST_TEXT), 0).tag(sync=True)
    at = Checked(lambda _, value: _as_place(value), 0).tag(sync=True)

    def __init__(
        self,
        tokenizer: BPETokenizer,
        characters: CharTokenizer,
        words: WordTokenizer,
        text: str = TEXT,
        examples: Sequence[str] = (),
        **traits: Any,
    ) -> None:
        self._bpe, self._characters, self._words = tokenizer, characters, words
        pages = {"bpe": tokenizer.to_page(), "characters": characters.to_page(), "words": words.to_page()}
        self.set_trait("tokenizers", pages)
        self.set_trait("examples", [_as_text(example, "examples") for example in examples])
        first = {"text": text, "step": len(tokenizer.merges_in(_as_text(text))), **traits}
        self._settled: tuple[str, int] = (first["text"], first["step"])
        super().__init__(**first)

    @traitlets.validate("step")
    def _check_step(self, proposal: Any) -> int:
        last = len(self.merges)
        if proposal["value"] > last:
            raise StateError(f"step is {proposal['value']}; allowed are 0 to {last}, the merges in the text")
        return int(proposal["value"])

    @traitlets.validate("at")
    def _check_at(self, proposal: Any) -> int | None:
        last, at = len(self.text.encode()) - 1, proposal["value"]
        if at is not None and at > last:
            raise StateError(f"at is {at}; allowed are 0 to {last}, the bytes of the text, and None")
        return None if at is None else int(at)

    @traitlets.observe("text", "step")
    def _keep_inside(self, _change: Any) -> None:
        # Who has merged all goes on to merge all in another text.
        before, step = self._settled
        self._settled = (self.text, self.step)
        if self.text == before:
            return
        last = len(self.merges)
        if self.step == step:
            self.step = last if step == len(self._bpe.merges_in(before)) else min(step, last)
        if self.at is not None:
            self.at = min(self.at, len(self.text.encode()) - 1)
        self._settled = (self.text, self.step)

    @property
    def merges(self) -> list[Merge]:
        """The merges that happen in the text, in order."""
        return self._bpe.merges_in(self.text)

    def _ids_after(self, step: int) -> list[int]:
        first = self.merges[step - 1].rank + 1 if step else 0
        return self._bpe.first_merges(first).encode(self.text)

    @property
    def ids(self) -> list[int | None]:
        """The ids of the tokens that are shown; None for a character that has none."""
        if self.cut == "characters":
            known = {character: i for i, character in enumerate(self._characters.characters)}
            return [known.get(character) for character in self.text]
        return [*(self._words.encode(self.text) if self.cut == "words" else self._ids_after(self.step))]

    @property
    def counts(self) -> list[Count]:
        """How many tokens each tokenizer makes of the text."""
        characters, words = self._characters, self._words
        word_ids = words.encode(self.text)
        unknown = sum(character not in characters.characters for character in self.text)
        return [
            Count("characters", len(self.text), characters.vocab_size, unknown),
            Count("words", len(word_ids), words.vocab_size, word_ids.count(0)),
            Count("bytes", len(self._ids_after(0)), 256, 0),
            Count("bpe", len(self._bpe.encode(self.text)), self._bpe.vocab_size, 0),
        ]

    def table(self) -> Table:
        """Return the counts side by side."""
        rows: list[list[str | float]] = [
            [self.name_of(row), str(tokens), f"{vocabulary:,}", str(unknown)]
            for row, tokens, vocabulary, unknown in self.counts
        ]
        return Table([text(f"tokenizer.head_{head}") for head in ("cut", "tokens", "vocabulary", "unknown")], rows)

    def name_of(self, row: str) -> str:
        """Return how a row of :attr:`counts` is called."""
        return text(f"tokenizer.row_{row}", merges=len(self._bpe.merges))

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        counts = {count.row: count for count in self.counts}
        return text(
            "tokenizer.alternative",
            text=self.text,
            unknown=counts["words"].unknown,
            merges=len(self._bpe.merges),
            count=counts["bpe"].tokens,
            **{row: counts[row].tokens for row in ("characters", "words", "bytes")},
        )

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("tokenizer.figure_caption")

    def figure(self) -> Figure:
        """Draw the present text, cut in four ways, with matplotlib."""
        from dlcompare.widgets.tokenizer_figure import draw

        return draw(self)
