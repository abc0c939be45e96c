from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session", autouse=True)
def _bundles() -> None:
    """Bring the bundles up to date; with nothing changed this takes no time."""
    subprocess.run([sys.executable, ROOT / "js" / "hatch_build.py"], check=True)
