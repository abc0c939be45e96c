"""What a training run writes down as it goes: one line per step in a CSV file, and TensorBoard's events if wanted."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dlcompare._files import replace_files

__all__ = ["COLUMNS", "Log"]

#: The columns of the CSV file. ``seconds`` is training time without evaluations; ``loss`` is in the loss's own unit;
#: ``validation`` is empty where the step was followed by no evaluation.
COLUMNS = ("step", "seconds", "loss", "learning_rate", "gradient_norm", "validation")


class Log:
    """The log of a run in ``folder``: ``log.csv``, and ``tensorboard/`` if wanted.

    A run that goes on at a ``step`` keeps the lines up to it; those after it belong to steps that are made again.

    Parameters
    ----------
    folder
        where it lies; it is made if need be.
    step
        the last step that counts.
    tensorboard
        whether to write TensorBoard's events too.

    Raises
    ------
    ModuleNotFoundError
        when TensorBoard is wanted but not installed.
    """

    def __init__(self, folder: Path, step: int, *, tensorboard: bool = False):
        path = folder / "log.csv"
        lines = path.read_text(encoding="utf-8").splitlines() if step and path.is_file() else []
        kept = [line for line in lines if line.split(",")[0].isdigit() and int(line.split(",")[0]) <= step]
        replace_files({path: "".join(line + "\n" for line in [",".join(COLUMNS), *kept]).encode()})
        self._file = path.open("a", encoding="utf-8")
        self._events: Any = None
        if tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ModuleNotFoundError:
                self._file.close()
                raise ModuleNotFoundError("TensorBoard is not installed: pip install tensorboard") from None
            self._events = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def write(self, step: int, values: dict[str, float]) -> None:
        """Add the line of ``step``; ``values`` are those of :data:`COLUMNS` that there are."""
        cells = [str(step), *(f"{values[c]:.9g}" if c in values else "" for c in COLUMNS[1:])]
        self._file.write(",".join(cells) + "\n")
        self._file.flush()
        if self._events is not None:
            for name, value in values.items():
                self._events.add_scalar(name, value, step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        if self._events is not None:
            self._events.close()
