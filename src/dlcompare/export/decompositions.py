"""What autograd does on the way back through a convolution and through max pooling, in operations that ONNX has.

The exporter knows neither ``convolution_backward`` nor ``max_pool2d_with_indices_backward``. Both are written here in
terms of operations that it knows: the gradient of a convolution is a convolution again (Goodfellow et al. 2016,
section 9.5; Dumoulin & Visin 2016, chapter 4), and max pooling hands each gradient to the place of its maximum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["DECOMPOSITIONS", "convolution_backward", "max_pool_backward"]


def convolution_backward(
    gradient: Tensor,
    x: Tensor,
    weight: Tensor,
    bias_sizes: Sequence[int] | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    output_mask: Sequence[bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return the gradients with respect to a convolution's input, weight and bias, those that ``output_mask`` asks for.

    The arguments are those of ``torch.ops.aten.convolution_backward``.

    Parameters
    ----------
    gradient
        of what the convolution put out, (batch, channels_out, height_out, width_out).
    x, weight
        what it was given, (batch, channels_in, height, width), and its kernels, (channels_out, channels_in, k, l).

    Raises
    ------
    NotImplementedError
        for a transposed convolution, for groups, and for anything but two dimensions: no graph of the book has them.
    """
    if transposed or groups != 1 or weight.ndim != 4:
        raise NotImplementedError(
            f"transposed is {transposed}, groups is {groups}, weight has {weight.ndim} dimensions; "
            "allowed are False, 1 and 4"
        )
    by_input = by_weight = by_bias = None
    if output_mask[0]:
        # Each output hands its gradient to the inputs that it was made from: a transposed convolution. Rows and columns
        # at the end that no window reached get none, and are put on as output padding.
        rest = [
            x.shape[2 + i] + 2 * padding[i] - dilation[i] * (weight.shape[2 + i] - 1) - 1 - stride[i] * (size - 1)
            for i, size in enumerate(gradient.shape[2:])
        ]
        by_input = torch.ops.aten.convolution(gradient, weight, None, stride, padding, dilation, True, rest, 1)
    if output_mask[1]:
        # Batch and channels change places; what was the stride between windows is the distance within one now.
        swapped = torch.ops.aten.convolution(
            x.transpose(0, 1), gradient.transpose(0, 1), None, dilation, padding, stride, False, [0, 0], 1
        )  # (channels_in, channels_out, at least k, at least l)
        by_weight = swapped.transpose(0, 1)[:, :, : weight.shape[2], : weight.shape[3]].contiguous()
    if output_mask[2]:
        by_bias = gradient.sum((0, 2, 3))
    return by_input, by_weight, by_bias


def max_pool_backward(
    gradient: Tensor,
    x: Tensor,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
    indices: Tensor,
) -> Tensor:
    """Return the gradient with respect to what max pooling was given, (batch, channels, height, width).

    ``gradient`` and ``indices``, both (batch, channels, rows, columns), are the gradient of what it put out and the
    place of each maximum among the height · width of its channel; an input that is the maximum of several windows gets
    the sum of their gradients. The other arguments are those of ``torch.ops.aten.max_pool2d_with_indices_backward``;
    the places already say all that they do.
    """
    nothing = torch.zeros_like(x).flatten(2)  # (batch, channels, height · width)
    return nothing.scatter_add(2, indices.flatten(2), gradient.flatten(2)).view_as(x)


#: What is given to ``make_fx``: for each operation that the exporter does not know, a function in known ones.
DECOMPOSITIONS: dict[Any, Callable[..., Any]] = {
    torch.ops.aten.convolution_backward.default: convolution_backward,
    torch.ops.aten.max_pool2d_with_indices_backward.default: max_pool_backward,
}
