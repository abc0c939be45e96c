"""The Transformer (Vaswani et al. 2017): an encoder reads the source, a causal decoder writes the target.

Reads from top to bottom: configuration, decoder block, model; the encoder's block and the sinusoidal positions are
those of :mod:`dlcompare.models.encoder`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlcompare.models.attention import MultiHeadCrossAttention, MultiHeadSelfAttention
from dlcompare.models.checks import check_ids, check_positive, check_probability
from dlcompare.models.encoder import EncoderBlock, EncoderConfig, TransformerEncoder, sinusoidal_positions

__all__ = [
    "TRANSFORMER_BASE",
    "TRANSFORMER_BIG",
    "DecoderBlock",
    "EncoderBlock",
    "EncoderConfig",
    "Transformer",
    "TransformerConfig",
    "TransformerEncoder",
    "sinusoidal_positions",
]


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of an encoder-decoder Transformer.

    Parameters
    ----------
    vocab_size
        number of token ids, which source and target share.
    block_size
        longest source and longest target in tokens.
    n_layer
        blocks of the encoder, and as many of the decoder (N in the paper).
    n_head
        heads per attention (h in the paper); divides ``d_model``.
    d_model
        width, an even number.
    d_ff
        width of each MLP's hidden layer.
    dropout
        probability of dropping a value in training.
    learned_positions
        whether position vectors are learned, one table for source and target, instead of sines and cosines. The
        paper finds the two "nearly identical" in quality (table 3, row E).
    """

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    d_model: int
    d_ff: int
    dropout: float = 0.0
    learned_positions: bool = False

    def __post_init__(self) -> None:
        check_positive(self, "vocab_size", "block_size", "n_layer", "n_head", "d_model", "d_ff")
        check_probability(self, "dropout")
        if self.d_model % self.n_head or self.d_model % 2:
            raise ValueError(f"d_model is {self.d_model}; allowed are even multiples of n_head = {self.n_head}")

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula; both embeddings and the output layer are one matrix.

        V d for that matrix, and L d for positions if they are learned. An attention has 4 d² + 4 d, an MLP
        2 d f + f + d, a norm 2 d; an encoder block is one attention, an MLP and two norms, a decoder block two
        attentions, an MLP and three norms: together 12 d² + 24 d + 4 d f + 2 f per layer.
        """
        d, f = self.d_model, self.d_ff
        embeddings = (self.vocab_size + self.learned_positions * self.block_size) * d
        return embeddings + self.n_layer * (12 * d * d + 24 * d + 4 * d * f + 2 * f)


#: The paper's base model (table 3). Its blocks have 44,138,496 parameters; with 37,000 shared tokens ("about 37000",
#: section 5.1) the model has 63,082,496, where the table says 65 × 10⁶: that would be 40,745 tokens. The paper sets
#: no longest sequence; ``block_size`` bounds a table of positions that has no parameters.
TRANSFORMER_BASE = TransformerConfig(
    vocab_size=37000, block_size=1024, n_layer=6, n_head=8, d_model=512, d_ff=2048, dropout=0.1
)

#: The paper's big model (table 3, last row). Its blocks have 176,357,376 parameters; with 37,000 shared tokens the
#: model has 214,245,376, where the table says 213 × 10⁶: that would be 35,784 tokens, so no one vocabulary gives both
#: of the table's figures.
TRANSFORMER_BIG = TransformerConfig(
    vocab_size=37000, block_size=1024, n_layer=6, n_head=16, d_model=1024, d_ff=4096, dropout=0.3
)


class DecoderBlock(nn.Module):
    """Causal self-attention, attention to the encoder, an MLP; each is added to its input and normalised (post-norm).

    Parameters
    ----------
    d_model, n_head
        width, and number of heads, which divides it.
    d_ff
        width of the MLP's hidden layer.
    dropout
        probability of dropping a value in training, attention weights included (see :class:`EncoderBlock`).
    """

    def __init__(self, d_model: int, n_head: int, d_ff: int, dropout: float = 0.0):
        super().__init__()
        self.self_attention = MultiHeadSelfAttention(d_model, n_head, causal=True, dropout=dropout)
        self.norm1 = nn.LayerNorm(d_model)
        self.cross_attention = MultiHeadCrossAttention(d_model, n_head, dropout=dropout)
        self.norm2 = nn.LayerNorm(d_model)
        self.mlp = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        self.norm3 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, memory: Tensor, visible: Tensor | None = None, memory_visible: Tensor | None = None
    ) -> Tensor:
        """Map ``x`` (batch, seq, d_model), reading ``memory`` (batch, seq_k, d_model), to (batch, seq, d_model).

        ``visible`` (batch, seq) and ``memory_visible`` (batch, seq_k) are False where there is padding.
        """
        x = self.norm1(x + self.dropout(self.self_attention(x, visible)))  # (batch, seq, d_model)
        x = self.norm2(x + self.dropout(self.cross_attention(x, memory, memory_visible)))  # (batch, seq, d_model)
        x = self.norm3(x + self.dropout(self.mlp(x)))  # (batch, seq, d_model)
        return x


class Transformer(nn.Module):
    """The encoder-decoder of the paper: predicts each next target token from the source and the target before it.

    The embedding of both sides and the linear layer before the softmax share one matrix (section 3.4). Initial
    weights, on which the paper is silent: Glorot's uniform ones, biases zero; embeddings normal with standard
    deviation 1/√d_model, so that scaled by √d_model they are as large as the positions.
    """

    positions: Tensor

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        sizes = (config.d_model, config.n_head, config.d_ff, config.dropout)
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        if config.learned_positions:
            self.positions = nn.Parameter(torch.empty(config.block_size, config.d_model))
        else:
            self.register_buffer("positions", sinusoidal_positions(config.block_size, config.d_model), persistent=False)
        self.dropout = nn.Dropout(config.dropout)
        self.encoder = nn.ModuleList(EncoderBlock(*sizes) for _ in range(config.n_layer))
        self.decoder = nn.ModuleList(DecoderBlock(*sizes) for _ in range(config.n_layer))
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self._initialise()
        self.head.weight = self.token_embedding.weight

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.token_embedding.weight, std=self.config.d_model**-0.5)
        if self.config.learned_positions:
            nn.init.normal_(self.positions)

    def _embed(self, ids: Tensor) -> Tensor:
        x: Tensor = self.token_embedding(ids) * math.sqrt(self.config.d_model)  # (batch, seq, d_model)
        x = self.dropout(x + self.positions[: ids.shape[1]])  # (batch, seq, d_model)
        return x

    def encode(self, source: Tensor, source_visible: Tensor | None = None) -> Tensor:
        """Return the memory (batch, seq_k, d_model) of a source (batch, seq_k); arguments as in :meth:`forward`."""
        check_ids(source, self.config.vocab_size, longest=self.config.block_size, name="source")
        x = self._embed(source)  # (batch, seq_k, d_model)
        for block in self.encoder:
            x = block(x, source_visible)
        return x

    def decode(
        self,
        target: Tensor,
        memory: Tensor,
        target_visible: Tensor | None = None,
        source_visible: Tensor | None = None,
    ) -> Tensor:
        """Return the logits (batch, seq, vocab_size) for a target (batch, seq) and the memory of its source.

        A memory serves as often as needed: a translation grows token by token, its source is read once.
        """
        check_ids(target, self.config.vocab_size, longest=self.config.block_size, name="target")
        x = self._embed(target)  # (batch, seq, d_model)
        for block in self.decoder:
            x = block(x, memory, target_visible, source_visible)
        logits: Tensor = self.head(x)  # (batch, seq, vocab_size)
        return logits

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        source_visible: Tensor | None = None,
        target_visible: Tensor | None = None,
    ) -> Tensor:
        """Return the logits of each next target token.

        Parameters
        ----------
        source
            token ids, integer, (batch, seq_k).
        target
            token ids, integer, (batch, seq), moved on by one: a start token, then what is to be predicted.
        source_visible, target_visible
            boolean, of the shapes of ``source`` and ``target``: False marks padding, which no position may see.
            Padding of the target stands at its end, where it needs no mask: nothing before it sees it. At the start
            of a target, a masked position would see nothing at all, and its logits are NaN.

        Returns
        -------
        Tensor
            (batch, seq, vocab_size); position t holds the logits of target token t + 1.

        Raises
        ------
        ValueError
            for a wrong shape, an id out of range, or a sequence longer than ``block_size``.
        """
        return self.decode(target, self.encode(source, source_visible), target_visible, source_visible)
