"""The explorables in a real JupyterLab: the same modules, with live Python objects behind them that compute."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect

from tools.chapters import ROOT
from tools.execute import own_kernel
from tools.explorables import ASKING, EXPLORABLES, named

from .test_no_dead_control import changes, look

START = 120  # seconds for the server to answer, on a slow machine
SETTLE = 20_000  # milliseconds for a change to arrive on the other side


def variable(name: str) -> str:
    """Return what an explorable is called in the notebook."""
    return name.replace("-", "_")


#: Two with something of their own; all others as the book's pages begin.
FIRST = """
import torch
from dlcompare import checkpoints
from dlcompare.widgets import AttentionExplorer, ConvolutionStepper, GenerationDebugger
from tools.explorables import named

torch.manual_seed(0)
convolution = ConvolutionStepper(torch.rand(2, 28, 28), ["first", "second"], kernel=[[1, 2], [3, 4]])
w = convolution
w
"""
SECOND = """
shakespeare = checkpoints.load("shakespeare-gpt")
attention = AttentionExplorer(shakespeare.model, shakespeare.tokenizer, "But soft")
attention
"""
#: One cell for each explorable.
CELLS = (
    FIRST,
    SECOND,
    *(
        f"{variable(entry.name)} = named({entry.name!r}).make()\n{variable(entry.name)}"
        for entry in EXPLORABLES
        if entry.name not in {"convolution", "attention"}
    ),
)


@dataclass
class Lab:
    """A running JupyterLab and the notebook in it."""

    url: str
    token: str

    @property
    def notebook(self) -> str:
        return f"{self.url}lab/tree/stepper.ipynb?token={self.token}"


def _wait(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Return the server's address once it has one; its own file says which port it has got."""
    file = runtime / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            return str(json.loads(file.read_text(encoding="utf-8"))["url"])
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start in {START} s:\n{log.read_text(encoding='utf-8')[-3000:]}", pytrace=False)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(code.strip()) for code in (*CELLS, "'the next cell'")]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebooks = home / "notebooks"
    notebooks.mkdir()
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec}), notebooks / "stepper.ipynb"
    )
    folders = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_PATH": own_kernel(home / "kernel"),
    }
    token = secrets.token_hex(16)
    environment = {
        **os.environ,
        **{key: str(value) for key, value in folders.items()},
        "JUPYTER_TOKEN": token,
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("DLCOMPARE_BOOK", None)
    # Lab would ask other hosts for news and for extensions.
    off = {
        name: True
        for name in ("@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension")
    }
    # And it would show a cell only when it comes near: all of them are to be there at once.
    tracker = home / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text(json.dumps({"windowingMode": "none"}), encoding="utf-8")
    page_config = home / "config" / "labconfig" / "page_config.json"
    page_config.parent.mkdir(parents=True)
    page_config.write_text(json.dumps({"disabledExtensions": off}), encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={notebooks}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
    log = home / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=notebooks, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield Lab(_wait(process, home / "runtime", log), token)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError):  # a kernel that outlived its server
            os.killpg(process.pid, signal.SIGKILL)


class Notebook:
    """The notebook in JupyterLab, with its kernel."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = self.explorable("convolution")

    def explorable(self, name: str) -> Locator:
        return self.page.locator(f".jp-OutputArea-output .dlc.dlc-{name}")

    def open(self, address: str) -> Notebook:
        self.page.goto(address)
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=START * 1000,
        )
        self.command("notebook:run-all-cells")
        for entry in EXPLORABLES:
            expect(self.explorable(entry.name)).to_be_attached(timeout=START * 1000)
        return self

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        # Not awaited: running all cells returns only when the kernel has answered.
        self.page.evaluate("([name, args]) => { jupyterapp.commands.execute(name, args) }", [name, arguments or {}])

    def python(self, code: str) -> str:
        """Execute code in the notebook's kernel and return what it prints; an exception in it fails the test."""
        answer = self.page.evaluate(
            """async code => {
              const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              const future = kernel.requestExecute({ code });
              let text = '';
              future.onIOPub = ({ header, content }) => { if (header.msg_type === 'stream') text += content.text; };
              const reply = await future.done;
              return { text, status: reply.content.status, error: `${reply.content.ename}: ${reply.content.evalue}` };
            }""",
            code,
        )
        assert answer["status"] == "ok", answer["error"]
        return str(answer["text"])

    def value(self, expression: str) -> Any:
        """Return the value that an expression has in the kernel, through JSON."""
        return json.loads(self.python(f"import json; print(json.dumps({expression}))"))

    def wait_for_python(self, expression: str, expected: object) -> None:
        """Wait until `expression` has a value in the kernel; what the front end says arrives a moment later."""
        deadline = time.monotonic() + SETTLE / 1000
        while True:
            got = self.value(expression)
            if got == expected:
                return
            assert time.monotonic() < deadline, f"{expression} is {got}; expected {expected}"
            time.sleep(0.1)

    def change(self, name: str) -> Locator:
        """Change something that the engine has to answer, wait for its answer, and return the explorable."""
        root = self.explorable(name)
        root.scroll_into_view_if_needed()
        line = root.locator(".dlc-engine")
        before = int(line.get_attribute("data-answers") or 0)
        named(name).change(root, before)
        expect(line).not_to_have_attribute("data-answers", str(before), timeout=SETTLE)
        expect(root).not_to_have_attribute("aria-busy", "true", timeout=SETTLE)
        return root

    def values(self, grid: str) -> torch.Tensor:
        expect(self.root).not_to_have_attribute("aria-busy", "true", timeout=SETTLE)
        cells = self.root.locator(f"[data-grid={grid}] [data-value]")
        return torch.tensor(cells.evaluate_all("cells => cells.map(cell => Number(cell.dataset.value))"))


@pytest.fixture(scope="module")
def notebook(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, has_touch=True)
    host = urlsplit(lab.url).netloc
    elsewhere = lambda url: urlsplit(url).scheme in {"http", "https"} and urlsplit(url).netloc != host  # noqa: E731
    context.route(elsewhere, lambda route: route.abort("blockedbyclient"))
    yield Notebook(context.new_page()).open(lab.notebook)
    context.close()


def test_the_widget_is_shown_live(notebook: Notebook) -> None:
    expect(notebook.page.locator(".dlcompare-fallback")).to_have_count(0)
    assert notebook.values("kernel").tolist() == [1, 2, 3, 4]
    # The link to a state has no page to lead to here, so that its control is not there.
    controls = notebook.root.locator("button").evaluate_all(
        "all => all.filter(e => e.checkVisibility()).map(e => e.dataset.control)"
    )
    assert controls == ["stepBack", "step", "play", "undo", "reset", "keys"]


def test_a_weight_typed_in_the_front_end_is_seen_in_python(notebook: Notebook) -> None:
    kernel = (torch.rand(2, 2) * 4 - 2).tolist()
    fields = notebook.root.locator("[data-grid=kernel] input").all()
    for field, weight in zip(fields, [weight for row in kernel for weight in row], strict=True):
        field.fill(repr(weight))
    notebook.root.locator("[data-control=stride]").select_option("2")
    notebook.wait_for_python("[w.kernel, w.stride]", [kernel, 2])
    # And what both compute from it is the same.
    output = torch.tensor(notebook.value("w.output.tolist()"))
    torch.testing.assert_close(notebook.values("output").reshape(output.shape), output, rtol=1e-5, atol=1e-5)
    notebook.root.locator("[data-control=step]").click()
    row, column = (int(notebook.root.get_attribute(f"data-{name}") or -1) for name in ("row", "column"))
    notebook.wait_for_python("w.position", [row, column])


def test_a_change_in_python_is_seen_in_the_front_end(notebook: Notebook) -> None:
    notebook.python("w.image = 1; w.stride = 3; w.kernel = [[0, 0, 0], [0, -1.5, 0], [0, 0, 0]]; w.position = (2, 4)")
    expect(notebook.root.locator("[data-control=image]")).to_have_value("1", timeout=SETTLE)
    expect(notebook.root.locator("[data-grid=kernel] input")).to_have_count(9, timeout=SETTLE)
    expect(notebook.root).to_have_attribute("data-column", "4", timeout=SETTLE)
    output = torch.tensor(notebook.value("w.output.tolist()"))
    torch.testing.assert_close(notebook.values("output").reshape(output.shape), output, rtol=1e-5, atol=1e-5)


def test_python_refuses_what_is_not_allowed_and_the_figure_stays(notebook: Notebook) -> None:
    before = notebook.values("output")
    printed = notebook.python("try:\n    w.stride = 4\nexcept ValueError as error:\n    print(error)")
    assert printed.strip() == "stride is 4; allowed is a whole number from 1 to 3"
    assert torch.equal(notebook.values("output"), before)


def test_its_keys_do_not_reach_the_notebook(notebook: Notebook) -> None:
    """In JupyterLab's command mode, arrows change the cell and `d d` deletes it."""
    active = "() => jupyterapp.shell.currentWidget.content.activeCellIndex"
    cells = "() => jupyterapp.shell.currentWidget.content.widgets.length"
    notebook.root.locator("[data-grid=output] [tabindex='0']").focus()
    before = notebook.page.evaluate(active), notebook.page.evaluate(cells)
    notebook.page.keyboard.press("Control+Home")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "d", "d", "x", "b"):
        notebook.page.keyboard.press(key)
    assert notebook.root.get_attribute("data-row") == "2"
    assert notebook.root.get_attribute("data-column") == "1"
    assert (notebook.page.evaluate(active), notebook.page.evaluate(cells)) == before


def test_it_follows_the_labs_theme(notebook: Notebook) -> None:
    for theme, name in (("JupyterLab Dark", "dark"), ("JupyterLab Light", "light")):
        notebook.command("apputils:change-theme", {"theme": theme})
        expect(notebook.root).to_have_attribute("data-dlc-theme", name, timeout=SETTLE)


def test_a_second_view_shows_the_same_state_and_leaves_cleanly(notebook: Notebook) -> None:
    """Running the cell again takes the old view away; nothing of it may go on listening."""
    complaints: list[str] = []
    notebook.page.on("pageerror", lambda error: complaints.append(str(error)))
    notebook.command("notebook:run-all-cells")
    # The kernel answers its front ends when it has run all cells.
    expect(notebook.root.locator("[data-grid=kernel] input")).to_have_count(4, timeout=START * 1000)
    expect(notebook.root).to_have_count(1)
    notebook.root.locator("[data-control=padding]").select_option("0")
    notebook.wait_for_python("w.padding", 0)
    notebook.python("w.padding = 1")
    expect(notebook.root.locator("[data-control=padding]")).to_have_value("1", timeout=SETTLE)
    # A model that is taken away before its module has loaded: anywidget 0.11 reports it so, two seconds later.
    assert set(complaints) <= {"[anywidget] Failed to initialize model."}


def test_attention_that_is_shown_is_pythons(notebook: Notebook) -> None:
    root = notebook.explorable("attention")
    root.locator("[data-control=prompt]").fill("wherefore art thou")
    notebook.wait_for_python("attention.prompt", "wherefore art thou")
    notebook.python("attention.layer = 2; attention.head = 1; attention.query = 2")
    expect(root.locator("[data-grid=heads] [aria-selected=true]")).to_have_attribute("data-layer", "2", timeout=SETTLE)
    expect(root).not_to_have_attribute("aria-busy", "true", timeout=SETTLE)
    cells = root.locator("[data-grid=map] [role=gridcell][data-value]")
    shown = torch.tensor(cells.evaluate_all("cells => cells.map(cell => Number(cell.dataset.value))"))
    expected = torch.tensor(notebook.value("attention.numbers['attention'][2, 1].flatten().tolist()"))
    torch.testing.assert_close(shown, expected, rtol=1e-5, atol=1e-6)


def test_a_text_that_is_generated_is_pythons(notebook: Notebook) -> None:
    notebook.python("generation.prompt = 'JULIET.'; generation.seed = 5; generation.temperature = 0.8")
    root = notebook.explorable("generation")
    expect(root.locator("[data-control=seed]")).to_have_value("5", timeout=SETTLE)
    prompt = notebook.value("len(generation.ids)")
    for length in range(prompt + 1, prompt + 6):
        expect(root).not_to_have_attribute("aria-busy", "true", timeout=SETTLE)
        root.locator("[data-control=step]").click()
        notebook.wait_for_python("len(generation.ids)", length)
    written = notebook.value("list(generation.ids)")
    # Python alone, from the same seed.
    again = "GenerationDebugger(shakespeare.model, shakespeare.tokenizer, 'JULIET.', seed=5, temperature=0.8)"
    assert notebook.value(f"(lambda other: (other.generate(5), list(other.ids)))({again})")[1] == written


def test_a_training_that_is_shown_is_pythons(notebook: Notebook) -> None:
    root = notebook.explorable("training")
    expect(root).not_to_have_attribute("aria-busy", "true", timeout=SETTLE)
    notebook.python("training.seed = 3")
    expect(root.locator("[data-control=seed]")).to_have_value("3", timeout=SETTLE)
    expect(root).not_to_have_attribute("aria-busy", "true", timeout=SETTLE)
    step = int(root.get_attribute("data-step") or -1)
    root.locator("[data-control=step]").click()
    notebook.wait_for_python("training.step", step + 1)
    expect(root).not_to_have_attribute("aria-busy", "true", timeout=SETTLE)
    norms = root.locator("[data-norm]").evaluate_all("all => all.map(e => Number(e.dataset.value))")
    expected = notebook.value("training.run.outputs['norms'].tolist()")
    torch.testing.assert_close(torch.tensor(norms), torch.tensor(expected), rtol=1e-4, atol=1e-5)


def test_what_is_chosen_in_the_comparison_is_pythons(notebook: Notebook) -> None:
    root = notebook.explorable("comparison")
    root.scroll_into_view_if_needed()
    notebook.python("comparison.x = 'quality'")
    expect(root.locator("[data-control=y]")).to_have_value("flops", timeout=SETTLE)
    root.locator("[data-control=y]").select_option("quality")
    notebook.wait_for_python("[comparison.x, comparison.y]", ["flops", "quality"])
    last = notebook.value("comparison.tasks[-1]['name']")
    root.locator("[data-control=task]").select_option(last)
    notebook.wait_for_python("comparison.task", last)
    families = notebook.value("[row['family'] for row in comparison.rows]")
    marks = root.locator("[data-grid=plot] [role=option]")
    assert marks.evaluate_all("all => all.map(e => e.dataset.key)") == families
    notebook.python("comparison.family = comparison.rows[-1]['family']")
    expect(marks.last).to_have_attribute("aria-selected", "true", timeout=SETTLE)


@pytest.mark.parametrize("name", [entry.name for entry in ASKING])
def test_python_computes(notebook: Notebook, name: str) -> None:
    """The same module as in the page, and another answers: the kernel, which counts what it was asked."""
    it = variable(name)
    notebook.python(
        f"asked = []\nreal = type({it}).ask\n"
        f"{it}.ask = lambda graph, **inputs: asked.append(graph) or real({it}, graph, **inputs)"
    )
    root = notebook.change(name)
    expect(root.locator(".dlc-engine")).to_have_attribute("data-answered-by", "kernel")
    expect(root.locator(".dlc-engine")).to_contain_text("Computed by the Python kernel")
    assert notebook.value("len(asked)") >= 1
    assert notebook.page.workers == [] or all("worker." not in worker.url for worker in notebook.page.workers)
    notebook.python(f"del {it}.ask")


@pytest.mark.parametrize("way", ["keys", "finger"])
@pytest.mark.parametrize("name", ["convolution", "attention", "generation", "training"])
def test_keys_and_fingers_are_answered_in_the_lab(notebook: Notebook, name: str, way: str) -> None:
    root = notebook.explorable(name)
    root.scroll_into_view_if_needed()
    for control, key in (("stepBack", ","), ("step", ".")):
        before = look(root)
        if way == "finger":
            root.locator(f"[data-control={control}]").tap()
        else:
            root.locator("[data-control=keys]").focus()
            notebook.page.keyboard.press(key)
        assert changes(notebook.page, root, before, SETTLE), (control, way)
        expect(root).not_to_have_attribute("aria-busy", "true", timeout=SETTLE)
