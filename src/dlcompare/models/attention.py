"""Scaled dot-product attention with several heads (Vaswani et al. 2017, sections 3.2.1 and 3.2.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["MultiHeadSelfAttention"]


class MultiHeadSelfAttention(nn.Module):
    r"""Every position asks (query), offers (key) and hands over (value), in ``n_head`` heads at once.

    .. math:: \mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{Q K^\top}{\sqrt{d_k}} + M\right) V

    with :math:`M = 0` where a position may be seen and :math:`-\infty` where not. The attention weights come out
    of the submodule ``softmax``, so that a hook on it sees them: (batch, n_head, seq, seq).

    Parameters
    ----------
    d_model
        width of the input and of the output.
    n_head
        number of heads; divides ``d_model``.
    causal
        whether position t sees only positions ≤ t, as in GPT; otherwise it sees all, as in an encoder.
    dropout
        probability with which an attention weight is dropped in training.
    """

    def __init__(self, d_model: int, n_head: int, *, causal: bool, dropout: float = 0.0):
        super().__init__()
        if d_model % n_head:
            raise ValueError(f"n_head is {n_head}, which does not divide d_model = {d_model}")
        self.n_head = n_head
        self.causal = causal
        self.query_key_value = nn.Linear(d_model, 3 * d_model)
        self.softmax = nn.Softmax(dim=-1)
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Map (batch, seq, d_model) to (batch, seq, d_model).

        ``visible`` is a boolean (batch, seq): False marks padding, which no position may see.
        """
        batch, seq, d_model = x.shape
        d_head = d_model // self.n_head
        heads = self.query_key_value(x).view(batch, seq, 3, self.n_head, d_head)
        Q, K, V = heads.permute(2, 0, 3, 1, 4)  # each (batch, n_head, seq, d_head)

        scores = Q @ K.transpose(-2, -1) / math.sqrt(d_head)  # (batch, n_head, seq, seq)
        if self.causal:
            future = torch.ones(seq, seq, dtype=torch.bool, device=x.device).triu(diagonal=1)
            scores = scores.masked_fill(future, -math.inf)
        if visible is not None:
            scores = scores.masked_fill(~visible[:, None, None, :], -math.inf)
        A = self.softmax(scores)  # rows sum to 1

        y = self.dropout(A) @ V  # (batch, n_head, seq, d_head)
        y = y.transpose(1, 2).reshape(batch, seq, d_model)
        out: Tensor = self.project(y)
        return out
