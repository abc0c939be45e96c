"""The commands ``dlcompare data list`` and ``dlcompare data fetch``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dlcompare.data._cache import cache_folder, cached, fetch
from dlcompare.data._registry import entry, registry
from dlcompare.data.errors import DataError, UnknownDataSetError

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="List and fetch the real data sets that the book works on.",
)


@app.command("list")
def list_sets() -> None:
    """Show every data set: what is in it, its licence, its size, whether --all passes over it, and whether it is there."""
    table = Table(caption=f"cache: {cache_folder()} (another one: set DLCOMPARE_DATA)", caption_justify="left")
    for column in ("name", "what", "licence"):
        table.add_column(column, overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("optional", no_wrap=True)
    table.add_column("cached", no_wrap=True)
    try:
        for item in registry().values():
            state = "yes" if cached(item.name) else "no"
            if state == "no" and (cache_folder() / item.filename).exists():
                state = "damaged"
            size, optional = f"{item.bytes / 1e6:.1f} MB", "yes" if item.optional else "no"
            table.add_row(item.name, item.what, item.licence, size, optional, state)
    except DataError as error:
        _complain(error)
        raise typer.Exit(1) from None
    Console().print(table)


_NAMES = typer.Argument(metavar="NAME…", help="data sets, as `dlcompare data list` names them")
_ALL = typer.Option("--all", help="fetch every data set that is not optional")
_OPTIONAL = typer.Option("--optional", help="with --all: the optional ones too")


@app.command("fetch")
def fetch_sets(
    names: Annotated[list[str] | None, _NAMES] = None,
    every: Annotated[bool, _ALL] = False,
    optional: Annotated[bool, _OPTIONAL] = False,
) -> None:
    """Fetch data sets into the cache, each one pinned file, checked by its SHA-256.

    What is in the cache already is not fetched again.

    Exit status: 0, all are there; 1, one could not be had (the rest is tried all the same); 2, wrong usage.
    """
    if every == bool(names):
        raise typer.BadParameter("give either names or --all", param_hint="NAME…")
    if optional and not every:
        raise typer.BadParameter("goes with --all; a name fetches an optional set too", param_hint="--optional")
    whole = [item.name for item in registry().values() if optional or not item.optional]
    wanted = whole if every else list(dict.fromkeys(names or []))
    try:
        for name in wanted:
            entry(name)
    except UnknownDataSetError as error:
        raise typer.BadParameter(str(error), param_hint="NAME…") from None
    failed = []
    for name in wanted:
        try:
            if cached(name):
                typer.echo(f"{name}: in the cache already", err=True)
            else:
                fetch(name)
        except DataError as error:
            _complain(error)
            failed.append(name)
    if failed:
        typer.secho(f"not fetched: {', '.join(failed)}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1)


def _complain(error: DataError) -> None:
    typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
