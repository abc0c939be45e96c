import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

import dlcompare

WORKER = Path(__file__).parent / "worker.py"
#: Whatever goes wrong, no process outlives this, in seconds.
LIMIT = 240


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Workers:
    """Runs of ``worker.py``, in a folder of their own."""

    def __init__(self, folder: Path):
        self.folder = folder

    def start(self, name: str, n_processes: int = 1, **arguments) -> list[subprocess.Popen]:
        """Start a run whose outcome is called ``name``; each process is returned."""
        arguments = json.dumps({"out": str(self.folder / name), "folder": None, **arguments})
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(dlcompare.__file__).parents[1]),
            "OMP_NUM_THREADS": "1",
            "DLCOMPARE_QUIET": "1",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(free_port()),
            "WORLD_SIZE": str(n_processes),
        }
        return [
            subprocess.Popen(
                [sys.executable, str(WORKER), arguments],
                env={**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(n_processes)
        ]

    def finish(self, processes: list[subprocess.Popen], code: int = 0) -> None:
        """Wait until all have ended: well, or with ``code``."""
        try:
            said = [process.communicate(timeout=LIMIT)[1] for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.communicate()
        codes = [process.returncode for process in processes]
        # When one falls, the others lose their partner, and fall too.
        assert (code in codes and all(codes)) if code else not any(codes), "\n".join(said)

    def outcome(self, name: str) -> tuple[dict, dict]:
        """Return the history of the run ``name``, and its weights."""
        return json.loads((self.folder / f"{name}.json").read_text()), load_file(self.folder / f"{name}.safetensors")

    def run(self, name: str, n_processes: int = 1, code: int = 0, **arguments) -> tuple[dict, dict]:
        """Do it all; a run that is to fail with ``code`` has no outcome."""
        self.finish(self.start(name, n_processes, **arguments), code)
        return ({}, {}) if code else self.outcome(name)


@pytest.fixture
def workers(tmp_path):
    return Workers(tmp_path)
