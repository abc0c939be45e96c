"""The command ``dlcompare``, also ``python -m dlcompare``.

Importing this package imports no torch, so that ``--help`` and ``data list`` answer at once: a command imports what it
needs when it runs.
"""

from __future__ import annotations

from typing import Annotated

import typer

from dlcompare import __version__
from dlcompare.cli._chat import chat
from dlcompare.cli._compare import compare
from dlcompare.cli._generate import generate
from dlcompare.cli._info import info
from dlcompare.cli._train import train
from dlcompare.data.cli import app as data_app

__all__ = ["app"]

#: The command ``dlcompare``: ``data``, ``info``, ``train``, ``compare``, ``generate`` and ``chat``; ``--help`` after
#: each says what it takes.
app = typer.Typer(
    name="dlcompare",
    no_args_is_help=True,
    # An unexpected error shows Python's own traceback: it is short, and can be pasted into a report.
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 failed (data, disk, network, numbers), 2 used wrongly, 130 stopped by Ctrl-C.",
)
app.add_typer(data_app, name="data")
for command in (info, train, compare, generate, chat):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dlcompare {__version__}")
        raise typer.Exit


_VERSION = typer.Option("--version", callback=_print_version, is_eager=True, help="show the version and stop")


@app.callback()
def main(version: Annotated[bool, _VERSION] = False) -> None:
    r"""Deep learning and GPT, side by side: the data and the models of the book.

    Begin with: dlcompare info, dlcompare generate "ROMEO.\n", dlcompare chat.
    """
