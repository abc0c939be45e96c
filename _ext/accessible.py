"""What Sphinx and the theme leave out for readers who do not see the page.

A part of the table of contents opens and closes by a ``<summary>`` that holds nothing but an icon: it gets a name. And
the parameters of a long signature stand in a ``<dl>`` that defines nothing: it is told to be the list that it is. The
entries of a bibliography have a role that is withdrawn (DPUB-ARIA 1.1): they become the items of their list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: How Sphinx begins the parameters of a signature that takes several lines.
PARAMETERS = '<dl>\n<dd><em class="sig-param">'


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
    # After the theme, which puts the function there.
    app.connect("html-page-context", _mend, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
