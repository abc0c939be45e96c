"""``dlcompare info``: what is here, and what a checkpoint is."""

from __future__ import annotations

import importlib.util
import platform
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dlcompare import __version__
from dlcompare.cli._fail import fail

#: What the extras bring, and what for.
_EXTRAS = {
    "gguf": "SmolLM2",
    "sklearn": "simple baselines of the comparison",
    "tensorboard": "events of training runs",
    "transformers": "the reference of the tests",
}


def info(
    name: Annotated[str | None, typer.Argument(help="a checkpoint; without one: all, and the machine")] = None,
) -> None:
    """Show what is installed, what this machine can do, and which checkpoints there are; or one checkpoint's card.

    Example: dlcompare info shakespeare-gpt
    """
    from dlcompare import checkpoints

    if name is None:
        _show_machine()
        _show_checkpoints()
        return
    try:
        card = checkpoints.card(name)
    except checkpoints.CheckpointError as reason:
        fail(str(reason))
    recipe = card["recipe"]
    table = Table("checkpoint")
    table.add_column(name, overflow="fold")
    table.add_row("what", recipe.get("summary", ""))
    table.add_row("model", f"{card['model']} {_listed(card['config'])}")
    table.add_row("parameters", f"{card['parameters']:,}")
    table.add_row("file", f"{card['bytes'] / 1e6:.2f} MB, {card['dtype']}")
    table.add_row("data", f"{recipe.get('data', '')}, SHA-256 {card.get('data_sha256', '')}")
    table.add_row("recipe", _listed(recipe.get("settings", {})))
    if training := card.get("training"):
        table.add_row(
            "training", f"{training['steps']:,} steps, {training['seconds']:,} s; best at {training['best_step']:,}"
        )
    for metric, value in card["metrics"].items():
        table.add_row(metric.replace("_", " "), _number(value))
    table.add_row("versions", _listed(card.get("versions", {})))
    Console().print(table)


def _listed(fields: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in fields.items())


def _number(value: object) -> str:
    return f"{value:,.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _show_machine() -> None:
    import torch

    from dlcompare.data import cache_folder, cached, registry
    from dlcompare.training import bfloat16_is_fast

    table = Table(show_header=False)
    table.add_row("dlcompare", __version__)
    table.add_row("Python", f"{platform.python_version()} on {platform.system()}")
    table.add_row("torch", f"{torch.__version__}, {torch.get_num_threads()} threads")
    devices = ["cpu", *(f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count()))]
    for device in devices:
        fast = bfloat16_is_fast(torch.device(device.split(" ")[0]))
        table.add_row("device", f"{device}, {'fast' if fast else 'no units for'} bfloat16")
    for module, purpose in _EXTRAS.items():
        there = "installed" if importlib.util.find_spec(module) else "not installed"
        table.add_row(module, f"{there} ({purpose})")
    entries = registry()
    table.add_row("data", f"{sum(map(cached, entries))} of {len(entries)} sets in {cache_folder()}")
    Console().print(table)


def _show_checkpoints() -> None:
    from dlcompare import checkpoints

    table = Table("checkpoint", "model", "parameters", "MB", "what")
    for name in checkpoints.names():
        card = checkpoints.card(name)
        size = f"{card['bytes'] / 1e6:.2f}"
        table.add_row(name, card["model"], f"{card['parameters']:,}", size, card["recipe"].get("summary", ""))
    Console().print(table)
