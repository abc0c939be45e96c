"""``dlcompare compare``: tasks × families × budgets × seeds, measured."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from dlcompare.cli._fail import MISUSED, STOPPED, fail
from dlcompare.data.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dlcompare.comparison import Interval, Job, Record, Row
    from dlcompare.comparison.grids import Grid


def compare(
    out: Annotated[
        Path | None, typer.Option(help="file of records, JSON lines", show_default="runs/comparison.jsonl")
    ] = None,
    task: Annotated[list[str] | None, typer.Option(help="only this task; may be repeated")] = None,
    family: Annotated[list[str] | None, typer.Option(help="only this family; may be repeated")] = None,
    budget: Annotated[list[str] | None, typer.Option(help="only this budget; may be repeated")] = None,
    seeds: Annotated[int | None, typer.Option(help="how many seeds, from 0 on", min=1)] = None,
    processes: Annotated[int, typer.Option(help="jobs at once; 0: in this process", min=0)] = 1,
    memory: Annotated[float | None, typer.Option(help="GB that all jobs may have together")] = None,
    threads: Annotated[int, typer.Option(help="torch's threads in each process", min=1)] = 1,
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    quick: Annotated[bool, typer.Option("--quick", help="the reduced grid, of a few minutes")] = False,
    scaling: Annotated[bool, typer.Option("--scaling", help="the grid of the scaling curves")] = False,
    show: Annotated[bool, typer.Option("--show", help="measure nothing, show the records' tables")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="measure nothing, show what would be, and why not what isn't")
    ] = False,
    against: Annotated[
        Path | None, typer.Option(help="records of an earlier run: fail if a surely known order is now the opposite")
    ] = None,
) -> None:
    """Train and measure every family on every task within every budget, and show the tables.

    Stopped at any moment, the same command goes on: what has finished stands in the file. Test data is looked at once
    for each record, at its end.

    Example: dlcompare compare --task digits --family mlp --family cnn --budget parameters --out /tmp/digits.jsonl
    """
    from dlcompare import comparison
    from dlcompare.comparison import grids
    from dlcompare.comparison.scaling_runs import SCALING

    path = out or Path("runs") / "comparison.jsonl"
    if quick and scaling:
        fail("--quick and --scaling are two grids; allowed is one of them", MISUSED)
    try:
        whole = grids.QUICK if quick else SCALING if scaling else grids.FULL
        grid = whole.only(task, family, budget, seeds)
        jobs = grid.jobs()
        if dry_run:
            _show_plan(grid, jobs, comparison.remaining(jobs, path))
            return
        failed = 0
        if not show:
            limit = None if memory is None else round(memory * 1e9)
            made = comparison.run(jobs, path, processes=processes, memory=limit, threads=threads, device=device)
            failed = sum(record.error is not None for record in made)
            typer.echo(f"{len(made)} of {len(jobs)} jobs were measured now; the records are in {path}")
        keys = {job.key for job in jobs}
        records = [record for record in comparison.latest(comparison.read(path)) if record.key in keys]
        _show(grid, records)
        wrong = _contradictions(grid, comparison.read(against), records) if against else []
    except (comparison.RecordError, DataError, OSError) as reason:
        fail(str(reason))
    except ValueError as reason:
        fail(str(reason), MISUSED)
    except KeyboardInterrupt:
        fail(f"stopped; what has finished is in {path}, and the same command goes on", STOPPED)
    for line in wrong:
        Console(stderr=True).print(line, style="red", markup=False)
    if failed or wrong:
        fail(f"{failed} jobs failed, {len(wrong)} orders are the opposite of those in {against}")


def _show_plan(grid: Grid, jobs: Sequence[Job], remaining: Sequence[Job]) -> None:
    """Show what would be measured, and what not for which reason."""
    table = Table("task", "family", "jobs", "still to run", "why not")
    for task in grid.tasks:
        for family in grid.families:
            of, left = (
                sum(job.task.name == task.name and job.family.name == family.name for job in some)
                for some in (jobs, remaining)
            )
            table.add_row(task.name, family.name, str(of), str(left), grid.reason(task, family) or "")
    Console().print(table)
    typer.echo(f"{len(jobs)} jobs, {len(remaining)} still to run")


def _show(grid: Grid, records: Sequence[Record]) -> None:
    """Show a table for each task and budget, and the errors."""
    for task in grid.tasks:
        for budget in grid.budgets:
            if rows := grid.table(records, task, budget):
                metric = f"{task.metric.name.replace('_', ' ')} ({task.metric.unit})"
                Console().print(_table(f"{task.name}, {budget.title}: {metric}", rows))
    for record in records:
        if record.error is not None:
            typer.echo(f"{record.task} {record.family} {record.budget} {record.seed}: {record.error}", err=True)


def _table(title: str, rows: Iterable[Row]) -> Table:
    """Return a table that stands whole in a terminal of 80 columns."""
    heads = ("rank", "family", "mean", "95 %: ±", "runs", "parameters", "FLOPs", "seconds", "MB")
    table = Table(*heads, title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in table.columns:
        column.no_wrap = True
        column.justify = "left" if column.header == "family" else "right"
    for row in rows:
        value = row.value
        table.add_row(
            str(row.rank),
            row.family,
            f"{value.mean:.4g}",
            _interval(value),
            str(value.n),
            _number(row.parameters, ",.0f"),
            _number(row.flops, ".1e"),
            _number(row.seconds, ".3g"),
            _number(row.peak_memory and row.peak_memory / 1e6, ".0f"),
        )
    return table


def _interval(value: Interval) -> str:
    if value.low == value.high:
        return "no seed"
    return f"{(value.high - value.low) / 2:.2g}" if math.isfinite(value.low) else "one seed"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _contradictions(grid: Grid, before: Sequence[Record], now: Sequence[Record]) -> list[str]:
    """Return a line for each order that the records surely say now, and the earlier ones surely said otherwise."""
    from dlcompare.comparison import contradictions

    return [
        f"{task.name}, {budget.title}: {better} was surely better than {worse}, and now is surely worse"
        for task in grid.tasks
        for budget in grid.budgets
        for better, worse in contradictions(
            grid.table(before, task, budget), grid.table(now, task, budget), task.metric
        )
    ]
