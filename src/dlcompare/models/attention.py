"""Scaled dot-product attention with several heads (Vaswani et al. 2017, sections 3.2.1 and 3.2.2)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare.models.cache import LayerCache
from dlcompare.models.tap import Tap, any_hooked

__all__ = ["Attention", "MultiHeadCrossAttention", "MultiHeadSelfAttention", "causal_mask", "head_width"]


def head_width(d_model: int, n_head: int, d_head: int | None = None) -> int:
    """Return ``d_head``, the width of one head; if it is None, the heads share ``d_model`` evenly.

    Raises
    ------
    ValueError
        when they cannot: ``n_head`` does not divide ``d_model``.
    """
    if d_head is not None:
        return d_head
    if d_model % n_head:
        raise ValueError(f"n_head is {n_head}, which does not divide d_model = {d_model}")
    return d_model // n_head


def causal_mask(seq: int, device: torch.device | None = None, past: int = 0) -> Tensor:
    """Return a boolean (seq, past + seq), True where the position of a row may see that of a column: itself or earlier.

    The rows are the last ``seq`` of all positions; ``past`` have been read before.
    """
    return torch.ones(seq, past + seq, dtype=torch.bool, device=device).tril(past)


class Attention(nn.Module):
    r"""What every kind of attention shares: weights from queries and keys, and with them a mean of the values.

    .. math:: \mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{Q K^\top}{\sqrt{d_k}} + M\right) V

    with :math:`M = 0` where a position may be seen and :math:`-\infty` where not. A kind of attention computes Q, K
    and V in its own way and calls :meth:`attend`. Each step has a name for :func:`dlcompare.recording.record`:
    ``query``, ``key``, ``value``, ``scores``, ``softmax`` (the attention weights) and ``mixed``.

    When nobody looks at a step and nothing is dropped, torch's fused kernel computes the same in one go, faster and
    without keeping the weights (Dao et al. 2022); a hook on any step brings the equation, as written out below. The
    two agree up to rounding. The kernel has no second derivative on the CPU; the equation has.
    """

    def __init__(self, dropout: float = 0.0):
        super().__init__()
        self.query = Tap()
        self.key = Tap()
        self.value = Tap()
        self.scores = Tap()
        self.softmax = nn.Softmax(dim=-1)
        self.dropout = nn.Dropout(dropout)
        self.mixed = Tap()

    def attend(self, Q: Tensor, K: Tensor, V: Tensor, visible: Tensor | None = None, causal: bool = False) -> Tensor:
        """Return the mean of the values that each query attends to.

        Parameters
        ----------
        Q, K, V
            queries (batch, n_head, seq, d_head), keys and values (batch, n_head, seq_k, d_head).
        visible
            boolean, broadcastable to (batch, n_head, seq, seq_k): False where a query must not see a key. A query
            that sees no key at all has no mean: its result is NaN.
        causal
            whether the queries, which are the last ``seq`` of all positions, see only what is not later than they.

        Returns
        -------
        Tensor
            (batch, n_head, seq, d_head).
        """
        seq, past = Q.shape[2], K.shape[2] - Q.shape[2]
        mixed: Tensor  # (batch, n_head, seq, d_head)
        dropping = self.training and self.dropout.p > 0
        in_one_go = not dropping and not any_hooked(self._modules.values())
        if in_one_go and visible is None and (past == 0 or seq == 1):  # a single query is the last one and sees all
            mixed = F.scaled_dot_product_attention(Q, K, V, is_causal=bool(causal and past == 0))
            return mixed

        if causal:
            mask = causal_mask(seq, Q.device, past)  # (seq, past + seq)
            visible = mask if visible is None else mask & visible
        if in_one_go:
            mixed = F.scaled_dot_product_attention(Q, K, V, visible)
            # The kernel's result is 0 where a query sees no key.
            return mixed if visible is None else mixed.masked_fill(~visible.any(-1, keepdim=True), math.nan)

        Q, K, V = self.query(Q), self.key(K), self.value(V)
        scores = Q @ K.transpose(-2, -1) / math.sqrt(Q.shape[-1])  # (batch, n_head, seq, seq_k)
        if visible is not None:
            scores = scores.masked_fill(~visible, -math.inf)
        A = self.softmax(self.scores(scores))  # rows sum to 1
        mixed = self.mixed(self.dropout(A) @ V)
        return mixed


class MultiHeadSelfAttention(Attention):
    """Every position asks (query), offers (key) and hands over (value), in ``n_head`` heads at once.

    Parameters
    ----------
    d_model
        width of the input and of the output.
    n_head
        number of heads.
    causal
        whether position t sees only positions ≤ t, as in GPT; otherwise it sees all, as in an encoder.
    dropout
        probability with which an attention weight is dropped in training.
    d_head
        width of one head; by default the heads share ``d_model`` evenly, as in the paper.

    Raises
    ------
    ValueError
        when ``n_head`` does not divide ``d_model`` and ``d_head`` is not given.
    """

    def __init__(self, d_model: int, n_head: int, *, causal: bool, dropout: float = 0.0, d_head: int | None = None):
        super().__init__(dropout)
        self.n_head = n_head
        self.d_head = head_width(d_model, n_head, d_head)
        self.causal = causal
        self.query_key_value = nn.Linear(d_model, 3 * n_head * self.d_head)
        self.project = nn.Linear(n_head * self.d_head, d_model)

    def forward(self, x: Tensor, visible: Tensor | None = None, cache: LayerCache | None = None) -> Tensor:
        """Map (batch, seq, d_model) to (batch, seq, d_model).

        ``visible`` is a boolean (batch, seq): False marks padding, which no position may see. With a ``cache``, ``x``
        comes after what the cache has read, and is added to it.
        """
        batch, seq, _ = x.shape
        heads = self.query_key_value(x).view(batch, seq, 3 * self.n_head, self.d_head).transpose(1, 2)
        Q, K, V = heads.chunk(3, dim=1)  # each (batch, n_head, seq, d_head)
        if cache is not None:
            K, V = cache.extend(heads[:, self.n_head :])  # each (batch, n_head, past + seq, d_head)
            Q = Q.to(K.dtype)  # a cache may keep more digits than the model

        keys = None if visible is None else visible[:, None, None, :]  # (batch, 1, 1, seq)
        y = self.attend(Q, K, V, keys, self.causal).to(x.dtype)  # (batch, n_head, seq, d_head)
        out: Tensor = self.project(y.transpose(1, 2).flatten(2))
        return out


class MultiHeadCrossAttention(Attention):
    """The positions of one sequence ask, those of another answer: how a decoder reads its encoder.

    Parameters
    ----------
    d_model
        width of both sequences and of the output.
    n_head
        number of heads; divides ``d_model``.
    dropout
        probability with which an attention weight is dropped in training.

    Raises
    ------
    ValueError
        when ``n_head`` does not divide ``d_model``.
    """

    def __init__(self, d_model: int, n_head: int, *, dropout: float = 0.0):
        super().__init__(dropout)
        self.n_head = n_head
        self.d_head = head_width(d_model, n_head)
        self.to_query = nn.Linear(d_model, d_model)
        self.to_key_value = nn.Linear(d_model, 2 * d_model)
        self.project = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, memory: Tensor, visible: Tensor | None = None) -> Tensor:
        """Map ``x`` (batch, seq, d_model), asking ``memory`` (batch, seq_k, d_model), to (batch, seq, d_model).

        ``visible`` is a boolean (batch, seq_k): False marks padding of the memory.
        """
        batch, seq, _ = x.shape
        Q = self.to_query(x).view(batch, seq, self.n_head, self.d_head).transpose(1, 2)
        heads = self.to_key_value(memory).view(batch, memory.shape[1], 2 * self.n_head, self.d_head).transpose(1, 2)
        K, V = heads.chunk(2, dim=1)  # each (batch, n_head, seq_k, d_head)

        y = self.attend(Q, K, V, None if visible is None else visible[:, None, None, :])
        out: Tensor = self.project(y.transpose(1, 2).flatten(2))
        return out
