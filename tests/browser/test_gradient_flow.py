"""The reach of gradients in the published page: no kernel, no other host, every number held against torch."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from dlcompare.widgets import GradientFlow

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number, within
from .looks import widths

NETWORKS = ("mlp", "rnn", "lstm", "gru", "gpt")


class Flow(OnPage):
    """The explorable on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "gradients"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.state: dict[str, Any] = {
            "depth": 4,
            "length": 16,
            "scale": 0.6,
            "gate_bias": 0.0,
            "residual": True,
            "seed": 0,
            "layer": 0,
            "time": 1,
        }

    def slide(self, name: str, value: float) -> None:
        super().slide(name, value)
        self.state[name] = value
        self.state["layer"] = min(self.state["layer"], self.state["depth"])
        self.state["time"] = min(self.state["time"], self.state["length"])

    def switch(self) -> None:
        self.control("residual").click()
        self.state["residual"] = not self.state["residual"]
        self.settle()

    def pick(self, network: str, layer: int, time: int) -> None:
        row = self.state["depth"] - layer
        self.root.locator(f"[data-grid={network}] [role=gridcell][data-row='{row}'][data-column='{time - 1}']").click(
            force=True
        )
        self.state |= {"layer": layer, "time": time}

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        self.settle()
        norms = GradientFlow(**self.state).norms
        layer, time = self.state["layer"], self.state["time"]
        for network in NETWORKS:
            expected = norms[network]
            cells = self.root.locator(f"[data-grid={network}] [role=gridcell]").evaluate_all(
                "all => all.map(e => [Number(e.dataset.value), e.getAttribute('fill')])"
            )
            shown = torch.tensor([value for value, _ in cells], dtype=torch.float64)
            assert_near(shown.view(expected.shape), expected.flip(0))
            assert [fill == "transparent" for _, fill in cells] == (expected.flip(0) == 0).flatten().tolist()
            head = number(self.root.locator(f"b[data-network={network}]"))
            assert head == near(expected[layer, time - 1])
            selected = self.root.locator(f"[data-grid={network}] [aria-selected=true]")
            expect(selected).to_have_attribute("data-row", str(self.state["depth"] - layer))
            expect(selected).to_have_attribute("data-column", str(time - 1))
            for chart, first, values in (("time", 1, expected[layer]), ("depth", 0, expected[:, time - 1])):
                marks = self.root.locator(
                    f"[data-chart={chart}] [data-network={network}] .dlc-gradients-mark"
                ).evaluate_all("all => all.map(e => [Number(e.dataset.place), Number(e.dataset.value)])")
                there = [place + first for place, value in enumerate(values.tolist()) if value > 0]
                assert [place for place, _ in marks] == there
                for place, value in marks:
                    assert value == near(values[int(place) - first])


near = within(rel=2e-3, abs=1e-30)


def assert_near(shown: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(shown, expected.double(), rtol=2e-3, atol=1e-30)


@pytest.fixture
def flow(page: Page, site: str) -> Flow:
    return Flow(page).open(site)


def test_any_network_shows_torchs_numbers(flow: Flow) -> None:
    flow.check()
    assert flow.page.workers == [], "the first picture asks nothing"
    for _ in range(4):
        flow.slide("depth", random.randint(1, 8))
        flow.slide("length", random.randint(1, 16))
        flow.slide("scale", round(random.randint(5, 40) * 0.05, 2))
        flow.slide("gate_bias", random.randint(0, 8) / 2)
        if random.random() < 0.5:
            flow.switch()
        flow.control("seed").click()
        flow.state["seed"] += 1
        flow.settle()
        layer, time = random.randint(0, flow.state["depth"]), random.randint(1, flow.state["length"])
        flow.pick(random.choice(NETWORKS), layer, time)
        flow.check()
    expect(flow.engine).to_have_attribute("data-answered-by", "page")


def test_what_the_caption_asks_has_its_answer(flow: Flow) -> None:
    def arrives(network: str, layer: int, time: int) -> float:
        flow.pick(network, layer, time)
        return number(flow.root.locator(f"b[data-network={network}]"))

    before = arrives("lstm", 0, 1)
    flow.slide("gate_bias", 4)
    assert arrives("lstm", 0, 1) > 100 * before
    flow.slide("gate_bias", 0)
    rnn, mlp = arrives("rnn", 0, 1), arrives("mlp", 0, 16)
    flow.switch()
    assert arrives("mlp", 0, 16) < mlp / 2
    assert arrives("rnn", 0, 1) > rnn, "time is not helped by residual connections"


def test_pointing_reads_a_number_and_changes_nothing(flow: Flow) -> None:
    readout = flow.root.locator(".dlc-readout")
    expected = GradientFlow().norms["gru"]
    box = flow.root.locator("[data-grid=gru]").bounding_box()
    assert box is not None
    flow.page.mouse.move(box["x"] + box["width"] * 9.5 / 16, box["y"] + box["height"] * 1.5 / 5)
    expect(readout).to_contain_text("GRU, layer 3, step 10:")
    assert number(readout) == near(expected[3, 9])
    flow.check()
    box = flow.root.locator("[data-grid=mlp]").bounding_box()
    assert box is not None
    flow.page.mouse.move(box["x"] + 5, box["y"] + 5)
    expect(readout).to_have_text("MLP, layer 4, step 1: no way to the loss")
    flow.page.mouse.move(0, 0)
    expect(readout).to_have_text("")


def test_by_keys_and_by_pressing_a_chart(flow: Flow) -> None:
    page = flow.page
    flow.root.locator("[data-grid=gru] [tabindex='0']").focus()
    for key, layer, time in (
        ("ArrowUp", 1, 1),
        ("ArrowRight", 1, 2),
        ("End", 1, 16),
        ("PageUp", 4, 16),
        ("Home", 4, 1),
        ("PageDown", 0, 1),
        ("ArrowLeft", 0, 1),
    ):
        page.keyboard.press(key)
        flow.state |= {"layer": layer, "time": time}
        flow.check()
    chart = flow.root.locator("[data-chart=time]")
    chart.click(position={"x": int(chart.get_attribute("width") or 0) - 16, "y": 60})  # at its right end
    flow.state["time"] = 16
    flow.check()
    page.keyboard.press("u")
    flow.root.locator("[data-chart=depth]").click(position={"x": 60, "y": 60})
    flow.slide("length", 3)
    flow.control("undo").click()
    flow.control("reset").click()
    flow.state = Flow(page).state
    flow.check()


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    flow = Flow(page).open(site)
    flow.slide("depth", 7)
    flow.slide("scale", 1.35)
    flow.switch()
    flow.pick("gpt", 5, 9)
    link = flow.share()
    other, _ = new_page()
    restored = Flow(other)
    restored.state = flow.state
    restored.follow(link).check()


def test_the_deepest_networks_stand_at_any_width(flow: Flow) -> None:
    flow.slide("depth", 8)
    flow.slide("scale", 0.25)
    for _ in widths(flow.page):
        assert flow.overflowing() == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    flow = Flow(page).open(site)
    flow.control("seed").tap()
    flow.state["seed"] = 1
    flow.settle()
    grid = flow.root.locator("[data-grid=lstm]")
    box = grid.bounding_box()
    assert box is not None
    grid.tap(position={"x": box["width"] * 4.5 / 16, "y": box["height"] * 1.5 / 5})
    flow.state |= {"layer": 3, "time": 5}
    flow.check()
