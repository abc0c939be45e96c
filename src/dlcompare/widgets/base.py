"""What every explorable shares: its bundled front end, its texts, and how it stands in a published page.

In a notebook an explorable is an `anywidget <https://anywidget.dev>`_: traits in Python, one ES module in the browser.
While the book is built (``DLCOMPARE_BOOK=1``) it also writes itself as HTML: a container with its state, which the
static host (``js/src/host/host.js``) brings to life, and in it a real figure and a table of its numbers, for
whoever has no JavaScript, for screen readers and for print.

It computes nothing itself. Its front end asks one of its graphs (:class:`dlcompare.export.Graph`): with a kernel the
question comes here, and torch answers; in a page the exported graph answers, in the reader's browser. What the first
picture shows was asked beforehand, and travels with the state: see :meth:`Explorable.questions`.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import ipywidgets
import matplotlib as mpl
import traitlets

from dlcompare.catalogue import texts
from dlcompare.export import Exported, Graph, GraphError, decode, encode, export
from dlcompare.export.graph import to_json
from dlcompare.style import short

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

__all__ = ["Explorable", "StateError", "Table"]

STATIC = Path(__file__).parent / "static"


class StateError(ValueError, traitlets.TraitError):
    """A widget's state is not allowed; the message names the trait, what it was and what is allowed.

    It is also a ``TraitError``, on which traitlets takes a change of several traits back as a whole.
    """


@dataclass(frozen=True)
class Table:
    """The numbers behind a figure, for screen readers and whoever wants to read them off.

    Parameters
    ----------
    columns
        the heads.
    rows
        one cell per column; the first of each row is its head. Numbers are written with three significant digits.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]

    def to_html(self) -> str:
        """Return the table as HTML."""
        head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in self.columns)
        lines = []
        for first, *others in self.rows:
            cells = "".join(f"<td>{html.escape(_written(value))}</td>" for value in others)
            lines.append(f'<tr><th scope="row">{html.escape(_written(first))}</th>{cells}</tr>')
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else short(value)


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


def _for_page(exported: Exported) -> dict[str, Any]:
    return {"graph": exported.graph, "weights": exported.weights, "bytes": exported.bytes}


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
    #: The questions of the first picture, with their answers.
    remembered: Any = traitlets.List(read_only=True).tag(sync=True)

    def __init__(self, *, name: str | None = None, **traits: Any) -> None:
        self.name = self.module if name is None else name
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name):
            raise StateError(
                f"name is {name!r}; allowed are lower-case letters, digits and single hyphens between them"
            )
        super().__init__(**traits)
        self.on_msg(self._answer)

    @traitlets.default("_esm")
    def _default_esm(self) -> str:
        return _bundle(f"{self.module}.js")

    @traitlets.default("_css")
    def _default_css(self) -> str:
        return _bundle(f"{self.module}.css")

    @traitlets.default("strings")
    def _default_strings(self) -> dict[str, str]:
        return {key: value for prefix in self.text_prefixes for key, value in texts(prefix).items()}

    @functools.cached_property
    def graphs(self) -> Mapping[str, Graph]:
        """The graphs that the front end may ask, by their names."""
        return {graph.name: graph for graph in self.make_graphs()}

    def make_graphs(self) -> Sequence[Graph]:
        """Return the graphs that the front end may ask; an explorable that computes defines this."""
        return ()

    def ask(self, graph: str, **inputs: Tensor) -> dict[str, Tensor]:
        """Run one of the graphs in torch, as the front end's ``engine.run`` does where there is a kernel.

        Inputs may have any shape that the graph takes.

        Raises
        ------
        GraphError
            when there is no such graph, or the inputs are not what it takes.
        """
        if graph not in self.graphs:
            raise GraphError(f"graph is {graph!r}; allowed are {', '.join(self.graphs)}")
        return self.graphs[graph](**inputs)

    def questions(self) -> Sequence[tuple[str, Mapping[str, Tensor]]]:
        """Return what the first picture asks in the present state: graphs by their names, with the inputs.

        They are asked when the explorable is shown, and question and answer travel with the state: so nothing has to
        be loaded to paint it. The front end asks the very same.
        """
        return ()

    def _remember(self) -> None:
        entries = []
        for graph, inputs in self.questions():
            outputs = self.ask(graph, **inputs)
            entries.append({"graph": graph, "inputs": to_json(inputs), "outputs": to_json(outputs)})
        if entries != self.remembered:
            self.set_trait("remembered", entries)

    def _answer(self, _widget: object, content: Any, buffers: Sequence[memoryview]) -> None:
        """Answer a front end's question; whatever is wrong with it comes back as words, and nothing else happens."""
        if not isinstance(content, dict) or content.get("kind") != "ask":
            return
        number = content.get("id")
        try:
            descriptions = content.get("inputs")
            if not isinstance(descriptions, list) or len(descriptions) != len(buffers):
                raise GraphError(
                    f"inputs is {descriptions!r}; allowed is one description for each of {len(buffers)} buffers"
                )
            inputs = {str(d["name"]): decode(d, b) for d, b in zip(descriptions, buffers, strict=True)}
            outputs = self.ask(str(content.get("graph")), **inputs)
        except Exception as error:  # the reader is told; a traceback would end in the server's log
            self.send({"kind": "refused", "id": number, "detail": f"{type(error).__name__}: {error}"})
            return
        encoded = {name: encode(value) for name, value in outputs.items()}
        answer = [{"name": name, **description} for name, (description, _) in encoded.items()]
        self.send({"kind": "answer", "id": number, "outputs": answer}, [content for _, content in encoded.values()])

    def figure(self) -> Figure:
        """Draw the present state with matplotlib: what stands in print and without JavaScript."""
        raise NotImplementedError(f"{type(self).__name__} must define figure()")

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        raise NotImplementedError(f"{type(self).__name__} must define alternative_text()")

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        raise NotImplementedError(f"{type(self).__name__} must define caption()")

    def table(self) -> Table | None:
        """Return the numbers that :meth:`figure` shows, or None where it shows none that a table could hold."""
        return None

    def page_state(self) -> dict[str, Any]:
        """Return the state that travels with a page: the synced traits that are this widget's own."""
        foreign = set(ipywidgets.DOMWidget.class_trait_names())
        keys = [key for key in self.trait_names(sync=True) if key not in foreign and not key.startswith("_")]
        state: dict[str, Any] = self.get_state(keys)
        return dict(sorted(state.items()))

    def to_html(self) -> str:
        """Return the explorable as it stands in a published page; the static host brings it to life."""
        self._remember()
        exported = {name: _for_page(export(graph)) for name, graph in self.graphs.items()}
        source, alternative = _as_data_uri(self.figure()), html.escape(self.alternative_text())
        table = self.table()
        numbers = (
            ""
            if table is None
            else f"<details><summary>{html.escape(self.strings['table'])}</summary>{table.to_html()}</details>"
        )
        return (
            f'<div class="dlcompare-explorable" id="explorable-{self.name}" data-module="{self.module}" '
            f'data-graphs="{html.escape(json.dumps(exported, separators=(",", ":")))}">\n'
            f'<script type="application/json" class="dlcompare-state">{_json_for_html(self.page_state())}</script>\n'
            f'<figure class="dlcompare-fallback"><img src="{source}" alt="{alternative}">'
            f"<figcaption>{html.escape(self.caption())}</figcaption>{numbers}</figure>\n"
            "</div>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        self._remember()
        bundle = super()._repr_mimebundle_(**kwargs)
        if os.environ.get("DLCOMPARE_BOOK") != "1" or bundle is None:
            return bundle
        # Only in the book: a notebook front end that finds HTML beside the live widget may prefer the HTML.
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, "text/html": self.to_html()}, metadata
