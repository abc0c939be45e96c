"""Measure the published pages: ``make bench-pages``, or ``python -m benchmarks.pages``, writes pages.json.

Over the built book, in Chromium on loopback: what each explorable loads, how long its first answers take, and, graph
by graph, one question to the page's engine beside the same function in torch, on the same machine in the same run.
Machines are noisy, so that times are reported and never asserted; sizes and parity are tests (``tests/browser``).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import functools
import gzip
import html
import http.server
import json
import re
import secrets
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks import machine
from dlcompare.export import Graph, decode
from dlcompare.export.parity import difference
from tools.chapters import ROOT
from tools.explorables import ASKING, EXPLORABLES, Entry, named
from tools.find_browser import find
from tools.page_engine import PageEngine

FILE = ROOT / "data" / "results" / "pages.json"
HTML = ROOT / "_build" / "html"
FLAGS = ("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
PATIENCE = 60_000  # milliseconds
#: How long a reader looks at a figure, at least, before touching it, milliseconds.
LOOK = 1000


class _Quiet(http.server.SimpleHTTPRequestHandler):
    # A browser keeps what it was given a date for; a connection serves several files, as on a real host.
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine, with the headers of a host that lets browsers keep files."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def weigh(entry: Entry) -> dict[str, int]:
    """Return what the entry's page loads, in bytes."""
    text = (HTML / entry.address).read_text(encoding="utf-8")
    tag = re.search(r"<script[^>]*data-dlcompare-modules[^>]*>", text)
    container = re.search(rf'<div class="dlcompare-explorable" id="{entry.container[1:]}".*?</script>', text, re.DOTALL)
    assert tag, f"{entry.address} has no explorable"
    assert container, f"{entry.address} has no {entry.container}"

    def named(name: str, where: str = tag[0]) -> str:
        found = re.search(rf'{name}="([^"]*)"', where)
        assert found, name
        return html.unescape(found[1])

    folder = HTML / "_static" / "dlcompare"
    modules = json.loads(named("data-dlcompare-modules"))
    scripts = [Path(named("src").partition("?")[0]).name, *modules.values()]
    graphs = json.loads(named("data-graphs", container[0]))
    largest = max((graph["bytes"] for graph in graphs.values()), default=0)
    worker, wasm = (folder / named(f"data-dlcompare-{part}") for part in ("worker", "wasm"))
    return {
        "scripts": sum(len(gzip.compress((folder / name).read_bytes(), 9)) for name in scripts),
        "data": len(container[0].partition('class="dlcompare-state">')[2].encode()),
        # Of one that asks no engine, nothing more is ever loaded.
        "engine": entry.asks * (len(gzip.compress(worker.read_bytes(), 9)) + wasm.stat().st_size + largest),
    }


def open_entry(page: Page, site: str, entry: Entry) -> None:
    page.goto(site + entry.address, wait_until="networkidle")
    root = page.locator(f"{entry.container} .dlc")
    page.locator(entry.container).scroll_into_view_if_needed()
    root.wait_for()
    page.wait_for_timeout(LOOK)


def answer_seconds(page: Page, entry: Entry, n: int) -> float:
    """Change something and return the seconds until its numbers stand there, or the first of them if they stream."""
    root = page.locator(f"{entry.container} .dlc")
    # Of one that asks no engine, other numbers are other words.
    seen = "root.querySelector('.dlc-engine').dataset.answers" if entry.asks else "root.textContent"
    settled = "" if entry.streams else " && !root.matches('[aria-busy=true]')"
    before = root.evaluate(f"root => {seen}")
    started = time.perf_counter()
    entry.change(root, n)
    page.wait_for_function(
        f"([selector, before]) => {{ const root = document.querySelector(selector);"
        f" return {seen} !== before{settled} }}",
        arg=[f"{entry.container} .dlc", before],
        timeout=PATIENCE,
    )
    return time.perf_counter() - started


def first_answers(browser: Browser, site: str, entry: Entry, rounds: int) -> dict[str, float]:
    """Return medians: of a first answer with nothing in the cache, on a later page of the visit, and of the next one.

    A reader looks first, for :data:`LOOK`: meanwhile, a page that finds everything in the cache gets ready.
    """
    seconds: dict[str, list[float]] = {"cold_seconds": [], "warm_seconds": [], "next_seconds": []}
    for _ in range(rounds):
        context = browser.new_context()
        page = context.new_page()
        for visit in ("cold_seconds", "warm_seconds"):
            open_entry(page, site, entry)
            seconds[visit].append(answer_seconds(page, entry, 0))
        seconds["next_seconds"].append(answer_seconds(page, entry, 1))
        context.close()
    return {name: statistics.median(values) for name, values in seconds.items()}


def first_inputs(page: Page, graph: Graph) -> dict[str, Tensor]:
    """Return what the page's first picture asks of a graph, or an example where it asks nothing of it."""
    states = page.locator("script.dlcompare-state").all_text_contents()
    for entry in (entry for state in states for entry in json.loads(state)["remembered"]):
        if entry["graph"] == graph.name:
            return {name: decode(v, base64.b64decode(v["data"])) for name, v in entry["inputs"].items()}
    return graph.example


def compare(page: Page, graph: Graph, engine: PageEngine, rounds: int) -> dict[str, Any]:
    """Return one graph's weight, times and differences."""
    inputs = first_inputs(page, graph)
    torch_seconds = []
    for i in range(rounds + 2):
        started = time.perf_counter()
        graph(**inputs)
        if i >= 2:
            torch_seconds.append(time.perf_counter() - started)
    apart = 0.0
    for _ in range(3):
        drawn = dict(graph.draw(torch.Generator().manual_seed(secrets.randbits(48))))
        expected, got = graph(**drawn), engine.run(graph.name, drawn)
        apart = max(apart, *(difference(value, got[name]) for name, value in expected.items()))
    return {
        "graph": graph.name,
        "bytes": engine.graphs[graph.name],
        "page_milliseconds": engine.milliseconds(graph.name, inputs, rounds),
        "torch_milliseconds": 1000 * statistics.median(torch_seconds),
        "difference": apart,
    }


def write_on(browser: Browser, site: str) -> dict[str, float]:
    """Let the GPT write in its page, by the page's own button, until its context is full; return tokens per second."""
    entry = named("generation")
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    open_entry(page, site, entry)
    answer_seconds(page, entry, 0)  # the engine is loaded
    root = page.locator(f"{entry.container} .dlc")
    tokens = lambda: int(root.get_attribute("data-tokens") or 0)  # noqa: E731
    begun, seconds = tokens(), 0.0
    fast = root.locator("[data-control=fast]")
    while fast.get_attribute("aria-disabled") != "true":
        before = tokens()
        fast.click()
        page.wait_for_function(
            "([selector, before]) => { const root = document.querySelector(selector);"
            " return Number(root.dataset.tokens) > before && !root.matches('[aria-busy=true]') }",
            arg=[f"{entry.container} .dlc", before],
            timeout=PATIENCE,
        )
        # As the page tells its reader: from the first token of a run to its last, drawings in between included.
        seconds += (tokens() - before) / float(root.get_attribute("data-speed") or "nan")
    written = tokens()
    context.close()
    return {"context": written, "tokens": written - begun, "tokens_per_second": (written - begun) / seconds}


def measure(browser: Browser, site: str, rounds: int, say: Any) -> dict[str, Any]:
    """Return everything that the file holds."""
    explorables, graphs = [], []
    for entry in EXPLORABLES:
        say(f"measuring {entry.name} …")
        explorables.append({"explorable": entry.name, **weigh(entry), **first_answers(browser, site, entry, rounds)})
    for entry in ASKING:
        say(f"measuring the graphs of {entry.name} …")
        context = browser.new_context()
        page = context.new_page()
        page.goto(site + entry.address)
        engine = PageEngine(page)
        graphs += [compare(page, graph, engine, 5 * rounds) for graph in entry.graphs]
        context.close()
    results = {**machine.describe(), "browser": browser.version, "explorables": explorables, "graphs": graphs}
    (step,) = (row for row in graphs if row["graph"] == "training-step-2")  # the explorable's default depth
    say("measuring how fast a text is written …")
    return {**results, "generation": write_on(browser, site), "training": step}


def show(results: dict[str, Any], console: Console) -> None:
    """Print the tables."""
    for title, key in (("What an explorable loads, and how soon it answers", "explorables"), ("Graphs", "graphs")):
        table = Table(title=title)
        for column in results[key][0]:
            table.add_column(column.replace("_", " "), justify="right")
        for row in results[key]:
            table.add_row(*(f"{value:,.3g}" if isinstance(value, float) else str(value) for value in row.values()))
        console.print(table)
    console.print({key: results[key] for key in ("generation", "training")})


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the published pages of the built book.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each first answer is measured (default: 5)")
    parser.add_argument(
        "--output", type=Path, default=FILE, help="the file to write (default: data/results/pages.json)"
    )
    arguments = parser.parse_args()
    console = Console()
    torch.set_num_threads(1)  # as the page has one
    with serve(HTML) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        results = measure(browser, site, arguments.rounds, console.print)
        browser.close()
    show(results, console)
    arguments.output.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
