"""The sizes that the book's extension writes to the figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from matplotlib import image as mpl_image
from numpy import zeros

from _ext.figures import NARROW, sized

PAGE = '<p><img alt="a > b" src="../_images/{name}.png" /> <img src="../_static/book.png"/></p>'


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    sizes = {"small": (NARROW, 40), "large": (NARROW + 1, 50)}
    for name, (width, height) in sizes.items():
        mpl_image.imsave(tmp_path / f"{name}.png", zeros((height, width, 3)))
    return {f"{name}.png": tmp_path / f"{name}.png" for name in sizes}


@pytest.mark.parametrize(("name", "size"), [("small", (NARROW, 40)), ("large", (NARROW + 1, 50))])
def test_a_figure_has_its_size_and_a_wide_one_a_box(files: dict[str, Path], name: str, size: tuple[int, int]) -> None:
    figure, other = BeautifulSoup(sized(PAGE.format(name=name), files), "html.parser").find_all("img")
    assert (int(figure["width"]), int(figure["height"])) == size
    assert figure["alt"] == "a > b"
    assert figure["src"] == f"../_images/{name}.png"
    assert figure["style"] == f"--width: {size[0]}px"
    assert figure.parent is not None
    assert figure.parent.get("class", []) == (["output", "dlc-wide"] if name == "large" else [])
    assert other.attrs == {"src": "../_static/book.png"}


def test_what_has_a_size_or_is_no_figure_of_the_page_stays(files: dict[str, Path]) -> None:
    for page in (PAGE.format(name="of-another-page"), '<img width="3" src="_images/small.png"/>'):
        assert sized(page, files) == page


def test_what_can_be_read_by_nobody_stays(files: dict[str, Path]) -> None:
    files["small.png"].write_text("no picture at all, but long enough")
    page = PAGE.format(name="small")
    assert sized(page, files) == page
