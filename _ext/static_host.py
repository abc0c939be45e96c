"""Explorables in published pages: the front end that answers without a kernel, only on the pages that need it.

A chapter's explorable writes itself as a container with its state and a printed figure (`dlcompare.widgets.base`). This
extension puts the package's bundles beside the pages, under names that carry a hash of their content, so that no
browser mixes an old module with a new page. A page with a container gets the host script and its modules' style sheets.
The graphs that its explorables ask, which their outputs name, are copied from where the chapters exported them to.

myst-nb would also write the state of every widget of a notebook into its page, for stock ipywidgets' manager. That is
not used here (`nb_ipywidgets_js: {}`), and the container has the state already: it is dropped.
"""

from __future__ import annotations

import hashlib
import html
import importlib.util
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

#: Where the bundles lie below the pages' `_static`.
FOLDER = "dlcompare"
_CONTAINER = re.compile(r'<div class="dlcompare-explorable"[^>]*\sdata-module="([^"]*)"(?:\sdata-graphs="([^"]*)")?')
#: Bundles that are no explorable's own.
SHARED = ("host", "worker")


def bundles() -> Path:
    """Return the folder of the package's bundles, without importing the package (which would import torch)."""
    spec = importlib.util.find_spec("dlcompare")
    if spec is None or not spec.submodule_search_locations:
        raise ExtensionError("the package dlcompare is not installed here: `pip install -e .`")
    return Path(spec.submodule_search_locations[0], "widgets", "static")


def hashed_names(source: Path) -> dict[str, str]:
    """Return for each bundle in `source` its name in the book, which carries a hash of its content."""
    try:
        files = json.loads((source / "bundles.json").read_text(encoding="utf-8"))["files"]
        contents = {name: (source / name).read_bytes() for name in files}
    except FileNotFoundError as error:
        raise ExtensionError(
            f"the front end's bundles are not complete: {error.filename} is missing; "
            "`python js/hatch_build.py` builds them"
        ) from None
    names = {}
    for name, content in contents.items():
        stem, suffix = name.split(".", 1)
        names[name] = f"{stem}.{hashlib.sha256(content).hexdigest()[:10]}.{suffix}"
    return names


def copy_bundles(source: Path, target: Path, names: dict[str, str]) -> None:
    """Copy the bundles in `source` to `target` under their new `names`, and nothing else."""
    shutil.rmtree(target, ignore_errors=True)  # the bundles of former builds
    target.mkdir(parents=True)
    for name, new in names.items():
        shutil.copyfile(source / name, target / new)


def modules_in(body: str) -> list[str]:
    """Return the modules that the explorables of a page's `body` ask for, each once."""
    return list(dict.fromkeys(module for module, _ in _CONTAINER.findall(body)))


def graph_files_in(body: str) -> list[str]:
    """Return the files of the graphs that the explorables of a page's `body` ask, each once."""
    found: dict[str, None] = {}
    for _, written in _CONTAINER.findall(body):
        for graph in json.loads(html.unescape(written) or "{}").values():
            found.update(dict.fromkeys(file for file in (graph["graph"], graph["weights"]) if file))
    return list(found)


def graphs_folder(app: Sphinx) -> Path:
    """Return the folder into which the chapters exported their graphs."""
    return Path(os.environ.get("DLCOMPARE_GRAPHS") or Path(app.srcdir, "_build", "graphs"))


def _copy_graphs(app: Sphinx, pagename: str, files: list[str]) -> None:
    target = Path(app.outdir, "_static", FOLDER, "graphs")
    target.mkdir(parents=True, exist_ok=True)
    for name in files:
        try:
            content = (graphs_folder(app) / name).read_bytes()
        except FileNotFoundError as error:
            raise ExtensionError(
                f"{pagename}: the exported graph {error.filename} is missing; "
                "`make clean` and `make book` make it again"
            ) from None
        # Pages are written side by side, and may share a graph: it is put into place as a whole.
        with tempfile.NamedTemporaryFile(dir=target, delete=False) as file:
            file.write(content)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(target / name)


def _name(app: Sphinx, config: Config) -> None:
    # A configuration value, so that Sphinx writes the pages anew when a bundle has got another name.
    config.dlcompare_bundles = hashed_names(bundles())


def _copy(app: Sphinx) -> None:
    if app.builder.format == "html":
        copy_bundles(bundles(), Path(app.outdir, "_static", FOLDER), app.config["dlcompare_bundles"])


def _drop_widget_state(app: Sphinx, _doctree: object) -> None:
    env: Any = app.env  # myst-nb keeps its own notes on it
    files = getattr(env, "nb_metadata", {}).get(env.docname, {}).get("js_files", {})
    files.pop("ipywidgets_state", None)


def _add_host(app: Sphinx, pagename: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    modules = modules_in(context.get("body") or "")
    if not modules or app.builder.format != "html":
        return
    names: dict[str, str] = app.config["dlcompare_bundles"]
    for module in modules:
        explorables = {name[:-3] for name in names if name.endswith(".js")} - set(SHARED)
        if module not in explorables:
            known = ", ".join(sorted(explorables))
            raise ExtensionError(f"{pagename}: data-module is {module!r}; there is a bundle for {known}")
    app.add_css_file(f"{FOLDER}/{names['host.css']}")
    for module in modules:
        app.add_css_file(f"{FOLDER}/{names[f'{module}.css']}")
    _copy_graphs(app, pagename, graph_files_in(context.get("body") or ""))
    tag = {
        "type": "module",
        "data-dlcompare-modules": json.dumps({m: names[f"{m}.js"] for m in modules}),
        "data-dlcompare-worker": names["worker.js"],
        "data-dlcompare-wasm": names["onnxruntime.wasm.gz"],
    }
    app.add_js_file(f"{FOLDER}/{names['host.js']}", **tag)  # type: ignore[arg-type]  # any attribute is allowed


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("dlcompare_bundles", {}, "html", types=(dict,))  # set below, never by hand
    app.connect("config-inited", _name)
    app.connect("builder-inited", _copy)
    app.connect("doctree-read", _drop_widget_state)
    app.connect("html-page-context", _add_host)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
