"""What the book's extension adds for readers who do not see the page."""

from __future__ import annotations

from bs4 import BeautifulSoup
from docutils import core, nodes
from docutils.writers.html5_polyglot import Writer

from _ext.accessible import PARAMETERS, list_parameters, mark_chinese, name_toggles


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


def test_chinese_words_are_marked_and_code_is_left_alone() -> None:
    document = core.publish_doctree("One counts in 亿, *深度学习(DL)和GPT*.\n\n::\n\n    # 训练\n")
    mark_chinese(document)
    body = core.publish_from_doctree(document, writer=Writer(), settings_overrides={"output_encoding": "unicode"})
    soup = BeautifulSoup(body, "html.parser")
    assert [one.text for one in soup.find_all(lang="zh-Hans")] == ["亿", "深度学习", "和"]
    assert soup.p is not None
    assert soup.p.text == "One counts in 亿, 深度学习(DL)和GPT."
    assert "训练" in document.next_node(nodes.literal_block).astext()
