"""Convolution along a sequence: causal or centred, dilated, in residual blocks (Bai, Kolter & Koltun 2018).

The block is that of the paper's figure 1 (b), arXiv:1803.01271: two convolutions of the same dilation, each with ReLU,
added to the input, and ReLU once more. Deviations: no weight normalisation; the paper drops whole channels, here
single values are dropped.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["SequenceConvolution", "TemporalBlock", "receptive_field"]


def receptive_field(n_layer: int, kernel_size: int) -> int:
    """Return how many positions the last of ``n_layer`` blocks sees, with dilations 1, 2, 4 and so on.

    Each block adds 2 (k - 1) times its dilation: 1 + 2 (k - 1) (2ⁿ - 1) in all.
    """
    return 1 + 2 * (kernel_size - 1) * ((1 << n_layer) - 1)


class SequenceConvolution(nn.Module):
    """A one-dimensional convolution that keeps the sequence's length, by zeros beyond its ends.

    Parameters
    ----------
    n_in, n_out
        numbers per position, before and after.
    kernel_size
        positions that each sum reaches over.
    dilation
        distance from one of these to the next.
    causal
        whether position t sees none after t; otherwise the kernel's middle stands at t.

    Raises
    ------
    ValueError
        for a kernel of even size that is to be centred.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int, dilation: int = 1, *, causal: bool):
        super().__init__()
        if not causal and kernel_size % 2 == 0:
            raise ValueError(f"kernel_size is {kernel_size}; allowed are odd numbers where causal is False")
        self.convolution = nn.Conv1d(n_in, n_out, kernel_size, dilation=dilation)
        reach = (kernel_size - 1) * dilation
        self.padding = (reach, 0) if causal else (reach // 2, reach // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, n_in, seq) to (batch, n_out, seq)."""
        y: Tensor = self.convolution(F.pad(x, self.padding))
        return y


class TemporalBlock(nn.Module):
    """Two convolutions of the same dilation, and a way past them.

    Parameters
    ----------
    d_model
        numbers per position.
    kernel_size, dilation, causal
        as for :class:`SequenceConvolution`.
    dropout
        probability of dropping a value in training.
    """

    def __init__(self, d_model: int, kernel_size: int, dilation: int, *, causal: bool, dropout: float = 0.0):
        super().__init__()
        self.first = SequenceConvolution(d_model, d_model, kernel_size, dilation, causal=causal)
        self.second = SequenceConvolution(d_model, d_model, kernel_size, dilation, causal=causal)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Map (batch, d_model, seq) to (batch, d_model, seq).

        ``visible`` is a boolean (batch, seq): what is False is zero all the way, as what lies beyond a sequence's end.
        """
        x = _shown(x, visible)
        y = _shown(self.dropout(self.relu(self.first(x))), visible)
        y = self.dropout(self.relu(self.second(y)))
        return _shown(self.relu(x + y), visible)


def _shown(x: Tensor, visible: Tensor | None) -> Tensor:
    return x if visible is None else x * visible[:, None]
