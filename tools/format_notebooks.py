"""The chapters' one canonical form: format them, or check that they are in it and keep the book's rules.

Canonical means: no outputs, no execution counts, no metadata but the kernel's name, the language and what a
page uses (tags, figure settings); code formatted by ruff; JSON as nbformat writes it. So a diff shows what
changed, and nothing else.

The rules (`problems`) hold what no formatter can mend, for example that a chapter asserts what it claims.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat

from tools.chapters import ROOT

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
#: Cell metadata that a page or the slides use. All else is an editor's business.
CELL_METADATA = {"mystnb", "slideshow", "tags"}
TAGS = {
    "full-width",
    "hide-cell",
    "hide-input",
    "hide-output",
    "margin",
    "raises-exception",
    "remove-cell",
    "remove-input",
    "remove-output",
    "remove-stderr",
    "scroll-output",
}
#: A cell that begins with an unknown magic passes nbval even when it raises, so unknown ones are refused.
MAGICS = {"config", "matplotlib", "time", "timeit"}

_HEADING = re.compile(r"^#\s+\S", re.MULTILINE)
_FENCE = re.compile(r"^(`{3,}|~{3,}|:{3,}).*?^\1`*\s*$", re.MULTILINE | re.DOTALL)


def read(path: Path) -> Any:
    """Return the notebook in `path`, in nbformat 4.5 with an identifier for each cell."""
    notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    if notebook.nbformat_minor < 5:
        notebook = nbformat.v4.upgrade(notebook)
    return notebook


def canonical(path: Path) -> str:
    """Return what the notebook's file in `path` should contain."""
    notebook = read(path)
    notebook.nbformat_minor = 5
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in CELL_METADATA and v})
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
        else:
            cell.source = "\n".join(line.rstrip() for line in cell.source.strip().splitlines())
    text = nbformat.writes(notebook, version=nbformat.NO_CONVERT)
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", str(path), "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{path}: ruff cannot format its code:\n{done.stderr}")
    formatted = nbformat.reads(done.stdout, as_version=4)
    return str(nbformat.writes(formatted, version=nbformat.NO_CONVERT)).rstrip("\n") + "\n"


def _magics(tree: ast.AST) -> list[str]:
    """Return the magics and shell commands that IPython's transformer turned into calls in `tree`."""
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        if not (isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "get_ipython"):
            continue
        argument = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if node.func.attr in {"system", "getoutput"}:
            found.append(f"!{argument!s}")
        elif node.func.attr in {"run_line_magic", "run_cell_magic", "magic"}:
            found.append(str(argument))
    return found


def _asserts(tree: ast.AST) -> bool:
    """Say whether `tree` contains an assert statement or calls a function named assert_…."""
    return any(
        isinstance(node, ast.Assert)
        or (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("assert_")
        )
        for node in ast.walk(tree)
    )


def problems(path: Path) -> list[str]:
    """Return what is wrong with the notebook in `path` that formatting cannot mend."""
    from IPython.core.inputtransformer2 import TransformerManager

    notebook = read(path)
    found = []
    headings, asserts = 0, False
    identifiers = Counter(cell.id for cell in notebook.cells)
    found += [f"{count} cells have the id {name!r}" for name, count in identifiers.items() if count > 1]
    for number, cell in enumerate(notebook.cells, start=1):
        where = f"cell {number} (id {cell.id})"
        if not cell.source.strip():
            found.append(f"{where}: is empty")
        unknown = set(cell.metadata.get("tags", [])) - TAGS
        if unknown:
            found.append(f"{where}: has the tags {sorted(unknown)}; known are {sorted(TAGS)}")
        if cell.get("attachments"):
            found.append(f"{where}: has an attached file; a chapter draws its figures with code")
        if cell.cell_type == "markdown":
            headings += len(_HEADING.findall(_FENCE.sub("", cell.source)))
        elif cell.cell_type == "code":
            try:
                tree = ast.parse(TransformerManager().transform_cell(cell.source))
            except SyntaxError as error:
                found.append(f"{where}: is no Python: {error}")
                continue
            for magic in _magics(tree):
                if magic.startswith("!"):
                    found.append(f"{where}: runs the shell command {magic!r}; the lock provides what is needed")
                elif magic not in MAGICS:
                    found.append(f"{where}: uses the magic {magic!r}; known are {sorted(MAGICS)}")
            asserts = asserts or _asserts(tree)
        else:
            found.append(f"{where}: is a {cell.cell_type} cell; expected markdown or code")
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not _HEADING.match(first.source.lstrip()):
        found.append("does not begin with a markdown cell that begins with the title, '# …'")
    if headings != 1:
        found.append(f"has {headings} headings of the first level; expected one, the title")
    if not asserts:
        found.append("asserts nothing; a chapter checks what it claims")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Bring the chapters into their canonical form, or check it.")
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (default: all below chapters/)")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a notebook is not in that form")
    arguments = parser.parse_args()
    paths = arguments.paths or sorted(
        p for p in (ROOT / "chapters").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts
    )
    bad = 0
    for path in paths:
        wanted = canonical(path)
        complaints = problems(path)
        if path.read_text(encoding="utf-8") != wanted:
            if arguments.check:
                complaints.insert(0, "is not in the canonical form: run `make format`")
            else:
                path.write_text(wanted, encoding="utf-8")
                print(f"formatted {path}")
        for complaint in complaints:
            print(f"{path}: {complaint}", file=sys.stderr)
        bad += bool(complaints)
    print(f"{len(paths)} notebooks, {bad} with problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
