"""A tiny book with the repository's own configuration and tools, in which a test can edit everything."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pytest

from tools.format_notebooks import KERNEL

REPOSITORY = Path(__file__).resolve().parents[2]


def write_notebook(path: Path, *sources: str, tags: Sequence[str] = ()) -> None:
    """Write a chapter with a title, and one code cell for each of the sources."""
    cells = [nbformat.v4.new_markdown_cell(f"# The chapter {path.stem}")]
    cells += [nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)} if tags else {}) for source in sources]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)


class Book:
    """The tiny book: where it is, how to build it, and how often each of its chapters was executed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "_build" / "executions.log"

    def chapter(self, name: str, *sources: str) -> Path:
        """Write a chapter that notes each execution in a file, outside the notebook's outputs."""
        note = f"with open({str(self.log)!r}, 'a') as log:\n    print({name!r}, file=log)"
        path = self.root / "chapters" / f"{name}.ipynb"
        write_notebook(path, note, *sources)
        return path

    def build(self) -> subprocess.CompletedProcess[str]:
        """Build the book as `make book` does."""
        return subprocess.run(
            [sys.executable, "-m", "tools.build_book", str(self.root)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            env=_environment(self.root),
        )

    def executions(self) -> list[str]:
        """Return the chapters executed since the last call, in alphabetical order."""
        names = sorted(self.log.read_text().split()) if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return names

    def page(self, name: str) -> str:
        """Return the HTML of a chapter."""
        return (self.root / "_build" / "html" / "chapters" / f"{name}.html").read_text(encoding="utf-8")


def _environment(root: Path) -> dict[str, str]:
    import os

    # The chapters of the tiny book import the tiny book's package, not the repository's.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_", "JUPYTER_"))}
    return {**kept, "PYTHONPATH": str(root / "src"), "PYTHONWARNINGS": "default"}


@pytest.fixture
def book(tmp_path: Path) -> Callable[[], Book]:
    """Return a function that makes a tiny book of two chapters."""

    def make() -> Book:
        root = tmp_path / "book"
        root.mkdir()
        for name in ("_config.yml", "references.bib"):
            shutil.copy(REPOSITORY / name, root / name)
        for name in ("_ext", "_static"):
            shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        (root / "js").symlink_to(REPOSITORY / "js")
        package = root / "src" / "dlcompare"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("ANSWER = 41\n")
        (root / "data").mkdir()
        (root / "data" / "numbers.json").write_text("[1, 2, 3]")
        (root / "requirements.txt").write_text("six==1.0\n")
        (root / "pyproject.toml").write_text("[project]\nname = 'tiny'\ndependencies = []\n")
        (root / "_toc.yml").write_text(
            "format: jb-book\nroot: chapters/index\nchapters:\n  - file: chapters/one\n  - file: chapters/two\n"
        )
        made = Book(root)
        (root / "chapters").mkdir()
        (root / "chapters" / "index.md").write_text("# The tiny book\n\nHello.\n")
        made.chapter("one", "from dlcompare import ANSWER\nprint('the answer is', ANSWER)")
        made.chapter("two", "print('two and two are', 2 + 2)")
        return made

    return make
