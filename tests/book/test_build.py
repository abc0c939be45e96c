"""`make book` executes what is stale and nothing else, and says what went wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time

import pytest

from tools.execute import costs

from .conftest import Book


def succeeds(book: Book) -> str:
    done = book.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fails(book: Book) -> str:
    done = book.build()
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def test_what_a_chapter_takes_is_written_down(book: Book) -> None:
    names = {f"chapters/{name}.ipynb" for name in ("one", "two")}
    found = costs(book.root)
    assert set(found) == names
    for cost in found.values():
        assert 0 < cost.seconds < 300
        if sys.platform == "linux":
            assert cost.peak_memory is not None
            assert 2**24 < cost.peak_memory < 2**31  # a kernel that has imported nothing


def test_without_a_change_nothing_is_executed_or_written(book: Book) -> None:
    before = book.page("one")
    assert "the answer is 41" in before
    written = (book.root / "_build/html/chapters/one.html").stat().st_mtime_ns
    assert "up to date" in succeeds(book)
    assert book.executions() == []
    assert (book.root / "_build/html/chapters/one.html").stat().st_mtime_ns == written


def test_edit_of_a_chapter_executes_that_chapter_alone(book: Book) -> None:
    book.chapter("two", "print('three and three are', 3 + 3)")
    said = succeeds(book)
    assert book.executions() == ["two"]
    assert "[ 1/1]" in said
    assert "chapters/two.ipynb" in said
    assert "three and three are 6" in book.page("two")
    assert "the answer is 41" in book.page("one")


def test_edit_of_the_package_leaves_no_output_stale(book: Book) -> None:
    (book.root / "src" / "dlcompare" / "__init__.py").write_text("ANSWER = 42\n")
    succeeds(book)
    assert book.executions() == ["one", "two"]
    assert "the answer is 42" in book.page("one")
    assert "the answer is 41" not in book.page("one")


def test_edit_of_prose_and_contents_executes_nothing_but_reaches_every_page(book: Book) -> None:
    (book.root / "chapters" / "index.md").write_text("# The renamed book\n\nGood evening.\n")
    toc = book.root / "_toc.yml"
    toc.write_text(toc.read_text().replace("  - file: chapters/two\n", ""))
    succeeds(book)
    assert book.executions() == []
    assert "Good evening." in book.page("index")
    # Other pages show its title, in their navigation.
    assert "The renamed book" in book.page("one")
    assert not (book.root / "_build" / "html" / "chapters" / "two.html").exists()


def test_failing_chapter_fails_the_build_with_cell_and_reason(book: Book) -> None:
    book.chapter("one", "total = 1 + 1", "assert total == 3, 'one and one are not three'")
    book.chapter("two", "print('the others run all the same')")
    said = fails(book)
    assert book.executions() == ["one", "two"]
    assert "chapters/one.ipynb, cell 4 of 4" in said
    assert "| assert total == 3" in said
    assert "AssertionError" in said
    assert "one and one are not three" in said
    assert "1 notebook failed" in said
    assert len(said.splitlines()) < 40
    # A second try fails again: nothing of the failure was taken for a result. What succeeded is kept.
    assert "chapters/one.ipynb, cell 4 of 4" in fails(book)
    assert book.executions() == ["one"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import warnings\nwarnings.warn('this will change')", "this will change"),
        ("object()", "bare object"),
    ],
)
def test_what_a_reader_should_not_see_fails_the_build(book: Book, source: str, reason: str) -> None:
    book.chapter("one", source)
    said = fails(book)
    assert reason in said
    assert "chapters/one.ipynb, cell 3 of 3" in said


def test_warning_of_sphinx_fails_the_build_each_time(book: Book) -> None:
    index = book.root / "chapters" / "index.md"
    index.write_text("# The tiny book\n\nSee {doc}`nowhere`.\n")
    for _ in range(2):  # Sphinx alone would be content the second time, when it does not read the page again
        said = fails(book)
        assert "nowhere" in said
        assert "chapters/index.md:3" in said
    index.write_text("# The tiny book\n\nSee {doc}`one`.\n")
    succeeds(book)
    assert book.executions() == []


def test_image_from_another_host_fails_the_build(book: Book) -> None:
    (book.root / "chapters" / "index.md").write_text(
        "# The tiny book\n\n<img src='https://example.org/pixel.png' alt='a pixel'>\n"
    )
    said = fails(book)
    assert "https://example.org/pixel.png" in said
    assert "chapters/index.html" in said


def test_page_missing_from_disk_is_named(book: Book) -> None:
    (book.root / "chapters" / "two.ipynb").unlink()
    assert "chapters/two: no such page" in fails(book)


def test_interrupted_write_of_the_cache_is_executed_again(book: Book) -> None:
    """A cache that lists a notebook whose file is not there must not break the build, nor serve nothing."""
    [cache] = [path for path in (book.root / "_build" / ".jupyter_cache").iterdir() if path.is_dir()]
    shutil.rmtree(cache / "executed")
    shutil.rmtree(book.root / "_build" / "html")
    succeeds(book)
    assert book.executions() == ["one", "two"]
    assert "the answer is 41" in book.page("one")


def test_stamp_belongs_to_the_pages(book: Book) -> None:
    """Without its pages the book is not up to date, however fresh the outputs are."""
    html = book.root / "_build" / "html"
    assert set(json.loads((html / ".inputs.json").read_text())) == {"execution", "machinery", "content"}
    shutil.rmtree(html)
    succeeds(book)
    assert book.executions() == []
    assert "the answer is 41" in book.page("one")


def test_interrupt_ends_the_kernels_and_keeps_what_was_done(book: Book) -> None:
    pid_file = book.root / "_build" / "kernel.pid"
    write = f"import os, time\nfrom pathlib import Path\nPath({str(pid_file)!r}).write_text(str(os.getpid()))"
    book.chapter("one", f"{write}\ntime.sleep(600)")
    process = book.start()
    while not pid_file.exists() or not pid_file.read_text():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    kernel = int(pid_file.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)
    book.executions()
    book.chapter("one", "print('short now')")
    succeeds(book)
    assert book.executions() == ["one"]


def test_kernel_that_dies_is_reported_with_its_last_words(book: Book) -> None:
    book.chapter("one", "import os\nos.write(2, b'out of patience')\nos._exit(9)")
    said = fails(book)
    assert "chapters/one.ipynb, cell 3 of 3" in said
    assert "its kernel died" in said
