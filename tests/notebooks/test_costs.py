"""What each chapter took when it was executed for the book: Binder gives 2 GB."""

from __future__ import annotations

import sys

import pytest

from tools.chapters import ROOT, notebooks
from tools.costs import MOST_MEMORY
from tools.execute import costs


@pytest.mark.parametrize("name", [path.relative_to(ROOT).as_posix() for path in notebooks()])
def test_a_chapter_keeps_within_its_memory(name: str) -> None:
    known = costs(ROOT)
    assert name in known, f"no record of {name}: remove _build/.jupyter_cache, and run make book"
    memory = known[name].peak_memory
    if memory is None and sys.platform != "linux":
        pytest.skip("this system doesn't tell how much memory a kernel has had")
    assert memory is not None
    assert memory <= MOST_MEMORY
