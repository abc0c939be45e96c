"""Handwritten digits: 5,000 images of MNIST, for the networks that read images."""

from __future__ import annotations

import dataclasses
import functools
import gzip
from typing import TYPE_CHECKING

from dlcompare.data._archives import members
from dlcompare.data._splits import Splits, divided

if TYPE_CHECKING:
    import torch

__all__ = ["Images", "load_digits"]

_SIDE = 28


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Greyscale images and their labels.

    Attributes
    ----------
    images : torch.Tensor
        ``(n, 1, height, width)``, float32, from 0 (paper) to 1 (ink)
    labels : torch.Tensor
        ``(n,)``, int64, the digit that each image shows

    Raises
    ------
    ValueError
        when ``images`` or ``labels`` has another shape.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.shape[1] != 1:
            raise ValueError(f"images has the shape {tuple(self.images.shape)}; it must be (n, 1, height, width)")
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"labels has the shape {tuple(self.labels.shape)}; "
                f"for {len(self.images)} images it must be ({len(self.images)},)"
            )

    def __len__(self) -> int:
        return len(self.images)


def load_digits() -> Splits[Images]:
    """Return 5,000 handwritten digits of MNIST, 500 of each: 3,600 to train, 400 to validate, 1,000 to test.

    Every part has the same number of each digit. Within a part the images are in a fixed order that looks
    random.

    Raises
    ------
    dlcompare.data.DataError
        if the file cannot be had.
    """
    import torch

    def images(part: tuple[bytes, ...]) -> Images:
        # Tensors can be written to, so every caller gets new ones.
        rows = torch.frombuffer(bytearray(b"".join(part)), dtype=torch.uint8).reshape(len(part), -1)
        pixels = rows[:, :-1].to(torch.float32) / 255
        return Images(pixels.reshape(len(part), 1, _SIDE, _SIDE), rows[:, -1].to(torch.int64))

    return _rows().map(images)


@functools.cache
def _rows() -> Splits[tuple[bytes, ...]]:
    """Return the images as 785 bytes each: the pixels from 0 to 255, row by row, and the label."""
    (packed,) = members("digits").values()
    rows = [bytes(map(int, line.split(b","))) for line in gzip.decompress(packed).split()]
    return divided(
        rows,
        # The pixels decide on an image's place, so that two equal ones could not stand in two parts.
        key=lambda row: row[:-1].hex(),
        stratum=lambda row: row[-1],
        validation=8,
        test=20,
    )
