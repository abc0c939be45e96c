"""Text to token ids and back: vocabularies of characters and of words, and byte-level byte-pair encoding (BPE).

The BPE is that of GPT-2 (Radford et al. 2019, section 2.2; the algorithm: Sennrich et al. 2016), trained and
run by Hugging Face's ``tokenizers``. Being byte-level it encodes any Unicode text and never meets an unknown.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    "UNKNOWN",
    "USER",
    "BPETokenizer",
    "CharTokenizer",
    "Merge",
    "Tokenizer",
    "WordTokenizer",
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

#: What a vocabulary of words has for each word that is not in it.
UNKNOWN = "<|unknown|>"


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


_WORDS = pre_tokenizers.ByteLevel(add_prefix_space=False)


def _words(text: str) -> list[str]:
    """Return the words of a text with the space before them, and what is between, as byte-level BPE cuts them."""
    _check_text(text)
    return [text[first:after] for _, (first, after) in _WORDS.pre_tokenize_str(text)]


class WordTokenizer:
    """One id per word, as far as the vocabulary goes; all other words share the id 0, and are lost.

    A word is what GPT-2's BPE never merges across (Radford et al. 2019, section 2.2): letters, digits or signs, with
    the one space before them; or white space.

    Parameters
    ----------
    words
        the vocabulary; each word once. Their ids follow that of :data:`UNKNOWN`.

    Raises
    ------
    ValueError
        when ``words`` is empty, or holds something twice or something that is not one word.
    """

    def __init__(self, words: Sequence[str]):
        if not words:
            raise ValueError("words is empty; at least one word is needed")
        if wrong := [word for word in words if _words(word) != [word]]:
            raise ValueError(f"words contains {wrong[0]!r}, which is {len(_words(wrong[0]))} words; allowed is one")
        if len(set(words)) != len(words):
            raise ValueError(f"words contains {Counter(words).most_common(1)[0][0]!r} twice; allowed is each word once")
        self.words = tuple(words)
        self._ids = {word: i for i, word in enumerate(self.words, start=1)}

    @classmethod
    def train(cls, text: str, vocab_size: int) -> Self:
        """Return the tokenizer of the ``vocab_size - 1`` most frequent words of ``text``.

        Of equally frequent words the one that comes first counts more. A text of fewer words gives a smaller
        vocabulary.

        Raises
        ------
        ValueError
            when ``vocab_size`` has no room for a word beside :data:`UNKNOWN`, or ``text`` holds half a surrogate pair.
        """
        if vocab_size < 2:
            raise ValueError(f"vocab_size is {vocab_size}; at least 2 ({UNKNOWN} and a word)")
        counted = Counter(itertools.chain.from_iterable(map(_words, text.splitlines(keepends=True))))
        return cls([word for word, _ in counted.most_common(vocab_size - 1)])

    @property
    def vocab_size(self) -> int:
        """Number of words, :data:`UNKNOWN` included."""
        return len(self.words) + 1

    def encode(self, text: str) -> list[int]:
        """Return one id per word, 0 for a word outside the vocabulary.

        Raises
        ------
        ValueError
            when ``text`` holds half a surrogate pair, which stands for no character.
        """
        return [self._ids.get(word, 0) for word in _words(text)]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ``ids``, with :data:`UNKNOWN` for each word that was lost."""
        return "".join((UNKNOWN, *self.words)[i] for i in _check_ids(ids, self.vocab_size))

    def tokens(self, text: str) -> list[str]:
        """Return the readable token of each id of ``text``: here, its words, known or not."""
        return _words(text)

    def to_page(self) -> dict[str, Any]:
        """Return what a page needs: the fields of the description for ``js/src/shared/tokenizer.js``, the twin."""
        return {"kind": "words", "words": list(self.words)}


@dataclass(frozen=True)
class Merge:
    """What one merge of a BPE does in a text.

    Parameters
    ----------
    rank
        the place of the merge among all, counted from 0: what was learned first is merged first.
    left, right
        ids of the two tokens.
    token
        id of what becomes of them.
    places
        how often it happens in the text.
    count
        tokens of the whole text when it has happened everywhere.
    """

    rank: int
    left: int
    right: int
    token: int
    places: int
    count: int


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

    def pieces(self, text: str) -> list[bytes]:
        """Return the bytes of each token of ``text``; together they are the text in UTF-8.

        Raises
        ------
        ValueError
            when ``text`` holds half a surrogate pair.
        """
        special = {token.content for token in self.engine.get_added_tokens_decoder().values()}
        written = [str(self.engine.id_to_token(i)) for i in self.encode(text)]
        # A token writes each of its bytes as one character.
        ends = itertools.accumulate(len(token.encode()) if token in special else len(token) for token in written)
        content = text.encode()
        return [content[first:after] for first, after in itertools.pairwise([0, *ends])]

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

    @functools.cached_property
    def merges(self) -> tuple[tuple[int, int], ...]:
        """All merges as pairs of ids, in the order in which they were learned."""
        vocabulary = self.engine.get_vocab()
        return tuple((vocabulary[left], vocabulary[right]) for left, right in self._learned)

    @functools.cached_property
    def _learned(self) -> list[tuple[str, str]]:
        return [(left, right) for left, right in json.loads(self.to_json())["model"]["merges"]]

    @functools.cached_property
    def _bytes_alone(self) -> Self:
        return self.first_merges(0)

    def first_merges(self, n: int) -> Self:
        """Return the tokenizer with its first ``n`` merges alone: with ``n = 0`` it gives bytes.

        The vocabulary stays as it is, and ids with it; tokens of the other merges are in it and never come up.

        Raises
        ------
        ValueError
            when there are not so many.
        """
        if not 0 <= n <= len(self.merges):
            raise ValueError(f"n is {n}; allowed is 0 to {len(self.merges)}, the merges that there are")
        fields = json.loads(self.to_json())
        del fields["model"]["merges"][n:]
        return type(self)(tokenizers.Tokenizer.from_str(json.dumps(fields)))

    def merges_in(self, text: str) -> list[Merge]:
        """Return the merges that happen in ``text``, in order; the last leaves the tokens that :meth:`encode` gives.

        The algorithm merges in each word the pair that was learned first, again and again. A pair with a merged token
        in it was learned after that token, so that over the whole text ranks only rise: each merge happens everywhere
        before the next one begins, and after it the text is what :meth:`first_merges` makes of it.

        Raises
        ------
        ValueError
            when ``text`` holds half a surrogate pair.
        """
        _check_text(text)
        read = self._bytes_alone.engine.encode(text)
        ranks, vocabulary = {pair: rank for rank, pair in enumerate(self.merges)}, self.engine.get_vocab()
        words = [
            [i for i, _ in group]
            for _, group in itertools.groupby(zip(read.ids, read.word_ids, strict=True), lambda pair: pair[1])
        ]
        happened: list[Merge] = []
        while pairs := {pair for word in words for pair in itertools.pairwise(word) if pair in ranks}:
            left, right = pair = min(pairs, key=ranks.__getitem__)
            token = vocabulary["".join(self._learned[ranks[pair]])]
            before = sum(map(len, words))
            words = [_with_pair_merged(word, pair, token) for word in words]
            count = sum(map(len, words))
            happened.append(Merge(ranks[pair], left, right, token, before - count, count))
        return happened

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


def _with_pair_merged(word: list[int], pair: tuple[int, int], token: int) -> list[int]:
    """Return the ids of a word with ``token`` in place of each ``pair``, from the left."""
    merged: list[int] = []
    place = 0
    while place < len(word):
        whole = tuple(word[place : place + 2]) == pair
        merged.append(token if whole else word[place])
        place += 2 if whole else 1
    return merged


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
