"""`make book` executes what is stale and nothing else, and says what went wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest

from .conftest import Book


@pytest.fixture
def built(book: Callable[[], Book]) -> Book:
    made = book()
    done = made.build()
    assert done.returncode == 0, done.stdout + done.stderr
    assert made.executions() == ["one", "two"]
    return made


def succeeds(book: Book) -> str:
    done = book.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_first_build_executes_everything_then_nothing(built: Book) -> None:
    assert "the answer is 41" in built.page("one")
    before = built.page("one")
    assert "up to date" in succeeds(built)
    assert built.executions() == []
    assert built.page("one") == before


def test_edit_of_a_chapter_executes_that_chapter_alone(built: Book) -> None:
    built.chapter("two", "print('three and three are', 3 + 3)")
    said = succeeds(built)
    assert built.executions() == ["two"]
    assert "[ 1/1]" in said
    assert "chapters/two.ipynb" in said
    assert "three and three are 6" in built.page("two")
    assert "the answer is 41" in built.page("one")


def test_edit_of_the_package_leaves_no_output_stale(built: Book) -> None:
    (built.root / "src" / "dlcompare" / "__init__.py").write_text("ANSWER = 42\n")
    succeeds(built)
    assert built.executions() == ["one", "two"]
    assert "the answer is 42" in built.page("one")
    assert "the answer is 41" not in built.page("one")


def test_edit_of_prose_executes_nothing_but_reaches_the_page(built: Book) -> None:
    index = built.root / "chapters" / "index.md"
    index.write_text("# The renamed book\n\nGood evening.\n")
    succeeds(built)
    assert built.executions() == []
    page = (built.root / "_build" / "html" / "chapters" / "index.html").read_text(encoding="utf-8")
    assert "Good evening." in page
    # Other pages show its title, in their navigation.
    assert "The renamed book" in built.page("two")


def test_removed_page_does_not_stay(built: Book) -> None:
    toc = built.root / "_toc.yml"
    toc.write_text(toc.read_text().replace("  - file: chapters/two\n", ""))
    succeeds(built)
    assert not (built.root / "_build" / "html" / "chapters" / "two.html").exists()
    assert built.executions() == []


def test_failing_chapter_fails_the_build_with_cell_and_reason(built: Book) -> None:
    built.chapter("one", "total = 1 + 1", "assert total == 3, 'one and one are not three'")
    done = built.build()
    assert done.returncode == 1
    assert "chapters/one.ipynb, cell 4 of 4" in done.stderr
    assert "| assert total == 3" in done.stderr
    assert "AssertionError" in done.stderr
    assert "one and one are not three" in done.stderr
    assert "1 notebook failed" in done.stderr
    assert len(done.stderr.splitlines()) < 40
    # And a second try fails again: nothing of the failure was taken for a result.
    assert built.build().returncode == 1
    built.executions()
    built.chapter("one", "total = 1 + 1", "assert total == 2")
    succeeds(built)
    assert built.executions() == ["one"]


def test_failing_chapter_does_not_keep_the_others_from_running(book: Callable[[], Book]) -> None:
    made = book()
    made.chapter("one", "raise ValueError('n is -1; it must be positive')")
    done = made.build()
    assert done.returncode == 1
    assert "n is -1; it must be positive" in done.stderr
    assert made.executions() == ["one", "two"]
    made.chapter("one", "print('mended')")
    succeeds(made)
    assert made.executions() == ["one"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import warnings\nwarnings.warn('this will change')", "this will change"),
        ("object()", "bare object"),
    ],
)
def test_what_a_reader_should_not_see_fails_the_build(book: Callable[[], Book], source: str, reason: str) -> None:
    made = book()
    made.chapter("one", source)
    done = made.build()
    assert done.returncode == 1
    assert reason in done.stderr
    assert "chapters/one.ipynb, cell 3 of 3" in done.stderr


def test_warning_of_sphinx_fails_the_build_each_time(built: Book) -> None:
    index = built.root / "chapters" / "index.md"
    index.write_text("# The tiny book\n\nSee {doc}`nowhere`.\n")
    for _ in range(2):  # Sphinx alone would be content the second time, when it does not read the page again
        done = built.build()
        assert done.returncode == 1
        assert "nowhere" in done.stderr
        assert "chapters/index.md:3" in done.stderr
    index.write_text("# The tiny book\n\nSee {doc}`one`.\n")
    succeeds(built)
    assert built.executions() == []


def test_image_from_another_host_fails_the_build(built: Book) -> None:
    (built.root / "chapters" / "index.md").write_text(
        "# The tiny book\n\n<img src='https://example.org/pixel.png' alt='a pixel'>\n"
    )
    done = built.build()
    assert done.returncode == 1
    assert "https://example.org/pixel.png" in done.stderr
    assert "chapters/index.html" in done.stderr


def test_page_missing_from_disk_is_named(built: Book) -> None:
    (built.root / "chapters" / "two.ipynb").unlink()
    done = built.build()
    assert done.returncode == 1
    assert "chapters/two: no such page" in done.stderr


def test_interrupted_write_of_the_cache_is_executed_again(built: Book) -> None:
    """A cache that lists a notebook whose file is not there must not break the build, nor serve nothing."""
    [cache] = [path for path in (built.root / "_build" / ".jupyter_cache").iterdir() if path.is_dir()]
    shutil.rmtree(cache / "executed")
    shutil.rmtree(built.root / "_build" / "html")
    succeeds(built)
    assert built.executions() == ["one", "two"]
    assert "the answer is 41" in built.page("one")


def test_stamp_belongs_to_the_pages(built: Book) -> None:
    """Without its pages the book is not up to date, however fresh the outputs are."""
    stamp = built.root / "_build" / "html" / ".inputs.json"
    assert set(json.loads(stamp.read_text())) == {"execution", "machinery", "content"}
    shutil.rmtree(built.root / "_build" / "html")
    succeeds(built)
    assert built.executions() == []
    assert "the answer is 41" in built.page("one")
