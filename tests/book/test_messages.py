"""What the build says can be acted upon."""

from __future__ import annotations

from tools.build_book import readable


def test_place_in_a_notebook_is_given_by_cell_and_line() -> None:
    said = "/book/chapters/one.ipynb:140002: WARNING: no such target\n"
    assert readable(said) == "/book/chapters/one.ipynb, cell 14, line 2: WARNING: no such target\n"


def test_place_in_a_page_of_text_stays() -> None:
    said = "/book/chapters/index.md:14: WARNING: no such target\n"
    assert readable(said) == said
