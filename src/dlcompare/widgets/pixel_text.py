"""An image of 28 × 28 grey levels as a short text, which an address can hold.

Pixels stand in reading order. One with ink is two hexadecimal digits, 01 to ff; a run of 1 to 20 without any is one
letter, g to z, and a longer run begins with as many z as fit. The front end has the same in
``js/src/shared/pixel_text.js``; a test holds the two together.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor

from dlcompare.graphs.digits import SIDE

__all__ = ["from_text", "to_text"]

_FIRST, _LONGEST = ord("g"), 20
_PIXELS = SIDE * SIDE


def to_text(image: Tensor) -> str:
    """Return ``image`` (28, 28), from 0 to 1, as a text; each pixel becomes the nearest of 256 levels.

    Raises
    ------
    ValueError
        for an image of another shape, or with values outside 0 to 1.
    """
    if tuple(image.shape) != (SIDE, SIDE) or not bool(((image >= 0) & (image <= 1)).all()):
        raise ValueError(f"image has the shape {tuple(image.shape)}; allowed is ({SIDE}, {SIDE}), values from 0 to 1")
    parts, empty = [], 0
    for level in [*(image.flatten() * 255).round().int().tolist(), None]:
        if level == 0:
            empty += 1
            continue
        while empty:
            run = min(empty, _LONGEST)
            parts.append(chr(_FIRST + run - 1))
            empty -= run
        if level is not None:
            parts.append(f"{level:02x}")
    return "".join(parts)


def from_text(text: str) -> Tensor:
    """Return the image (28, 28), float32, from 0 to 1, that ``text`` holds.

    Raises
    ------
    ValueError
        for a text that :func:`to_text` would not write.
    """
    levels: list[int] = []
    if re.fullmatch(r"([g-z]|[0-9a-f]{2})*", text) and len(text) <= 2 * _PIXELS:
        for part in re.findall(r"[g-z]|..", text):
            levels += [0] * (ord(part) - _FIRST + 1) if len(part) == 1 else [int(part, 16)]
    if len(levels) == _PIXELS:
        image = torch.tensor(levels, dtype=torch.float32).reshape(SIDE, SIDE) / 255
        if to_text(image) == text:
            return image
    raise ValueError(f"the text {text!r} is no image; allowed is what to_text writes")
