"""The training scrubber in the published page: trained in the browser, and every number held against torch."""

from __future__ import annotations

import base64
import random
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from torch import Tensor

from dlcompare.models import MLP, MLPConfig
from dlcompare.training import accuracy, classification_loss
from dlcompare.widgets import TrainingScrubber

from .conftest import NewPage
from .explorable import CLIPBOARD, LATE, PHONE, OnPage, number, numbers
from .looks import looks, widths

ACTIVATIONS = ("relu", "tanh", "sigmoid")
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SUPERSCRIPT = "⁰¹²³⁴⁵"


class Scrubber(OnPage):
    """The scrubber on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "training"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.plane = self.root.locator("[data-grid=plane]")
        self.probe = self.root.locator("[data-probe]")
        self.readout = self.root.locator("[data-readout]")

    def rest(self) -> Scrubber:
        """Wait until the numbers are those of what is chosen."""
        self.settle()
        return self

    def choose(self, **settings: object) -> Scrubber:
        for name, value in settings.items():
            self.control(name).select_option(str(value))
        return self.rest()

    def slide(self, name: str, place: int) -> Scrubber:
        self.control(name).fill(str(place))
        return self.rest()

    def rate(self, value: float) -> Scrubber:
        return self.slide("rate", RATES.index(value))

    def batch(self, value: int) -> Scrubber:
        return self.slide("batch", BATCHES.index(value))

    def scrub(self, step: int) -> Scrubber:
        return self.slide("scrub", step)

    def press(self, name: str, times: int = 1) -> Scrubber:
        for _ in range(times):
            self.control(name).click()
        return self.rest()

    @property
    def step(self) -> int:
        return self.whole("step")

    @property
    def span(self) -> int:
        """The steps that the losses' drawing spans."""
        return int(self.control("scrub").get_attribute("max") or -1)

    @property
    def end(self) -> int:
        return self.whole("end")

    def measure(self, name: str) -> float:
        return number(self.root.locator(f"[data-measure={name}]"))

    def settings(self) -> dict[str, Any]:
        found = {name: self.control(name).input_value() for name in ("data", "activation", "depth", "width", "seed")}
        numbers = {name: int(found[name]) for name in ("depth", "width", "seed")}
        places = {name: int(self.control(name).input_value()) for name in ("rate", "batch")}
        return {**found, **numbers, "rate": RATES[places["rate"]], "batch": BATCHES[places["batch"]]}

    def table(self) -> dict[str, list[float]]:
        """The table of all numbers, by the heads of its rows."""
        details = self.root.locator("details.dlc-table")
        if not details.evaluate("e => e.open"):
            self.control("table").click()
            expect(details.locator("tbody tr").first).to_be_attached()
        rows = details.locator("tbody tr").evaluate_all(
            "rows => rows.map(r => [r.querySelector('th').textContent,"
            "[...r.querySelectorAll('td[data-value]')].map(c => Number(c.dataset.value))])"
        )
        return dict(rows)

    def chosen(self) -> list[int]:
        """Which of the training examples are marked as the batch."""
        return [int(index) for index in (self.root.locator(".dlc-rings").get_attribute("data-chosen") or "").split(",")]

    def examples(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        written = self.first_state()["sets"][self.settings()["data"]]

        def numbers(name: str, kind: str) -> Tensor:
            return torch.tensor(np.frombuffer(base64.b64decode(written[name]), dtype=kind).copy())

        x, held_x = (numbers(name, "<f4").reshape(-1, 2) for name in ("x", "held_x"))
        return x, numbers("y", "u1").long(), held_x, numbers("held_y", "u1").long()

    def network(self) -> tuple[MLP, list[Tensor], list[Tensor]]:
        """The network with the weights shown, the gradients shown, and what the step makes of the weights."""
        s, table = self.settings(), self.table()
        sizes = (2, *[s["width"]] * s["depth"], 2)
        model = MLP(MLPConfig(sizes, s["activation"]))
        columns: list[list[Tensor]] = [[], [], []]
        for layer, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
            sign = SUPERSCRIPT[layer]
            for column, tensors in enumerate(columns):
                w = [[table[f"w{sign}[{i}, {j}]"][column] for j in range(n_in)] for i in range(n_out)]
                b = [table[f"b{sign}[{i}]"][column] for i in range(n_out)]
                # A page has no whole numbers of their own.
                tensors += [torch.tensor(part, dtype=torch.float32) for part in (w, b)]
        values, gradient, after = columns
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), values, strict=True):
                parameter.copy_(value)
        return model, gradient, after

    def check(self) -> None:
        """Hold everything that is shown against torch: its module, its autograd, its optimizer."""
        x, y, held_x, held_y = self.examples()
        s, table, chosen = self.settings(), self.table(), self.chosen()
        model, gradient, after = self.network()
        assert len(chosen) == s["batch"]
        near = {"rel": 1e-3, "abs": 1e-5}
        loss = classification_loss(model, (x[chosen], y[chosen]))
        assert table["Loss of the batch"] == pytest.approx([loss.item()], **near)
        expected = {
            "train_loss": classification_loss(model, (x, y)).item(),
            "held_loss": classification_loss(model, (held_x, held_y)).item(),
            "train_accuracy": accuracy(model, x, y),
            "held_accuracy": accuracy(model, held_x, held_y),
        }
        for name, value in expected.items():
            assert self.measure(name) == pytest.approx(value, **near), name
        optimizer = torch.optim.SGD(model.parameters(), lr=s["rate"])
        loss.backward()
        for shown, parameter in zip(gradient, model.parameters(), strict=True):
            assert parameter.grad is not None
            torch.testing.assert_close(shown, parameter.grad, rtol=1e-3, atol=1e-5)
        for layer in range(s["depth"] + 1):
            norm = torch.cat([p.grad.flatten() for p in list(model.parameters())[2 * layer : 2 * layer + 2]]).norm()
            shown = number(self.root.locator(f"[data-norm='{layer + 1}']"))
            assert shown == pytest.approx(norm.item(), **near)
        row, column = (int(number(self.probe, key)) for key in ("row", "column"))
        at = torch.tensor([[1.25 * ((2 * column + 1) / 61 - 1), -1.25 * ((2 * row + 1) / 61 - 1)]])
        with torch.no_grad():
            answer = model(at).softmax(1)[0].tolist()
        probed = [number(self.probe, key) for key in "ab"]
        assert probed == pytest.approx(answer, **near)
        self.check_maps(gradient)
        optimizer.step()
        for shown, parameter in zip(after, model.parameters(), strict=True):
            torch.testing.assert_close(shown, parameter.detach(), rtol=1e-3, atol=1e-5)

    def check_maps(self, gradient: list[Tensor]) -> None:
        """The maps show what the table shows, each neuron's bias last."""
        for layer, (w, b) in enumerate(zip(gradient[::2], gradient[1::2], strict=True), start=1):
            cells = self.root.locator(f"[data-grid=gradient-{layer}] [role=gridcell]")
            shown = torch.tensor(numbers(cells))
            assert torch.equal(shown.reshape(len(w), -1), torch.cat([w, b[:, None]], dim=1))


@pytest.fixture
def scrubber(page: Page, site: str) -> Scrubber:
    return Scrubber(page).open(site)


def test_the_first_picture_is_there_without_computing(new_page: NewPage, site: str) -> None:
    page, watch = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    scrubber = Scrubber(page).open(site)
    expect(scrubber.container.locator(".dlcompare-fallback")).to_be_hidden()
    assert scrubber.step == scrubber.end > 100, "a run was recorded"
    scrubber.check()
    assert not [url for url in asked if "onnx" in url or "worker" in url]
    watch.check()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_trained_steps_give_torchs_numbers(scrubber: Scrubber, activation: str) -> None:
    """Settings drawn afresh: each step's loss, gradient and update, as torch has them for the weights shown."""
    scrubber.choose(
        data=random.choice(["spirals", "moons", "circles", "squares", "blobs"]),
        activation=activation,
        depth=random.randint(1, 4),
        width=random.choice([2, 4, 8]),
        seed=random.randrange(10),
    )
    print(scrubber.settings())
    for _ in range(3):
        scrubber.rate(random.choice([0.01, 0.05, 0.1, 0.2, 0.5]))
        scrubber.batch(random.choice(BATCHES))
        scrubber.check()
        _, _, after = scrubber.network()
        scrubber.press("step")
        model, _, _ = scrubber.network()
        for parameter, value in zip(model.parameters(), after, strict=True):
            torch.testing.assert_close(parameter.detach(), value, rtol=0, atol=0)
        scrubber.press("step", times=random.randint(1, 4))
    scrubber.check()
    scrubber.scrub(random.randrange(scrubber.end))
    scrubber.check()


def test_a_whole_run_is_the_one_that_torch_trains(page: Page, site: str) -> None:
    depth, width, seed = random.randint(1, 3), random.choice([4, 8, 16]), random.randrange(10)
    schedule = [(0, 0.1, 32), (20, 0.2, 64), (45, 0.05, 16)]
    activation, data = random.choice(ACTIVATIONS), random.choice(["moons", "circles", "blobs"])
    written = ";".join(f"{step},{rate},{batch}" for step, rate, batch in schedule)
    link = f"data={data}&activation={activation}&depth={depth}&width={width}&seed={seed}&rates={written}&step=60"
    print(link)
    scrubber = Scrubber(page).open(site, link)
    assert (scrubber.step, scrubber.end) == (60, 60)
    run = TrainingScrubber(
        data=data, activation=activation, depth=depth, width=width, seed=seed, schedule=schedule, step=60
    ).run
    model, _, _ = scrubber.network()
    for parameter, value in zip(model.parameters(), run.parameters[60].values(), strict=True):
        torch.testing.assert_close(parameter.detach(), value, rtol=1e-3, atol=1e-3)
    for step in (60, 31, 0):
        scrubber.scrub(step)
        shown = [scrubber.measure(name) for name in ("train_loss", "held_loss")]
        assert shown == pytest.approx(run.measures[step, :2].tolist(), rel=1e-3, abs=1e-3)
    scrubber.check()


def test_digits_are_trained_and_what_they_are_taken_for_is_torchs(scrubber: Scrubber) -> None:
    seed = random.randrange(10)
    scrubber.choose(data="digits", width=16, depth=1, seed=seed).rate(0.2)
    scrubber.press("step", times=12)
    images = scrubber.first_state()["sets"]["digits"]

    def pixels(name: str) -> Tensor:
        return torch.frombuffer(bytearray(base64.b64decode(images[name])), dtype=torch.uint8)

    x, y = pixels("x").reshape(256, 196).float() / 255, pixels("y").long()
    held_x, held_y = pixels("held_x").reshape(128, 196).float() / 255, pixels("held_y").long()
    widget = TrainingScrubber(depth=1, width=16, seed=seed, learning_rate=0.2, step=12)
    from dlcompare.widgets.training_run import Examples

    widget.examples["digits"] = Examples(x, y.int(), held_x, held_y.int(), held_x, 10)
    widget.data = "digits"
    run = widget.run
    assert scrubber.measure("train_loss") == pytest.approx(run.measures[-1, 0].item(), rel=1e-3)
    assert scrubber.measure("held_accuracy") == pytest.approx(run.measures[-1, 3].item(), abs=1.5 / 128)
    cells = scrubber.root.locator("[data-grid=confusion] [role=gridcell]")
    counts = torch.tensor(numbers(cells)).reshape(10, 10)
    assert counts.sum(1).tolist() == held_y.bincount(minlength=10).tolist()
    assert (counts - run.outputs["confusion"]).abs().sum() <= 2, "at most one image lies within rounding"

    # The weights of one neuron, as an image.
    scrubber.root.locator("[data-neuron='5']").click()
    for kind, values in (("weights", run.inputs["w1"]), ("gradient", run.outputs["dw1"])):
        cells = scrubber.root.locator(f"[data-grid={kind}-1] [role=gridcell]")
        shown = torch.tensor(numbers(cells))
        torch.testing.assert_close(shown, values[5], rtol=1e-3, atol=1e-4)
    own = scrubber.root.locator(".dlc-own-bias")
    assert number(own) == pytest.approx(run.inputs["b1"][5].item(), abs=1e-4)

    # A cell of the table shows its images.
    row, column = divmod(int((counts - counts.diag().diag()).argmax()), 10)
    cells = scrubber.root.locator("[data-grid=confusion] [role=gridcell]")
    cells.nth(10 * row + column).hover()
    reading = scrubber.root.locator(".dlc-confusion .dlc-reading")
    expect(reading).to_have_text(f"{int(counts[row, column])} held-out images of a {row} are taken for a {column}")
    thumbnails = scrubber.root.locator(".dlc-thumbnails canvas")
    expect(thumbnails).to_have_count(min(8, int(counts[row, column])))
    expect(thumbnails.first).to_have_attribute("aria-label", f"A handwritten {row}, taken for a {column}")


def test_a_training_step_is_quick(scrubber: Scrubber) -> None:
    """The default network; the quickest of many, since other programs disturb the clock."""
    scrubber.press("step")  # loads the engine
    took = []
    for _ in range(25):
        scrubber.press("step")
        sentence = scrubber.engine.inner_text()
        took.append(float(re.findall(r"in ([\d.]+) ms", sentence)[0]))
    print(sorted(took))
    assert min(took) < 30


def test_the_mouse_reads_answers_and_weights_off(scrubber: Scrubber) -> None:
    box = scrubber.plane.bounding_box()
    assert box
    scrubber.page.mouse.move(box["x"] + box["width"] * 10.5 / 61, box["y"] + box["height"] * 40.5 / 61)
    expect(scrubber.probe).to_have_attribute("data-row", "40")
    expect(scrubber.probe).to_have_attribute("data-column", "10")
    scrubber.check()
    cell = scrubber.root.locator("[data-grid=weights-2] [role=gridcell][data-row='3'][data-column='5']")
    cell.hover(force=True)
    table = scrubber.table()
    shown = [number(scrubber.readout, key) for key in ("value", "gradient", "after")]
    assert shown == table["w²[3, 5]"]
    expect(scrubber.readout).to_contain_text("w²[3, 5] = ")
    cell = scrubber.root.locator("[data-grid=gradient-2] [role=gridcell][data-row='3'][data-column='8']")
    cell.click(force=True)
    expect(scrubber.readout).to_contain_text("b²[3] = ")


def test_dragging_on_the_losses_scrubs(scrubber: Scrubber) -> None:
    drawing = scrubber.root.locator(".dlc-curves")
    box = drawing.bounding_box()
    assert box
    left, right = box["x"] + 34, box["x"] + box["width"] - 12
    y = box["y"] + box["height"] / 2
    mouse, end, span = scrubber.page.mouse, scrubber.end, scrubber.span
    assert span >= end
    for share in (0.5, 0.25):
        mouse.move(left + (right - left) * share, y, steps=4)
        mouse.down()
        scrubber.rest()
        assert scrubber.step == pytest.approx(span * share, abs=2)
    mouse.move(right + 100, y)
    assert scrubber.rest().step == end, "there is nothing beyond"
    mouse.move(left - 200, y)
    mouse.up()
    scrubber.rest()
    assert scrubber.step == 0
    assert scrubber.end == end, "nothing is lost by looking back"
    scrubber.check()


def test_the_keyboard_reaches_everything(scrubber: Scrubber) -> None:
    page = scrubber.page
    scrubber.control("data").focus()
    reached = []
    for _ in range(22):
        reached.append(
            page.evaluate(
                "() => { const e = document.activeElement; const grid = e.closest('[data-grid]');"
                "return e.dataset.control ?? (grid ? grid.dataset.grid : e.tagName) }"
            )
        )
        page.keyboard.press("Tab")
    controls = ["data", "activation", "depth", "width", "seed", "rate", "batch"]
    controls += ["stepBack", "step", "play", "undo", "reset", "share", "keys"]
    maps = [f"{kind}-{layer}" for layer in (1, 2, 3) for kind in ("weights", "gradient")]
    assert reached[:22] == [*controls, "plane", "scrub", *maps]


def test_arrow_keys_move_the_cross(scrubber: Scrubber) -> None:
    page = scrubber.page
    scrubber.plane.focus()
    scrolled = page.evaluate("scrollY")
    moves = [
        ("Control+Home", (0, 0)),
        ("ArrowRight", (0, 1)),
        ("ArrowDown", (1, 1)),
        ("End", (1, 60)),
        ("PageDown", (60, 60)),
    ]
    for key, place in moves:
        page.keyboard.press(key)
        at = tuple(int(number(scrubber.probe, name)) for name in ("row", "column"))
        assert at == place, key
    assert page.evaluate("scrollY") == scrolled
    scrubber.check()
    expect(scrubber.probe).to_have_role("status")


def test_arrow_keys_walk_through_weights(scrubber: Scrubber) -> None:
    page = scrubber.page
    table = scrubber.table()
    scrubber.root.locator("[data-grid=weights-2] [tabindex='0']").focus()
    expect(scrubber.readout).to_contain_text("w²[0, 0] = ")
    for key in ("ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(scrubber.readout).to_contain_text("w²[2, 1] = ")
    assert number(scrubber.readout, "gradient") == table["w²[2, 1]"][1]
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("w²[2, 1] = ")
    page.keyboard.press("End")
    expect(scrubber.readout).to_contain_text("b²[2] = ")
    # The same place stays looked at while the training goes on.
    before = scrubber.readout.get_attribute("data-after")
    scrubber.press("step")
    assert scrubber.readout.get_attribute("data-value") == before


def test_the_slider_scrubs_by_keys(scrubber: Scrubber) -> None:
    page, end = scrubber.page, scrubber.end
    scrubber.control("scrub").focus()
    for key, step in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("End", end), ("ArrowLeft", end - 1)):
        page.keyboard.press(key)
        expect(scrubber.root).to_have_attribute("data-step", str(step), timeout=LATE)
        scrubber.rest()
    scrubber.check()


def test_another_learning_rate_is_a_branch_from_the_step_that_is_shown(scrubber: Scrubber) -> None:
    end = scrubber.end
    scrubber.scrub(100)
    loss = scrubber.measure("train_loss")
    scrubber.rate(0.05)
    expect(scrubber.note).to_contain_text(f"Another way from step 100: the {end - 100} steps after it are gone")
    assert (scrubber.step, scrubber.end) == (100, 100)
    assert scrubber.measure("train_loss") == loss, "the weights are what they were"
    expect(scrubber.root.locator(".dlc-curve-entry.is-before")).to_be_visible()
    assert scrubber.root.locator(".dlc-curve.is-before").get_attribute("d")
    scrubber.check()
    scrubber.press("step", times=5)
    scrubber.check()
    # Before the branch, what held there still does.
    scrubber.scrub(99)
    assert scrubber.settings()["rate"] == RATES[int(scrubber.control("rate").input_value())] != 0.05
    scrubber.scrub(100)
    assert scrubber.settings()["rate"] == 0.05
    assert scrubber.end == 105


def test_other_data_begins_anew_and_reset_brings_the_first_state_back(scrubber: Scrubber) -> None:
    before = (scrubber.step, scrubber.end, scrubber.settings(), scrubber.measure("train_loss"))
    scrubber.choose(data="moons")
    assert (scrubber.step, scrubber.end) == (0, 0)
    scrubber.choose(activation="tanh", width=4).rate(0.02).press("step", times=2)
    assert scrubber.step == 2
    scrubber.check()
    scrubber.press("reset")
    assert (scrubber.step, scrubber.end, scrubber.settings(), scrubber.measure("train_loss")) == before
    expect(scrubber.root.locator(".dlc-curve-entry.is-before")).to_be_hidden()
    scrubber.check()


def test_play_trains_on_and_pauses(scrubber: Scrubber) -> None:
    play, end = scrubber.control("play"), scrubber.end
    play.click()
    expect(play).to_have_attribute("aria-label", "Pause")
    scrubber.page.wait_for_function(f"Number(document.querySelector('.dlc').dataset.end) > {end + 5}", timeout=LATE)
    play.click()
    expect(play).to_have_attribute("aria-label", "Play")
    scrubber.rest()
    paused = scrubber.step
    scrubber.page.wait_for_timeout(500)
    assert scrubber.step == paused == scrubber.end
    scrubber.check()
    # From an earlier step it goes through what is known, and scrubbing takes it into the own hand.
    scrubber.scrub(10)
    play.click()
    scrubber.page.wait_for_function("Number(document.querySelector('.dlc').dataset.step) > 12", timeout=LATE)
    scrubber.scrub(50)
    expect(play).to_have_attribute("aria-label", "Play")
    assert (scrubber.step, scrubber.end) == (50, paused)


def test_with_reduced_motion_nothing_moves_by_itself(new_page: NewPage, site: str) -> None:
    page, _ = new_page(reduced_motion="reduce")
    scrubber = Scrubber(page).open(site)
    play, step = scrubber.control("play"), scrubber.step
    expect(play).to_have_attribute("aria-label", "50 steps")
    play.click()
    scrubber.page.wait_for_function(f"Number(document.querySelector('.dlc').dataset.step) == {step + 50}", timeout=LATE)
    scrubber.rest()
    page.wait_for_timeout(500)
    assert scrubber.step == step + 50
    assert scrubber.root.locator("*").evaluate_all("all => all.flatMap(e => e.getAnimations()).length") == 0
    scrubber.check()


def test_a_learning_rate_that_breaks_the_run_is_said_to(scrubber: Scrubber) -> None:
    scrubber.choose(data="moons", depth=3, width=16, seed=0).rate(10.0)
    play = scrubber.control("play")
    play.click()
    expect(scrubber.note).to_contain_text(
        "the loss is no number any more: the learning rate was too large", timeout=LATE
    )
    expect(play).to_have_attribute("aria-label", "Play")
    scrubber.rest()
    broken = scrubber.step
    assert broken == scrubber.end > 1
    assert scrubber.measure("train_loss") != scrubber.measure("train_loss")
    for name in ("step", "play"):
        expect(scrubber.control(name)).to_have_attribute("aria-disabled", "true")
    scrubber.control("step").click(force=True)
    assert scrubber.rest().step == broken
    # It is healed where the note says.
    scrubber.scrub(0)
    assert scrubber.measure("train_loss") < 2
    scrubber.rate(0.1).press("step", times=broken + 2)
    assert scrubber.step == broken + 2
    assert scrubber.measure("train_loss") < 2
    scrubber.check()


def test_a_shared_link_trains_to_the_same_step(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    scrubber = Scrubber(page).open(site)
    scrubber.choose(data="circles", activation="tanh", depth=1, width=4, seed=7).rate(0.5)
    scrubber.press("step", times=6)
    scrubber.scrub(4).rate(1.0).batch(64).press("step", times=3)
    shown = scrubber.table()
    link = scrubber.share()

    other, _ = new_page()
    restored = Scrubber(other)
    other.goto(link)
    restored.arrive()
    expect(restored.root).to_be_in_viewport()
    assert (restored.step, restored.settings()) == (7, scrubber.settings())
    assert restored.table() == shown, "the same browser trains to the very same numbers"
    restored.check()
    restored.press("reset")
    assert restored.step > 100
    # A link on the page changes the figure without loading anything.
    other.evaluate(
        "hash => { location.hash = hash }", f"{restored.entry.container}?data=blobs&rates=0,0.1,256&step=3&depth=1"
    )
    expect(restored.control("data")).to_have_value("blobs")
    restored.rest()
    assert (restored.step, restored.settings()["batch"]) == (3, 256)
    restored.check()


def test_a_graph_that_does_not_load_stops_the_play_and_can_be_tried_again(browser: Browser, site: str) -> None:
    page = browser.new_page()  # not watched: this page is meant to complain
    try:
        page.route("**/training-step-*", lambda route: route.abort())
        scrubber = Scrubber(page).open(site)
        before, step = scrubber.table(), scrubber.step
        scrubber.control("play").click()
        alert = scrubber.root.locator(".dlc-engine-failure")
        expect(alert).to_contain_text("could not be loaded", timeout=LATE)
        expect(scrubber.control("play")).to_have_attribute("aria-label", "Play")
        assert scrubber.table() == before, "the figure keeps its numbers"
        # Another wish takes the failed one's place, and fails in turn; going back to what was recorded does not.
        scrubber.control("step").click()
        expect(alert).to_contain_text("could not be loaded", timeout=LATE)
        scrubber.press("reset")
        expect(alert).to_have_text("")
        scrubber.control("step").click()
        expect(alert).to_contain_text("could not be loaded", timeout=LATE)
        page.unroute("**/training-step-*")
        scrubber.root.get_by_role("button", name="Try again").click()
        scrubber.rest()
        assert scrubber.step == step + 1
        scrubber.check()
    finally:
        page.close()


def test_what_changes_is_spoken(scrubber: Scrubber) -> None:
    scrubber.scrub(50)
    spoken = scrubber.root.locator("[role=status][aria-live=polite]")
    expect(spoken).to_contain_text("Step 50: loss on the training examples 0.")
    label = scrubber.root.locator(".dlc-curves").get_attribute("aria-label") or ""
    assert f"from 0 to {scrubber.end}" in label
    assert "At step 50" in label


def test_nothing_runs_over_at_any_width(scrubber: Scrubber) -> None:
    crowded = (
        {"data": "spirals", "depth": 2},
        {"depth": 4, "width": 16, "activation": "sigmoid"},
        {"data": "digits", "depth": 1},
    )
    for _ in widths(scrubber.page):
        for settings in crowded:
            scrubber.choose(**settings)
            scrubber.root.locator("[data-grid=weights-1] [tabindex='0']").focus()
            assert scrubber.overflowing() == [], settings


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    scrubber = Scrubber(page).open(site)
    scrubber.plane.scroll_into_view_if_needed()
    box = scrubber.plane.bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] * 20.5 / 61, box["y"] + box["height"] * 5.5 / 61)
    expect(scrubber.probe).to_have_attribute("data-row", "5")
    expect(scrubber.probe).to_have_attribute("data-column", "20")
    step = scrubber.step
    scrubber.control("step").tap()
    assert scrubber.rest().step == step + 1
    drawing = scrubber.root.locator(".dlc-curves")
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + 34 + (box["width"] - 46) / 2, box["y"] + 100)
    assert scrubber.rest().step == pytest.approx(scrubber.span / 2, abs=3)
    scrubber.root.locator("[data-grid=gradient-3]").tap()
    expect(scrubber.readout).to_contain_text("gradient")
    scrubber.check()
    scrubber.choose(data="digits")
    scrubber.root.locator("[data-neuron='3']").tap()
    expect(scrubber.root.locator("[data-neuron='3']")).to_have_attribute("aria-checked", "true")


def test_neurons_are_chosen_by_keys(scrubber: Scrubber) -> None:
    scrubber.choose(data="digits")
    first = scrubber.root.locator("[data-neuron='0']")
    first.focus()
    scrubber.page.keyboard.press("ArrowRight")
    second = scrubber.root.locator("[data-neuron='1']")
    expect(second).to_be_focused()
    expect(second).to_have_attribute("aria-checked", "true")
    expect(scrubber.root.locator(".dlc-own-bias")).to_contain_text("Neuron 1: ")
    scrubber.root.locator("[data-grid=weights-1] [tabindex='0']").focus()
    expect(scrubber.readout).to_contain_text("w¹[1, ")


def test_dark_mode_has_its_own_colours(new_page: NewPage, site: str) -> None:
    page, _ = new_page(color_scheme="dark")
    scrubber = Scrubber(page).open(site)
    expect(scrubber.root).to_have_attribute("data-dlc-theme", "dark")
    pixel = (
        "c => { const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true });"
        "copy.drawImage(c, 0, 0); return [...copy.getImageData(0, 0, 1, 1).data] }"
    )
    canvas = scrubber.plane.locator("canvas")
    dark = canvas.evaluate(pixel)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    expect(scrubber.root).to_have_attribute("data-dlc-theme", "light")
    assert canvas.evaluate(pixel) != dark
    scrubber.check()


def test_digits_stand_in_any_light(scrubber: Scrubber) -> None:
    scrubber.choose(data="digits")
    for look in looks(scrubber.page):
        assert scrubber.faults(look) == {}, look
