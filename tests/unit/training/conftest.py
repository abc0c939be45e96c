import json
import multiprocessing
import socket
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.unit.training import worker

#: Whatever goes wrong, no process outlives this, in seconds.
LIMIT = 240

# The server imports torch once; each process is a fork of it, before torch has begun any thread.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([worker.__name__])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Workers:
    """Runs of ``worker.py``, in a folder of their own."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._events: list[object] = []  # one that is not held here is gone before its process looks for it

    def start(self, name: str, n_processes: int = 1, **arguments) -> tuple[list[BaseProcess], object]:
        """Start a run whose outcome is called ``name``; return its processes, and the event that training began."""
        began = CONTEXT.Event()
        self._events.append(began)
        shared = {
            "DLCOMPARE_QUIET": "1",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(free_port()),
            "WORLD_SIZE": str(n_processes),
        }
        processes = []
        for rank in range(n_processes):
            environment = {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            process = CONTEXT.Process(
                target=worker.main, args=(str(self.folder / name), began, environment, arguments), daemon=True
            )
            process.start()
            processes.append(process)
        return processes, began

    def finish(self, processes: list[BaseProcess], code: int = 0) -> str:
        """Wait until all have ended, well or with ``code``; return what they said about it."""
        try:
            for process in processes:
                process.join(LIMIT)
        finally:
            for process in processes:
                process.kill()
                process.join()
        codes = [process.exitcode for process in processes]
        said = "\n".join(path.read_text() for path in sorted(self.folder.glob("*.error")))
        # When one falls, the others lose their partner, and fall too.
        assert (code in codes and all(codes)) if code else not any(codes), f"{codes}\n{said}"
        return said

    def outcome(self, name: str) -> tuple[dict, dict]:
        """Return the history of the run ``name``, and its weights."""
        return json.loads((self.folder / f"{name}.json").read_text()), load_file(self.folder / f"{name}.safetensors")

    def run(self, name: str, n_processes: int = 1, code: int = 0, **arguments) -> tuple[dict, dict]:
        """Do it all; a run that is to fail with ``code`` has no outcome."""
        self.finish(self.start(name, n_processes, **arguments)[0], code)
        return ({}, {}) if code else self.outcome(name)


@pytest.fixture
def workers(tmp_path):
    return Workers(tmp_path)
