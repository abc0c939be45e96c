"""Sentences of film reviews: tokens in, good or bad out."""

from __future__ import annotations

from dlcompare import checkpoints, data
from dlcompare.comparison.task import Bar, Examples, Form, Metric, Part, Task
from dlcompare.tokenization import END, BPETokenizer

__all__ = ["SENTIMENT", "TOKENIZER", "load"]

#: The checkpoint whose tokenizer splits the sentences: every family reads what the one that is pre-trained reads.
TOKENIZER = "shakespeare-gpt"


def load(seed: int) -> Examples:
    """Return the sentences of :func:`~dlcompare.data.load_sentiment` as tokens; ``seed`` changes nothing.

    Raises
    ------
    TypeError
        when the checkpoint :data:`TOKENIZER` has no byte-pair tokenizer.
    """
    tokenizer = checkpoints.load(TOKENIZER).tokenizer
    if not isinstance(tokenizer, BPETokenizer):
        raise TypeError(f"TOKENIZER is {TOKENIZER!r}, which has no byte-pair tokenizer")
    splits = data.load_sentiment().map(
        lambda part: Part([(tokenizer.encode(text),) for text in part.texts], part.labels, raw=part.texts)
    )
    longest = max(len(texts[0]) for part in splits for texts in part.inputs) + 1
    form = Form("tokens", "class", tokenizer.vocab_size, longest, 2, tokenizer.id_of(END))
    return Examples(form, splits)


#: Sentiment.
SENTIMENT = Task(
    "sentiment",
    "does this sentence of a film review praise or blame?",
    load,
    Metric("accuracy", "share", higher_is_better=True),
    {"batch_size": 32, "steps": 600, "tokenizer": TOKENIZER},
    data=("sentiment",),
    bar=Bar("logistic regression on the TF-IDF of words and their pairs", "baseline", stated=0.801),
)
