"""Build the book: execute what is stale, then write the HTML with warnings as errors.

``python -m tools.build_book`` in the repository, or with another folder as argument (the tests build a tiny
book). With nothing changed it only says so: the hash of everything that the pages are made from stands beside
them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from _ext.fresh_cache import BUNDLES, KERNEL_ENVIRONMENT, cache_path, caches, execution_key, files_under, hash_files
from tools.chapters import ROOT, TocError, notebooks

#: What pages are made from besides the chapters and what execution depends on. A change here rebuilds every
#: page.
MACHINERY = ("_config.yml", "_toc.yml", "_ext", "_static", "tools/build_book.py", "js/package-lock.json", BUNDLES)
#: What changes single pages.
CONTENT = ("chapters", "data", "references.bib")
#: How many execution caches are kept: a branch switched away from and back need not execute again.
KEPT_CACHES = 3


class BuildError(Exception):
    """The book could not be built; the message says why."""


def inputs(root: Path) -> dict[str, str]:
    """Return the hashes of what the pages are made from."""
    return {
        "execution": execution_key(root),
        "machinery": hash_files(root, files_under(root, MACHINERY)),
        "content": hash_files(root, files_under(root, CONTENT)),
    }


@contextlib.contextmanager
def _alone(build: Path) -> Iterator[None]:
    import filelock

    build.mkdir(exist_ok=True)
    try:
        with filelock.FileLock(build / ".lock", timeout=0):
            yield
    except filelock.Timeout:
        raise BuildError(f"another build of this book is running (it holds {build / '.lock'}): wait for it") from None


def _forget_old_caches(root: Path) -> None:
    folders = [path for path in caches(root).iterdir() if path.is_dir() and path != cache_path(root)]
    for path in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT_CACHES - 1 :]:
        shutil.rmtree(path)


def readable(line: str) -> str:
    """Turn myst-nb's place in a notebook, 10,000 times the cell and the line, into words."""
    return re.sub(
        r"\.ipynb:(\d{5,})",
        lambda found: f".ipynb, cell {int(found[1]) // 10000}, line {int(found[1]) % 10000}",
        line,
    )


def _write_pages(root: Path) -> None:
    program = "import tools; from jupyter_book.cli.main import main; main()"
    if not sys.stderr.isatty():
        program = f"from sphinx.util.console import nocolor; nocolor(); {program}"
    command = [sys.executable, "-c", program, "build", str(root), "-n", "-W", "--keep-going", "-q"]
    # Jupyter Book 1 calls old interfaces of its libraries; that is no news to whoever writes a chapter.
    environment = {**os.environ, **KERNEL_ENVIRONMENT, "PYTHONWARNINGS": "ignore"}
    # Jupyter Book's own words on stdout end with an address that opens the pages from disk, where parts of
    # them cannot work.
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            print(readable(line), end="", file=sys.stderr, flush=True)
    if process.returncode != 0:
        raise BuildError("Sphinx did not accept the book: the warnings and errors above say where.")


def build(root: Path) -> bool:
    """Build the book in `root`; return whether there was anything to do.

    Raises
    ------
    BuildError
        If a notebook fails, Sphinx warns, or another build is running.
    TocError
        If _toc.yml names a page that is not there.
    """
    html = root / "_build" / "html"
    stamp = html / ".inputs.json"
    with _alone(root / "_build"):
        chapters = notebooks(root)
        before = json.loads(stamp.read_text(encoding="utf-8")) if stamp.is_file() else {}
        now = inputs(root)
        if before == now:
            return False

        from tools.execute import execute  # imports Jupyter, which takes longer than everything above

        failures = execute(chapters, root, cache_path(root), lambda line: print(line, flush=True))
        if failures:
            for failure in failures:
                print("\n✗ " + failure, file=sys.stderr)
            names = "1 notebook" if len(failures) == 1 else f"{len(failures)} notebooks"
            raise BuildError(f"{names} failed: see the cells above. The pages were not written.")

        # A build that did not finish may have shown its warnings already: they must come again. And a page
        # that left the table of contents, or a file of a former theme, must not stay.
        if before.get("machinery") != now["machinery"]:
            shutil.rmtree(html, ignore_errors=True)
            shutil.rmtree(root / "_build" / ".doctrees", ignore_errors=True)
        stamp.unlink(missing_ok=True)
        print("Writing the pages …", flush=True)
        _write_pages(root)
        stamp.write_text(json.dumps(now, indent=1), encoding="utf-8")
        os.utime(cache_path(root))
        _forget_old_caches(root)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the book: execute what is stale, then write the HTML.")
    parser.add_argument("root", nargs="?", type=Path, default=ROOT, help="the book's folder (default: this repository)")
    root = parser.parse_args().root.resolve()
    started = time.monotonic()
    try:
        built = build(root)
    except (BuildError, TocError) as error:
        print(f"\nbook: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbook: interrupted; what has been executed is kept.", file=sys.stderr)
        return 130
    html = os.path.relpath(root / "_build" / "html")
    if built:
        print(f"Built {html} in {time.monotonic() - started:.0f} s.")
    else:
        print(f"{html} is up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
