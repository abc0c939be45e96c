"""What the book's extension adds for readers who do not see the page."""

from __future__ import annotations

from bs4 import BeautifulSoup

from _ext.accessible import PARAMETERS, list_parameters, name_toggles


def test_a_toggle_is_named_after_the_page_above_its_part() -> None:
    contents = '<ul><li><a href="a">Reference</a><details><summary><i></i></summary><ul></ul></details></li></ul>'
    soup = BeautifulSoup(name_toggles(contents), "html.parser")
    assert soup.summary["aria-label"] == "Pages under Reference"


def test_parameters_become_a_list_and_definitions_stay() -> None:
    other = '<dl class="py"><dt>a</dt><dd>b</dd></dl><dl><dt>c</dt><dd>d</dd></dl>'
    body = f"{PARAMETERS}x</em></dd><dd><em>y</em></dd></dl>{other}"
    soup = BeautifulSoup(list_parameters(body), "html.parser")
    first, *others = soup.find_all("dl")
    assert first["role"] == "list"
    assert [item.get("role") for item in first.find_all("dd")] == ["listitem", "listitem"]
    assert "".join(map(str, others)) == other
    assert list_parameters(other) == other
