"""What Sphinx and the theme leave out for readers who do not see the page.

A part of the table of contents opens and closes by a ``<summary>`` that holds nothing but an icon: it gets a name. And
the parameters of a long signature stand in a ``<dl>`` that defines nothing: it is told to be the list that it is. The
entries of a bibliography have a role that is withdrawn (DPUB-ARIA 1.1): they become the items of their list. And
Chinese words within the English text are marked as Chinese, so that they are read aloud as such (WCAG 2.2, 3.1.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: How Sphinx begins the parameters of a signature that takes several lines.
PARAMETERS = '<dl>\n<dd><em class="sig-param">'
#: Chinese characters, with their own punctuation in between.
CHINESE = re.compile("([\\u3400-\\u9fff][\\u3000-\\u303f\\u3400-\\u9fff\\uff00-\\uff65]*)")
#: Docutils makes the attribute ``lang`` of such a class.
MARK = "language-zh-Hans"


def mark_chinese(document: nodes.document) -> None:
    """Put the Chinese parts of a page's text, code left out, into elements that say so."""
    for found in list(document.findall(nodes.Text)):
        parts = CHINESE.split(found.astext())
        if len(parts) == 1 or isinstance(found.parent, (nodes.FixedTextElement, nodes.raw, nodes.math)):
            continue
        pieces: list[nodes.Node] = [nodes.Text(part) for part in parts]
        pieces[1::2] = [nodes.inline("", part, classes=[MARK]) for part in parts[1::2]]
        found.parent.replace(found, [piece for piece in pieces if piece.astext()])


class MarkChinese(SphinxPostTransform):
    """Does so in every page."""

    formats: ClassVar[tuple[str, ...]] = ("html",)  # type: ignore[misc]
    default_priority = 900

    def run(self, **_kwargs: Any) -> None:
        """Mark one page."""
        mark_chinese(self.document)


def name_toggles(contents: str) -> str:
    """Return a table of contents in which each toggle is named after the page above its part."""
    soup = BeautifulSoup(contents, "html.parser")
    for summary in soup.find_all("summary"):
        link = summary.find_previous("a")
        if link:
            summary["aria-label"] = f"Pages under {link.get_text(strip=True)}"
    return str(soup)


def list_parameters(body: str) -> str:
    """Return a page's body in which the parameters of a signature, and the entries of a bibliography, are a list."""
    body = body.replace('role="doc-biblioentry"', 'role="listitem"')
    if PARAMETERS not in body:
        return body
    soup = BeautifulSoup(body, "html.parser")
    for definitions in soup.find_all("dl", class_=False):
        items = definitions.find_all(recursive=False)
        if all(item.name == "dd" for item in items):
            definitions["role"] = "list"
            for item in items:
                item["role"] = "listitem"
    return str(soup)


def _mend(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    generate = context.get("generate_toctree_html")
    if generate:
        context["generate_toctree_html"] = lambda *args, **kwargs: name_toggles(str(generate(*args, **kwargs)))
    if context.get("body"):
        context["body"] = list_parameters(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_post_transform(MarkChinese)
    # After the theme, which puts the function there.
    app.connect("html-page-context", _mend, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
