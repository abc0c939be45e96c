"""The Sphinx extension, over a tiny book whose notebook carries its outputs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
import torch

from dlcompare.widgets import ConvolutionStepper

from .conftest import ROOT

sys.path.insert(0, str(ROOT))
from _ext import static_host

CONFIG = """
import sys
sys.path.insert(0, {ext!r})
extensions = ["myst_nb", "static_host"]
nb_execution_mode = "off"
nb_ipywidgets_js = {{}}
nb_mime_priority_overrides = [["html", "text/html", 1]]
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    source = tmp_path_factory.mktemp("book")
    (source / "conf.py").write_text(CONFIG.format(ext=str(ROOT / "_ext")), encoding="utf-8")
    (source / "index.md").write_text("# Plain\n\n```{toctree}\nchapter\n```\n", encoding="utf-8")
    html = ConvolutionStepper(torch.rand(1, 28, 28), [7]).to_html()
    view = {"model_id": "0123", "version_major": 2, "version_minor": 1}
    output = nbformat.v4.new_output(
        "execute_result",
        data={"text/html": html, "application/vnd.jupyter.widget-view+json": view, "text/plain": "a widget"},
        execution_count=1,
    )
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Chapter"),
            nbformat.v4.new_code_cell("widget", execution_count=1, outputs=[output]),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "widgets": {
                "application/vnd.jupyter.widget-state+json": {
                    "version_major": 2,
                    "version_minor": 0,
                    "state": {"0123": {"model_name": "AnyModel", "state": {"secret": "travels twice"}}},
                }
            },
        },
    )
    nbformat.write(notebook, source / "chapter.ipynb")
    target = source / "_build"
    (target / "_static" / "dlcompare").mkdir(parents=True)
    (target / "_static" / "dlcompare" / "convolution.0000000000.js").write_text("of a former build")
    with patch_docutils(), docutils_namespace():
        app = Sphinx(source, source, target, target / ".doctrees", "html", status=None, warningiserror=True, parallel=2)
        app.build()
    assert app.statuscode == 0
    return target


def test_only_a_page_with_an_explorable_gets_the_host(book: Path) -> None:
    assert "dlcompare" not in (book / "index.html").read_text(encoding="utf-8")
    page = (book / "chapter.html").read_text(encoding="utf-8")
    assert len(re.findall(r'<script[^>]*src="_static/dlcompare/host\.[0-9a-f]{10}\.js', page)) == 1
    assert len(re.findall(r'<link[^>]*href="_static/dlcompare/(?:host|convolution)\.[0-9a-f]{10}\.css', page)) == 2


def test_the_container_stands_in_the_page_and_its_state_only_once(book: Path) -> None:
    page = (book / "chapter.html").read_text(encoding="utf-8")
    assert static_host.modules_in(page) == ["convolution"]
    assert "widget-state+json" not in page
    assert "travels twice" not in page


def test_what_the_page_names_is_there_and_nothing_of_former_builds(book: Path) -> None:
    page = (book / "chapter.html").read_text(encoding="utf-8")
    tag = re.search(
        r'<script data-dlcompare-modules="([^"]*)" data-dlcompare-wasm="([^"]*)" data-dlcompare-worker="([^"]*)"', page
    )
    assert tag
    modules = json.loads(tag[1].replace("&quot;", '"'))
    folder = book / "_static" / "dlcompare"
    present = {path.name for path in folder.iterdir() if path.is_file()}
    assert set(modules) == {"convolution"}
    assert modules["convolution"] in present
    named = set(re.findall(r"_static/dlcompare/([^\"?]+)", page)) | {*modules.values(), tag[2], tag[3]}
    others = {name for name in present if name.split(".")[0] not in {"convolution", "host", "worker", "onnxruntime"}}
    assert named == present - others, "the bundles of other explorables lie there for other pages"
    assert {path.name for path in (folder / "graphs").iterdir()} == set(static_host.graph_files_in(page))


def test_a_bundles_name_follows_its_content(tmp_path: Path) -> None:
    (tmp_path / "bundles.json").write_text(json.dumps({"files": ["a.js"]}))
    (tmp_path / "a.js").write_text("1")
    first = static_host.hashed_names(tmp_path)
    (tmp_path / "a.js").write_text("2")
    assert static_host.hashed_names(tmp_path) != first


def test_missing_bundles_fail_with_what_builds_them(tmp_path: Path) -> None:
    from sphinx.errors import ExtensionError

    with pytest.raises(ExtensionError, match=r"bundles\.json is missing; `python js/hatch_build\.py` builds them"):
        static_host.hashed_names(tmp_path)


def test_a_page_that_asks_for_an_unknown_module_fails(book: Path) -> None:
    from types import SimpleNamespace

    from sphinx.errors import ExtensionError

    app = SimpleNamespace(
        builder=SimpleNamespace(format="html"),
        config={"dlcompare_bundles": {"convolution.js": "c.js", "host.js": "h.js", "host.css": "h.css"}},
    )
    body = '<div class="dlcompare-explorable" id="x" data-module="attention">'
    with pytest.raises(ExtensionError, match="page: data-module is 'attention'; there is a bundle for convolution"):
        static_host._add_host(app, "page", "page.html", {"body": body}, None)


def test_the_extension_declares_that_it_is_safe_in_parallel() -> None:
    from unittest.mock import MagicMock

    metadata = static_host.setup(MagicMock())
    assert metadata["parallel_read_safe"]
    assert metadata["parallel_write_safe"]
