"""The engine in the published page: loaded on first use, bounded in bytes, honest when it cannot compute."""

from __future__ import annotations

import gzip
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from .conftest import HTML, NewPage

ADDRESS = "chapters/3-algorithms/3-1-3a-cnn.html"
CONTAINER = "#explorable-convolution"
#: An answer from a cold engine on a slow and busy machine, milliseconds.
PATIENCE = 60_000

#: The budgets of a page, in bytes: what comes with it, and what the first question fetches.
SCRIPTS, DATA, ENGINE = 150_000, 400_000, 10_000_000

TAG = re.compile(r"<script[^>]*data-dlcompare-modules[^>]*>")
STATE = re.compile(r'<script type="application/json" class="dlcompare-state">(.*?)</script>', re.DOTALL)
GRAPHS = re.compile(r'data-graphs="([^"]*)"')


def pages() -> list[str]:
    """The addresses of all built pages that hold an explorable."""
    found = [
        path for path in HTML.glob("chapters/**/*.html") if "dlcompare-explorable" in path.read_text(encoding="utf-8")
    ]
    return [path.relative_to(HTML).as_posix() for path in sorted(found)]


def attribute(tag: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', tag)
    assert found, tag
    return html.unescape(found[1])


def engine(page: Page) -> Locator:
    return page.locator(f"{CONTAINER} .dlc-engine")


def open_stepper(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(CONTAINER).scroll_into_view_if_needed()
    expect(page.locator(f"{CONTAINER} .dlc")).to_be_visible()


def ask(page: Page, kernel: str = "gauss") -> None:
    page.locator(f"{CONTAINER} [data-control=kernel]").select_option(kernel)


def test_the_book_has_the_explorables() -> None:
    assert len(pages()) >= 4


@pytest.mark.parametrize("address", pages())
def test_a_page_keeps_its_budget(address: str) -> None:
    text = (HTML / address).read_text(encoding="utf-8")
    tag = TAG.search(text)
    assert tag
    folder = HTML / "_static" / "dlcompare"
    host = Path(attribute(tag[0], "src").partition("?")[0]).name
    modules = json.loads(attribute(tag[0], "data-dlcompare-modules")).values()
    scripts = sum(len(gzip.compress((folder / name).read_bytes(), 9)) for name in (host, *modules))
    states = [state.encode() for state in STATE.findall(text)]
    assert states
    program = [attribute(tag[0], f"data-dlcompare-{part}") for part in ("worker", "wasm")]
    loaded = len(gzip.compress((folder / program[0]).read_bytes(), 9)) + (folder / program[1]).stat().st_size
    # An explorable that asks no engine has no graphs, and its page may have none.
    graphs = [graph for written in GRAPHS.findall(text) for graph in json.loads(html.unescape(written)).values()]
    for graph in graphs:
        files = [folder / "graphs" / name for name in (graph["graph"], graph["weights"]) if name]
        assert sum(file.stat().st_size for file in files) == graph["bytes"]
    largest = max((graph["bytes"] for graph in graphs), default=0)
    print(f"{address}: scripts {scripts}, data {sum(map(len, states))}, engine and largest graph {loaded + largest}")
    assert scripts <= SCRIPTS
    assert sum(map(len, states)) <= DATA
    assert loaded + largest <= ENGINE


def test_nothing_of_the_engine_is_loaded_before_it_is_asked(new_page: NewPage, site: str) -> None:
    page, _ = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_stepper(page, site + ADDRESS)
    page.wait_for_load_state("networkidle")
    # Looking around among the remembered numbers needs nothing either.
    page.locator(f"{CONTAINER} [data-control=stride]").select_option("2")
    page.locator(f"{CONTAINER} [data-control=step]").click()
    engines = lambda: [url for url in asked if re.search(r"/worker\.|\.wasm|\.onnx|weights", url)]  # noqa: E731
    assert engines() == []
    assert page.workers == []
    ask(page)
    expect(engine(page)).to_have_attribute("data-answered-by", "page", timeout=PATIENCE)
    assert len(engines()) == 3, "the worker, its program, the graph"
    assert len(page.workers) == 1
    ask(page, "edges")
    expect(page.locator(f"{CONTAINER} .dlc")).not_to_have_attribute("aria-busy", "true")
    assert len(engines()) == 3, "kept for the visit"


def test_on_a_later_page_of_the_visit_it_is_ready_before_it_is_asked(new_page: NewPage, site: str) -> None:
    page, _ = new_page()
    open_stepper(page, site + ADDRESS)
    ask(page)
    expect(engine(page)).to_have_attribute("data-answered-by", "page", timeout=PATIENCE)
    with page.expect_worker(timeout=PATIENCE):
        open_stepper(page, site + ADDRESS)
    ask(page)
    expect(engine(page)).to_have_attribute("data-answered-by", "page", timeout=PATIENCE)
    assert len(page.workers) == 1
    # A page whose graphs were not loaded stays as it was, and so does another visit.
    page.goto(site + "chapters/3-algorithms/3-2-1-transformer.html")
    page.locator("#explorable-attention").scroll_into_view_if_needed()
    expect(page.locator("#explorable-attention .dlc")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.workers == []
    other = page.context.new_page()
    open_stepper(other, site + ADDRESS)
    other.wait_for_load_state("networkidle")
    assert other.workers == []


def test_bytes_loaded_are_shown(new_page: NewPage, site: str) -> None:
    page, _ = new_page()
    open_stepper(page, site + ADDRESS)
    held: list[Route] = []
    page.context.route("**/*.onnx.gz", lambda route: held.append(route))
    ask(page)
    expect(engine(page)).to_have_attribute("data-engine", "loading", timeout=PATIENCE)
    expect(engine(page)).to_contain_text(re.compile(r"Loading what computes this: \d+\.\d of \d+\.\d MB"))
    expect(engine(page).locator("progress")).to_be_visible()
    expect(page.locator(f"{CONTAINER} .dlc")).to_have_attribute("aria-busy", "true")
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    expect(engine(page)).to_contain_text("Computed here, in your browser", timeout=PATIENCE)
    expect(engine(page).locator("progress")).to_be_hidden()


NO_WEBASSEMBLY = "delete globalThis.WebAssembly"
NO_WORKER = "globalThis.Worker = class { constructor() { throw new Error('refused by policy') } }"
NO_MEMORY = """
const { instantiate } = WebAssembly;
WebAssembly.instantiate = () => Promise.reject(new RangeError('WebAssembly.instantiate(): Out of memory'));
"""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("no-webassembly", "does not run WebAssembly"),
        ("worker-blocked", "did not start the program"),
        ("worker-missing", "did not start the program"),
        ("missing-file", "could not be loaded"),
        ("missing-program", "could not be loaded"),
        ("no-memory", "not enough memory"),
        ("broken", "Something went wrong"),
    ],
)
def test_what_cannot_be_computed_is_said_and_can_be_tried_again(
    browser: Browser, site: str, code: str, words: str
) -> None:
    page = browser.new_page()  # not watched: this page is meant to complain
    try:
        if code == "no-webassembly":
            page.add_init_script(NO_WEBASSEMBLY)
        if code == "worker-blocked":
            page.add_init_script(f"globalThis.kept = Worker; {NO_WORKER}")
        if code == "worker-missing":
            page.route("**/worker.*.js", lambda route: route.abort())
        if code == "missing-file":
            page.route("**/*.onnx.gz", lambda route: route.fulfill(status=404))
        if code == "missing-program":
            page.route("**/*.wasm.gz", lambda route: route.abort())
        if code == "broken":
            page.route("**/*.onnx.gz", lambda route: route.fulfill(body=b"this is no graph"))
        if code == "no-memory":

            def poor(route: Route) -> None:
                response = route.fetch()
                route.fulfill(response=response, body=NO_MEMORY + response.text())

            page.route("**/worker.*.js", poor)
        open_stepper(page, site + ADDRESS)
        output = page.locator(f"{CONTAINER} [data-grid=output] [data-value]")
        before = output.evaluate_all("cells => cells.map(c => c.dataset.value)")
        ask(page)
        line = engine(page)
        expect(line).to_have_attribute("data-engine", "failed", timeout=PATIENCE)
        expect(line.get_by_role("alert")).to_contain_text(words)
        expect(line.get_by_role("alert")).to_contain_text("The figure keeps the last ones")
        assert line.locator(".dlc-engine-detail").text_content()
        # The figure stays, and can be looked at.
        assert output.evaluate_all("cells => cells.map(c => c.dataset.value)") == before
        page.locator(f"{CONTAINER} [data-grid=output] [tabindex='0']").press("Control+Home")
        expect(page.locator(f"{CONTAINER} .dlc")).to_have_attribute("data-row", "0")
        again = line.get_by_role("button", name="Try again")
        again.click()
        expect(line).to_have_attribute("data-engine", "failed", timeout=PATIENCE)
        if code == "no-webassembly":
            return
        if code == "worker-blocked":
            page.evaluate("() => { globalThis.Worker = globalThis.kept }")
        page.unroute_all()
        again.click()
        expect(line).to_have_attribute("data-answered-by", "page", timeout=PATIENCE)
        expect(line.locator(".dlc-engine-failure")).to_be_empty()
        expect(again).to_be_hidden()
        assert output.evaluate_all("cells => cells.map(c => c.dataset.value)") != before
    finally:
        page.unroute_all(behavior="ignoreErrors")
        page.close()


def test_a_host_that_inflates_is_no_trouble(browser: Browser, site: str) -> None:
    """Some hosts send a file that ends with .gz as "content-encoding: gzip", and the browser inflates it."""
    page = browser.new_page()
    try:

        def inflate(route: Route) -> None:
            response = route.fetch()
            route.fulfill(status=200, body=gzip.decompress(response.body()))

        page.route("**/*.gz", inflate)
        open_stepper(page, site + ADDRESS)
        ask(page)
        expect(engine(page)).to_have_attribute("data-answered-by", "page", timeout=PATIENCE)
    finally:
        page.close()


def test_while_the_engine_loads_the_page_does_not_freeze(new_page: NewPage, site: str) -> None:
    """Frames keep coming while fourteen megabytes are inflated and compiled, for that happens in a worker."""
    page, _ = new_page()
    open_stepper(page, site + ADDRESS)
    page.evaluate("""() => {
        globalThis.frames_seen = 0;
        const count = () => { globalThis.frames_seen += 1; requestAnimationFrame(count) };
        requestAnimationFrame(count);
    }""")
    ask(page)
    before = page.evaluate("frames_seen")
    expect(engine(page)).to_have_attribute("data-answered-by", "page", timeout=PATIENCE)
    assert page.evaluate("frames_seen") - before >= 3


MOUNT = """async ([module, state, times]) => {
  const { default: widget } = await import(module);
  const model = () => {
    const values = new Map(Object.entries(state)), heard = [];
    return {
      heard,
      get: key => values.get(key), set: (key, value) => values.set(key, value), save_changes() {}, send() {},
      on: (event, callback) => heard.push(callback),
      off: (event, callback) => { const at = heard.indexOf(callback); if (at >= 0) heard.splice(at, 1) },
    };
  };
  const parameters = () => ({});
  let left = 0;
  for (let i = 0; i < times; i++) {
    const place = document.createElement('div');
    document.body.append(place);
    const own = model();
    const runner = { by: 'page', run: () => new Promise(() => {}) };
    const page = { parameters, link: () => '', onChange: () => () => {}, runner };
    const leave = widget.render({ model: own, el: place, page });
    await new Promise(requestAnimationFrame);
    (await leave)();
    left += own.heard.length + place.childElementCount;
    place.remove();
  }
  return left;
}"""


@pytest.mark.parametrize("address", pages())
def test_mounting_and_unmounting_leaks_nothing(new_page: NewPage, site: str, address: str) -> None:
    page, _ = new_page()
    page.goto(site + address)
    client = page.context.new_cdp_session(page)

    def count() -> dict[str, int]:
        client.send("HeapProfiler.collectGarbage")
        client.send("HeapProfiler.collectGarbage")
        counters: dict[str, Any] = client.send("Memory.getDOMCounters")
        return {key: int(counters[key]) for key in ("nodes", "jsEventListeners")}

    # The page itself comes to rest first: what its own scripts still put into it isn't the explorables'.
    found = count()
    for _ in range(60):
        page.wait_for_timeout(500)
        if (now := count()) == found:
            break
        found = now

    text = (HTML / address).read_text(encoding="utf-8")
    tag = TAG.search(text)
    assert tag
    for name, file in json.loads(attribute(tag[0], "data-dlcompare-modules")).items():
        state = page.locator(f".dlcompare-explorable[data-module={name}] script.dlcompare-state").first.text_content()
        module = f"{site}_static/dlcompare/{file}"
        arguments = [module, json.loads(state or ""), 3]
        assert page.evaluate(MOUNT, arguments) == 0, "listeners on the model, or elements, are left"
        before = count()
        assert page.evaluate(MOUNT, [*arguments[:2], 12]) == 0
        after = count()
        # What one mount makes is hundreds of elements; twelve that were left would be thousands.
        assert after["nodes"] - before["nodes"] < 100, (name, before, after)
        assert after["jsEventListeners"] - before["jsEventListeners"] < 20, (name, before, after)
