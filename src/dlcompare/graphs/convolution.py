"""A convolution with everything that a stepper shows of it: windows, products, sums."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from dlcompare.export import Graph

__all__ = ["MARGIN", "convolution_pass"]

#: Zeros around the image: the largest padding that is offered. A smaller one, and a stride, leave out windows.
MARGIN = 2


def _convolve(image: Tensor, kernel: Tensor) -> dict[str, Tensor]:
    k = kernel.shape[0]
    padded = F.pad(image, (MARGIN,) * 4)  # (height + 4, width + 4)
    x = padded[None, None]  # (1, 1, height + 4, width + 4)
    # A kernel of a single one picks one pixel of each window; there are k · k of them.
    pick = torch.eye(k * k, dtype=image.dtype).view(k * k, 1, k, k)
    windows = F.conv2d(x, pick)[0].movedim(0, -1)  # (rows, columns, k · k)
    return {
        "padded": padded,
        "windows": windows,
        "products": windows * kernel.flatten(),
        "output": F.conv2d(x, kernel[None, None])[0, 0],  # (rows, columns)
    }


def _draw(generator: torch.Generator) -> dict[str, Tensor]:
    height, width = (int(n) for n in torch.randint(5, 33, (2,), generator=generator))
    size = int(torch.randint(1, 6, (1,), generator=generator))
    kernel = torch.randn(size, size, generator=generator)
    return {"image": torch.rand(height, width, generator=generator), "kernel": kernel}


def convolution_pass() -> Graph:
    """Return the graph of a convolution (cross-correlation, Goodfellow et al. 2016, equation 9.6) with stride 1.

    Inputs: ``image`` (height, width) and a square ``kernel`` (k, k), float32. Outputs, with ``rows`` =
    height + 5 - k and ``columns`` = width + 5 - k:

    - ``padded`` (height + 4, width + 4): the image with two rows and columns of zeros on each side,
    - ``windows`` (rows, columns, k · k): the pixels under the kernel,
    - ``products``, of the same shape: window times kernel,
    - ``output`` (rows, columns): their sums, by :func:`torch.nn.functional.conv2d`.

    The output for padding p and stride s is the part that starts at 2 - p and takes every s-th row and column.
    """
    return Graph("convolution", _convolve, _draw, varying={"image": (0, 1), "kernel": (0, 1)})
