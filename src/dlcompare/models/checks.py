"""Checks of arguments that several models share: each error names the argument, its value and what is allowed."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["check_ids", "check_images", "check_positive", "check_probability"]


def check_positive(config: object, *names: str) -> None:
    """Raise ValueError unless each named field of ``config`` is an integer ≥ 1."""
    for name in names:
        value = getattr(config, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} is {value!r}; allowed are integers of at least 1")


def check_probability(config: object, name: str) -> None:
    """Raise ValueError unless the named field of ``config`` lies in [0, 1)."""
    value = getattr(config, name)
    if not 0 <= value < 1:
        raise ValueError(f"{name} is {value!r}; allowed is 0 ≤ {name} < 1")


def check_ids(ids: Tensor, vocab_size: int, longest: int | None = None, name: str = "ids") -> None:
    """Raise ValueError unless ``ids`` is an integer (batch, seq) tensor of known ids and of allowed length.

    ``name`` is what the caller calls them. Values are looked at only where that is cheap and possible: on the CPU
    and outside a trace.
    """
    if ids.ndim != 2:
        raise ValueError(f"{name} has shape {tuple(ids.shape)}; allowed is (batch, seq)")
    if ids.dtype not in (torch.int64, torch.int32):
        raise ValueError(f"{name} has dtype {ids.dtype}; allowed are torch.int64 and torch.int32")
    if longest is not None and ids.shape[1] > longest:
        raise ValueError(f"{name} is {ids.shape[1]} tokens long; allowed are at most block_size = {longest}")
    if ids.device.type == "cpu" and not torch.compiler.is_compiling() and ids.numel():
        low, high = (int(ids),) * 2 if ids.numel() == 1 else (int(end) for end in ids.aminmax())
        if low < 0 or high >= vocab_size:
            raise ValueError(f"{name} contains {low if low < 0 else high}; allowed are 0 to {vocab_size - 1}")


def check_images(x: Tensor, channels: int, size: int | None = None) -> None:
    """Raise ValueError unless ``x`` is (batch, channels, size, size); with ``size`` None, of any height and width."""
    height, width = (size, size) if size is not None else ("height", "width")
    if x.ndim != 4 or x.shape[1] != channels or (size is not None and x.shape[2:] != (size, size)):
        raise ValueError(f"x has shape {tuple(x.shape)}; allowed is (batch, {channels}, {height}, {width})")
