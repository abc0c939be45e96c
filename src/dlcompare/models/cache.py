"""The key-value cache: what attention has computed for earlier tokens, kept so that it is computed once.

A causal model's keys and values at position t never change when tokens come after t. Generating a token then costs one
position instead of all of them; the price is memory, 2 · n_layer · n_head · d_head numbers per token (Pope et al. 2023,
section 2, who call it the KV cache).
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["KVCache", "LayerCache"]


class KVCache:
    """Keys and values of every layer, in memory that is taken once for the longest sequence.

    For inference: it is written in place, and no gradient flows through it.

    Parameters
    ----------
    n_layer, batch, n_head, size, d_head
        layers, sequences side by side, heads that have keys and values, tokens there is room for, width of a head.
    like
        a tensor of any shape, whose type and device the cache takes.
    """

    def __init__(self, n_layer: int, batch: int, n_head: int, size: int, d_head: int, like: Tensor):
        self.keys = like.new_empty(n_layer, batch, n_head, size, d_head)
        self.values = torch.empty_like(self.keys)
        self.length = 0
        self._layers = [LayerCache(self, K, V) for K, V in zip(self.keys, self.values, strict=True)]

    @property
    def size(self) -> int:
        """Number of tokens that there is room for."""
        return self.keys.shape[3]

    @property
    def bytes(self) -> int:
        """Memory that the tokens read so far take up, in bytes."""
        return 2 * self.keys[:, :, :, : self.length].numel() * self.keys.element_size()

    def layer(self, index: int) -> LayerCache:
        """Return the part of one layer, which its attention reads and writes."""
        return self._layers[index]

    def reserve(self, n: int) -> None:
        """Raise ValueError unless there is room for ``n`` more tokens."""
        if self.length + n > self.size:
            raise ValueError(
                f"ids has {n} tokens after the {self.length} in the cache; allowed are at most {self.size} in all"
            )

    def reorder(self, rows: Tensor) -> None:
        """Let row i go on from what row ``rows[i]`` has read; rows (batch,). So beam search drops and doubles beams."""
        read = self.length
        self.keys[:, :, :, :read] = self.keys[:, rows, :, :read]
        self.values[:, :, :, :read] = self.values[:, rows, :, :read]


class LayerCache:
    """One layer of a :class:`KVCache`: its ``keys`` and ``values``, each (batch, n_head, size, d_head)."""

    def __init__(self, cache: KVCache, keys: Tensor, values: Tensor):
        self.cache = cache
        self.keys = keys
        self.values = values

    @property
    def past(self) -> int:
        """Number of tokens that have been read before."""
        return self.cache.length

    def extend(self, K: Tensor, V: Tensor) -> tuple[Tensor, Tensor]:
        """Write the keys and values of new tokens, (batch, n_head, seq, d_head), and return those of all tokens.

        The cache's length does not move yet: all layers write at the same place.
        """
        past, seq = self.cache.length, K.shape[2]
        self.keys.narrow(2, past, seq).copy_(K)
        self.values.narrow(2, past, seq).copy_(V)
        return self.keys.narrow(2, 0, past + seq), self.values.narrow(2, 0, past + seq)
