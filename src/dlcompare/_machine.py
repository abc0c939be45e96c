"""What the machine is that something was measured on, without a name or a path that tells whose it is."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import torch

__all__ = ["has_bf16_units", "machine", "peak_memory", "processor"]


def processor() -> str:
    """Return the processor's name as Linux has it, elsewhere as Python has it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def has_bf16_units() -> bool:
    """Return whether the processor multiplies bfloat16 numbers itself."""
    can: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


def machine() -> dict[str, Any]:
    """Return processor, cores, threads, what units it has, and how busy it is."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bf16_units": has_bf16_units(),
        "vector_units": torch.backends.cpu.get_cpu_capability(),
        "openmp_waiting": os.environ.get("OMP_WAIT_POLICY", "default"),
        "load_before": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def peak_memory() -> int | None:
    """Return the most memory that this process has had at once, in bytes; None where the system doesn't tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if platform.system() == "Darwin" else largest * 1024
