"""The command ``dlcompare``, also ``python -m dlcompare``.

Importing this module imports no torch, so that ``--help`` and ``data list`` answer at once: a command
imports what it needs when it runs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from dlcompare import __version__
from dlcompare.data.cli import app as data_app
from dlcompare.data.errors import DataError

__all__ = ["app"]

#: The command ``dlcompare``: ``data``, ``train`` and ``generate``; ``--help`` after each says what it takes.
app = typer.Typer(
    name="dlcompare",
    no_args_is_help=True,
    # An unexpected error shows Python's own traceback: it is short, and can be pasted into a report.
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dlcompare {__version__}")
        raise typer.Exit


_VERSION = typer.Option("--version", callback=_print_version, is_eager=True, help="show the version and stop")


@app.callback()
def main(version: Annotated[bool, _VERSION] = False) -> None:
    """Deep learning and GPT, side by side: the data and the models of the book."""


@app.command()
def train(
    recipe: Annotated[
        str | None,
        typer.Argument(help="a recipe; without one, they are listed", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="folder to write to; without it, the committed checkpoint is replaced")
    ] = None,
) -> None:
    """Train a checkpoint by its recipe, from the pinned data to the card.

    Example: dlcompare train digits-cnn --out /tmp/checkpoints
    """
    from dlcompare import checkpoints, recipes

    if recipe is None:
        table = Table("recipe", "what it trains", "data")
        for known in recipes.RECIPES.values():
            table.add_row(known.name, known.summary, known.data)
        Console().print(table)
        return
    if recipe not in recipes.RECIPES:
        _fail(f"no recipe is named {recipe!r}; there are: {', '.join(recipes.RECIPES)}", code=2)
    try:
        place = recipes.train(recipe, out)
    except (DataError, checkpoints.CheckpointError, OSError, FloatingPointError) as reason:
        _fail(str(reason))
    metrics = json.loads((place / "card.json").read_text(encoding="utf-8"))["metrics"]
    table = Table("metric", "value")
    for name, value in metrics.items():
        table.add_row(name.replace("_", " "), f"{value:,.4f}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)
    typer.echo(f"written to {place}")


@app.command()
def generate(
    prompt: Annotated[str, typer.Argument(help="text to continue; \\n is a line break")] = "ROMEO.\\n",
    checkpoint: Annotated[str, typer.Option(help="a language model's checkpoint")] = "shakespeare-gpt",
    tokens: Annotated[int, typer.Option(help="number of new tokens", min=1)] = 200,
    temperature: Annotated[float, typer.Option(help="> 0; below 1 sharpens, above 1 flattens")] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="draw from this many most probable tokens")] = None,
    top_p: Annotated[float | None, typer.Option(help="draw from the fewest tokens of this mass")] = None,
    seed: Annotated[int, typer.Option(help="same seed, same text")] = 0,
) -> None:
    r"""Continue a text with a trained language model.

    Example: dlcompare generate "HAMLET.\nTo be" --temperature 0.7 --seed 3
    """
    from dlcompare import checkpoints, generation

    try:
        loaded = checkpoints.load(checkpoint)
        if loaded.tokenizer is None:
            _fail(f"checkpoint {checkpoint!r} is no language model: it has no tokenizer", code=2)
        text = generation.generate_text(
            loaded.model,
            loaded.tokenizer,
            prompt.replace("\\n", "\n"),
            tokens,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            seed=seed,
        )
    except (checkpoints.CheckpointError, ValueError) as reason:
        _fail(str(reason), code=2 if isinstance(reason, ValueError) else 1)
    typer.echo(text)


def _fail(message: str, code: int = 1) -> NoReturn:
    Console(stderr=True).print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)
