"""Results that were measured once and are read from then on: what ``make bench`` wrote, with its date and machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["bench"]


def bench(path: Path | None = None) -> dict[str, Any]:
    """Return what ``make bench`` has measured, as ``data/results/bench.json`` holds it.

    Parameters
    ----------
    path
        another file of the same form.

    Returns
    -------
    dict
        ``date``, ``machine`` and ``versions``; ``shapes``, the models that are measured; ``lines``, each with ``ours``
        and ``other`` in ``unit``, their ``ratio`` (other / ours), the ``target`` it is to reach or None, and our
        ``share`` of the machine's limit; ``growth`` by context length and by width, in tokens per second.
    """
    packaged = Path(__file__).parent / "_results" / "bench.json"
    checkout = Path(__file__).parents[2] / "data" / "results" / "bench.json"
    file = path or (packaged if packaged.is_file() else checkout)
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return results
