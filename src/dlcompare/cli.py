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
    min_p: Annotated[float | None, typer.Option(help="draw from tokens this fraction as probable as the best")] = None,
    repetition_penalty: Annotated[float, typer.Option(help="> 1 makes tokens that stood before less probable")] = 1.0,
    greedy: Annotated[bool, typer.Option("--greedy", help="always take the most probable token")] = False,
    seed: Annotated[int, typer.Option(help="same seed, same text")] = 0,
) -> None:
    r"""Continue a text with a trained language model.

    Example: dlcompare generate "HAMLET.\nTo be" --temperature 0.7 --seed 3
    """
    from dlcompare import checkpoints, generation
    from dlcompare.sampling import Sampler

    try:
        sampler = Sampler(temperature, top_k, top_p, min_p, repetition_penalty, greedy)
        loaded = checkpoints.load(checkpoint)
        if loaded.tokenizer is None:
            _fail(f"checkpoint {checkpoint!r} is no language model: it has no tokenizer", code=2)
        text = generation.generate_text(
            loaded.model, loaded.tokenizer, prompt.replace("\\n", "\n"), tokens, sampler, seed=seed
        )
    except (checkpoints.CheckpointError, ValueError) as reason:
        _fail(str(reason), code=2 if isinstance(reason, ValueError) else 1)
    typer.echo(text)


@app.command()
def chat(
    model: Annotated[
        str, typer.Option(help="dialogue-gpt: ours, small and silly; smollm2: 135 million parameters, 93 MB to fetch")
    ] = "dialogue-gpt",
    tokens: Annotated[int | None, typer.Option(help="longest reply in tokens", min=1, show_default="60, 300")] = None,
    temperature: Annotated[float | None, typer.Option(help="> 0; by default the model's own")] = None,
    top_p: Annotated[float | None, typer.Option(help="draw from the fewest tokens of this mass")] = None,
    seed: Annotated[int, typer.Option(help="same seed and same words, same replies")] = 0,
) -> None:
    """Talk to a language model in the terminal. An empty line or Ctrl-D ends, /new forgets all that was said.

    The model reads the whole conversation each time. When it no longer fits, the oldest turns are not read.

    Example: dlcompare chat --model smollm2
    """
    import dataclasses

    from dlcompare import checkpoints, dialogue, smollm
    from dlcompare.tokenization import BPETokenizer

    try:
        if model == "smollm2":
            talker = smollm.talker(smollm.load())
        elif model == "dialogue-gpt":
            loaded = checkpoints.load(model)
            assert isinstance(loaded.tokenizer, BPETokenizer)
            talker = dialogue.talker(loaded.model, loaded.tokenizer)
        else:
            _fail(f"model is {model!r}; allowed are dialogue-gpt and smollm2", code=2)
        sampler = talker.sampler
        if temperature is not None:
            sampler = dataclasses.replace(sampler, temperature=temperature)
        if top_p is not None:
            sampler = dataclasses.replace(sampler, top_p=top_p)
    except (checkpoints.CheckpointError, DataError, ModuleNotFoundError) as reason:
        _fail(str(reason))
    except ValueError as reason:
        _fail(str(reason), code=2)
    longest = tokens or (300 if model == "smollm2" else 60)
    turns: list[str] = []
    while True:
        try:
            said = input("you: ").strip()
        except EOFError:
            typer.echo()
            return
        if not said:
            return
        if said == "/new":
            turns = []
            continue
        pieces = []
        try:
            typer.echo(f"{model}: ", nl=False)
            for piece in talker.stream([*turns, said], sampler=sampler, max_new_tokens=longest, seed=seed + len(turns)):
                typer.echo(piece, nl=False)
                pieces.append(piece)
            typer.echo()
        except ValueError as reason:  # this turn cannot be read; what was said before stays
            typer.echo(f"({reason})")
            continue
        turns += [said, "".join(pieces)]


def _fail(message: str, code: int = 1) -> NoReturn:
    Console(stderr=True).print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)
