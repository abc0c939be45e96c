"""A real Chromium over the built book, served on loopback, with everything that a page asks for written down."""

from __future__ import annotations

import contextlib
import functools
import http.server
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    Route,
    expect,
    sync_playwright,
)
from xdist.scheduler.loadscope import LoadScopeScheduling

from tools.find_browser import NoBrowserError, find

HTML = Path(__file__).resolve().parents[2] / "_build" / "html"

#: No sandbox, because CI runs as root; and nothing that Chromium would ask its makers for. WebAssembly is compiled once
#: and fast: to compile it again, better, would take more time than most tests compute.
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--liftoff-only",
)

# Playwright would wait five seconds for what is expected. A busy machine takes longer, and passing tests lose nothing.
expect.set_options(timeout=30_000)

#: Their tests share something that takes a minute to set up; all others can go to whichever process is free.
TOGETHER = ("test_jupyterlab.py", "test_contributing.py")


class _OneByOne(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file.endswith(TOGETHER) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out tests one by one, and some files as a whole."""
    return _OneByOne(config, log)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a browser that closes a page breaks off what it was loading


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of 127.0.0.1 and give its address, which ends with a slash."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="book", daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Serve the built book and return its address."""
    if not (HTML / ".inputs.json").is_file():
        pytest.fail(f"there is no built book in {HTML}: run `make book` first", pytrace=False)
    with serve(HTML) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium once for all tests. Having none is an error, not a skip."""
    try:
        program = find()
    except NoBrowserError as error:
        pytest.fail(str(error), pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@dataclass
class Watch:
    """What pages did behind their reader's back."""

    foreign: list[str] = field(default_factory=list)  # requests to another host; they were blocked
    failed: list[str] = field(default_factory=list)  # requests without an answer, or answered by an error
    complaints: list[str] = field(default_factory=list)  # errors and warnings on the console, uncaught exceptions

    def follow(self, context: BrowserContext, site: str, *, equations: bool = True) -> None:
        """Watch every page of `context`, and let no request pass that goes elsewhere than to `site`.

        Without `equations`, the program that sets them is an empty one.
        """
        host = urlsplit(site).netloc

        def gate(route: Route) -> None:
            address = urlsplit(route.request.url)
            if not equations and "/mathjax/" in address.path and address.path.endswith(".js"):
                route.fulfill(content_type="text/javascript", body="")
            elif address.scheme in {"data", "blob"} or address.netloc == host:
                route.continue_()
            else:
                self.foreign.append(route.request.url)
                route.abort("blockedbyclient")

        def answered(response: Response) -> None:
            if response.status >= 400:
                self.failed.append(f"{response.status} {response.url}")

        def broken(request: Request) -> None:
            # A page that is left breaks off what it was loading; that is no fault of the page.
            if request.failure != "net::ERR_ABORTED":
                self.failed.append(f"{request.failure} {request.url}")

        def said(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning", "assert"}:
                self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

        def crashed(error: Any) -> None:
            self.complaints.append(f"exception: {getattr(error, 'error', error)}")

        context.route("**/*", gate)
        context.on("response", answered)
        context.on("requestfailed", broken)
        context.on("console", said)
        context.on("weberror", crashed)
        # Web sockets do not pass through routes.
        context.on("page", lambda page: page.on("websocket", lambda socket: self.foreign.append(socket.url)))

    def check(self) -> None:
        """Fail if anything was asked of another host, failed, or complained."""
        assert not self.foreign, f"requests to another host: {self.foreign}"
        assert not self.failed, f"failed requests: {self.failed}"
        assert not self.complaints, f"errors on the console: {self.complaints}"


NewPage = Callable[..., tuple[Page, Watch]]


@pytest.fixture
def new_page(browser: Browser, site: str) -> Iterator[NewPage]:
    """Return a function that opens an empty page and its watch; its arguments are those of a browser context.

    Equations are set only where a test asks for ``equations``: they take a third of the time to open a chapter, and
    nothing that answers has any. What every page was found doing is checked again when the test ends.
    """
    opened: list[tuple[BrowserContext, Watch]] = []

    def make(*, equations: bool = False, **options: Any) -> tuple[Page, Watch]:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        watch = Watch()
        watch.follow(context, site, equations=equations)
        opened.append((context, watch))
        return context.new_page(), watch

    yield make
    for context, _ in opened:
        context.close()
    for _, watch in opened:
        watch.check()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """Return an empty watched page in a window of 1280 by 900 pixels."""
    return new_page()[0]
