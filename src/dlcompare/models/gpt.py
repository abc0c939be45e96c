"""GPT: a causal, pre-norm Transformer decoder as in GPT-2 (Radford et al. 2019, section 2.3).

Reads from top to bottom: configuration, block, model. Differences from the released GPT-2 weights: the names of
the modules, and linear layers where OpenAI's code has transposed one-dimensional convolutions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlcompare.models.attention import MultiHeadSelfAttention
from dlcompare.models.checks import check_ids, check_positive, check_probability

__all__ = ["GPT", "GPT2_SMALL", "Block", "GPTConfig"]


@dataclass(frozen=True)
class GPTConfig:
    """Sizes of a GPT.

    Parameters
    ----------
    vocab_size
        number of token ids.
    block_size
        longest sequence that the model reads, in tokens.
    n_layer
        number of blocks.
    n_head
        attention heads per block; divides ``d_model``.
    d_model
        width of the residual stream.
    dropout
        probability of dropping a value in training, after embedding, attention and MLP.
    """

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    d_model: int
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_positive(self, "vocab_size", "block_size", "n_layer", "n_head", "d_model")
        check_probability(self, "dropout")
        if self.d_model % self.n_head:
            raise ValueError(f"n_head is {self.n_head}, which does not divide d_model = {self.d_model}")

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula; the output layer shares the token embedding.

        Per block: 4 d² + 4 d for attention, 8 d² + 5 d for the MLP, 4 d for two norms: 12 d² + 13 d.
        """
        d = self.d_model
        return (self.vocab_size + self.block_size) * d + self.n_layer * (12 * d * d + 13 * d) + 2 * d


#: GPT-2's smallest size. The paper's table 2 says 117M; the released weights have 124,439,808.
GPT2_SMALL = GPTConfig(vocab_size=50257, block_size=1024, n_layer=12, n_head=12, d_model=768, dropout=0.1)


class Block(nn.Module):
    """Attention, then an MLP, each behind a layer norm and added to the residual stream."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        d = config.d_model
        self.norm1 = nn.LayerNorm(d)
        self.attention = MultiHeadSelfAttention(d, config.n_head, causal=True, dropout=config.dropout)
        self.norm2 = nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(approximate="tanh"), nn.Linear(4 * d, d))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, seq, d_model) to (batch, seq, d_model)."""
        x = x + self.dropout(self.attention(self.norm1(x)))
        x = x + self.dropout(self.mlp(self.norm2(x)))
        return x


class GPT(nn.Module):
    """A language model that predicts each next token from all before it.

    Initial weights as in GPT-2: normal with standard deviation 0.02, the two projections into the residual stream
    of each block scaled by 1/√(2 n_layer).
    """

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.position_embedding = nn.Embedding(config.block_size, config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.norm = nn.LayerNorm(config.d_model)
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.head.weight = self.token_embedding.weight
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        scale = 0.02 / math.sqrt(2 * self.config.n_layer)
        for name, parameter in self.named_parameters():
            if name.endswith(("attention.project.weight", "mlp.2.weight")):
                nn.init.normal_(parameter, std=scale)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits of each next token.

        Parameters
        ----------
        ids
            token ids, integer, (batch, seq) with seq ≤ ``block_size``.

        Returns
        -------
        Tensor
            (batch, seq, vocab_size); position t holds the logits of token t + 1.

        Raises
        ------
        ValueError
            for a wrong shape, an id out of range, or a sequence longer than ``block_size``.
        """
        check_ids(ids, self.config.vocab_size, longest=self.config.block_size)
        position = torch.arange(ids.shape[1], device=ids.device)
        x = self.token_embedding(ids) + self.position_embedding(position)  # (batch, seq, d_model)
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(self.norm(x))
        return logits
