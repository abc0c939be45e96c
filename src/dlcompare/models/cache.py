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
        a tensor of any shape, whose type and device the cache takes; but a CPU keeps bfloat16 as float32, in which
        attention to one query takes a fraction of the time.
    """

    def __init__(self, n_layer: int, batch: int, n_head: int, size: int, d_head: int, like: Tensor):
        widen = like.device.type == "cpu" and like.dtype == torch.bfloat16
        dtype = torch.float32 if widen else like.dtype
        #: Of each layer, the keys of all heads and then the values: (n_layer, batch, 2 n_head, size, d_head).
        self.memory = like.new_empty(n_layer, batch, 2 * n_head, size, d_head, dtype=dtype)
        self.length = 0
        self._layers = [LayerCache(self, layer) for layer in self.memory]

    @property
    def size(self) -> int:
        """Number of tokens that there is room for."""
        return self.memory.shape[3]

    @property
    def bytes(self) -> int:
        """Memory that the tokens read so far take up, in bytes."""
        return self.memory[:, :, :, : self.length].numel() * self.memory.element_size()

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
        self.memory[:, :, :, :read] = self.memory[:, rows, :, :read]


class LayerCache:
    """One layer of a :class:`KVCache`: its ``memory`` is (batch, 2 n_head, size, d_head), keys before values."""

    def __init__(self, cache: KVCache, memory: Tensor):
        self.cache = cache
        self.memory = memory

    @property
    def past(self) -> int:
        """Number of tokens that have been read before."""
        return self.cache.length

    def extend(self, KV: Tensor) -> tuple[Tensor, Tensor]:
        """Write the keys and values of new tokens, and return those of all tokens, each (batch, n_head, …, d_head).

        ``KV`` is (batch, 2 n_head, seq, d_head), the keys of all heads and then the values. The cache's length does not
        move yet: all layers write at the same place.
        """
        past, seq = self.cache.length, KV.shape[2]
        self.memory.narrow(2, past, seq).copy_(KV)
        K, V = self.memory.narrow(2, 0, past + seq).chunk(2, dim=1)
        return K, V
