"""The command ``dlcompare``, also ``python -m dlcompare``.

Importing this module imports no torch, so that ``--help`` and ``data list`` answer at once: a command
imports what it needs when it runs.
"""

from __future__ import annotations

from typing import Annotated

import typer

from dlcompare import __version__
from dlcompare.data.cli import app as data_app

__all__ = ["app"]

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
