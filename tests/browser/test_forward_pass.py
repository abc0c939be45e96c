"""The forward pass in the published page: no kernel, no other host, and every number held against torch."""

from __future__ import annotations

import random

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor, nn

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number, numbers
from .looks import widths

SIZES = (2, 2, 1)


class ForwardPass(OnPage):
    """The explorable on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "forward"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        # What a reader has set, beside the page.
        self.x = [1.0, 0.0]
        self.weights = [torch.tensor([[1.0, 1, 0], [1, 1, -1]]), torch.tensor([[1.0, -2, 0]])]
        self.activation = "ReLU"

    def neuron(self, layer: int, place: int) -> Locator:
        return self.root.locator(f".dlc-forward-neuron[data-layer='{layer}'][data-place='{place}']")

    def type_weight(self, layer: int, place: int, number: int, value: float) -> None:
        """Open a neuron and type one of its weights; the bias comes last."""
        self.neuron(layer, place).click()
        below = SIZES[layer - 1]
        self.control("bias" if number == below else f"weight{number + 1}").fill(f"{value:g}")
        self.weights[layer - 1][place, number] = float(f"{value:g}")
        self.settle()

    def move(self, number: int, value: float) -> None:
        self.slide(f"x{number + 1}", value)
        self.x[number] = float(f"{value:g}")

    def expected(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Products, sums and outputs of each layer, by torch's modules."""
        f = {"ReLU": nn.ReLU(), "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid()}[self.activation]
        y, layers = torch.tensor(self.x), []
        for layer, both in enumerate(self.weights, start=1):
            z = nn.functional.linear(y, both[:, :-1], both[:, -1])
            layers.append((both[:, :-1] * y, z, z if layer == len(self.weights) else f(z)))
            y = layers[-1][2]
        return layers

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        self.settle()
        step = self.whole("step")
        inputs, seen = torch.tensor(self.x), 0
        for layer, (products, z, y) in enumerate(self.expected(), start=1):
            for place in range(SIZES[layer]):
                circle, seen = self.neuron(layer, place), seen + 1
                if seen > step:
                    expect(circle).to_have_text(f"?y{place + 1}")
                    assert circle.get_attribute("data-value") is None
                    continue
                assert number(circle) == pytest.approx(y[place].item(), abs=1e-6)
                for i in range(SIZES[layer - 1]):
                    line = self.root.locator(
                        f".dlc-forward-line[data-layer='{layer}'][data-place='{place}'][data-input='{i}']"
                    )
                    assert number(line) == pytest.approx(products[place, i].item(), abs=1e-6)
                if circle.get_attribute("aria-selected") != "true":
                    continue
                result = self.root.locator(".dlc-forward-result")
                assert number(result, "z") == pytest.approx(z[place].item(), abs=1e-6)
                assert number(result, "y") == pytest.approx(y[place].item(), abs=1e-6)
                shown = numbers(self.root.locator(".dlc-forward-product[data-value]"))
                terms = [*products[place].tolist(), self.weights[layer - 1][place, -1].item()]
                assert shown == pytest.approx(terms, abs=1e-6)
                arrived = numbers(self.root.locator(".dlc-forward-value[data-value]"))
                assert arrived == pytest.approx(inputs.tolist(), abs=1e-6)
            inputs = y


@pytest.fixture
def forward_pass(page: Page, site: str) -> ForwardPass:
    return ForwardPass(page).open(site)


def test_the_first_picture_is_the_exclusive_or_and_asks_nothing(forward_pass: ForwardPass) -> None:
    forward_pass.check()
    assert forward_pass.page.workers == []
    for x in ((0, 0), (0, 1), (1, 1), (1, 0)):
        for place, value in enumerate(x):
            forward_pass.move(place, value)
        forward_pass.check()
        assert number(forward_pass.neuron(2, 0), "value") == x[0] ^ x[1]
    expect(forward_pass.engine).to_have_attribute("data-answered-by", "page")


def test_typed_weights_inputs_and_activations_give_torchs_numbers(forward_pass: ForwardPass) -> None:
    for activation in ("sigmoid", "tanh", "relu"):
        forward_pass.control("activation").select_option(activation)
        forward_pass.activation = "ReLU" if activation == "relu" else activation
        for _ in range(3):
            layer = random.choice([1, 2])
            place = random.randrange(SIZES[layer])
            forward_pass.type_weight(layer, place, random.randrange(3), round(random.uniform(-10, 10), 3))
            forward_pass.move(random.randrange(2), round(random.uniform(-2, 2), 1))
            forward_pass.check()


def test_steps_compute_neuron_by_neuron_and_a_line_leads_to_its_weight(forward_pass: ForwardPass) -> None:
    for step in (2, 1, 0):
        forward_pass.control("stepBack").click()
        expect(forward_pass.root).to_have_attribute("data-step", str(step))
        forward_pass.check()
    expect(forward_pass.control("stepBack")).to_have_attribute("aria-disabled", "true")
    for _ in range(3):
        forward_pass.control("step").click()
        forward_pass.check()
    line = forward_pass.root.locator(".dlc-forward-hit").nth(2)  # of the second neuron, from the first input
    line.dispatch_event("click")
    expect(forward_pass.control("weight1")).to_be_focused()
    expect(forward_pass.neuron(1, 1)).to_have_attribute("aria-selected", "true")
    forward_pass.check()


def test_by_keys_alone(forward_pass: ForwardPass) -> None:
    page = forward_pass.page
    forward_pass.root.locator("[data-grid=network] [tabindex='0']").focus()
    for key, (layer, place) in (("ArrowLeft", (1, 1)), ("ArrowUp", (1, 0)), ("End", (2, 0)), ("Home", (1, 0))):
        page.keyboard.press(key)
        expect(forward_pass.neuron(layer, place)).to_be_focused()
        forward_pass.check()
    field = forward_pass.control("weight2")
    field.focus()
    field.press("ArrowUp")
    forward_pass.weights[0][0, 1] = 1.1
    forward_pass.check()
    field.press("Control+a")
    field.press("p")  # a letter is no key of the forward_pass's there
    forward_pass.check()
    forward_pass.neuron(1, 0).focus()
    page.keyboard.press("u")
    forward_pass.weights[0][0, 1] = 1.0
    forward_pass.check()


def test_what_is_no_weight_is_marked_and_changes_nothing(forward_pass: ForwardPass) -> None:
    field = forward_pass.control("weight1")
    for wrong in ("11", "-1e9", ""):
        field.fill(wrong)
        expect(field).to_have_attribute("aria-invalid", "true")
        forward_pass.check()
    field.blur()
    expect(field).to_have_value("1")
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    forward_pass = ForwardPass(page).open(site)
    forward_pass.type_weight(1, 1, 2, -0.75)
    forward_pass.move(1, -1.5)
    forward_pass.control("stepBack").click()
    link = forward_pass.share()
    other, _ = new_page()
    restored = ForwardPass(other)
    restored.x, restored.weights = forward_pass.x, forward_pass.weights
    restored.follow(link)
    expect(restored.root).to_have_attribute("data-step", "2")
    restored.check()


def test_a_long_number_runs_over_at_no_width(forward_pass: ForwardPass) -> None:
    forward_pass.type_weight(1, 1, 0, -0.00123)
    for _ in widths(forward_pass.page):
        assert forward_pass.overflowing() == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    forward_pass = ForwardPass(page).open(site)
    forward_pass.neuron(1, 1).tap()
    forward_pass.check()
    forward_pass.control("stepBack").tap()
    forward_pass.check()
