"""Measure what the next token costs, by how much was read before: ``python -m benchmarks.inference``.

A GPT with its cache of keys and values, the same GPT that reads everything anew for each token, and an LSTM of as many
parameters, one thread each. Operations are those that torch counts in the very call that is timed (the LSTM's by
:mod:`dlcompare.models.costs`); memory is what has to be kept from one token to the next.
"""

from __future__ import annotations

import argparse
import ctypes
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import machine
from benchmarks.run import rounded
from benchmarks.side_by_side import medians
from dlcompare.comparison.budgets import matched_width
from dlcompare.models import GPT, GPTConfig, RecurrentLM, RecurrentLMConfig
from dlcompare.models.costs import costs
from dlcompare.training import n_parameters

FILE = Path(__file__).parents[1] / "data" / "results" / "inference.json"


@dataclass(frozen=True)
class Plan:
    """What is measured: the GPT's sizes, after how many tokens, and how often. The tests run a tiny one."""

    n_layer: int = 4
    n_head: int = 4
    d_model: int = 128
    vocab_size: int = 84
    contexts: tuple[int, ...] = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
    rounds: int = 15


Way = Callable[[], Tensor]

#: glibc's numbers for two of its settings (malloc.h), and values so large that memory once had is kept.
KEEP = {-1: 2**30, -3: 2**25}


def keep_memory() -> None:
    """Let the C library keep what is freed, where it is glibc.

    torch packs the LSTM's weights anew at each call. Whether these 5 MB came fresh from the system, which takes four
    times as long as the products, would depend on what had run before.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for setting, value in KEEP.items():
            libc.mallopt(setting, value)


def cached(model: GPT, ids: Tensor) -> tuple[Way, int]:
    """Return the step that reads the last of ``ids`` (1, seq), the others being in the cache; and the cache's bytes."""
    cache = model.new_cache(1, ids.shape[1])
    model.hidden(ids[:, :-1], cache)
    kept, read = cache.bytes, cache.length

    def step() -> Tensor:
        cache.length = read
        return model.head(model.hidden(ids[:, -1:], cache)[:, -1])

    return step, kept


def uncached(model: GPT, ids: Tensor) -> tuple[Way, int]:
    """Return the step that reads all of ``ids`` (1, seq); nothing is kept but they."""
    return lambda: model.head(model.hidden(ids)[:, -1]), ids.numel() * ids.element_size()


def recurrent(model: RecurrentLM, ids: Tensor) -> tuple[Way, int]:
    """Return the step that reads the last of ``ids`` (1, seq), the others being in the state; and its bytes."""
    state = model.advance(ids[:, :-1])[1]
    parts = state if isinstance(state, tuple) else (state,)
    return lambda: model.advance(ids[:, -1:], state)[0][:, -1], sum(part.nbytes for part in parts)


def operations(way: Way) -> int:
    """Return the floating-point operations that torch counts in ``way``; it has no count of recurrent layers."""
    with FlopCounterMode(display=False) as counter:
        way()
    return counter.get_total_flops()


@torch.no_grad()
def measure(plan: Plan, say: Callable[[str], object] = lambda text: None) -> dict[str, Any]:
    """Run the plan and return what the file is to hold."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        gpt = GPT(GPTConfig(plan.vocab_size, max(plan.contexts), plan.n_layer, plan.n_head, plan.d_model)).eval()

        def lstm(width: int) -> RecurrentLM:
            return RecurrentLM(RecurrentLMConfig("lstm", plan.vocab_size, width))

        width = matched_width(lstm, range(2, 4096), n_parameters(gpt))
        recurrence = lstm(width).eval()
        rows = []
        for context in plan.contexts:
            say(f"{context} tokens")
            ids = torch.randint(plan.vocab_size, (1, context))
            ways = {
                "gpt": cached(gpt, ids),
                "gpt-uncached": uncached(gpt, ids),
                "lstm": recurrent(recurrence, ids),
            }
            torch.testing.assert_close(ways["gpt"][0](), ways["gpt-uncached"][0](), rtol=0, atol=1e-4)
            # One after the other: in turn, each would push the others' weights out of the processor's cache.
            seconds = {name: medians({name: way}, plan.rounds)[name] for name, (way, _) in ways.items()}
            rows += [
                {
                    "way": name,
                    "context": context,
                    "milliseconds": 1e3 * seconds[name],
                    "flops": costs(recurrence, ids[:, -1:])[""].flops if name == "lstm" else operations(way),
                    "bytes": kept,
                }
                for name, (way, kept) in ways.items()
            ]
        return {
            **machine.describe(),
            "models": {
                "gpt": {"parameters": n_parameters(gpt), "n_layer": plan.n_layer, "d_model": plan.d_model},
                "lstm": {"parameters": n_parameters(recurrence), "n_layer": 1, "d_model": width},
            },
            "rows": rows,
        }
    finally:
        torch.set_num_threads(threads)


def show(results: dict[str, Any], console: Console) -> None:
    """Print the rows as a table."""
    table = Table("way", "tokens before", "ms per token", "operations", "bytes kept", title="the next token")
    for row in sorted(results["rows"], key=lambda row: row["way"]):
        table.add_row(
            row["way"], f"{row['context']:,}", f"{row['milliseconds']:.3g}", f"{row['flops']:,}", f"{row['bytes']:,}"
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the next token costs, by how much was read before.")
    parser.add_argument("--output", type=Path, default=FILE, help="the file to write (default: the committed one)")
    output = parser.parse_args().output
    keep_memory()
    console = Console()
    results = rounded(measure(Plan(), lambda text: console.print(f"measuring {text} …")))
    output.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    show(results, console)


if __name__ == "__main__":
    main()
