"""Shakespeare, character by character, the next one to be foretold."""

from __future__ import annotations

import torch

from dlcompare import data
from dlcompare.comparison.task import Bar, Examples, Form, Metric, Part, Task
from dlcompare.tokenization import CharTokenizer

__all__ = ["SHAKESPEARE", "load"]

_SEQ = 128
#: How much of the validation part is looked at while training goes on, in characters.
_WATCHED = 40_000


def load(seed: int, characters: int | None = None) -> Examples:
    """Return the text of :func:`~dlcompare.data.load_shakespeare` as ids of characters.

    Of the validation part, the first characters alone: it is looked at often. The test part is whole.

    Parameters
    ----------
    seed
        decides where in the training part the piece to learn from begins; on nothing where all of it is taken.
    characters
        how long that piece is; None for all. The vocabulary is that of the whole part either way.

    Raises
    ------
    ValueError
        when there are not so many ``characters``.
    """
    corpus = data.load_shakespeare()
    tokenizer = CharTokenizer.train(corpus.train.text)
    text = corpus.train.text
    if characters is not None:
        if not 1 <= characters <= len(text):
            raise ValueError(f"characters is {characters}; allowed are 1 to {len(text)}")
        begin = torch.randint(len(text) - characters + 1, (), generator=torch.Generator().manual_seed(seed)).item()
        text = text[int(begin) :][:characters]

    def part(text: str) -> Part:
        ids = torch.tensor(tokenizer.encode(text))
        return Part(ids, ids, raw=(text,))

    splits = data.Splits(part(text), part(corpus.validation.text[:_WATCHED]), part(corpus.test.text))
    vocabulary = tokenizer.vocab_size
    return Examples(Form("tokens", "next", vocabulary, _SEQ, vocabulary), splits)


#: Shakespeare by characters.
SHAKESPEARE = Task(
    "shakespeare",
    "which character comes next in a play by Shakespeare?",
    load,
    Metric("bits_per_character", "bits", higher_is_better=False),
    {"batch_size": 32, "steps": 1000, "seq": _SEQ, "validation_characters": _WATCHED},
    data=("shakespeare",),
    bar=Bar("an n-gram model with Witten-Bell smoothing", "baseline"),
)
