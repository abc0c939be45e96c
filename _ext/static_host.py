"""Explorables in published pages: the front end that answers without a kernel, only on the pages that need it.

A chapter's explorable writes itself as a container with its state and a printed figure (`dlcompare.widgets.base`). This
extension puts the package's bundles beside the pages, under names that carry a hash of their content, so that no
browser mixes an old module with a new page. A page with a container gets the host script and its modules' style sheets.

myst-nb would also write the state of every widget of a notebook into its page, for stock ipywidgets' manager. That is
not used here (`nb_ipywidgets_js: {}`), and the container has the state already: it is dropped.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

#: Where the bundles lie below the pages' `_static`.
FOLDER = "dlcompare"
_CONTAINER = re.compile(r'<div class="dlcompare-explorable"[^>]*\sdata-module="([^"]*)"')


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
        stem, suffix = name.rsplit(".", 1)
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
    return list(dict.fromkeys(_CONTAINER.findall(body)))


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
        if f"{module}.js" not in names or module == "host":
            known = ", ".join(sorted(name[:-3] for name in names if name.endswith(".js") and name != "host.js"))
            raise ExtensionError(f"{pagename}: data-module is {module!r}; there is a bundle for {known}")
    app.add_css_file(f"{FOLDER}/{names['host.css']}")
    for module in modules:
        app.add_css_file(f"{FOLDER}/{names[f'{module}.css']}")
    tag = {"type": "module", "data-dlcompare-modules": json.dumps({m: names[f"{m}.js"] for m in modules})}
    app.add_js_file(f"{FOLDER}/{names['host.js']}", **tag)  # type: ignore[arg-type]  # any attribute is allowed


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("dlcompare_bundles", {}, "html", types=(dict,))  # set below, never by hand
    app.connect("config-inited", _name)
    app.connect("builder-inited", _copy)
    app.connect("doctree-read", _drop_widget_state)
    app.connect("html-page-context", _add_host)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
