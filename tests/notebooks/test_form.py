"""Every chapter is in its canonical form, keeps the book's rules, and stands in the table of contents."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tools.chapters import ROOT, TocError, notebooks, pages
from tools.format_notebooks import KERNEL, canonical, problems

CHAPTERS = sorted(path for path in (ROOT / "chapters").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_chapter_is_canonical(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == canonical(path), "run `make format`"


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_chapter_keeps_the_rules(path: Path) -> None:
    assert problems(path) == []


def test_table_of_contents_lists_every_page_and_nothing_else() -> None:
    written = {p for suffix in ("md", "ipynb") for p in (ROOT / "chapters").rglob(f"*.{suffix}")}
    assert set(pages()) == {path for path in written if ".ipynb_checkpoints" not in path.parts}
    assert set(notebooks()) == set(CHAPTERS)


def write(path: Path, *cells: nbformat.NotebookNode) -> Path:
    title = nbformat.v4.new_markdown_cell("# A title")
    nbformat.write(nbformat.v4.new_notebook(cells=[title, *cells]), path)
    return path


def code(source: str, **metadata: object) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def test_good_notebook_has_no_problems(tmp_path: Path) -> None:
    path = write(
        tmp_path / "good.ipynb",
        code("%matplotlib inline\nx = 7 % 2\n# % sign in a comment\nassert x == 1", tags=["hide-input"]),
        nbformat.v4.new_markdown_cell("## Below\n\n```python\n# no heading\n```"),
    )
    assert problems(path) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("!pip install torch", "runs the shell command '!pip install torch'"),
        ("files = !ls", "runs the shell command '!ls'"),
        ("%pip install torch", "uses the magic 'pip'"),
        ("%%javascript\nalert(1)", "uses the magic 'javascript'"),
        ("if True:\n    %cd /tmp", "uses the magic 'cd'"),
        ("   ", "is empty"),
        ("x = (1", "is no Python"),
    ],
)
def test_rule_is_enforced(tmp_path: Path, source: str, expected: str) -> None:
    path = write(tmp_path / "bad.ipynb", code(source), code("assert True"))
    [problem] = problems(path)
    assert expected in problem
    assert problem.startswith("cell 2")


def test_notebook_must_assert(tmp_path: Path) -> None:
    path = write(tmp_path / "bad.ipynb", code("print('assert nothing')"))
    assert problems(path) == ["asserts nothing; a chapter checks what it claims"]
    path = write(tmp_path / "good.ipynb", code("torch.testing.assert_close(a, b)"))
    assert problems(path) == []


def test_notebook_must_begin_with_its_only_title(tmp_path: Path) -> None:
    second = nbformat.v4.new_markdown_cell("# Another title")
    assert "has 2 headings" in problems(write(tmp_path / "two.ipynb", second, code("assert True")))[0]
    path = tmp_path / "none.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[code("assert True")]), path)
    assert len(problems(path)) == 2


def test_unknown_tags_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "bad.ipynb", code("assert True", tags=["hide-imput"]))
    [problem] = problems(path)
    assert "hide-imput" in problem
    assert "hide-input" in problem


def test_canonical_form_drops_what_an_editor_adds(tmp_path: Path) -> None:
    cell = code("x=1;\ny  = 2", collapsed=True, tags=["hide-input"], editable=False)
    cell.execution_count = 3
    cell.outputs = [nbformat.v4.new_output("stream", text="1\n")]
    path = write(tmp_path / "notebook.ipynb", nbformat.v4.new_markdown_cell("text  \n\n"), cell)
    path.write_text(canonical(path), encoding="utf-8")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata == {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    assert notebook.cells[1].source == "text"
    assert notebook.cells[2].source == "x = 1\ny = 2"
    assert notebook.cells[2].outputs == []
    assert notebook.cells[2].execution_count is None
    assert notebook.cells[2].metadata == {"tags": ["hide-input"]}
    assert notebook.cells[2].id == cell.id
    assert canonical(path) == path.read_text(encoding="utf-8")
    assert path.read_text(encoding="utf-8").endswith("}\n")


def test_contents_that_do_not_fit_the_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A")
    (tmp_path / "b.md").write_text("# B")
    (tmp_path / "b.ipynb").write_text("{}")
    toc = "format: jb-book\nroot: a\nchapters:\n- file: a\n- file: b\n- file: c\n  sections:\n  - file: d\n"
    (tmp_path / "_toc.yml").write_text(toc)
    with pytest.raises(TocError) as caught:
        pages(tmp_path)
    message = str(caught.value)
    assert "a: listed twice" in message
    assert "b: there are 2 files of that name" in message
    assert "c: no such page" in message
    assert "d: no such page" in message
    (tmp_path / "_toc.yml").unlink()
    with pytest.raises(TocError, match="is missing"):
        pages(tmp_path)
