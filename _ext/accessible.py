"""What the theme leaves out for readers who do not see the page: names for the sidebar's toggles.

A part of the table of contents opens and closes by a ``<summary>`` that holds nothing but an icon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def name_toggles(contents: str) -> str:
    """Return a table of contents in which each toggle is named after the page above its part."""
    soup = BeautifulSoup(contents, "html.parser")
    for summary in soup.find_all("summary"):
        link = summary.find_parent("li").find("a")
        summary["aria-label"] = f"Pages under {link.get_text(strip=True)}"
    return str(soup)


def _wrap(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    generate = context.get("generate_toctree_html")
    if generate:
        context["generate_toctree_html"] = lambda *args, **kwargs: name_toggles(str(generate(*args, **kwargs)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    # After the theme, which puts the function there.
    app.connect("html-page-context", _wrap, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
