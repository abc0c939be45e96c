"""Time two ways of doing the same thing side by side: interleaved, medians, a ratio.

Machines are noisy and differ; what two programs need one right after the other on the same machine can be compared.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

__all__ = ["medians"]


def medians(ways: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 2) -> dict[str, float]:
    """Return the median seconds of each way, after ``warm_up`` rounds that don't count.

    In each round every way runs once, in turn, so that whatever else the machine does hits all alike.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for i in range(warm_up + rounds):
        for name, run in ways.items():
            started = time.perf_counter()
            run()
            if i >= warm_up:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}
