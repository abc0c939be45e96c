"""One frame for networks that read sequences: the first and the last layer are the same, only what is between differs.

An embedding of tokens, or a linear layer for vectors; a *body*; a linear layer that answers, at every position or once
for the whole sequence. The bodies are an MLP over all places or over their mean (a bag, as in Iyyer et al. 2015), an
MLP over the last few places (Bengio et al. 2003), convolutions (:mod:`dlcompare.models.temporal`), recurrent layers
(:mod:`torch.nn`), and the blocks of the Transformer encoder and of GPT.

Where a network of its own exists (:class:`~dlcompare.models.GPT`, :class:`~dlcompare.models.RecurrentLM`,
:class:`~dlcompare.models.TransformerEncoder`, …), that is the one to read; this is for the cases that they leave out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare.models.attention import head_width
from dlcompare.models.checks import check_ids, check_images, check_positive, check_probability
from dlcompare.models.encoder import EncoderBlock, sinusoidal_positions
from dlcompare.models.gpt import Block, GPTConfig
from dlcompare.models.temporal import TemporalBlock

__all__ = ["Body", "Reading", "RowSequence", "SequenceConfig", "SequenceModel"]

Body = Literal["flat", "bag", "window", "cnn", "rnn", "lstm", "gru", "encoder", "gpt"]
Reading = Literal["each", "last", "mean", "max"]

_RECURRENT: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


@dataclass(frozen=True)
class SequenceConfig:
    """Sizes of a network that reads sequences.

    Parameters
    ----------
    body
        "flat": an MLP over all places side by side; "bag": an MLP over their mean; "window": at each place an MLP over
        the last ``kernel_size`` ones; "cnn"; "rnn", "lstm", "gru"; "encoder"; "gpt".
    read
        "each": an answer at every position; "last": one, at the last visible position; "mean", "max": one, from the
        mean or maximum over the visible positions. "flat" and "bag" have one answer, whatever stands here.
    d_model
        width between the layers.
    output_size
        numbers of an answer.
    block_size
        longest sequence.
    vocab_size
        number of token ids, where tokens come in.
    input_size
        numbers per position, where vectors come in.
    n_layer
        layers of the body; an MLP has that many hidden ones.
    n_head
        attention heads per block; divides ``d_model``. Only for "encoder" and "gpt".
    kernel_size
        of the convolutions, whose dilations are 1, 2, 4, …, or of "window".
    causal
        whether a "cnn" sees no later position; the recurrent ones, "window" and "gpt" never do.
    dropout
        probability of dropping a value in training.

    Raises
    ------
    ValueError
        when a field is out of range, not exactly one of ``vocab_size`` and ``input_size`` is given, or ``d_model`` is
        no multiple of ``n_head`` where there are heads (of an encoder, no even one).
    """

    body: Body
    read: Reading
    d_model: int
    output_size: int
    block_size: int
    vocab_size: int | None = None
    input_size: int | None = None
    n_layer: int = 1
    n_head: int = 1
    kernel_size: int = 3
    causal: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name, allowed in (("body", get_args(Body)), ("read", get_args(Reading))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}; allowed are {', '.join(map(repr, allowed))}")
        check_positive(self, "d_model", "output_size", "block_size", "n_layer", "n_head", "kernel_size")
        check_probability(self, "dropout")
        if (self.vocab_size is None) == (self.input_size is None):
            raise ValueError(
                f"vocab_size is {self.vocab_size} and input_size is {self.input_size}; allowed is one of them, the"
                " other None"
            )
        check_positive(self, "input_size" if self.vocab_size is None else "vocab_size")
        if self.body in ("encoder", "gpt"):
            head_width(self.d_model, self.n_head)
        if self.body == "encoder" and self.d_model % 2:
            raise ValueError(f"d_model is {self.d_model}; allowed are even numbers, for sines and cosines")


class _Flat(nn.Module):
    """An MLP over all places side by side, those beyond the sequence's end being zeros."""

    def __init__(self, config: SequenceConfig):
        super().__init__()
        self.block_size = config.block_size
        self.layers = _mlp(config.block_size * config.d_model, config)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, seq, d_model) to (batch, d_model)."""
        padded = F.pad(x, (0, 0, 0, self.block_size - x.shape[1]))  # (batch, block_size, d_model)
        y: Tensor = self.layers(padded.flatten(1))
        return y


class _Window(nn.Module):
    """At each place an MLP over the last few places, zeros before the beginning."""

    def __init__(self, config: SequenceConfig):
        super().__init__()
        self.size = config.kernel_size
        self.layers = _mlp(config.kernel_size * config.d_model, config)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, seq, d_model) to (batch, seq, d_model)."""
        windows = F.pad(x, (0, 0, self.size - 1, 0)).unfold(1, self.size, 1)  # (batch, seq, d_model, size)
        y: Tensor = self.layers(windows.flatten(2))
        return y


def _mlp(n_in: int, config: SequenceConfig) -> nn.Sequential:
    sizes = (n_in, *[config.d_model] * config.n_layer)
    layers: list[nn.Module] = []
    for a, b in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(config.dropout)]
    return nn.Sequential(*layers)


class SequenceModel(nn.Module):
    """Embedding or linear layer, body, and a linear layer that answers."""

    positions: Tensor

    def __init__(self, config: SequenceConfig):
        super().__init__()
        self.config = c = config
        d = c.d_model
        if c.vocab_size is not None:
            self.embedding: nn.Module = nn.Embedding(c.vocab_size, d)
            nn.init.normal_(self.embedding.weight, std=0.02 if c.body == "gpt" else d**-0.5)
        else:
            assert c.input_size is not None
            self.embedding = nn.Linear(c.input_size, d)
        if c.body == "encoder":
            self.register_buffer("positions", sinusoidal_positions(c.block_size, d), persistent=False)
        elif c.body == "gpt":
            self.positions = nn.Parameter(torch.empty(c.block_size, d))
            nn.init.normal_(self.positions, std=0.02)
        self.dropout = nn.Dropout(c.dropout)
        self.body = self._make_body()
        self.norm = nn.LayerNorm(d) if c.body == "gpt" else nn.Identity()
        self.output = nn.Linear(d, c.output_size)

    def _make_body(self) -> nn.Module:
        c, d = self.config, self.config.d_model
        if c.body == "flat":
            return _Flat(c)
        if c.body == "window":
            return _Window(c)
        if c.body == "bag":
            return _mlp(d, c)
        if c.body == "cnn":
            return nn.ModuleList(
                TemporalBlock(d, c.kernel_size, 2**i, causal=c.causal, dropout=c.dropout) for i in range(c.n_layer)
            )
        if c.body in _RECURRENT:
            between = c.dropout if c.n_layer > 1 else 0.0
            return _RECURRENT[c.body](d, d, c.n_layer, batch_first=True, dropout=between)
        if c.body == "encoder":
            return nn.ModuleList(EncoderBlock(d, c.n_head, 4 * d, c.dropout) for _ in range(c.n_layer))
        block = GPTConfig(c.vocab_size or 1, c.block_size, c.n_layer, c.n_head, d, c.dropout)
        return nn.ModuleList(Block(block) for _ in range(c.n_layer))

    def hidden(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return what the body makes of the input: (batch, seq, d_model); "flat" and "bag" make (batch, d_model).

        Arguments and errors are those of :meth:`forward`.

        Raises
        ------
        ValueError
            as there.
        """
        c = self.config
        if c.vocab_size is not None:
            check_ids(x, c.vocab_size, longest=c.block_size)
        elif x.ndim != 3 or x.shape[2] != c.input_size or x.shape[1] > c.block_size:
            raise ValueError(
                f"x has shape {tuple(x.shape)}; allowed is (batch, seq, input_size = {c.input_size}) with seq of at"
                f" most block_size = {c.block_size}"
            )
        x = self.embedding(x)  # (batch, seq, d_model)
        if c.body == "encoder" and c.vocab_size is not None:
            x = x * math.sqrt(c.d_model)
        if c.body in ("encoder", "gpt"):
            x = x + self.positions[: x.shape[1]]
        x = self.dropout(x)
        if visible is not None and c.body in ("flat", "window"):
            x = x * visible[..., None]  # padding is as what lies beyond the ends: zeros
        if c.body == "bag":
            x = self.body(_mean(x, visible))  # (batch, d_model)
        elif c.body == "cnn":
            x = x.transpose(1, 2)  # (batch, d_model, seq)
            for block in self.body:  # type: ignore[attr-defined]
                x = block(x, visible)
            x = x.transpose(1, 2)
        elif c.body in _RECURRENT:
            x, _ = self.body(x)
        elif c.body == "encoder":
            for block in self.body:  # type: ignore[attr-defined]
                x = block(x, visible)
        elif c.body == "gpt":
            for block in self.body:  # type: ignore[attr-defined]
                x = block(x)
        else:
            x = self.body(x)
        return x

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return the answers.

        Parameters
        ----------
        x
            token ids, integer, (batch, seq), or vectors (batch, seq, input_size); seq ≤ ``block_size``.
        visible
            boolean, (batch, seq): False marks padding on the right. By default there is none.

        Returns
        -------
        Tensor
            (batch, seq, output_size) where ``read`` is "each", else (batch, output_size).

        Raises
        ------
        ValueError
            for a wrong shape, an id out of range, or a sequence longer than ``block_size``.
        """
        x = self.norm(self.hidden(x, visible))
        if x.ndim == 3 and self.config.read != "each":
            x = _read(x, visible, self.config.read)  # (batch, d_model)
        y: Tensor = self.output(x)
        return y


class RowSequence(SequenceModel):
    """A network that reads a grey image from top to bottom, one row per position; ``input_size`` is its width.

    As :class:`~dlcompare.models.RowReader` does, with any body.
    """

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Map images (batch, 1, height, input_size) to (batch, output_size).

        Raises
        ------
        ValueError
            for images of another shape, or ``visible``, of which images have none.
        """
        if visible is not None:
            raise ValueError(f"visible has shape {tuple(visible.shape)}; allowed is None, for every row is seen")
        check_images(x, 1)
        return super().forward(x[:, 0])


def _mean(x: Tensor, visible: Tensor | None) -> Tensor:
    """Return the mean (batch, d_model) of ``x`` (batch, seq, d_model) over the visible positions."""
    if visible is None:
        return x.mean(1)
    weight = visible.to(x.dtype)[..., None]  # (batch, seq, 1)
    return (x * weight).sum(1) / weight.sum(1).clamp(min=1)


def _read(x: Tensor, visible: Tensor | None, how: Reading) -> Tensor:
    """Return one vector (batch, d_model) for each sequence of ``x`` (batch, seq, d_model)."""
    if how == "mean":
        return _mean(x, visible)
    if how == "max":
        return (x if visible is None else x.masked_fill(~visible[..., None], -math.inf)).amax(1)
    if visible is None:
        return x[:, -1]
    return x[torch.arange(len(x), device=x.device), visible.sum(1) - 1]
