"""The reference has every public name, and chapters and entries lead to each other."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import dlcompare
from _ext import api_reference, code_links
from tools.chapters import ROOT, pages

from .conftest import Book


def test_every_public_name_is_in_the_reference() -> None:
    found = [api_reference.entries(part) for part in api_reference.parts()]
    listed = [entry for modules in found for of_one in modules.values() for entry in of_one]
    paths = {entry.path for entry in listed} | {f"{entry.defined_in}.{entry.name}" for entry in listed}
    assert len({entry.path for entry in listed}) == len(listed)
    for module in pkgutil.walk_packages(dlcompare.__path__, "dlcompare."):
        if any(part.startswith("_") for part in module.name.split(".")):
            continue
        for name in getattr(importlib.import_module(module.name), "__all__", ()):
            assert f"{module.name}.{name}" in paths


def test_every_part_of_the_package_has_its_page() -> None:
    """A new module directly below the package needs a page of three lines and its place in _toc.yml."""
    folder = ROOT / "chapters" / "appendix" / "reference"
    directives = {path.read_text(encoding="utf-8").split(".. api-page:: ")[1].split()[0] for path in folder.iterdir()}
    assert directives == set(api_reference.parts())
    assert set(folder.iterdir()) <= set(pages())


def links(*cells: str) -> list[str]:
    """Return each use as the text that is linked and what it means."""
    reader = code_links.Reader()
    found = []
    for source in cells:
        for use, *_ in reader.read(source):
            found.append(f"{source[use.start : use.end]} = {use.path.removeprefix('dlcompare.')}")
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from dlcompare.a import B as C\nC()", ["dlcompare.a = a", "B = a.B", "C = a.B"]),
        ("import dlcompare.data as d, os\nd.SEED", ["dlcompare.data = data", "d.SEED = data.SEED"]),
        ("import dlcompare.data\ndlcompare.data.SEED", ["dlcompare.data = data", "dlcompare.data.SEED = data.SEED"]),
        ("from dlcompare import a\nb, c = a.x, 1\nb\nc", ["a = a", "a.x = a.x", "b = a.x"]),
        ("from dlcompare import A\nm = A(1)\nm.f(m)", ["A = A", "A = A", "m.f = A.f"]),
        ("from dlcompare import A\nA(A.x).f", ["A = A", "A = A", "A.x = A.x", "f = A.f"]),
        ("from dlcompare import a\nfor a in a: a", ["a = a", "a = a"]),
        ("from dlcompare import a\n[a for a in a.b]", ["a = a", "a.b = a.b"]),
        ("from dlcompare import a\ndef f(a, b=a): a\nlambda a: a", ["a = a", "a = a"]),
        ("from dlcompare import a\nclass B(a.C):\n    a = 1\na", ["a = a", "a.C = a.C", "a = a"]),
        ("from dlcompare import a\nwith a.r(1) as a: a", ["a = a", "a.r = a.r"]),
        ("from dlcompare import a\nfrom os import path as a\na", ["a = a"]),
        ("from dlcompare import a\na += 1\na", ["a = a", ]),
        ("from dlcompare import a\nif (b := a.x): b", ["a = a", "a.x = a.x", "b = a.x"]),
        ("from dlcompare import a\n'Größe', a.x", ["a = a", "a.x = a.x"]),
        ("%time 1\nfrom dlcompare import a", ["a = a"]),
        ("x[0] = f.y = 2", []),
        ("from dlcompare import a\n)", []),
    ],
)  # fmt: skip
def test_names_are_followed_as_python_would(source: str, expected: list[str]) -> None:
    assert [use for use in links(source) if use != "dlcompare = dlcompare"] == expected


def test_a_chapter_remembers_its_earlier_cells() -> None:
    assert links("from dlcompare import a", "a.x") == ["dlcompare = dlcompare", "a = a", "a.x = a.x"]


def test_only_the_longest_documented_chain_is_a_choice() -> None:
    [*_, chain] = code_links.Reader().read("from dlcompare import A\nA.x.y")
    assert [use.path for use in chain] == ["dlcompare.A.x.y", "dlcompare.A.x", "dlcompare.A"]


def test_links_stand_between_the_highlighters_words() -> None:
    words = '<span></span><span class="n">a</span><span class="o">.</span><span class="n">b&lt;</span>\n'
    highlighted = f"<div><pre>{words}</pre></div>"
    linked = code_links.add_links(highlighted, "a.b<", [(0, 3, "<a 1>"), (2, 4, "<a 2>")])
    assert linked == highlighted.replace('<span class="n">b&lt;</span>', '<a 2><span class="n">b&lt;</span></a>')
    assert code_links.add_links(highlighted, "something else", [(0, 3, "<a 1>")]) == highlighted


MODULE = '''"""Toys: :func:`play` and its :class:`Ball`."""

from __future__ import annotations

import torch

__all__ = ["RED", "Ball", "play"]

#: The colour.
RED = "red"


class Ball:
    r"""Something round.

    .. math:: V = 4\\pi/3
    """

    @property
    def size(self) -> int:
        """Size in cm: the diameter."""
        return 1

    def kick(self, far: torch.Tensor) -> Ball:
        """Kick it."""
        return self


def play() -> Ball:
    """Get a ball."""
    return Ball()
'''


def test_a_chapter_and_the_reference_lead_to_each_other(book: Book) -> None:
    (book.root / "src" / "dlcompare" / "toys.py").write_text(MODULE)
    for name, directive in (("reference", "api-overview::"), ("toys", "api-page:: dlcompare.toys")):
        page = book.root / "chapters" / f"{name}.md"
        page.write_text(f"# {name}\n\n```{{eval-rst}}\n.. {directive}\n```\n")
    (book.root / "src" / "torch.py").write_text("class Tensor: pass")
    toc = book.root / "_toc.yml"
    toc.write_text(toc.read_text() + "  - file: chapters/reference\n")
    book.chapter("one", "from dlcompare import toys\nball = toys.Ball()\nball.kick(1);")
    done = book.build()
    assert "reference target not found: dlcompare.toys.Ball" in done.stderr  # the overview lists what has no page yet
    toc.write_text(toc.read_text() + "  - file: chapters/toys\n")
    done = book.build()
    assert done.returncode == 0, done.stderr
    chapter, reference = book.page("one"), book.page("toys")
    for path in ("dlcompare.toys.Ball", "dlcompare.toys.Ball.kick"):
        assert f'<a class="code-link" id="use-{path}" href="toys.html#{path}" title="{path}">' in chapter
        assert f'<a class="reference internal" href="one.html#use-{path}">The chapter one</a>' in reference
    assert reference.count("Used in:") == 2
    assert "Size in cm: the diameter" in reference
    assert 'class="math' in reference
    assert 'href="toys.html#dlcompare.toys.RED"' in book.page("reference")
