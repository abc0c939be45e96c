"""Text to token ids and back: a character vocabulary, and byte-level byte-pair encoding (BPE).

The BPE is that of GPT-2 (Radford et al. 2019, section 2.2; the algorithm: Sennrich et al. 2016), trained and
run by Hugging Face's ``tokenizers``. Being byte-level it encodes any Unicode text and never meets an unknown.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, Self

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

__all__ = [
    "CLS",
    "ENCODER_TOKENS",
    "END",
    "MASK",
    "PAD",
    "REPLY",
    "SEP",
    "SPECIAL_TOKENS",
    "USER",
    "BPETokenizer",
    "CharTokenizer",
    "Tokenizer",
    "from_json",
]

#: Ends a turn.
END = "<|end|>"
#: Begins what the user says.
USER = "<|user|>"
#: Begins what the model says.
REPLY = "<|reply|>"
#: Tokens of the dialogue template. They stand in every BPE vocabulary from the start, so that a model
#: pre-trained on plain text can be fine-tuned on dialogue without resizing its embedding.
SPECIAL_TOKENS = (END, USER, REPLY)

#: Begins what an encoder reads; what it says about the whole is read off here.
CLS = "[CLS]"
#: Ends each of the texts that an encoder reads.
SEP = "[SEP]"
#: Stands where a token is hidden, for an encoder to guess.
MASK = "[MASK]"
#: Fills up short rows of a batch; no position sees it.
PAD = "[PAD]"
#: What an encoder needs beside the tokens of text (Devlin et al. 2019, section 3); see
#: :meth:`BPETokenizer.with_tokens`.
ENCODER_TOKENS = (CLS, SEP, MASK, PAD)


class Tokenizer(Protocol):
    """What models and chapters ask of a tokenizer."""

    @property
    def vocab_size(self) -> int:
        """Number of distinct ids; ids run from 0 to ``vocab_size - 1``."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of ``text``."""

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ``ids``."""

    def to_json(self) -> str:
        """Return a description from which :func:`from_json` rebuilds the tokenizer."""


def _check_ids(ids: Iterable[int], vocab_size: int) -> list[int]:
    checked = [int(i) for i in ids]
    for i in checked:
        if not 0 <= i < vocab_size:
            raise ValueError(f"ids contains {i}; allowed are 0 to {vocab_size - 1} (vocab_size is {vocab_size})")
    return checked


def _check_text(text: str, name: str = "text") -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} contains {text[error.start]!r} at place {error.start}, half of a surrogate pair; allowed is"
            " Unicode text, which has whole characters"
        ) from None


class CharTokenizer:
    """One id per character, in the order of the code points.

    Parameters
    ----------
    characters
        the vocabulary; each character once.

    Raises
    ------
    ValueError
        when ``characters`` is empty, holds something twice or longer than one character, or half a surrogate pair.
    """

    def __init__(self, characters: Sequence[str]):
        if not characters:
            raise ValueError("characters is empty; at least one character is needed")
        if any(len(c) != 1 for c in characters) or len(set(characters)) != len(characters):
            raise ValueError("characters must be distinct strings of length 1")
        self.characters = "".join(characters)
        _check_text(self.characters, "characters")
        self._ids = {c: i for i, c in enumerate(self.characters)}

    @classmethod
    def train(cls, text: str) -> Self:
        """Return the tokenizer whose vocabulary is the set of characters of ``text``."""
        return cls(sorted(set(text)))

    @property
    def vocab_size(self) -> int:
        """Number of characters."""
        return len(self.characters)

    def encode(self, text: str) -> list[int]:
        """Return one id per character.

        Raises
        ------
        ValueError
            for a character outside the vocabulary.
        """
        try:
            return [self._ids[c] for c in text]
        except KeyError as unknown:
            raise ValueError(
                f"text contains {unknown.args[0]!r}, which is not among the {self.vocab_size} known characters"
            ) from None

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ``ids``."""
        return "".join(self.characters[i] for i in _check_ids(ids, self.vocab_size))

    def tokens(self, text: str) -> list[str]:
        """Return the readable token of each id of ``text``: here, its characters."""
        self.encode(text)
        return list(text)

    def to_json(self) -> str:
        """Return a description from which :func:`from_json` rebuilds the tokenizer."""
        return json.dumps(self.to_page(), ensure_ascii=False)

    def to_page(self) -> dict[str, Any]:
        """Return what a page needs: the fields of the description for ``js/src/shared/tokenizer.js``, the twin."""
        return {"kind": "characters", "characters": self.characters}


class BPETokenizer:
    """Byte-level BPE: 256 byte tokens, then the most frequent adjacent pairs merged one by one.

    Parameters
    ----------
    engine
        a trained ``tokenizers.Tokenizer``; usually from :meth:`train` or :func:`from_json`.
    """

    def __init__(self, engine: tokenizers.Tokenizer):
        self.engine = engine

    @classmethod
    def train(cls, text: str, vocab_size: int) -> Self:
        """Learn merges on ``text`` until the vocabulary has ``vocab_size`` entries.

        The vocabulary holds :data:`SPECIAL_TOKENS`, the 256 bytes, and the merges. A text too short for so many
        merges gives a smaller vocabulary.

        Raises
        ------
        ValueError
            when ``vocab_size`` has no room for the bytes and the special tokens, or ``text`` holds half a surrogate
            pair.
        """
        _check_text(text)
        smallest = 256 + len(SPECIAL_TOKENS)
        if vocab_size < smallest:
            raise ValueError(
                f"vocab_size is {vocab_size}; at least {smallest} (256 bytes and {len(SPECIAL_TOKENS)} special tokens)"
            )
        engine = tokenizers.Tokenizer(models.BPE())
        engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        engine.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=list(SPECIAL_TOKENS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        engine.train_from_iterator(text.splitlines(keepends=True), trainer)
        return cls(engine)

    @property
    def vocab_size(self) -> int:
        """Number of tokens, the special ones included."""
        return int(self.engine.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """Return the ids of ``text``; a special token written out in it becomes that token's id.

        Raises
        ------
        ValueError
            when ``text`` holds half a surrogate pair, which stands for no character.
        """
        _check_text(text)
        return list(self.engine.encode(text).ids)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ``ids``, special tokens written out; bytes that are no UTF-8 become U+FFFD."""
        return str(self.engine.decode(_check_ids(ids, self.vocab_size), skip_special_tokens=False))

    def tokens(self, text: str) -> list[str]:
        """Return the readable token of each id of ``text``; a space that starts a token is kept."""
        return [self.decode([i]) for i in self.encode(text)]

    def id_of(self, token: str) -> int:
        """Return the id of one token by its text, such as :data:`END`.

        Raises
        ------
        ValueError
            when ``token`` is not in the vocabulary.
        """
        found = self.engine.token_to_id(token)
        if found is None:
            raise ValueError(f"token is {token!r}, which is not in the vocabulary")
        return int(found)

    def with_tokens(self, *tokens: str) -> Self:
        """Return a tokenizer that knows ``tokens`` as well; their ids follow the others, which stay as they are.

        Written out in a text, each becomes its id, like :data:`SPECIAL_TOKENS`.

        Raises
        ------
        ValueError
            for no tokens, or one that is empty or in the vocabulary already.
        """
        if not tokens or not all(tokens):
            raise ValueError(f"tokens is {tokens}; at least one is needed, and none may be empty")
        if known := [token for token in tokens if self.engine.token_to_id(token) is not None]:
            raise ValueError(f"tokens contains {known[0]!r}, which is in the vocabulary already")
        engine = tokenizers.Tokenizer.from_str(self.to_json())
        engine.add_special_tokens(list(tokens))
        return type(self)(engine)

    def to_json(self) -> str:
        """Return the ``tokenizers`` JSON, readable by any of its language bindings."""
        return str(self.engine.to_str())

    def to_page(self) -> dict[str, Any]:
        """Return what a page needs: the fields of a description for ``js/src/shared/tokenizer.js``, the twin.

        It is a fifth of :meth:`to_json`: ``special`` has the special tokens with their ids, and ``tokens`` those that
        were merged, in the order in which they were learned, as the vocabulary writes them. The twin works out the rest
        from what holds for all that :meth:`train` gives: in the ids that special tokens leave, bytes come first and
        merged tokens follow; and each was merged from the two tokens that the merges before it make of its bytes.

        Raises
        ------
        ValueError
            when it does not hold for ``engine``, or one of its settings is not that of :meth:`train`.
        """
        fields = json.loads(self.to_json())
        for path, allowed in _PAGE_SETTINGS.items():
            value = functools.reduce(lambda inner, name: (inner or {}).get(name), path.split("."), fields)
            if value != allowed:
                raise ValueError(f"engine has {path} {value!r}; allowed in a page is {allowed!r}")
        added = fields["added_tokens"]
        for token in added:
            if any(token[condition] for condition in ("single_word", "lstrip", "rstrip", "normalized")):
                raise ValueError(
                    f"engine has a token {token['content']!r} with conditions; allowed in a page are tokens that stand"
                    " anywhere"
                )
        special = {token["content"]: token["id"] for token in added}
        merges = [tuple(halves) for halves in fields["model"]["merges"]]
        tokens = ["".join(halves) for halves in merges]

        others = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *tokens]
        left = itertools.filterfalse(set(special.values()).__contains__, itertools.count())
        if special | dict(zip(others, left, strict=False)) != self.engine.get_vocab():
            raise ValueError(
                "engine numbers its tokens in an order of its own; allowed in a page are the bytes and what each merge"
                " makes, in order, in the ids that special tokens leave"
            )
        ranks: dict[tuple[str, ...], int] = {}
        for halves, token in zip(merges, tokens, strict=True):
            if _merged(token, ranks) != halves:
                raise ValueError(
                    f"engine merges {token!r} from {halves}, but the merges before make {_merged(token, ranks)} of it;"
                    " allowed in a page are the same"
                )
            ranks[halves] = len(ranks)
        return {"kind": "bpe", "special": special, "tokens": " ".join(tokens)}


#: What a page's tokenizer takes for granted.
_PAGE_SETTINGS = {
    "truncation": None,
    "padding": None,
    "normalizer": None,
    "pre_tokenizer.type": "ByteLevel",
    "pre_tokenizer.add_prefix_space": False,
    "pre_tokenizer.use_regex": True,
    "post_processor": None,
    "decoder.type": "ByteLevel",
    "model.type": "BPE",
    "model.dropout": None,
    "model.continuing_subword_prefix": None,
    "model.end_of_word_suffix": None,
    "model.byte_fallback": False,
    "model.ignore_merges": False,
}


def _merged(word: str, ranks: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """Return what merges make of a word, by the definition: the one learned first, where it stands leftmost."""
    parts = list(word)
    while pairs := [(ranks[pair], i) for i, pair in enumerate(itertools.pairwise(parts)) if pair in ranks]:
        _, i = min(pairs)
        parts[i : i + 2] = ["".join(parts[i : i + 2])]
    return tuple(parts)


def from_json(description: str) -> CharTokenizer | BPETokenizer:
    """Rebuild a tokenizer from what its ``to_json`` gave."""
    fields = json.loads(description)
    if fields.get("kind") == "characters":
        return CharTokenizer(fields["characters"])
    return BPETokenizer(tokenizers.Tokenizer.from_str(description))
