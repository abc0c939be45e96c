"""Show explorables in a page of their own, without building the book: for whoever works on one.

``python -m tools.preview FILE.py`` runs the file and writes every explorable among its variables into
``_build/preview/index.html``, as a published page would hold it: no kernel, the graphs exported. ``--serve PORT``
serves it on this machine.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import runpy
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from _ext.fresh_cache import graphs_path
from _ext.static_host import FOLDER, bundles, copy_bundles, graph_files_in, hashed_names, modules_in
from tools.chapters import ROOT

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Preview</title>{styles}
<script type="module" src="{host}" data-dlcompare-modules='{modules}' data-dlcompare-worker="{worker}"
 data-dlcompare-wasm="{wasm}"></script></head>
<body style="margin: 1rem auto; max-width: 56rem; font-family: sans-serif">
<main><h1>Preview</h1>{body}</main></body></html>
"""


def write(source: Path, target: Path) -> None:
    """Run `source` and write its explorables into `target`."""
    from dlcompare.widgets.base import Explorable

    os.environ.setdefault("DLCOMPARE_GRAPHS", str(graphs_path(ROOT)))
    found = [value for value in runpy.run_path(str(source)).values() if isinstance(value, Explorable)]
    if not found:
        raise SystemExit(f"preview: {source} has no explorable among its variables")
    body = "\n".join(explorable.to_html() for explorable in found)
    names = hashed_names(bundles())
    copy_bundles(bundles(), target / FOLDER, names)
    (target / FOLDER / "graphs").mkdir()
    for name in graph_files_in(body):
        (target / FOLDER / "graphs" / name).write_bytes((Path(os.environ["DLCOMPARE_GRAPHS"]) / name).read_bytes())
    modules = modules_in(body)
    styles = [names["host.css"], *(names[f"{module}.css"] for module in modules)]
    page = PAGE.format(
        styles="".join(f'<link rel="stylesheet" href="{FOLDER}/{name}">' for name in styles),
        host=f"{FOLDER}/{names['host.js']}",
        modules=json.dumps({module: names[f"{module}.js"] for module in modules}),
        worker=names["worker.js"],
        wasm=names["onnxruntime.wasm.gz"],
        body=body,
    )
    (target / "index.html").write_text(page, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Show explorables in a page of their own.")
    parser.add_argument("source", type=Path, help="a Python file that makes them")
    parser.add_argument("--target", type=Path, default=ROOT / "_build" / "preview")
    parser.add_argument("--serve", type=int, metavar="PORT")
    arguments = parser.parse_args()
    write(arguments.source, arguments.target)
    print(f"wrote {os.path.relpath(arguments.target / 'index.html')}")
    if arguments.serve is not None:
        handler = functools.partial(SimpleHTTPRequestHandler, directory=str(arguments.target))
        with ThreadingHTTPServer(("127.0.0.1", arguments.serve), handler) as server:
            print(f"on http://127.0.0.1:{server.server_port}/ (Ctrl-C ends)", flush=True)
            server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
