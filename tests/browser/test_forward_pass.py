"""The forward pass in the published page: no kernel, no other host, and every number held against torch."""

from __future__ import annotations

import random

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect
from torch import Tensor, nn

from .conftest import NewPage
from .looks import NARROW, faults, looks, overflowing, widths

ADDRESS = "chapters/3-algorithms/3-1-1-forward-propagation.html"
CONTAINER = "#explorable-forward"
SIZES = (2, 2, 1)
LATE = 60_000  # milliseconds for the first answer, which loads what computes it


class Explorable:
    """The explorable on a page: what a reader does with it, and the exact numbers that it shows."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(f"{CONTAINER} .dlc")
        # What a reader has set, beside the page.
        self.x = [1.0, 0.0]
        self.weights = [torch.tensor([[1.0, 1, 0], [1, 1, -1]]), torch.tensor([[1.0, -2, 0]])]
        self.activation = "ReLU"

    def open(self, address: str) -> Explorable:
        self.page.goto(address)
        self.page.locator(CONTAINER).scroll_into_view_if_needed()
        expect(self.root).to_be_visible()
        self.settle()
        return self

    def settle(self) -> None:
        expect(self.root).not_to_have_attribute("aria-busy", "true", timeout=LATE)

    def control(self, name: str) -> Locator:
        return self.root.locator(f"[data-control={name}]")

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
        self.control(f"x{number + 1}").evaluate(
            "(e, value) => { e.value = value; e.dispatchEvent(new Event('input')) }", f"{value:g}"
        )
        self.x[number] = float(f"{value:g}")
        self.settle()

    def expected(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Products, sums and outputs of each layer, by torch's modules."""
        f = {"ReLU": nn.ReLU(), "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid()}[self.activation]
        y, layers = torch.tensor(self.x), []
        for number, both in enumerate(self.weights, start=1):
            z = nn.functional.linear(y, both[:, :-1], both[:, -1])
            layers.append((both[:, :-1] * y, z, z if number == len(self.weights) else f(z)))
            y = layers[-1][2]
        return layers

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        self.settle()
        step = int(self.root.get_attribute("data-step") or "-1")
        inputs, seen = torch.tensor(self.x), 0
        for layer, (products, z, y) in enumerate(self.expected(), start=1):
            for place in range(SIZES[layer]):
                circle, seen = self.neuron(layer, place), seen + 1
                if seen > step:
                    expect(circle).to_have_text(f"?y{place + 1}")
                    assert circle.get_attribute("data-value") is None
                    continue
                assert number(circle, "value") == pytest.approx(y[place].item(), abs=1e-6)
                for i in range(SIZES[layer - 1]):
                    line = self.root.locator(
                        f".dlc-forward-line[data-layer='{layer}'][data-place='{place}'][data-input='{i}']"
                    )
                    assert number(line, "value") == pytest.approx(products[place, i].item(), abs=1e-6)
                if circle.get_attribute("aria-selected") != "true":
                    continue
                result = self.root.locator(".dlc-forward-result")
                assert number(result, "z") == pytest.approx(z[place].item(), abs=1e-6)
                assert number(result, "y") == pytest.approx(y[place].item(), abs=1e-6)
                shown = self.root.locator(".dlc-forward-product[data-value]").evaluate_all(
                    "all => all.map(e => Number(e.dataset.value))"
                )
                terms = [*products[place].tolist(), self.weights[layer - 1][place, -1].item()]
                assert shown == pytest.approx(terms, abs=1e-6)
                arrived = self.root.locator(".dlc-forward-value[data-value]").evaluate_all(
                    "all => all.map(e => Number(e.dataset.value))"
                )
                assert arrived == pytest.approx(inputs.tolist(), abs=1e-6)
            inputs = y


def number(element: Locator, key: str) -> float:
    value = element.get_attribute(f"data-{key}")
    assert value is not None, key
    return float(value)


@pytest.fixture
def explorable(page: Page, site: str) -> Explorable:
    return Explorable(page).open(site + ADDRESS)


def test_the_first_picture_is_the_exclusive_or_and_asks_nothing(explorable: Explorable) -> None:
    explorable.check()
    assert explorable.page.workers == []
    for x in ((0, 0), (0, 1), (1, 1), (1, 0)):
        for place, value in enumerate(x):
            explorable.move(place, value)
        explorable.check()
        assert number(explorable.neuron(2, 0), "value") == x[0] ^ x[1]
    expect(explorable.root.locator(".dlc-engine")).to_have_attribute("data-answered-by", "page")


def test_typed_weights_inputs_and_activations_give_torchs_numbers(explorable: Explorable) -> None:
    for activation in ("sigmoid", "tanh", "relu"):
        explorable.control("activation").select_option(activation)
        explorable.activation = "ReLU" if activation == "relu" else activation
        for _ in range(3):
            layer = random.choice([1, 2])
            place = random.randrange(SIZES[layer])
            explorable.type_weight(layer, place, random.randrange(3), round(random.uniform(-10, 10), 3))
            explorable.move(random.randrange(2), round(random.uniform(-2, 2), 1))
            explorable.check()


def test_steps_compute_neuron_by_neuron_and_a_line_leads_to_its_weight(explorable: Explorable) -> None:
    for step in (2, 1, 0):
        explorable.control("stepBack").click()
        expect(explorable.root).to_have_attribute("data-step", str(step))
        explorable.check()
    expect(explorable.control("stepBack")).to_have_attribute("aria-disabled", "true")
    for _ in range(3):
        explorable.control("step").click()
        explorable.check()
    line = explorable.root.locator(".dlc-forward-hit").nth(2)  # of the second neuron, from the first input
    line.dispatch_event("click")
    expect(explorable.control("weight1")).to_be_focused()
    expect(explorable.neuron(1, 1)).to_have_attribute("aria-selected", "true")
    explorable.check()


def test_by_keys_alone(explorable: Explorable) -> None:
    page = explorable.page
    explorable.root.locator("[data-grid=network] [tabindex='0']").focus()
    for key, (layer, place) in (("ArrowLeft", (1, 1)), ("ArrowUp", (1, 0)), ("End", (2, 0)), ("Home", (1, 0))):
        page.keyboard.press(key)
        expect(explorable.neuron(layer, place)).to_be_focused()
        explorable.check()
    field = explorable.control("weight2")
    field.focus()
    field.press("ArrowUp")
    explorable.weights[0][0, 1] = 1.1
    explorable.check()
    field.press("Control+a")
    field.press("p")  # a letter is no key of the explorable's there
    explorable.check()
    explorable.neuron(1, 0).focus()
    page.keyboard.press("u")
    explorable.weights[0][0, 1] = 1.0
    explorable.check()


def test_what_is_no_weight_is_marked_and_changes_nothing(explorable: Explorable) -> None:
    field = explorable.control("weight1")
    for wrong in ("11", "-1e9", ""):
        field.fill(wrong)
        expect(field).to_have_attribute("aria-invalid", "true")
        explorable.check()
    field.blur()
    expect(field).to_have_value("1")
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_a_shared_link_restores_the_state_and_a_hostile_one_breaks_nothing(new_page: NewPage, site: str) -> None:
    page, _ = new_page(permissions=["clipboard-read", "clipboard-write"])
    explorable = Explorable(page).open(site + ADDRESS)
    explorable.type_weight(1, 1, 2, -0.75)
    explorable.move(1, -1.5)
    explorable.control("stepBack").click()
    explorable.control("share").click()
    expect(explorable.root.locator(".dlc-note")).to_have_text("The link to this state is copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    other, _ = new_page()
    restored = Explorable(other)
    restored.x, restored.weights = explorable.x, explorable.weights
    restored.open(link)
    expect(restored.root).to_have_attribute("data-step", "2")
    restored.check()
    hostile = "x=[1e999]&weights=<script>alert(1)</script>&activation=__proto__&step=99&neuron=-1&%zz&" + "x=1," * 500
    third, _ = new_page()
    Explorable(third).open(f"{site}{ADDRESS}{CONTAINER}?{hostile}").check()


def test_it_stands_in_any_light_and_at_any_width(explorable: Explorable) -> None:
    explorable.control("keys").click()
    for look in looks(explorable.page):
        assert faults(explorable.page, CONTAINER) == {}, look
    explorable.control("keys").click()
    explorable.type_weight(1, 1, 0, -0.00123)
    for _ in widths(explorable.page):
        assert overflowing(explorable.page, CONTAINER, cut=".dlc-forward-neuron") == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(viewport=NARROW, has_touch=True, is_mobile=True)
    explorable = Explorable(page).open(site + ADDRESS)
    explorable.neuron(1, 1).tap()
    explorable.check()
    explorable.control("stepBack").tap()
    explorable.check()
    targets = explorable.root.locator("button, select, input, .dlc-forward-neuron").evaluate_all(
        "all => all.filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect())"
        ".map(b => Math.min(b.width, b.height))"
    )
    assert min(targets) >= 32


def test_without_javascript_and_in_print_the_figure_stands_there(browser: Browser, site: str, page: Page) -> None:
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(site + ADDRESS)
    image = plain.locator(f"{CONTAINER} figure img")
    expect(image).to_be_visible()
    assert "The inputs are 1, 0; the output is 1." in (image.get_attribute("alt") or "")
    assert plain.locator(f"{CONTAINER} details table tr").count() == 4
    context.close()
    explorable = Explorable(page).open(site + ADDRESS)
    page.emulate_media(media="print")
    expect(page.locator(f"{CONTAINER} figure img")).to_be_visible()
    expect(explorable.root).to_be_hidden()
