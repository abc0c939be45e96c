"""The figures' sizes: the page keeps room for each, and on a phone its letters can still be read.

A figure that a cell has drawn gets its width and height in pixels as attributes, so that the text does not jump when
it comes. On a narrow page a wide one would shrink until nobody can read its axes; book.css lets it scroll there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.util.images import get_image_size

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: The width in pixels up to which a figure's letters survive on a phone, where it shrinks to some 330.
NARROW = 660
#: What stands in a tag beside the address; a text in quotes may hold any character.
_OTHER = r'(?:[^">]|"[^"]*")*?'
_IMAGE = re.compile(
    rf'<img (?P<before>{_OTHER})src="(?P<address>[^"]*/_images/(?P<name>[^"/]+\.png))"(?P<after>{_OTHER})/?>'
)


def sized(body: str, files: dict[str, Path]) -> str:
    """Return a page's body in which each image of ``files``, by its name, has its size, wide ones in a box."""

    def with_size(found: re.Match[str]) -> str:
        path = files.get(found["name"])
        size = None if path is None or "width" in found["before"] + found["after"] else get_image_size(str(path))
        if size is None:
            return found[0]
        width, height = size
        sizes = f'width="{width}" height="{height}" style="--width: {width}px"'
        tag = f'<img {found["before"]}src="{found["address"]}"{found["after"].rstrip()} {sizes} />'
        # Of a box of this class, the theme sees to it that keys can scroll it where it has to.
        return f'<div class="output dlc-wide">{tag}</div>' if width > NARROW else tag

    return _IMAGE.sub(with_size, body)


def _mend(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    if context.get("body"):
        files = {name: Path(app.srcdir, path) for path, name in app.builder.images.items() if name.endswith(".png")}
        context["body"] = sized(context["body"], files)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", _mend)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
