"""A tiny book with the repository's own configuration and tools, in which a test can edit everything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools.format_notebooks import KERNEL

REPOSITORY = Path(__file__).resolve().parents[2]


def write_notebook(path: Path, *sources: str) -> None:
    """Write a chapter with a title, and one code cell for each of the sources."""
    cells = [nbformat.v4.new_markdown_cell(f"# The chapter {path.stem}")]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)


class Book:
    """The tiny book: where it is, how to build it, and which of its chapters were executed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "_build" / "executions.log"

    def chapter(self, name: str, *sources: str) -> Path:
        """Write a chapter that notes each execution in a file, outside the notebook's outputs."""
        note = f"import os\nwith open(os.environ['EXECUTIONS'], 'a') as log:\n    print({name!r}, file=log)"
        path = self.root / "chapters" / f"{name}.ipynb"
        write_notebook(path, note, *sources)
        return path

    def start(self) -> subprocess.Popen[str]:
        """Begin to build the book as `make book` does."""
        return subprocess.Popen(
            [sys.executable, "-m", "tools.build_book", str(self.root)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment(),
        )

    def build(self) -> subprocess.CompletedProcess[str]:
        """Build the book as `make book` does, to its end."""
        process = self.start()
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_", "JUPYTER_"))}
        # The chapters of the tiny book import the tiny book's package, not the repository's.
        return {**kept, "PYTHONPATH": str(self.root / "src"), "EXECUTIONS": str(self.log)}

    def executions(self) -> list[str]:
        """Return the chapters executed since the last call, in alphabetical order."""
        names = sorted(self.log.read_text().split()) if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return names

    def page(self, name: str) -> str:
        """Return the HTML of a chapter."""
        return (self.root / "_build" / "html" / "chapters" / f"{name}.html").read_text(encoding="utf-8")


def make_book(root: Path) -> Book:
    """Make a tiny book of two chapters and a first page."""
    root.mkdir()
    for name in ("_config.yml", "references.bib"):
        shutil.copy(REPOSITORY / name, root / name)
    for name in ("_ext", "_static"):
        shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "js").symlink_to(REPOSITORY / "js")
    package = root / "src" / "dlcompare"
    package.mkdir(parents=True)
    shutil.copytree(REPOSITORY / "src/dlcompare/widgets/static", package / "widgets" / "static")
    (package / "__init__.py").write_text("ANSWER = 41\n")
    (root / "data").mkdir()
    (root / "data" / "numbers.json").write_text("[1, 2, 3]")
    (root / "requirements.txt").write_text("six==1.0\n")
    (root / "pyproject.toml").write_text("[project]\nname = 'tiny'\ndependencies = []\n")
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/index\nchapters:\n  - file: chapters/one\n  - file: chapters/two\n"
    )
    book = Book(root)
    (root / "chapters").mkdir()
    (root / "chapters" / "index.md").write_text("# The tiny book\n\nHello.\n")
    book.chapter("one", "from dlcompare import ANSWER\nprint('the answer is', ANSWER)")
    book.chapter("two", "print('two and two are', 2 + 2)")
    return book


@pytest.fixture(scope="session")
def first_build(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """Build a tiny book once; tests take copies."""
    book = make_book(tmp_path_factory.mktemp("first") / "book")
    done = book.build()
    assert done.returncode == 0, done.stdout + done.stderr
    assert book.executions() == ["one", "two"]
    return book


@pytest.fixture
def book(first_build: Book, tmp_path: Path) -> Book:
    """Return a built tiny book of the test's own."""
    shutil.copytree(first_build.root, tmp_path / "book", symlinks=True)
    return Book(tmp_path / "book")
