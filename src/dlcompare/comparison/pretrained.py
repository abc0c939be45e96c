"""Checkpoints as a start: the GPT and the encoder that were pre-trained on Shakespeare, with a new last layer."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from torch import nn

from dlcompare import checkpoints
from dlcompare.comparison.task import Examples, Part
from dlcompare.models import BERT, GPT
from dlcompare.models.classifier import BERTClassifier, GPTClassifier
from dlcompare.recipes.finetuning import as_bert_reads, as_gpt_reads
from dlcompare.tokenization import BPETokenizer
from dlcompare.training import Collate

__all__ = ["Start", "bert_classifier", "gpt_classifier"]


@dataclass(frozen=True)
class Start:
    """What is fine-tuned.

    Parameters
    ----------
    model
        the network, its last layer new and random.
    examples
        the task's data in the tokens of the checkpoint.
    collate
        makes what the network reads of these.
    sha256
        of the checkpoint's weights.
    """

    model: nn.Module
    examples: Examples
    collate: Collate
    sha256: str


def gpt_classifier(checkpoint: str, examples: Examples) -> Start:
    """Return a classifier that starts as the GPT of that checkpoint.

    Raises
    ------
    TypeError
        when it has no byte-pair tokenizer.
    ValueError
        when the task is not one of texts and classes.
    """
    loaded = checkpoints.load(checkpoint, expected=GPT)
    read, tokenizer = _read(checkpoint, loaded.tokenizer, examples, loaded.model.config.block_size - 1)
    model = GPTClassifier.from_language_model(loaded.model, examples.form.size_out)
    return Start(model, read, as_gpt_reads(tokenizer), loaded.card["sha256"])


def bert_classifier(checkpoint: str, examples: Examples) -> Start:
    """Return a classifier that starts as the encoder of that checkpoint.

    Raises
    ------
    TypeError
        when it has no byte-pair tokenizer.
    ValueError
        when the task is not one of texts and classes.
    """
    loaded = checkpoints.load(checkpoint, expected=BERT)
    read, tokenizer = _read(checkpoint, loaded.tokenizer, examples, loaded.model.config.block_size - 2)
    model = BERTClassifier.from_encoder(loaded.model, examples.form.size_out)
    return Start(model, read, as_bert_reads(tokenizer), loaded.card["sha256"])


def _read(checkpoint: str, tokenizer: object, examples: Examples, longest: int) -> tuple[Examples, BPETokenizer]:
    """Return the data in the tokens of ``tokenizer``, texts of more than ``longest`` cut off."""
    if not isinstance(tokenizer, BPETokenizer):
        raise TypeError(f"checkpoint is {checkpoint!r}, which has no byte-pair tokenizer")
    if examples.form.answer != "class" or not all(part.raw for part in examples.splits):
        raise ValueError(
            f"form is of kind {examples.form.kind!r} with the answer {examples.form.answer!r}; allowed are texts with a"
            " class each"
        )

    def part(of: Part) -> Part:
        return dataclasses.replace(of, inputs=[(tokenizer.encode(text)[:longest],) for text in of.raw])

    return dataclasses.replace(examples, splits=examples.splits.map(part)), tokenizer
