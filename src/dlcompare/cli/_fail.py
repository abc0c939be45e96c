"""How a command ends when it can't do what it was asked."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console

#: Exit codes: something outside is in the way (data, disk, network, numbers); the command was used wrongly; stopped.
FAILED, MISUSED, STOPPED = 1, 2, 130


def fail(message: str, code: int = FAILED) -> NoReturn:
    """Say why on the error stream, and exit with ``code``."""
    Console(stderr=True).print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)
