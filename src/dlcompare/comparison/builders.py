"""How each family is built for a task: from the task's form and a width to a network with random weights.

The depth is the same everywhere: one hidden layer (MLP), two convolutions (images) or as many blocks as reach over the
whole sequence (causal CNN), one recurrent layer, two blocks of attention with two heads. Width is what a budget sets.
"""

from __future__ import annotations

import math

from torch import nn

from dlcompare.comparison.task import Form
from dlcompare.models import (
    CNN,
    GPT,
    MLP,
    CNNConfig,
    EncoderConfig,
    GPTConfig,
    MLPConfig,
    RecurrentConfig,
    RecurrentLM,
    RecurrentLMConfig,
    RowReader,
    RowSequence,
    SequenceConfig,
    SequenceModel,
    TransformerEncoder,
    ViT,
    ViTConfig,
)
from dlcompare.models.classifier import GPTClassifier, GPTClassifierConfig
from dlcompare.models.recurrent import Kind
from dlcompare.models.sequence import Body, Reading

__all__ = ["SIZES", "cnn", "encoder", "gpt", "mlp", "recurrent"]

#: What is the same at every width: blocks and heads of the Transformers, places that an MLP sees of an endless text,
#: the convolutions' kernel, blocks of the CNN over texts, pixels of a patch.
SIZES = {"n_layer": 2, "n_head": 2, "window": 16, "kernel_size": 3, "text_blocks": 3, "patch_size": 7}

#: A text longer than this is a bag to an MLP: side by side, its places would take most of the weights.
_LONGEST_FLAT = 64


def _sequence(form: Form, body: Body, width: int, read: Reading, **sizes: int | bool) -> SequenceModel:
    """Return a network for sequences of the form's tokens or vectors; an image is one of rows."""
    made = RowSequence if form.kind == "image" else SequenceModel
    inputs = {"vocab_size": form.size_in} if form.kind == "tokens" else {"input_size": form.size_in}
    return made(SequenceConfig(body, read, width, form.size_out, form.length, **inputs, **sizes))  # type: ignore[arg-type]


def mlp(form: Form, width: int) -> nn.Module:
    """Return an MLP with one hidden layer over all that comes in, over the last places, or over a bag of words."""
    if form.kind == "image":
        return MLP(MLPConfig((form.length * form.size_in, width, form.size_out)))
    if form.answer in ("next", "places"):
        return _sequence(form, "window", width, "each", kernel_size=SIZES["window"])
    return _sequence(form, "bag" if form.end is not None and form.length > _LONGEST_FLAT else "flat", width, "last")


def cnn(form: Form, width: int) -> nn.Module:
    """Return a CNN: in two dimensions for images, in one for sequences, causal but for whole texts."""
    if form.kind == "image":
        return CNN(CNNConfig(1, form.size_in, (width, 2 * width), 2 * width, form.size_out))
    kernel = SIZES["kernel_size"]
    if form.end is not None:
        return _sequence(form, "cnn", width, "max", n_layer=SIZES["text_blocks"], kernel_size=kernel)
    # As many blocks as it takes for the last position to see the first.
    blocks = max(1, math.ceil(math.log2((form.length - 1) / (2 * (kernel - 1)) + 1)))
    read: Reading = "each" if form.answer in ("next", "places") else "last"
    return _sequence(form, "cnn", width, read, n_layer=blocks, kernel_size=kernel, causal=True)


def recurrent(form: Form, width: int, kind: Kind) -> nn.Module:
    """Return a recurrent network with one layer; an image is read row by row."""
    if form.kind == "image":
        return RowReader(RecurrentConfig(kind, form.size_in, width, form.size_out))
    if form.answer in ("next", "places"):
        return RecurrentLM(RecurrentLMConfig(kind, form.size_in, width))
    return _sequence(form, kind, width, "last")


def encoder(form: Form, width: int) -> nn.Module:
    """Return a Transformer encoder; an image is read as patches.

    Raises
    ------
    ValueError
        for a form that asks for what stands further on in the row, where an encoder sees it.
    """
    n_layer, n_head = SIZES["n_layer"], SIZES["n_head"]
    if form.answer == "places" and form.looks_ahead:
        return _sequence(form, "encoder", width, "each", n_layer=n_layer, n_head=n_head)
    if form.answer in ("next", "places"):
        raise ValueError(f"form.answer is {form.answer!r}; an encoder would see what it is asked")
    if form.kind == "image":
        return ViT(ViTConfig(form.size_in, SIZES["patch_size"], 1, n_layer, n_head, width, form.size_out))
    if form.end is not None:
        return TransformerEncoder(EncoderConfig(form.size_in, form.length, n_layer, n_head, width, form.size_out))
    return _sequence(form, "encoder", width, "last", n_layer=n_layer, n_head=n_head)


def gpt(form: Form, width: int) -> nn.Module:
    """Return a GPT; an image is read row by row."""
    n_layer, n_head = SIZES["n_layer"], SIZES["n_head"]
    if form.kind != "tokens":
        return _sequence(form, "gpt", width, "last", n_layer=n_layer, n_head=n_head)
    config = GPTConfig(form.size_in, form.length, n_layer, n_head, width)
    if form.answer == "class":
        return GPTClassifier(GPTClassifierConfig(config, form.size_out))
    return GPT(config)
