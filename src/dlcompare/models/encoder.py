"""The Transformer encoder (Vaswani et al. 2017, section 3.1): every position sees every other.

Post-norm and sinusoidal positions as in the paper; the embedding is scaled by √d_model (section 3.4). On top stands
a classifier, which the paper does not have; the paper's own model, encoder and decoder, is in
:mod:`dlcompare.models.transformer`.
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

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula.

        V d for the embedding (the positions have none); per block 4 d² + 4 d for attention, 8 d² + 5 d for the MLP,
        4 d for two norms: 12 d² + 13 d; (d + 1) c for the classifier.
        """
        d = self.d_model
        return self.vocab_size * d + self.n_layer * (12 * d * d + 13 * d) + (d + 1) * self.classes


def sinusoidal_positions(seq: int, d_model: int) -> Tensor:
    r"""Return the position vectors (seq, d_model) of the paper's section 3.5.

    .. math:: PE_{t,2i} = \sin(t / 10000^{2i/d}), \qquad PE_{t,2i+1} = \cos(t / 10000^{2i/d})
    """
    position = torch.arange(seq)[:, None]  # (seq, 1)
    frequency = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))  # (d_model / 2,)
    positions = torch.empty(seq, d_model)
    positions[:, 0::2] = torch.sin(position * frequency)
    positions[:, 1::2] = torch.cos(position * frequency)
    return positions


class EncoderBlock(nn.Module):
    """Attention, then an MLP; each is added to its input, and the sum is normalised (post-norm).

    The paper drops values only where a result is added (section 5.4); here, as in ``torch.nn.Transformer``,
    attention weights are dropped as well.

    Parameters
    ----------
    d_model, n_head
        width, and number of heads, which divides it.
    d_ff
        width of the MLP's hidden layer.
    dropout
        probability of dropping a value in training.
    activation
        the MLP's activation: ReLU in the paper, GELU in BERT.
    eps
        what the norms add to the variance: torch's 1e-5, or BERT's 1e-12.
    """

    def __init__(
        self,
        d_model: int,
        n_head: int,
        d_ff: int,
        dropout: float = 0.0,
        activation: type[nn.Module] = nn.ReLU,
        eps: float = 1e-5,
    ):
        super().__init__()
        self.attention = MultiHeadSelfAttention(d_model, n_head, causal=False, dropout=dropout)
        self.norm1 = nn.LayerNorm(d_model, eps=eps)
        self.mlp = nn.Sequential(nn.Linear(d_model, d_ff), activation(), nn.Linear(d_ff, d_model))
        self.norm2 = nn.LayerNorm(d_model, eps=eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Map (batch, seq, d_model) to (batch, seq, d_model); ``visible`` (batch, seq) marks what is no padding."""
        x = self.norm1(x + self.dropout(self.attention(x, visible)))  # (batch, seq, d_model)
        x = self.norm2(x + self.dropout(self.mlp(x)))  # (batch, seq, d_model)
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
        self.blocks = nn.ModuleList(
            EncoderBlock(config.d_model, config.n_head, 4 * config.d_model, config.dropout)
            for _ in range(config.n_layer)
        )
        self.classifier = nn.Linear(config.d_model, config.classes)
        nn.init.normal_(self.token_embedding.weight, std=config.d_model**-0.5)

    def encode(self, ids: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return the last layer (batch, seq, d_model) for token ids (batch, seq)."""
        check_ids(ids, self.config.vocab_size, longest=self.config.block_size)
        x: Tensor = self.token_embedding(ids) * math.sqrt(self.config.d_model)  # (batch, seq, d_model)
        x = self.dropout(x + self.positions[: ids.shape[1]])
        for block in self.blocks:
            x = block(x, visible)
        return x

    def forward(self, ids: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return logits (batch, classes) for token ids (batch, seq); ``visible`` marks what is no padding."""
        x = self.encode(ids, visible)  # (batch, seq, d_model)
        weight = torch.ones_like(ids, dtype=x.dtype) if visible is None else visible.to(x.dtype)
        mean = (x * weight[..., None]).sum(1) / weight.sum(1, keepdim=True).clamp(min=1)  # (batch, d_model)
        logits: Tensor = self.classifier(mean)
        return logits
