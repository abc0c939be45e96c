"""BERT: a bidirectional Transformer encoder, pretrained to fill gaps (Devlin et al. 2019).

Reads from top to bottom: configuration, model with the heads of the two pretraining tasks of section 3.1. The blocks
are those of the Transformer's encoder (post-norm) with GELU, the exact one with the error function. What the model is
pretrained on is made by :func:`dlcompare.training.pretraining_batches`, its loss is
:func:`dlcompare.training.pretraining_loss`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dlcompare.models.attention import head_width
from dlcompare.models.checks import check_ids, check_positive, check_probability
from dlcompare.models.encoder import EncoderBlock

__all__ = [
    "BERT",
    "BERT_BASE",
    "BERT_LARGE",
    "BERTConfig",
    "PretrainingLogits",
]


@dataclass(frozen=True)
class BERTConfig:
    """Sizes of a BERT. The MLP's hidden layer is 4 ``d_model`` wide, and there are two segments, as in the paper.

    Parameters
    ----------
    vocab_size
        number of token ids.
    block_size
        longest sequence in tokens.
    n_layer, n_head, d_model
        blocks, heads per block, width (L, A and H in the paper); ``n_head`` divides ``d_model``.
    dropout
        probability of dropping a value in training, attention weights included.

    Raises
    ------
    ValueError
        when a field is out of range, or ``n_head`` does not divide ``d_model``.
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
        head_width(self.d_model, self.n_head)

    @property
    def n_encoder_parameters(self) -> int:
        """Number of parameters of the encoder with its pooler, by formula: what is kept for fine-tuning.

        (V + L + 2) d for the embeddings of tokens, positions and segments and 2 d for their norm; per block 4 d² + 4 d
        for attention, 8 d² + 5 d for the MLP, 4 d for two norms: 12 d² + 13 d; d² + d for the pooler.
        """
        d = self.d_model
        return (self.vocab_size + self.block_size + 4) * d + self.n_layer * (12 * d * d + 13 * d) + d * d + d

    @property
    def n_parameters(self) -> int:
        """Number of parameters of the model with both pretraining heads, by formula.

        The encoder with its pooler; d² + d for the masked-LM head's linear layer, 2 d for its norm, V for the biases
        of the logits, whose weights are the token embedding; 2 d + 2 for next-sentence prediction.
        """
        d = self.d_model
        return self.n_encoder_parameters + d * d + 5 * d + self.vocab_size + 2


#: BERT-Base. The paper says 110M: encoder and pooler have 109,482,240 parameters, with both heads 110,106,428.
BERT_BASE = BERTConfig(vocab_size=30522, block_size=512, n_layer=12, n_head=12, d_model=768, dropout=0.1)

#: BERT-Large. The paper says 340M: encoder and pooler have 335,141,888 parameters, with both heads 336,226,108.
BERT_LARGE = BERTConfig(vocab_size=30522, block_size=512, n_layer=24, n_head=16, d_model=1024, dropout=0.1)


class PretrainingLogits(NamedTuple):
    """What BERT predicts in pretraining.

    Attributes
    ----------
    masked_lm
        (batch, seq, vocab_size): the token at each position.
    next_sentence
        (batch, 2): whether segment 1 follows segment 0 in the text (class 0, IsNext) or not (class 1, NotNext).
    """

    masked_lm: Tensor
    next_sentence: Tensor


class BERT(nn.Module):
    """An encoder that sees both ways, and its two pretraining heads.

    Initial weights as in the released code: normal with standard deviation 0.02, cut off at two of them; biases zero.
    """

    def __init__(self, config: BERTConfig):
        super().__init__()
        self.config = config
        d = config.d_model
        self.token_embedding = nn.Embedding(config.vocab_size, d)
        self.position_embedding = nn.Embedding(config.block_size, d)
        self.segment_embedding = nn.Embedding(2, d)
        self.norm = nn.LayerNorm(d, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            EncoderBlock(d, config.n_head, 4 * d, config.dropout, activation=nn.GELU, eps=1e-12)
            for _ in range(config.n_layer)
        )
        self.pooler = nn.Sequential(nn.Linear(d, d), nn.Tanh())

        self.transform = nn.Sequential(nn.Linear(d, d), nn.GELU(), nn.LayerNorm(d, eps=1e-12))
        self.masked_lm = nn.Linear(d, config.vocab_size)
        self.masked_lm.weight = self.token_embedding.weight
        self.next_sentence = nn.Linear(d, 2)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.trunc_normal_(module.weight, std=0.02, a=-0.04, b=0.04)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def encode(self, ids: Tensor, segments: Tensor | None = None, visible: Tensor | None = None) -> Tensor:
        """Return the last layer (batch, seq, d_model); arguments as in :meth:`forward`.

        Raises
        ------
        ValueError
            for ids or segments out of range, of a wrong shape, or longer than ``block_size``.
        """
        check_ids(ids, self.config.vocab_size, longest=self.config.block_size)
        segments = torch.zeros_like(ids) if segments is None else segments
        check_ids(segments, 2, name="segments")
        if segments.shape != ids.shape:
            raise ValueError(f"segments has shape {tuple(segments.shape)}; allowed is that of ids, {tuple(ids.shape)}")
        position = torch.arange(ids.shape[1], device=ids.device)  # (seq,)
        x: Tensor = self.token_embedding(ids) + self.position_embedding(position)  # (batch, seq, d_model)
        x = x + self.segment_embedding(segments)  # (batch, seq, d_model)
        x = self.dropout(self.norm(x))
        for block in self.blocks:
            x = block(x, visible)
        return x

    def forward(self, ids: Tensor, segments: Tensor | None = None, visible: Tensor | None = None) -> PretrainingLogits:
        """Return the logits of both pretraining tasks.

        Parameters
        ----------
        ids
            token ids, integer, (batch, seq) with seq ≤ ``block_size``; the first token is [CLS], and what is pooled
            is its last layer.
        segments
            0 or 1 for each token, (batch, seq): the first or the second text. By default all are 0.
        visible
            boolean, (batch, seq): False marks padding, which no position may see.

        Raises
        ------
        ValueError
            for a wrong shape, an id or a segment out of range, or a sequence longer than ``block_size``.
        """
        x = self.encode(ids, segments, visible)  # (batch, seq, d_model)
        pooled = self.pooler(x[:, 0])  # (batch, d_model)
        return PretrainingLogits(self.masked_lm(self.transform(x)), self.next_sentence(pooled))
