"""The package's reference, generated from each module's ``__all__`` by Sphinx's autodoc.

A page of the appendix holds one directive, ``.. api-page:: dlcompare.models``: it writes an entry for each public name
of that module and of the modules below it. The directive ``.. api-overview::`` lists them all with their first
sentences. A new public name, or a new module below one that has a page, shows up by itself; a new module directly below
``dlcompare`` needs a page, and the build fails without it, because the overview's links lead nowhere then.

An entry stands under the shortest path that a chapter can import its name by: ``dlcompare.models.GPT``, where
``dlcompare.models`` exports it, else ``dlcompare.models.gpt.Block``. The longer path leads to the same entry.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import NumpyDocstring
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import inspect as sphinx_inspect
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import stringify_annotation

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PACKAGE = "dlcompare"
#: The longest value of a constant that is written out, in characters.
LONGEST_VALUE = 100


@dataclass(frozen=True)
class Entry:
    """A public name: the module it is imported from, and the one that defines it."""

    module: str
    name: str
    defined_in: str

    @property
    def path(self) -> str:
        """The dotted name by which a chapter finds it."""
        return f"{self.module}.{self.name}"

    @property
    def value(self) -> Any:
        """The object itself."""
        return getattr(importlib.import_module(self.module), self.name)

    @property
    def kind(self) -> str:
        """The directive of Sphinx's Python domain that describes it."""
        value = self.value
        if inspect.isclass(value) and not isinstance(value, types.GenericAlias):
            return "exception" if issubclass(value, BaseException) else "class"
        return "function" if inspect.isroutine(value) else "data"

    @property
    def doc(self) -> str:
        """The docstring; a constant's is the comment ``#:`` above it or its group, or the string below."""
        if self.kind != "data":
            return inspect.getdoc(self.value) or ""
        return _constants(self.defined_in).get(self.name, "")

    @property
    def summary(self) -> str:
        """The docstring's first sentence."""
        paragraph = " ".join(self.doc.split("\n\n")[0].split())
        return re.split(r"(?<=[.:])\s", paragraph, maxsplit=1)[0].rstrip(".:")


@functools.cache
def _constants(module: str) -> dict[str, str]:
    """Return the docstrings of a module's constants; in lines without a gap between them, the first's is for all."""
    analyzer = ModuleAnalyzer.for_module(module)
    written = {name: "\n".join(lines).strip() for (of, name), lines in analyzer.find_attr_docs().items() if not of}
    docs, doc, expected = {}, "", 0
    for node in ast.parse(analyzer.code).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            name = ast.unparse(target)
            doc = written.get(name) or (doc if node.lineno == expected else "")
            docs[name] = doc
            expected = (node.end_lineno or 0) + 1
    return docs


@functools.cache
def parts() -> list[str]:
    """Return the public modules directly below the package: each has a page of its own."""
    return [name for name in _below(PACKAGE) if hasattr(importlib.import_module(name), "__all__")]


def modules(part: str) -> list[str]:
    """Return `part` and the public modules below it, at any depth, that export something."""
    below = (name for name in _below(part) if hasattr(importlib.import_module(name), "__all__"))
    return [part, *(deeper for name in below for deeper in modules(name))]


def _below(name: str) -> Iterator[str]:
    for found in pkgutil.iter_modules(getattr(importlib.import_module(name), "__path__", [])):
        if not found.name.startswith("_"):
            yield f"{name}.{found.name}"


def _defining(part: str, name: str) -> str:
    """Return the module that defines what `part` exports as `name`: the one below it that exports it too."""
    value = getattr(importlib.import_module(part), name)
    for found in pkgutil.iter_modules(getattr(importlib.import_module(part), "__path__", [])):
        module = importlib.import_module(f"{part}.{found.name}")
        if name in getattr(module, "__all__", ()) and getattr(module, name) is value:
            return module.__name__
    return part


@functools.cache
def entries(part: str) -> dict[str, list[Entry]]:
    """Return the entries of `part` by module; each name stands once, with the public module that defines it.

    All who ask get the same lists, and change nothing in them.
    """
    found: dict[str, list[Entry]] = {name: [] for name in modules(part)}
    exported = importlib.import_module(part).__all__
    for name in exported:
        defined_in = _defining(part, name)
        found[defined_in if defined_in in found else part].append(Entry(part, name, defined_in))
    for module in found:
        names = {entry.name for entry in found[module]}
        for name in importlib.import_module(module).__all__:
            if module != part and name not in names:
                found[module].append(Entry(module, name, module))
    # As in the source: what comes first is read first.
    return {module: sorted(listed, key=_position) for module, listed in found.items()}


def _position(entry: Entry) -> tuple[str, int]:
    source = inspect.getsource(importlib.import_module(entry.defined_in))
    found = re.search(rf"^(?:class |def )?{entry.name}\b", source, re.MULTILINE)
    return entry.defined_in, found.start() if found else len(source)


def is_type(value: object) -> bool:
    """Return whether a constant is a name for a type, which says what it is by itself."""
    return type(value).__module__ in {"typing", "types"}


def _indented(text: str) -> list[str]:
    return ["   " + line if line else "" for line in text.splitlines()]


def _entry_lines(entry: Entry) -> list[str]:
    if entry.kind != "data":
        lines = [f".. auto{entry.kind}:: {entry.path}"]
        return [*lines, *(["   :members:", "   :member-order: bysource"] if entry.kind == "class" else []), ""]
    lines = [f".. py:data:: {entry.name}", f"   :module: {entry.module}"]
    if entry.defined_in != entry.module:
        lines.append(f"   :canonical: {entry.defined_in}.{entry.name}")
    value = entry.value
    shown = re.sub(r"~|typing\.", "", stringify_annotation(value, "smart")) if is_type(value) else repr(value)
    if len(shown) <= LONGEST_VALUE and " at 0x" not in shown:
        lines.append(f"   :value: {shown}")
    return [*lines, "", *_indented(entry.doc), ""]


def _module_doc(module: str, *, whole: bool) -> list[str]:
    doc = inspect.getdoc(importlib.import_module(module)) or ""
    return [*(doc if whole else doc.split("\n\n")[0]).splitlines(), ""]


def page(part: str) -> list[str]:
    """Return the reStructuredText of the page of `part`, below its title."""
    lines: list[str] = []
    for module, listed in entries(part).items():
        if module != part:
            if not listed:
                continue
            title = module.removeprefix(PACKAGE + ".")  # with its part: two parts may have modules of the same name
            lines += [title, "-" * len(title), ""]
        lines += [f".. py:module:: {module}", "", *_module_doc(module, whole=True)]
        for entry in listed:
            lines += _entry_lines(entry)
    return lines


def overview() -> list[str]:
    """Return the reStructuredText of the list of all public names."""
    lines: list[str] = []
    for part in parts():
        title = f":py:mod:`{part}`"
        lines += [title, "-" * len(title), "", f".. py:currentmodule:: {part}", "", *_module_doc(part, whole=False)]
        for listed in entries(part).values():
            for entry in listed:
                path = entry.path.removeprefix(part + ".")
                # References in a summary are relative to its own module.
                summary = re.sub(r":\w+:`~?([^`]+)`", r"``\1``", entry.summary)
                lines.append(f"- :py:obj:`{path} <{entry.path}>`: {summary}")
        lines.append("")
    return lines


class ApiDirective(SphinxDirective):
    """Parse generated reStructuredText with its sections; and have the pages written anew when the source changes."""

    def parse_lines(self, lines: list[str], title: str) -> list[nodes.Node]:
        """Return the nodes of the generated `lines`."""
        container = nodes.section()
        container.document = self.state.document
        content = StringList(lines, source=f"<{title}>")
        memo: Any = self.state.memo
        levels = memo.title_styles, memo.section_level
        memo.title_styles, memo.section_level = [], 0
        try:
            self.state.nested_parse(content, 0, container, match_titles=True)
        finally:
            memo.title_styles, memo.section_level = levels
        children: list[nodes.Node] = container.children
        return children

    def note_sources(self, part: str) -> None:
        """Have this page read again when a module of `part` has changed."""
        for module in modules(part):
            self.env.note_dependency(inspect.getfile(importlib.import_module(module)))


class ApiPage(ApiDirective):
    """``.. api-page:: module`` writes the entries of a module and of those below it."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the entries' nodes."""
        part = self.arguments[0]
        if part not in parts():
            raise self.error(f"api-page is of {part!r}; there are {', '.join(parts())}")
        self.note_sources(part)
        found = self.parse_lines(page(part), part)
        domain: Any = self.env.get_domain("py")
        for listed in entries(part).values():
            for entry in listed:
                written = domain.objects.get(entry.path)
                longer = f"{entry.defined_in}.{entry.name}"
                if written is not None and longer not in domain.objects:
                    domain.note_object(longer, written.objtype, written.node_id, aliased=True, location=None)
        return found


class ApiOverview(ApiDirective):
    """``.. api-overview::`` lists every public name with its first sentence."""

    def run(self) -> list[nodes.Node]:
        """Return the lists' nodes."""
        for part in parts():
            self.note_sources(part)
        return self.parse_lines(overview(), "overview")


def _process_signature(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str, None] | None:
    if what == "class" and getattr(value, "_is_protocol", False):
        return "", None  # a protocol is never called
    if what == "class" and "__init__" in vars(value) and (signature or "").startswith("(*args"):
        # A metaclass or a base class hides it, as traitlets' do.
        own = sphinx_inspect.signature(value.__init__, bound_method=True)
        return sphinx_inspect.stringify_signature(own, show_return_annotation=False, unqualified_typehints=True), None
    return None


class _Docstring(NumpyDocstring):
    def _parse_attributes_section(self, section: str) -> list[str]:
        # As a list: napoleon would make each an entry, which it is already where a class describes it in its body.
        return self._format_fields("Attributes", self._consume_fields())


def _process_docstring(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    # Napoleon's own handler would read "Number of parameters: …" of a property as a type and what it is.
    what = "object" if what in {"attribute", "property"} else what
    # The types stand in the signature.
    settings: Any = Config(napoleon_use_rtype=False, napoleon_attr_annotations=False)  # its own class, not Sphinx's
    docstring = _Docstring(lines, settings, app, what, name, value, options)
    lines[:] = docstring.lines()


def _skip_member(app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    # The fields of a named tuple, of which Python itself says no more than this.
    return True if (inspect.getdoc(value) or "").startswith("Alias for field number") else None


def _module(name: str) -> types.ModuleType | None:
    """Return the module of that name; None where there is none, as for the name of a class."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def _resolve(app: Sphinx, env: BuildEnvironment, node: Any, content: nodes.TextElement) -> nodes.Node | None:
    """Find what a type names by its last part alone, if one entry has that name; and let type variables be."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py":
        return None
    module, _, name = target.rpartition(".")
    # Imported here where no page has: of those that have not changed, nothing is read anew.
    if module.startswith(PACKAGE) and isinstance(getattr(_module(module), name, None), TypeVar):
        return content
    domain: Any = env.get_domain("py")
    found = {(e.docname, e.node_id) for path, e in domain.objects.items() if path.rpartition(".")[2] == target}
    if len(found) != 1:
        return None
    [(page, place)] = found
    return make_refnode(app.builder, node["refdoc"], page, place, content)


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("api-page", ApiPage)
    app.add_directive("api-overview", ApiOverview)
    app.connect("autodoc-process-docstring", _process_docstring)
    app.connect("autodoc-skip-member", _skip_member)
    app.connect("missing-reference", _resolve)
    app.connect("autodoc-process-signature", _process_signature)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
