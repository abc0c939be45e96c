"""How and where a training run is made: what doesn't change its result, but whether and how soon there is one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from dlcompare.training.distributed import n_processes

__all__ = ["Run"]


@dataclass(frozen=True)
class Run:
    """The circumstances of a run.

    Parameters
    ----------
    folder
        where its state and its log are kept; a state that lies there is where it goes on. Without a folder nothing is
        kept.
    identity
        what the run is of (settings, data, version), in any wording: a state of another identity is refused.
    save_every
        steps from one saved state to the next.
    device
        where to compute, ``"cpu"`` or ``"cuda"``; by default where the model is.
    accumulate
        parts that a process cuts its rows of a batch into, one after the other, to need less memory.
    sharded
        whether the processes share out the weights (FSDP) and not the batch alone (DDP).
    tensorboard
        whether to write TensorBoard's events beside the CSV log.
    dry_run
        if not 0: don't train, but work out what so many processes would need (see :class:`~dlcompare.training.Plan`).

    Raises
    ------
    ValueError
        for ``save_every`` or ``accumulate`` below 1, ``dry_run`` below 0, ``tensorboard`` without a folder, ``sharded``
        with one process.
    """

    folder: Path | None = None
    identity: str = ""
    save_every: int = 100
    device: str | None = None
    accumulate: int = 1
    sharded: bool = False
    tensorboard: bool = False
    dry_run: int = 0

    def __post_init__(self) -> None:
        for name in ("save_every", "accumulate"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; allowed are integers of at least 1")
        if self.dry_run < 0:
            raise ValueError(f"dry_run is {self.dry_run}; allowed are the processes to plan for, or 0 to train")
        if self.tensorboard and self.folder is None:
            raise ValueError("tensorboard is True but folder is None; the events need a folder")
        if self.sharded and n_processes() == 1 and not self.dry_run:
            raise ValueError("sharded is True but there is one process; start several with torchrun")

    @property
    def state(self) -> Path | None:
        """The file that holds the run's state."""
        return self.folder / "state.safetensors" if self.folder else None

    def stage(self, name: str) -> Run:
        """Return the run of a further training that belongs to this one, with a folder and a state of its own."""
        return replace(self, folder=self.folder and self.folder / name, identity=f"{self.identity} {name}")

    def forget(self) -> None:
        """Remove the run's state, and those of its stages."""
        for state in self.folder.rglob("state.safetensors") if self.folder else ():
            state.unlink()

    def sweep(self) -> None:
        """Remove what interrupted writing has left in the folder."""
        if self.folder and self.folder.is_dir():
            for left in self.folder.glob(".*.tmp"):
                left.unlink(missing_ok=True)


class Interruption:
    """While this context lasts, a first Ctrl-C or request to end (SIGTERM) waits for the step to be finished.

    ``tell`` is called on it. A second one acts at once. Outside the main thread, where signals don't arrive, nothing is
    changed.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self.asked = False
        self._tell = tell
        self._before: dict[signal.Signals, Any] = {}

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._restore()
        self._tell()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._restore()
