"""What the machine is, and how fast it multiplies matrices and reads memory: the limits that a model can come near."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
from collections.abc import Callable
from typing import Any

import torch

from dlcompare._machine import has_bf16_units, machine

__all__ = ["MATRIX", "READ", "describe", "has_bf16_units", "matrix_product", "memory_read"]

#: Rows and columns of the matrices whose product tells the machine's matrix rate.
MATRIX = 1024

#: Bytes that are read to tell the memory's bandwidth: more than any processor's cache holds.
READ = 256 * 2**20


def matrix_product(dtype: torch.dtype, n: int = MATRIX) -> tuple[Callable[[], object], float]:
    """Return a product of two n × n matrices, and how many billion operations (GFLOP) it takes."""
    a, b = (torch.randn(n, n).to(dtype) for _ in range(2))
    return lambda: a @ b, 2 * n**3 / 1e9


def memory_read(size: int = READ) -> tuple[Callable[[], object], float]:
    """Return a sum over so many bytes, and how many GB (10⁹ bytes) it reads."""
    numbers = torch.ones(size // 4)
    return numbers.sum, numbers.nbytes / 1e9


def describe() -> dict[str, Any]:
    """Return date, machine and versions, without a name or a path that tells whose it is."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("torch", "transformers")},
        },
    }
