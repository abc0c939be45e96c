"""Pages that need no other host: MathJax is served by the book, and a foreign asset fails the build.

MathJax comes from npm (`js/package.json` pins it) and is copied beside the theme's own files. Of its 24 MB
only what a reader can reach is taken: the complete TeX input with HTML output, the fonts, and what its
context menu can switch on (the SVG renderer, the accessibility explorer with its English and Nemeth speech
rules).
"""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MATHJAX = (
    "tex-chtml-full.js",
    "output/chtml/fonts/woff-v2",
    "output/svg.js",
    "output/svg/fonts/tex.js",
    "a11y",
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
    "sre/mathmaps/nemeth.json",
)

_FOREIGN = re.compile(r"^\s*(?:[a-z]+:)?//", re.IGNORECASE)
_CSS_FOREIGN = re.compile(r"(?:url\(|@import)\s*[\"']?\s*((?:https?:)?//[^\"')\s;]+)", re.IGNORECASE)
#: The attributes through which a page fetches something by itself. A link that a reader follows (`a href`)
#: may go anywhere.
_FETCHING = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}


class ForeignAssets(HTMLParser):
    """Collects in `found` the addresses on other hosts that a page would fetch by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at what the tag fetches and at its style."""
        attributes = dict(attrs)
        for name in _FETCHING.get(tag, ()):
            value = attributes.get(name) or ""
            if _FOREIGN.match(value):
                self.found.append(f"<{tag} {name}={value!r}>")
        self.found += _CSS_FOREIGN.findall(attributes.get("style") or "")
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        """Notice the end of a style sheet."""
        if tag == "style":
            self._in_style = False

    def handle_data(self, data: str) -> None:
        """Look at what a style sheet in the page fetches."""
        if self._in_style:
            self.found += _CSS_FOREIGN.findall(data)


def foreign_assets(html: str) -> list[str]:
    """Return the addresses on other hosts that the page `html` would fetch by itself."""
    parser = ForeignAssets()
    parser.feed(html)
    parser.close()
    return parser.found


def copy_mathjax(source: Path, target: Path) -> None:
    """Copy what a page can ask MathJax for from `source` (npm's ``mathjax/es5``) to `target`."""
    for name in MATHJAX:
        found = source / name
        if found.is_dir():
            shutil.copytree(found, target / name, dirs_exist_ok=True)
        elif found.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, target / name)
        else:
            raise ExtensionError(
                f"MathJax's {name} is not in {source}: expected MathJax 3, which js/package.json pins. "
                "`make book` installs it; without make, run the package's build (pip install -e .)."
            )


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    copy_mathjax(Path(app.srcdir, "js", "node_modules", "mathjax", "es5"), Path(app.outdir, "_static", "mathjax"))
    problems = []
    for page in sorted(Path(app.outdir).rglob("*.html")):
        for asset in foreign_assets(page.read_text(encoding="utf-8")):
            problems.append(f"{page.relative_to(app.outdir)}: {asset}")
    for sheet in sorted(Path(app.outdir, "_static").rglob("*.css")):
        for address in _CSS_FOREIGN.findall(sheet.read_text(encoding="utf-8")):
            problems.append(f"{sheet.relative_to(app.outdir)}: {address}")
    if problems:
        raise ExtensionError(
            "a published page may fetch nothing from another host, but these would:\n  " + "\n  ".join(problems)
        )


def setup(app: Sphinx) -> dict[str, Any]:
    # After every other extension has written its files, and after the check no one adds one.
    app.connect("build-finished", _finish, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
