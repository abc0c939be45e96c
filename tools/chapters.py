"""What the book consists of: the pages of _toc.yml, and the notebooks among them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = (".ipynb", ".md")


class TocError(Exception):
    """_toc.yml and the files it names do not fit each other."""


def _files(item: Any) -> Iterator[str]:
    if isinstance(item, dict):
        for key in ("root", "file"):
            if key in item:
                yield str(item[key])
        for key in ("parts", "chapters", "sections", "subtrees", "entries"):
            yield from _files(item.get(key, []))
    elif isinstance(item, list):
        for element in item:
            yield from _files(element)


def pages(root: Path = ROOT) -> list[Path]:
    """Return the files of the pages that _toc.yml lists, in its order.

    Raises
    ------
    TocError
        If _toc.yml is missing or names a page that is not there, is there twice, or is listed twice.
    """
    toc = root / "_toc.yml"
    if not toc.is_file():
        raise TocError(f"{toc} is missing: expected the book's table of contents")
    found: list[Path] = []
    problems = []
    for name in _files(yaml.safe_load(toc.read_text(encoding="utf-8"))):
        stem = name.removesuffix(".ipynb").removesuffix(".md")
        candidates = [root / (stem + suffix) for suffix in SUFFIXES if (root / (stem + suffix)).is_file()]
        if len(candidates) != 1:
            problems.append(
                f"{name}: " + (f"there are {len(candidates)} files of that name" if candidates else "no such page")
            )
        elif candidates[0] in found:
            problems.append(f"{name}: listed twice")
        else:
            found += candidates
    if problems:
        raise TocError("_toc.yml does not fit the files beside it:\n  " + "\n  ".join(problems))
    return found


def notebooks(root: Path = ROOT) -> list[Path]:
    """Return the notebooks that _toc.yml lists, in its order; raises as `pages` does."""
    return [page for page in pages(root) if page.suffix == ".ipynb"]
