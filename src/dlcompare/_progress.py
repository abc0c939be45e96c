"""Progress bars, in a terminal and in a notebook, by rich."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

#: Set this variable to anything, and no bar is shown: a bar is no result, and the book's pages hold results.
QUIET = "DLCOMPARE_QUIET"

#: Called with how much is done so far, and with what else is worth telling.
Update = Callable[[int, str], None]


@contextlib.contextmanager
def progress(
    description: str, total: int, *, done: int = 0, of_bytes: bool = False, quiet: bool = False
) -> Iterator[Update]:
    """Show how far something is, on the error stream, and yield the function that tells it so."""
    columns: tuple[ProgressColumn, ...] = (
        (DownloadColumn(), TransferSpeedColumn()) if of_bytes else (MofNCompleteColumn(),)
    )
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        *columns,
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        disable=quiet or bool(os.environ.get(QUIET)),
    )
    with bar:
        task = bar.add_task(description, total=total, completed=done, note="")
        yield lambda completed, note: bar.update(task, completed=completed, note=note)
