"""``dlcompare train``: recipes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from dlcompare.cli._fail import MISUSED, STOPPED, fail
from dlcompare.data.errors import DataError

if TYPE_CHECKING:
    from dlcompare.training import Plan


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
    from dlcompare.training import ResumeError, Run
    from dlcompare.training.distributed import distributed, rank

    if recipe is None:
        table = Table("recipe", "what it trains", "data")
        for known in recipes.RECIPES.values():
            table.add_row(known.name, known.summary, known.data)
        Console().print(table)
        return
    if recipe not in recipes.RECIPES:
        fail(f"no recipe is named {recipe!r}; there are: {', '.join(recipes.RECIPES)}", MISUSED)
    changes = {name: value for name, value in (("steps", steps), ("text", text and str(text))) if value is not None}
    if changes and out is None and not dry_run:
        fail(
            "--steps and --text make another checkpoint than the committed one: name a folder for it with --out",
            MISUSED,
        )
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
                    circumstances.forget()
            place = recipes.train(recipe, out, run=circumstances, changes=changes)
            if rank():
                return
    except KeyboardInterrupt as reason:
        fail(str(reason) or f"stopped; the last saved state is in {folder}", STOPPED)
    except ValueError as reason:
        fail(str(reason), MISUSED)
    except (
        DataError,
        checkpoints.CheckpointError,
        ResumeError,
        OSError,
        FloatingPointError,
        ModuleNotFoundError,
    ) as reason:
        fail(str(reason))
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
