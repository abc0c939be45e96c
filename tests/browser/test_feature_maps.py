"""The CNN layer by layer in the published page: no kernel, no other host, every number held against torch."""

from __future__ import annotations

import random

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor
from torch.nn import functional as F

from dlcompare import checkpoints
from dlcompare.models import CNN
from dlcompare.recording import record

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number, numbers, series
from .looks import widths

MODULES = (
    "levels.0.0",
    "levels.0.1",
    "levels.0.2",
    "levels.1.0",
    "levels.1.1",
    "levels.1.2",
    "classifier.1",
    "classifier.3",
)
POOLS, FLAT, BENDS = {2, 5}, {6, 7}, {1, 4, 6}


class Features(OnPage):
    """The explorable on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "features"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.cnn = checkpoints.load("digits-cnn", expected=CNN).model

    def cells(self, name: str) -> Tensor:
        values = numbers(self.root.locator(f"[data-grid={name}] [role=gridcell]"))
        return torch.tensor(values, dtype=torch.float32)

    def press(self, name: str, row: int, column: int) -> None:
        self.root.locator(f"[data-grid={name}] [data-row='{row}'][data-column='{column}'][role=gridcell]").click(
            force=True
        )
        self.settle()

    @property
    def step(self) -> int:
        return self.whole("step")

    @property
    def unit(self) -> tuple[int, int, int]:
        channel = int(number(self.root.locator("[role=option][aria-selected=true]"), "channel"))
        if self.step in FLAT:
            return channel, 0, 0
        mark = self.root.locator("[data-mark=map]")
        return channel, int(number(mark, "row")), int(number(mark, "column"))

    @property
    def source(self) -> int:
        return int(self.root.locator("[data-strip=shares]").get_attribute("aria-valuenow") or "0")

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        self.settle()
        image = self.cells("input").view(28, 28).requires_grad_()
        with record(self.cnn, *MODULES) as seen:
            logits = self.cnn(image[None, None])[0]
        step, digit = self.step, int(self.control("digit").input_value())
        (gradient,) = torch.autograd.grad(logits[digit], image)
        assert near(self.cells("saliency"), gradient.flatten())
        p = logits.detach().softmax(0)
        answer = self.root.locator(".dlc-features-answer")
        assert int(number(answer)) == int(p.argmax())
        assert number(answer, "probability") == pytest.approx(p.max().item(), abs=1e-4)

        outputs = seen[MODULES[step]][0].detach()
        channel, row, column = self.unit
        if step in FLAT:
            options = numbers(self.root.locator("[role=option]"))
            assert near(torch.tensor(options), outputs)
            y = outputs[channel]
            assert self.root.locator("[data-grid=map]").is_hidden()
        else:
            assert self.root.locator("[role=option]").count() == len(outputs)
            assert near(self.cells("map"), outputs[channel].flatten())
            y = outputs[channel, row, column]
            self.check_field(step, channel, row, column, image.detach())
        result = self.root.locator("[data-part=result]")
        assert number(result, "y") == pytest.approx(y.item(), rel=1e-4, abs=1e-4)
        self.check_sum(step, (channel, row, column), image.detach(), {name: seen[name][0].detach() for name in MODULES})

    def check_sum(self, step: int, unit: tuple[int, int, int], image: Tensor, seen: dict[str, Tensor]) -> None:
        """The terms of the unit's sum, or what pooling takes the largest of, computed anew."""
        channel, row, column = unit
        if step in POOLS:
            below = seen[MODULES[step - 1]][channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            assert near(self.cells("window"), below.flatten())
            return
        if step in FLAT:
            layer = self.cnn.classifier[0 if step == 6 else 3]
            window = seen[MODULES[5]] if step == 6 else seen[MODULES[6]]
        else:
            layer = self.cnn.levels[step // 3][0]
            below = F.pad(image[None] if step < 3 else seen[MODULES[2]], (1, 1, 1, 1))
            window = below[:, row : row + 3, column : column + 3]
        weight = layer.weight[channel].detach().view(window.shape)  # type: ignore[union-attr, index]
        bias = layer.bias[channel].item()  # type: ignore[union-attr, index]
        products = window * weight
        shares = products.flatten(1).sum(1) if products.ndim > 1 else products
        result = self.root.locator("[data-part=result]")
        z = products.sum().item() + bias
        assert number(result, "bias") == pytest.approx(bias, abs=1e-6)
        assert number(result, "z") == pytest.approx(z, rel=1e-4, abs=1e-4)
        source = self.source if len(shares) > 1 else 0
        if len(shares) > 1:
            assert near(torch.tensor(series(self.root.locator("[data-strip=shares]"))), shares)
            share = number(self.root.locator("[data-part=share]"))
            assert share == pytest.approx(shares[source].item(), rel=1e-4, abs=1e-4)
        if step == 7:
            term = self.root.locator("[data-part=term]")
            shown = [number(term, key) for key in ("x", "w", "value")]
            assert near(torch.tensor(shown), torch.stack([window[source], weight[source], products[source]]))
            return
        for name, values in (("window", window), ("filter", weight), ("products", products)):
            assert near(self.cells(name), values[source].flatten())

    def check_field(self, step: int, channel: int, row: int, column: int, image: Tensor) -> None:
        """What is outlined is all that the unit can depend on."""
        x = torch.rand(28, 28, requires_grad=True)
        layers = torch.nn.ModuleList([layer for level in self.cnn.levels for layer in level])  # type: ignore[union-attr]
        y = x[None, None]
        for layer in layers[: step + 1]:
            # Averages in the place of maxima, and no ReLU: a unit depends on all that it sees.
            if isinstance(layer, torch.nn.MaxPool2d):
                y = F.avg_pool2d(y, 2)
            elif isinstance(layer, torch.nn.Conv2d):
                y = F.conv2d(y, layer.weight.abs() + 0.01, padding=1)
        (slope,) = torch.autograd.grad(y[0, channel, row, column], x)
        rows, columns = (torch.nonzero(slope.abs().sum(axis)).flatten() for axis in (1, 0))
        mark = self.root.locator("[data-mark=input]")
        box = [float(mark.get_attribute(name) or "-1") for name in ("y", "x", "height", "width")]
        assert box == [int(rows[0]), int(columns[0]), len(rows), len(columns)]


def near(shown: Tensor, expected: Tensor) -> bool:
    torch.testing.assert_close(shown, expected, rtol=1e-3, atol=2e-4)
    return True


@pytest.fixture
def features(page: Page, site: str) -> Features:
    return Features(page).open(site)


def test_every_layer_and_a_unit_of_each(features: Features) -> None:
    features.check()
    assert features.page.workers == [], "the first picture asks nothing"
    features.choose("image", random.randrange(1, 8))
    features.choose("digit", random.randrange(10))
    while features.step > 0:
        features.control("stepBack").click()
        features.settle()
    for step in range(8):
        assert features.step == step
        options = features.root.locator("[role=option]")
        options.nth(random.randrange(options.count())).click()
        if step not in FLAT:
            side = (28, 28, 14, 14, 14, 7)[step]
            features.press("map", random.randrange(side), random.choice([0, random.randrange(side), side - 1]))
        features.settle()
        strip = features.root.locator("[data-strip=shares]")
        if strip.is_visible():
            box = strip.bounding_box()
            assert box
            strip.click(position={"x": random.uniform(2, box["width"] - 2), "y": box["height"] / 2})
        features.check()
        if step < 7:
            features.control("step").click()
            features.settle()
    expect(features.control("step")).to_have_attribute("aria-disabled", "true")
    expect(features.engine).to_have_attribute("data-answered-by", "page")


def test_a_pixel_moves_the_unit_there(features: Features) -> None:
    features.choose("layer", 4)
    for row, column in ((0, 27), (13, 8), (20, 20)):
        features.press("input", row, column)
        mark = features.root.locator("[data-mark=input]")
        top, left, height, width = (float(mark.get_attribute(name) or "-1") for name in ("y", "x", "height", "width"))
        assert top <= row < top + height
        assert left <= column < left + width
    features.check()
    features.control("undo").click()
    features.check()


def test_keys_walk_through_maps_units_terms_and_pixels(features: Features) -> None:
    page = features.page
    first = features.unit
    features.root.locator("[data-grid=map] [tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    features.settle()
    assert features.unit == (first[0], first[1] - 1, first[2] - 1)
    features.root.locator("[role=option][tabindex='0']").focus()
    for key, channel in (("Home", 0), ("ArrowRight", 1), ("ArrowDown", 17), ("End", 63), ("ArrowRight", 63)):
        page.keyboard.press(key)
        features.settle()
        assert features.unit[0] == channel
        expect(features.root.locator(f"[role=option][data-channel='{channel}']")).to_be_focused()
    strip = features.root.locator("[data-strip=shares]")
    strip.focus()
    for key, source in (("Home", 0), ("ArrowRight", 1), ("End", 31), ("ArrowLeft", 30)):
        page.keyboard.press(key)
        assert features.source == source
    features.check()
    features.root.locator("[data-grid=saliency] [tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    value = features.cells("saliency").view(28, 28)[14, 15].item()
    readout = features.root.locator(".dlc-features-pictures > :last-child .dlc-readout")
    expect(readout).to_contain_text("row 14, column 15")
    assert float(readout.inner_text().split(",")[0].replace("\u2212", "-")) == pytest.approx(value, rel=6e-3, abs=1e-4)
    for key, step in ((".", 4), (",", 3), ("r", 3)):
        page.keyboard.press(key)
        expect(features.root).to_have_attribute("data-step", str(step))
    features.check()
    assert features.unit == first


def test_saliency_of_another_digit(features: Features) -> None:
    for digit in random.sample(range(10), 3):
        features.choose("digit", digit)
        features.check()
        expect(features.root.locator(".dlc-features-pictures")).to_contain_text(f"logit of {digit}")


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    features = Features(page).open(site)
    features.choose("layer", 6)
    features.choose("digit", 3)
    features.root.locator("[role=option][data-channel='90']").click()
    features.settle()
    link = features.share()
    other, _ = new_page()
    restored = Features(other).follow(link)
    assert (restored.step, restored.unit, restored.source) == (6, (90, 0, 0), features.source)
    restored.check()


def test_each_kind_of_layer_stands_at_any_width(features: Features) -> None:
    for _ in widths(features.page):
        for step in (3, 2, 6, 7):
            features.choose("layer", step)
            assert features.overflowing() == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    features = Features(page).open(site)
    features.control("stepBack").tap()
    features.settle()
    features.root.locator("[role=option]").nth(3).tap()
    grid = features.root.locator("[data-grid=map]")
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    features.settle()
    assert features.unit == (3, 7, 7)
    features.check()
