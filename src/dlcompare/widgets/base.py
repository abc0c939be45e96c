"""What every explorable shares: its bundled front end, its texts, and how it stands in a published page.

In a notebook an explorable is an `anywidget <https://anywidget.dev>`_: traits in Python, one ES module in the browser.
While the book is built (``DLCOMPARE_BOOK=1``) it also writes itself as HTML: a container with its state, which the
static host (``js/src/host/host.js``) brings to life, and in it a real figure, for whoever has no JavaScript and for print.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import ipywidgets
import matplotlib as mpl
import traitlets

from dlcompare.catalogue import texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Explorable", "StateError"]

STATIC = Path(__file__).parent / "static"


class StateError(ValueError, traitlets.TraitError):
    """A widget's state is not allowed; the message names the trait, what it was and what is allowed.

    It is also a ``TraitError``, on which traitlets takes a change of several traits back as a whole.
    """


@functools.cache
def _bundle(name: str) -> str:
    path = STATIC / name
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"the front end's bundle {name} is not in {STATIC}; in a clone of the repository, "
            "`python js/hatch_build.py` builds it (as does every `pip install`)"
        ) from None


def _json_for_html(value: object) -> str:
    """Return JSON that may stand in a ``<script>``: nothing in it can end the element or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _as_data_uri(figure: Figure) -> str:
    """Return ``figure`` as an SVG in an address, the same bytes for the same figure."""
    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "dlcompare", "svg.fonttype": "path"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue().encode()).decode()


class Explorable(anywidget.AnyWidget):
    """A widget that also lives in a page without a kernel.

    A subclass names its module and its texts, declares its state as synced traits, and draws itself once as a figure.

    Parameters
    ----------
    name:
        The explorable's name in a page's address, ``#explorable-NAME?…``; unique on its page. Lower-case letters,
        digits and hyphens; without it the module's name.
    **traits:
        First values of the traits.

    Raises
    ------
    StateError
        (a ``ValueError``) when ``name`` is not of that form.
    """

    #: The front end's module: ``js/src/explorables/MODULE/index.js`` with ``index.css``.
    module: ClassVar[str]
    #: The prefixes of its texts in the catalogue; where two have the same key, the later one's text stands.
    text_prefixes: ClassVar[tuple[str, ...]]

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    strings = traitlets.Dict(read_only=True).tag(sync=True)

    def __init__(self, *, name: str | None = None, **traits: Any) -> None:
        self.name = self.module if name is None else name
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name):
            raise StateError(
                f"name is {name!r}; allowed are lower-case letters, digits and single hyphens between them"
            )
        super().__init__(**traits)

    @traitlets.default("_esm")
    def _default_esm(self) -> str:
        return _bundle(f"{self.module}.js")

    @traitlets.default("_css")
    def _default_css(self) -> str:
        return _bundle(f"{self.module}.css")

    @traitlets.default("strings")
    def _default_strings(self) -> dict[str, str]:
        return {key: value for prefix in self.text_prefixes for key, value in texts(prefix).items()}

    def figure(self) -> Figure:
        """Draw the present state with matplotlib: what stands in print and without JavaScript."""
        raise NotImplementedError(f"{type(self).__name__} must define figure()")

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        raise NotImplementedError(f"{type(self).__name__} must define alternative_text()")

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        raise NotImplementedError(f"{type(self).__name__} must define caption()")

    def page_state(self) -> dict[str, Any]:
        """Return the state that travels with a page: the synced traits that are this widget's own."""
        foreign = set(ipywidgets.DOMWidget.class_trait_names())
        keys = [key for key in self.trait_names(sync=True) if key not in foreign and not key.startswith("_")]
        state: dict[str, Any] = self.get_state(keys)
        return dict(sorted(state.items()))

    def to_html(self) -> str:
        """Return the explorable as it stands in a published page; the static host brings it to life."""
        source, alternative = _as_data_uri(self.figure()), html.escape(self.alternative_text())
        return (
            f'<div class="dlcompare-explorable" id="explorable-{self.name}" data-module="{self.module}">\n'
            f'<script type="application/json" class="dlcompare-state">{_json_for_html(self.page_state())}</script>\n'
            f'<figure class="dlcompare-fallback"><img src="{source}" alt="{alternative}">'
            f"<figcaption>{html.escape(self.caption())}</figcaption></figure>\n"
            "</div>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if os.environ.get("DLCOMPARE_BOOK") != "1" or bundle is None:
            return bundle
        # Only in the book: a notebook front end that finds HTML beside the live widget may prefer the HTML.
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, "text/html": self.to_html()}, metadata
