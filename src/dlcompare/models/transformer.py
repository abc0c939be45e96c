"""The Transformer encoder (Vaswani et al. 2017, section 3.1): every position sees every other.

Post-norm and sinusoidal positions as in the paper; the embedding is scaled by √d_model (section 3.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlcompare.models.attention import MultiHeadSelfAttention
from dlcompare.models.checks import check_ids, check_positive, check_probability

__all__ = ["EncoderBlock", "EncoderConfig", "TransformerEncoder", "sinusoidal_positions"]


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of a Transformer encoder with a classifier on top.

    Parameters
    ----------
    vocab_size
        number of token ids.
    block_size
        longest sequence in tokens.
    n_layer, n_head, d_model
        blocks, heads per block, width; ``n_head`` divides ``d_model``, which is even.
    classes
        number of classes.
    dropout
        probability of dropping a value in training.
    """

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    d_model: int
    classes: int
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_positive(self, "vocab_size", "block_size", "n_layer", "n_head", "d_model", "classes")
        check_probability(self, "dropout")
        if self.d_model % self.n_head or self.d_model % 2:
            raise ValueError(f"d_model is {self.d_model}; allowed are even multiples of n_head = {self.n_head}")


def sinusoidal_positions(seq: int, d_model: int) -> Tensor:
    r"""Return the position vectors (seq, d_model) of the paper's section 3.5.

    .. math:: PE_{t,2i} = \sin(t / 10000^{2i/d}), \qquad PE_{t,2i+1} = \cos(t / 10000^{2i/d})
    """
    position = torch.arange(seq)[:, None]
    frequency = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    positions = torch.empty(seq, d_model)
    positions[:, 0::2] = torch.sin(position * frequency)
    positions[:, 1::2] = torch.cos(position * frequency)
    return positions


class EncoderBlock(nn.Module):
    """Attention, then an MLP; each is added to its input, and the sum is normalised (post-norm)."""

    def __init__(self, config: EncoderConfig):
        super().__init__()
        d = config.d_model
        self.attention = MultiHeadSelfAttention(d, config.n_head, causal=False, dropout=config.dropout)
        self.norm1 = nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.ReLU(), nn.Linear(4 * d, d))
        self.norm2 = nn.LayerNorm(d)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Map (batch, seq, d_model) to (batch, seq, d_model); ``visible`` (batch, seq) marks what is no padding."""
        x = self.norm1(x + self.dropout(self.attention(x, visible)))
        x = self.norm2(x + self.dropout(self.mlp(x)))
        return x


class TransformerEncoder(nn.Module):
    """An encoder that classifies a sequence by the mean of its last layer over all positions."""

    positions: Tensor

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.register_buffer("positions", sinusoidal_positions(config.block_size, config.d_model), persistent=False)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(EncoderBlock(config) for _ in range(config.n_layer))
        self.classifier = nn.Linear(config.d_model, config.classes)
        nn.init.normal_(self.token_embedding.weight, std=config.d_model**-0.5)

    def encode(self, ids: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return the last layer (batch, seq, d_model) for token ids (batch, seq)."""
        check_ids(ids, self.config.vocab_size, longest=self.config.block_size)
        x: Tensor = self.token_embedding(ids) * math.sqrt(self.config.d_model) + self.positions[: ids.shape[1]]
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, visible)
        return x

    def forward(self, ids: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return logits (batch, classes) for token ids (batch, seq); ``visible`` marks what is no padding."""
        x = self.encode(ids, visible)  # (batch, seq, d_model)
        weight = torch.ones_like(ids, dtype=x.dtype) if visible is None else visible.to(x.dtype)
        mean = (x * weight[..., None]).sum(1) / weight.sum(1, keepdim=True).clamp(min=1)
        logits: Tensor = self.classifier(mean)
        return logits
