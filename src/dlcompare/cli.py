"""The command ``dlcompare``, also ``python -m dlcompare``.

Importing this module imports no torch, so that ``--help`` and ``data list`` answer at once: a command
imports what it needs when it runs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from dlcompare import __version__
from dlcompare.data.cli import app as data_app
from dlcompare.data.errors import DataError

if TYPE_CHECKING:
    from dlcompare.training import Plan

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
    run: Annotated[
        Path | None,
        typer.Option(help="folder for the state and the log (log.csv)", show_default="runs/RECIPE"),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="begin anew, whatever state an earlier run left")] = False,
    steps: Annotated[
        int | None, typer.Option(help="other than the recipe's, to try it out; needs --out", min=1)
    ] = None,
    text: Annotated[Path | None, typer.Option(help="a UTF-8 text of your own, for recipes that take one")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda", show_default="cpu")] = None,
    accumulate: Annotated[int, typer.Option(help="parts to cut a batch into, to need less memory", min=1)] = 1,
    sharded: Annotated[bool, typer.Option("--sharded", help="share out the weights too (FSDP); by torchrun")] = False,
    save_every: Annotated[int, typer.Option(help="steps from one saved state to the next", min=1)] = 100,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="write TensorBoard's events too")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="don't train: work out memory and arithmetic, on the meta device")
    ] = False,
    processes: Annotated[int, typer.Option(help="how many to work it out for, with --dry-run", min=1)] = 1,
    teraflops: Annotated[
        float | None, typer.Option(help="what a process really does per second: the time, with --dry-run")
    ] = None,
) -> None:
    """Train a checkpoint by its recipe, from the pinned data to the card.

    Interrupted at any moment, the same command goes on where the last state was saved, and ends with the same weights.

    Example: dlcompare train digits-cnn --out /tmp/checkpoints

    Several processes: torchrun --nproc-per-node 8 -m dlcompare train gpt2-124m --text my.txt --device cuda --out here

    What that needs: dlcompare train gpt2-124m --dry-run --processes 8 --accumulate 5 --teraflops 150
    """
    from dlcompare import checkpoints, recipes
    from dlcompare.training import Run, StateError
    from dlcompare.training.distributed import distributed, rank

    if recipe is None:
        table = Table("recipe", "what it trains", "data")
        for known in recipes.RECIPES.values():
            table.add_row(known.name, known.summary, known.data)
        Console().print(table)
        return
    if recipe not in recipes.RECIPES:
        _fail(f"no recipe is named {recipe!r}; there are: {', '.join(recipes.RECIPES)}", code=2)
    changes = {name: value for name, value in (("steps", steps), ("text", text and str(text))) if value is not None}
    if changes and out is None and not dry_run:
        _fail("--steps and --text make another checkpoint than the committed one: name a folder for it with --out", 2)
    folder = run or Path("runs") / recipe
    try:
        with distributed(device or "cpu"):
            circumstances = Run(
                folder=None if dry_run else folder,
                save_every=save_every,
                device=device,
                accumulate=accumulate,
                sharded=sharded,
                tensorboard=tensorboard and not dry_run,
                dry_run=processes if dry_run else 0,
            )
            if dry_run:
                _show_plan(recipes.plan(recipe, run=circumstances, changes=changes), teraflops)
                return
            if rank() == 0 and circumstances.state is not None and circumstances.state.is_file():
                typer.echo(f"{'removing' if fresh else 'going on from'} the state in {folder}", err=True)
                if fresh:
                    circumstances.state.unlink()
            place = recipes.train(recipe, out, run=circumstances, changes=changes)
            if rank():
                return
    except KeyboardInterrupt as reason:
        _fail(str(reason) or f"stopped; the last saved state is in {folder}", code=130)
    except ValueError as reason:
        _fail(str(reason), code=2)
    except (
        DataError,
        checkpoints.CheckpointError,
        StateError,
        OSError,
        FloatingPointError,
        ModuleNotFoundError,
    ) as reason:
        _fail(str(reason))
    metrics = json.loads((place / "card.json").read_text(encoding="utf-8"))["metrics"]
    table = Table("metric", "value")
    for name, value in metrics.items():
        table.add_row(name.replace("_", " "), f"{value:,.4f}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)
    typer.echo(f"written to {place}")


def _show_plan(plan: Plan, teraflops: float | None) -> None:
    """Print what a run needs, and if it is known how much a process does per second, how long it takes."""
    table = Table("each of " + (f"{plan.n_processes} processes" if plan.n_processes > 1 else "1 process"), "GB")
    for name in ("weights", "gradients", "optimizer"):
        table.add_row(name, f"{getattr(plan, name) / 1e9:.3g}")
    table.add_row("activations, float32", f"{plan.activations / 1e9:.3g}")
    table.add_row("activations, bfloat16", f"{plan.activations_bfloat16 / 1e9:.3g}")
    table.add_row("together, float32", f"{plan.memory / 1e9:.3g}", style="bold")
    Console().print(table)
    typer.echo(f"{plan.parameters:,} parameters, {plan.steps:,} steps of {plan.rows_per_step:,} examples each")
    typer.echo(f"{plan.flops_per_step:.3g} floating-point operations per step")
    if teraflops is not None:
        hours = plan.seconds(teraflops * 1e12) / 3600
        typer.echo(f"{hours:.3g} hours at {teraflops:g} TFLOP/s of each process")


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
