"""From a chapter's code to the reference, and back.

In a chapter's code cells, each name of the package that has an entry in the reference links to it; each entry says in
which chapters it is used, and links to the first place in each. The cells are read with :mod:`ast`, never run: an
import binds a name, ``size = training.n_parameters`` hands it on, ``mlp = MLP(…)`` makes an instance, whose methods
are found in its class. What is bound by anything else is not followed.
"""

from __future__ import annotations

import ast
import html
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

PACKAGE = "dlcompare"
#: Marks in a path that what stands before it was called: ``dlcompare.models.MLP()`` is an instance.
CALLED = "()"


@dataclass(frozen=True)
class Use:
    """A place in a chapter that names something of the package.

    It is counted in characters of a cell's source; `imported` tells that the name is only imported there.
    """

    cell: int
    start: int
    end: int
    path: str
    imported: bool = False


#: A chain of attributes, ``training.fit.__doc__``, as uses to choose from: itself, then what is left without its last.
Chain = list[Use]


class Reader(ast.NodeVisitor):
    """Reads the cells of one chapter in their order and remembers what each name stands for."""

    def __init__(self) -> None:
        self._scopes: list[dict[str, str | None]] = [{}]
        self._source = ""
        self._lines: list[str] = []
        self._starts: list[int] = []
        self._cell = 0
        self._chains: list[Chain] = []

    def read(self, source: str) -> list[Chain]:
        """Return what the chapter's next cell uses."""
        self._cell += 1
        # A magic line is no Python. One character for another: the places stay.
        self._source = re.sub(r"^(\s*)[%!]", r"\1#", source, flags=re.MULTILINE)
        self._lines = self._source.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._chains = []
        try:
            self.visit(ast.parse(self._source))
        except SyntaxError:
            return []
        return sorted(self._chains, key=lambda chain: chain[0].start)

    # --- what a name stands for

    def _bind(self, target: ast.AST, path: str | None) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                self._scopes[-1][node.id] = path if node is target else None

    def _path(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Name):
            return next((scope[node.id] for scope in reversed(self._scopes) if node.id in scope), None)
        if isinstance(node, ast.Attribute) and (base := self._path(node.value)):
            return f"{base.removesuffix(CALLED)}.{node.attr}"
        if isinstance(node, ast.Call) and (base := self._path(node.func)):
            return base + CALLED
        return None

    @contextmanager
    def _scope(self) -> Iterator[None]:
        self._scopes.append({})
        yield
        self._scopes.pop()

    # --- where it stands

    def _place(self, line: int, column: int) -> int:
        # ast counts bytes of UTF-8.
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def _span(self, node: Any) -> tuple[int, int]:
        return self._place(node.lineno, node.col_offset), self._place(node.end_lineno, node.end_col_offset)

    def _note_chain(self, node: ast.expr) -> None:
        base = node
        while isinstance(base, ast.Attribute):
            base = base.value
        if not isinstance(base, ast.Name):
            self.visit(base)
        chain = []
        while isinstance(node, ast.Name | ast.Attribute):
            path = self._path(node)
            last = node.id if isinstance(node, ast.Name) else node.attr
            start, end = self._span(node)
            if not isinstance(base, ast.Name):
                start = end - len(last)  # what the attribute is taken of has links of its own
            # Python 3.11 misplaces what stands in some f-strings.
            if path and not path.endswith(CALLED) and self._source[start:end].endswith(last):
                chain.append(Use(self._cell, start, end, path))
            if isinstance(node, ast.Name):
                break
            node = node.value
        if chain:
            self._chains.append(chain)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note a chain of attributes."""
        self._note_chain(node)

    def visit_Name(self, node: ast.Name) -> None:
        """Note a name."""
        if isinstance(node.ctx, ast.Load):
            self._note_chain(node)

    # --- what binds names

    def _note_import(self, start: int, written: str, path: str | None = None) -> None:
        self._chains.append([Use(self._cell, start, start + len(written), path or written, imported=True)])

    def visit_Import(self, node: ast.Import) -> None:
        """Bind the modules."""
        for alias in node.names:
            ours = alias.name.split(".")[0] == PACKAGE
            bound = alias.asname or alias.name.split(".")[0]
            self._scopes[-1][bound] = (alias.name if alias.asname else PACKAGE) if ours else None
            if ours:
                self._note_import(self._span(alias)[0], alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Bind the names."""
        module = node.module or ""
        ours = module.split(".")[0] == PACKAGE and not node.level
        if ours:
            self._note_import(self._source.index(module, self._span(node)[0]), module)
        for alias in node.names:
            path = f"{module}.{alias.name}" if ours else None
            self._scopes[-1][alias.asname or alias.name] = path
            if path:
                self._note_import(self._span(alias)[0], alias.name, path)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Hand a name on."""
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)
            pair = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            if pair and len(target.elts) == len(node.value.elts):  # type: ignore[attr-defined]
                paths = [self._path(value) for value in node.value.elts]  # type: ignore[attr-defined]
                for element, path in zip(target.elts, paths, strict=True):  # type: ignore[attr-defined]
                    self._bind(element, path)
            else:
                self._bind_target(target, self._path(node.value))

    def _bind_target(self, target: ast.expr, path: str | None) -> None:
        if isinstance(target, ast.Name | ast.Tuple | ast.List | ast.Starred):
            self._bind(target, path)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Hand a name on."""
        self.generic_visit(node)
        self._bind_target(node.target, self._path(node.value) if node.value else None)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Forget what changes."""
        self.generic_visit(node)
        self._bind_target(node.target, None)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Hand a name on."""
        self.visit(node.value)
        self._bind(node.target, self._path(node.value))

    def visit_For(self, node: ast.For) -> None:
        """Forget the loop's variables' former meaning."""
        self.visit(node.iter)
        self._bind_target(node.target, None)
        for statement in [*node.body, *node.orelse]:
            self.visit(statement)

    def visit_With(self, node: ast.With) -> None:
        """Forget the former meaning of what stands after ``as``."""
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars:
                self._bind_target(item.optional_vars, None)
        for statement in node.body:
            self.visit(statement)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        arguments = node.args
        for default in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
            self.visit(default)
        names = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        names += [name for name in (arguments.vararg, arguments.kwarg) if name]
        for name in names:
            if name.annotation:
                self.visit(name.annotation)
        with self._scope():
            self._scopes[-1].update({name.arg: None for name in names})
            for statement in node.body if isinstance(node.body, list) else [node.body]:
                self.visit(statement)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Read a function: its parameters hide other names."""
        for decorator in node.decorator_list:
            self.visit(decorator)
        if node.returns:
            self.visit(node.returns)
        self._scopes[-1][node.name] = None
        self._visit_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Read a lambda: its parameters hide other names."""
        self._visit_function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Read a class: what it binds stays inside."""
        for expression in [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]:
            self.visit(expression)
        self._scopes[-1][node.name] = None
        with self._scope():
            for statement in node.body:
                self.visit(statement)

    def _visit_comprehension(self, node: Any) -> None:
        with self._scope():
            for generator in node.generators:
                self.visit(generator.iter)
                self._bind_target(generator.target, None)
                for condition in generator.ifs:
                    self.visit(condition)
            for part in ("key", "value", "elt"):
                if hasattr(node, part):
                    self.visit(getattr(node, part))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension  # noqa: N815


_UNIT = re.compile(r"<span[^>]*>([^<]*)</span>|<[^>]*>|([^<]+)")


def add_links(highlighted: str, source: str, links: list[tuple[int, int, str]]) -> str:
    """Return a highlighted cell with links: (start, end) in its `source`, and the link's opening tag.

    A link that does not begin and end where highlighted words do is left out, and all are when the text is not the
    source.
    """
    before, opening, rest = highlighted.partition("<pre>")
    inside, closing, after = rest.rpartition("</pre>")
    units = [(found[0], html.unescape(found[1] or found[2] or "")) for found in _UNIT.finditer(inside)]
    if "".join(text for _, text in units).strip() != source.strip():
        return highlighted
    place = len(source) - len(source.lstrip("\n"))  # Pygments drops empty lines at the beginning
    places = list(itertools.accumulate((len(text) for _, text in units), initial=place))
    links = [link for link in links if {link[0], link[1]} <= set(places)]
    openings = {start: tag for start, _, tag in links}
    closings = {end for _, end, _ in links}
    written = []
    for (unit, text), start, end in zip(units, places, places[1:], strict=False):
        written.append(openings.get(start, "") * bool(text) + unit + "</a>" * (end in closings and bool(text)))
    return before + opening + "".join(written) + closing + after


class used_in(nodes.General, nodes.Element):  # type: ignore[misc]  # noqa: N801 (docutils names nodes so)
    """Stands in an entry where the chapters that use it will be named."""


def _read_cells(app: Sphinx, doctree: nodes.document) -> None:
    reader = Reader()
    found: list[Chain] = []
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code_source":
            for block in cell.findall(nodes.literal_block):
                block["code_links"] = reader.read(block.astext())
                found += block["code_links"]
    if found:
        _chains(app.env)[app.env.docname] = found


def _chains(env: Any) -> dict[str, list[Chain]]:
    """Return what each chapter uses, by its page."""
    if not hasattr(env, "dlcompare_chains"):
        env.dlcompare_chains = {}
    chains: dict[str, list[Chain]] = env.dlcompare_chains
    return chains


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _chains(env).pop(docname, None)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    _chains(env).update({name: chains for name, chains in _chains(other).items() if name in docnames})


def _place_used_in(app: Sphinx, domain: str, objtype: str, content: addnodes.desc_content) -> None:
    if domain != "py" or not content.parent:
        return
    signature = next(content.parent.findall(addnodes.desc_signature), None)
    if signature is None or not signature["ids"]:
        return
    members = (i for i, child in enumerate(content.children) if isinstance(child, addnodes.desc))
    content.insert(next(members, len(content.children)), used_in(entry=signature["ids"][0]))


#: The page and the place on it where an entry stands.
Entry = tuple[str, str]


def _links(env: BuildEnvironment, chains: list[Chain]) -> Iterator[tuple[Use, Entry]]:
    """Yield of each chain the longest use that has an entry, with its entry."""
    domain: Any = env.get_domain("py")
    for chain in chains:
        for use in chain:
            if entry := domain.objects.get(use.path) or domain.modules.get(use.path):
                yield use, (entry.docname, entry.node_id)
                break


def _anchor(place: str) -> str:
    return f"use-{place}"


def _write_used_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    marks = list(doctree.findall(used_in))
    if not marks:
        return
    chapters: dict[Entry, dict[str, None]] = {}
    order = {name: i for i, name in enumerate(_reading_order(app.env))}
    for chapter, chains in sorted(_chains(app.env).items(), key=lambda item: order.get(item[0], len(order))):
        for _, entry in _links(app.env, chains):
            chapters.setdefault(entry, {})[chapter] = None
    for mark in marks:
        line = nodes.paragraph("", "Used in: ", classes=["used-in"])
        for i, chapter in enumerate(chapters.get((docname, mark["entry"]), {})):
            uri = app.builder.get_relative_uri(docname, chapter) + "#" + _anchor(mark["entry"])
            title = app.env.titles[chapter].astext()
            line += [nodes.Text(" · " if i else ""), nodes.reference("", title, internal=True, refuri=uri)]
        mark.parent.replace(mark, [line] if len(line) > 1 else [])


def _reading_order(env: BuildEnvironment) -> Iterator[str]:
    """Yield the pages in the order of the table of contents."""

    def below(name: str) -> Iterator[str]:
        yield name
        for child in env.toctree_includes.get(name, []):
            yield from below(child)

    return below(env.config.root_doc)


def _visit_literal_block(translator: Any, node: nodes.literal_block) -> None:
    start = len(translator.body)
    try:
        type(translator).visit_literal_block(translator, node)
    except nodes.SkipNode:
        chains = node.get("code_links", [])
        if chains:
            written = "".join(translator.body[start:])
            translator.body[start:] = [add_links(written, node.astext(), _tags(translator.builder, chains))]
        raise


def _tags(builder: Any, chains: list[Chain]) -> list[tuple[int, int, str]]:
    page = builder.current_docname
    first: dict[Entry, Use] = {}  # where an entry's way back leads: the first use that is more than an import
    for use, entry in sorted(_links(builder.env, _chains(builder.env)[page]), key=lambda link: link[0].imported):
        first.setdefault(entry, use)
    tags = []
    for use, entry in _links(builder.env, chains):
        uri = html.escape(builder.get_relative_uri(page, entry[0]) + "#" + entry[1])
        anchor = f' id="{html.escape(_anchor(entry[1]))}"' if first[entry] == use else ""
        tags.append((use.start, use.end, f'<a class="code-link"{anchor} href="{uri}" title="{html.escape(use.path)}">'))
    return tags


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(used_in)
    app.add_node(nodes.literal_block, override=True, html=(_visit_literal_block, None))
    app.connect("doctree-read", _read_cells)
    app.connect("object-description-transform", _place_used_in)
    app.connect("doctree-resolved", _write_used_in)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
