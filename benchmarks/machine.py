"""What the machine is, and how fast it multiplies matrices and reads memory: the limits that a model can come near."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

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


def has_bf16_units() -> bool:
    """Return whether the processor multiplies bfloat16 numbers itself."""
    can: dict[str, Any] = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


def _processor() -> str:
    """Return the processor's name as Linux has it, elsewhere as Python has it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def describe() -> dict[str, Any]:
    """Return date, machine and versions, without a name or a path that tells whose it is."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "bf16_units": has_bf16_units(),
            "vector_units": torch.backends.cpu.get_cpu_capability(),
            "openmp_waiting": os.environ.get("OMP_WAIT_POLICY", "default"),
            "load_before": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        },
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("torch", "transformers")},
        },
    }
