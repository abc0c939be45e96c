"""The convolution stepper in the published page: no kernel, no other host, and every number held against torch."""

from __future__ import annotations

import base64
import itertools
import random
import re
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect
from torch import Tensor
from torch.nn import functional as F

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number, numbers, read
from .looks import widths


class Stepper(OnPage):
    """The stepper on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "convolution"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.input = self.root.locator("[data-grid=input]")
        self.output = self.root.locator("[data-grid=output]")
        self.weights = self.root.locator("[data-grid=kernel] input")

    def chosen(self, name: str) -> str:
        return self.control(name).input_value()

    def values(self, grid: str) -> Tensor:
        """The exact numbers of a grid, as float32."""
        self.settle()
        selector = "input" if grid == "kernel" else "[role=gridcell]"
        found = self.root.locator(f"[data-grid={grid}]").locator(selector)
        return torch.tensor(numbers(found), dtype=torch.float64).float()

    def map(self) -> Tensor:
        values = self.values("output")
        columns = int(self.output.get_attribute("aria-colcount") or 0)
        return values.reshape(-1, columns)

    @property
    def sum(self) -> float:
        self.settle()
        return number(self.root.locator("[data-grid=sum]"))

    @property
    def at(self) -> tuple[int, int]:
        """The output pixel shown."""
        self.settle()
        return self.whole("row"), self.whole("column")

    @property
    def geometry(self) -> tuple[int, int, int]:
        """The kernel's size, the stride and the padding that are chosen."""
        return round(self.weights.count() ** 0.5), int(self.chosen("stride")), int(self.chosen("padding"))

    def image(self) -> Tensor:
        """The chosen image, from the state that travelled with the page."""
        state = self.first_state()
        pixels = np.frombuffer(base64.b64decode(state["images"]["data"]), dtype="<f4")
        return torch.tensor(pixels).reshape(state["images"]["shape"])[int(self.chosen("image"))]

    def type_kernel(self, kernel: Tensor) -> None:
        for field, weight in zip(self.weights.all(), kernel.flatten().tolist(), strict=True):
            field.fill(f"{weight:.9g}")

    def cell(self, grid: Locator, row: int, column: int) -> Locator:
        return grid.locator(f"[role=gridcell][data-row='{row}'][data-column='{column}']")

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        size, stride, padding = self.geometry
        image, kernel = self.image(), self.values("kernel").reshape(size, size)
        expected = F.conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]
        sizes = F.conv2d(image[None, None].double(), kernel[None, None].double().abs(), stride=stride, padding=padding)[
            0, 0
        ]
        # Two float32 sums of n products, each in its own order, can differ by this much and no more.
        bound = 2 * size * size * 2.0**-23 * sizes + 1e-30
        shown = self.map()
        assert shown.shape == expected.shape
        assert ((shown - expected).abs() <= bound).all(), (shown - expected).abs().max()

        row, column = self.at
        padded = F.pad(image, (padding,) * 4)
        torch.testing.assert_close(self.values("input").reshape(padded.shape), padded, rtol=0, atol=0)
        window = padded[row * stride :, column * stride :][:size, :size]
        torch.testing.assert_close(self.values("window"), window.flatten(), rtol=0, atol=0)
        torch.testing.assert_close(self.values("products"), (window * kernel).flatten(), rtol=0, atol=0)
        assert self.sum == shown[row, column].item()
        self.check_marks(row, column, size, stride)
        self.check_texts(window, kernel)

    def check_marks(self, row: int, column: int, size: int, stride: int) -> None:
        for name, expected in (("input", (row * stride, column * stride, size)), ("output", (row, column, 1))):
            mark = self.root.locator(f"[data-mark={name}]")
            got = tuple(int(mark.get_attribute(key) or -1) for key in ("data-row", "data-column", "width"))
            assert got == expected

    def check_texts(self, window: Tensor, kernel: Tensor) -> None:
        """What is printed is what was computed, to three digits."""
        terms = [number for text in self.root.locator(".dlc-term").all_text_contents() for number in read(text)]
        factors = torch.stack([window.flatten(), kernel.flatten()], dim=1).flatten()
        assert terms == pytest.approx(factors.tolist(), rel=6e-3, abs=1e-12)
        assert read(self.root.locator(".dlc-term-sum").text_content() or "") == pytest.approx([self.sum], rel=6e-3)
        printed = [read(text)[0] for text in self.root.locator("[data-grid=products] .dlc-number").all_text_contents()]
        assert printed == pytest.approx(self.values("products").tolist(), rel=6e-3, abs=1e-12)


@pytest.fixture
def stepper(page: Page, site: str) -> Stepper:
    return Stepper(page).open(site)


def random_kernel(size: int) -> Tensor:
    return (torch.rand(size, size) * 2 - 1) * 10.0 ** random.randint(-2, 1)


def test_it_lives_without_a_kernel(new_page: NewPage, site: str) -> None:
    page, watch = new_page()
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    stepper = Stepper(page).open(site)
    expect(stepper.container.locator(".dlcompare-fallback")).to_be_hidden()
    stepper.check()
    watch.check()
    assert sockets == []


def test_typed_kernels_give_torchs_numbers(stepper: Stepper) -> None:
    count = stepper.control("image").locator("option").count()
    presets = ("identity", "gauss")  # three by three, five by five
    for stride, padding, preset in itertools.product((1, 2, 3), (0, 1, 2), presets):
        stepper.choose("stride", stride)
        stepper.choose("padding", padding)
        stepper.choose("image", random.randrange(count))
        stepper.choose("kernel", preset)
        stepper.check()
        size = stepper.geometry[0]
        kernel = random_kernel(size)
        stepper.type_kernel(kernel)
        expect(stepper.control("kernel")).to_have_value("")  # "your own"
        torch.testing.assert_close(stepper.values("kernel"), kernel.flatten(), rtol=2e-7, atol=0)
        rows, columns = stepper.map().shape
        for _ in range(2):
            place = (random.randrange(rows), random.randrange(columns))
            stepper.cell(stepper.output, *place).click(force=True)
            assert stepper.at == place
            stepper.check()


def test_every_offered_kernel_gives_torchs_numbers(stepper: Stepper) -> None:
    options = stepper.control("kernel").locator("option").evaluate_all("all => all.map(o => o.value).filter(v => v)")
    assert len(options) >= 8
    for option in options:
        stepper.choose("kernel", option)
        assert stepper.chosen("kernel") == option
        stepper.check()


def test_the_mouse_points_and_chooses(stepper: Stepper) -> None:
    stepper.cell(stepper.output, 20, 5).click(force=True)
    assert stepper.at == (20, 5)
    stepper.cell(stepper.output, 10, 12).hover(force=True)
    assert stepper.at == (10, 12)
    stepper.check()
    stepper.root.locator(".dlc-title").hover()  # leaving goes back
    assert stepper.at == (20, 5)
    size, stride, padding = stepper.geometry
    # Over the input, the window centres on the pixel that is pointed at.
    stepper.cell(stepper.input, 9, 14).hover(force=True)
    assert stepper.at == (9 - size // 2, 14 - size // 2)
    assert (stride, padding) == (1, 1)
    stepper.cell(stepper.input, 9, 14).click(force=True)
    stepper.root.locator(".dlc-title").hover()
    assert stepper.at == (8, 13)
    stepper.check()


def test_the_keyboard_reaches_everything(stepper: Stepper) -> None:
    page = stepper.page
    stepper.control("image").focus()
    reached = []
    for _ in range(25):
        reached.append(
            page.evaluate(
                "() => { const e = document.activeElement; const grid = e.closest('[data-grid]');"
                "return e.dataset.control ?? (grid ? grid.dataset.grid : e.tagName) }"
            )
        )
        page.keyboard.press("Tab")
    controls = ["image", "kernel", "stride", "padding", "stepBack", "step", "play", "undo", "reset", "share", "keys"]
    assert reached[:14] == [*controls, "input", "output", "window"]
    assert reached[14:24] == ["kernel"] * 9 + ["products"]


@pytest.mark.parametrize("grid", ["input", "output"])
def test_arrow_keys_move_the_window(stepper: Stepper, grid: str) -> None:
    page = stepper.page
    stepper.choose("stride", 2)
    rows, columns = stepper.map().shape
    stepper.root.locator(f"[data-grid={grid}] [tabindex='0']").focus()
    moves = [
        ("Control+Home", (0, 0)),
        ("ArrowRight", (0, 1)),
        ("ArrowDown", (1, 1)),
        ("ArrowDown", (2, 1)),
        ("ArrowLeft", (2, 0)),
        ("ArrowLeft", (2, 0)),
        ("ArrowUp", (1, 0)),
        ("End", (1, columns - 1)),
        ("PageDown", (rows - 1, columns - 1)),
        ("Home", (rows - 1, 0)),
        ("PageUp", (0, 0)),
        ("Control+End", (rows - 1, columns - 1)),
    ]
    scrolled = page.evaluate("scrollY")
    for key, place in moves:
        page.keyboard.press(key)
        assert stepper.at == place, key
        focused = page.evaluate("() => document.activeElement.closest('[data-grid]')?.dataset.grid")
        assert focused == grid, "the focus stays in the grid"
        label = page.evaluate("() => document.activeElement.getAttribute('aria-label')")
        if grid == "output":
            assert label.endswith(f"row {place[0]}, column {place[1]}")
            assert read(label)[0] == pytest.approx(stepper.sum)
    stepper.check()
    assert page.evaluate("scrollY") == scrolled, "keys that move the window do not scroll the page"


def test_enter_leads_to_the_weights_and_escape_back(stepper: Stepper) -> None:
    page = stepper.page
    stepper.root.locator("[data-grid=output] [tabindex='0']").focus()
    page.keyboard.press("Enter")
    expect(stepper.weights.nth(4)).to_be_focused()
    page.keyboard.type("-2.5")
    assert stepper.values("kernel")[4].item() == -2.5
    stepper.check()
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.closest('[data-grid]').dataset.grid") == "output"


def test_the_numbers_are_reached_by_key_and_shown_in_full(stepper: Stepper) -> None:
    page = stepper.page
    stepper.type_kernel(random_kernel(3))
    readout = stepper.root.locator(".dlc-readout")
    stepper.root.locator("[data-grid=products] [tabindex='0']").focus()
    page.keyboard.press("Control+End")
    page.keyboard.press("ArrowLeft")
    products = stepper.values("products")
    title = page.evaluate("() => document.activeElement.title")
    assert read(title)[0] == products[7].item(), "every digit"
    expect(readout).to_contain_text("window[2, 1] × kernel[2, 1]")
    expect(readout).to_contain_text(title)
    page.keyboard.press("Tab")
    expect(readout).to_contain_text(f"output[{stepper.at[0]}, {stepper.at[1]}]")


def test_the_keys_are_listed_on_request(stepper: Stepper) -> None:
    panel = stepper.root.locator(".dlc-keys")
    expect(panel).to_be_hidden()
    stepper.root.locator("[data-grid=input] [tabindex='0']").focus()
    stepper.page.keyboard.press("?")
    expect(panel).to_be_visible()
    expect(stepper.control("keys")).to_have_attribute("aria-expanded", "true")
    stepper.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    stepper.control("keys").click()
    expect(panel).to_be_visible()


def test_stepping_goes_through_the_output_in_reading_order(stepper: Stepper) -> None:
    stepper.choose("stride", 3)
    rows, columns = stepper.map().shape
    stepper.cell(stepper.output, 1, columns - 1).click(force=True)
    stepper.control("step").click()
    assert stepper.at == (2, 0)
    stepper.control("stepBack").click()
    stepper.control("stepBack").click()
    assert stepper.at == (1, columns - 2)
    stepper.check()
    stepper.cell(stepper.output, rows - 1, columns - 1).click(force=True)
    expect(stepper.control("step")).to_have_attribute("aria-disabled", "true")
    stepper.control("step").click(force=True)
    assert stepper.at == (rows - 1, columns - 1)
    stepper.cell(stepper.output, 0, 0).click(force=True)
    expect(stepper.control("stepBack")).to_have_attribute("aria-disabled", "true")


def test_play_walks_reveals_and_pauses(stepper: Stepper) -> None:
    stepper.choose("stride", 3)
    rows, columns = stepper.map().shape
    stepper.cell(stepper.output, rows - 3, columns - 2).click(force=True)
    veil = stepper.output.locator(".dlc-veil")
    assert veil.get_attribute("d") == ""
    play = stepper.control("play")
    play.click()
    expect(play).to_have_attribute("aria-label", "Pause")
    expect(stepper.root).to_have_attribute("data-row", re.compile(f"^({rows - 2}|{rows - 1})$"))
    assert veil.get_attribute("d") != "", "what is not computed yet is covered"
    play.click()
    expect(play).to_have_attribute("aria-label", "Play")
    paused = stepper.at
    stepper.page.wait_for_timeout(400)
    assert stepper.at == paused
    stepper.check()
    play.click()
    expect(play).to_have_attribute("aria-label", "Play", timeout=15_000)  # it stops at the end by itself
    assert stepper.at == (rows - 1, columns - 1)
    assert veil.get_attribute("d") == ""


def test_with_reduced_motion_nothing_moves_by_itself(new_page: NewPage, site: str) -> None:
    page, _ = new_page(reduced_motion="reduce")
    stepper = Stepper(page).open(site)
    play = stepper.control("play")
    expect(play).to_have_attribute("aria-label", "Next row")
    row, column = stepper.at
    play.click()
    assert stepper.at == (row + 1, column)
    page.wait_for_timeout(700)
    assert stepper.at == (row + 1, column)
    moving = "all => all.flatMap(e => e.getAnimations()).length"
    assert stepper.root.locator("*").evaluate_all(moving) == 0
    stepper.check()


def test_reset_brings_back_the_first_state(stepper: Stepper) -> None:
    before = (stepper.at, stepper.geometry, stepper.values("kernel").tolist(), stepper.chosen("image"))
    stepper.choose("image", 1)
    stepper.choose("padding", 2)
    stepper.choose("stride", 2)
    stepper.type_kernel(random_kernel(3))
    stepper.control("reset").click()
    after = (stepper.at, stepper.geometry, stepper.values("kernel").tolist(), stepper.chosen("image"))
    assert after == before


def test_what_is_no_weight_is_refused_in_words(stepper: Stepper) -> None:
    kernel = stepper.values("kernel")
    field = stepper.weights.nth(2)
    for wrong in ("1000", "", "1e9"):
        field.fill(wrong)
        field.press("Enter")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(stepper.note).to_contain_text("A weight is a number from −100 to 100")
        torch.testing.assert_close(stepper.values("kernel"), kernel)
    field.blur()
    assert float(field.input_value()) == kernel[2].item()
    field.fill("0.5")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    stepper.check()


def test_a_field_shows_three_digits_and_the_whole_number_while_it_is_edited(stepper: Stepper) -> None:
    field = stepper.weights.first
    field.fill("0.123456")
    stepper.control("step").click()
    assert field.input_value() == "0.123"
    field.focus()
    assert field.input_value() == "0.123456"
    field.blur()
    assert stepper.values("kernel")[0].item() == pytest.approx(0.123456, rel=1e-7), "looking changes nothing"


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    stepper = Stepper(page).open(site)
    stepper.choose("image", 2)
    stepper.choose("kernel", "gauss")
    stepper.choose("stride", 2)
    stepper.choose("padding", 2)
    stepper.type_kernel(random_kernel(5))
    stepper.cell(stepper.output, 7, 3).click(force=True)
    kernel = stepper.values("kernel")
    link = stepper.share()

    other, _ = new_page()
    other.goto(link)
    restored = Stepper(other)
    expect(restored.root).to_be_in_viewport()
    restored.arrive()
    torch.testing.assert_close(restored.values("kernel"), kernel, rtol=0, atol=0)
    assert restored.geometry == (5, 2, 2)
    assert restored.chosen("image") == "2"
    assert restored.at == (7, 3)
    restored.check()
    # The page's own state is one press away, and a link on the page changes the figure without loading anything.
    restored.control("reset").click()
    assert restored.geometry[0] == 3
    other.evaluate("hash => { location.hash = hash }", f"{restored.entry.container}?stride=3&kernel=2&at=1,1")
    expect(restored.control("stride")).to_have_value("3")
    assert restored.at == (1, 1)
    restored.check()


def test_without_the_clipboard_the_link_stands_in_the_address(new_page: NewPage, site: str) -> None:
    page, _ = new_page()
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    stepper = Stepper(page).open(site)
    stepper.control("share").click()
    expect(stepper.note).to_have_text("The link to this state stands in the address bar.")
    assert f"{stepper.entry.container}?image=" in page.url


def test_a_module_that_does_not_load_leaves_the_figure_and_can_be_tried_again(browser: Browser, site: str) -> None:
    page = browser.new_page()  # not watched: this page is meant to complain
    try:
        page.route("**/convolution.*.js*", lambda route: route.abort())
        stepper = Stepper(page)
        page.goto(site + stepper.entry.address)
        container = stepper.container
        container.scroll_into_view_if_needed()
        failure = container.locator(".dlcompare-failure")
        expect(failure).to_contain_text("could not be loaded")
        expect(failure).to_have_role("alert")
        expect(container.locator("figure img")).to_be_visible()
        failure.get_by_role("button", name="Try again").click()
        expect(failure).to_have_count(1)
        page.unroute("**/convolution.*.js*")
        failure.get_by_role("button", name="Try again").click()
        expect(stepper.root).to_be_visible()
        expect(failure).to_have_count(0)
        stepper.check()
    finally:
        page.close()


def test_nothing_is_loaded_before_the_figure_comes_near(page: Page, site: str) -> None:
    """Far below the view, the module is not even fetched."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    far = "<style>.dlcompare-explorable { margin-top: 9000px !important }</style></head>"

    def push_down(route: Any) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=response.text().replace("</head>", far))

    page.route("**/*.html", push_down)
    stepper = Stepper(page)
    page.goto(site + stepper.entry.address, wait_until="networkidle")
    modules = [url for url in asked if re.search(r"/convolution\.[^/]*\.js", url)]
    assert modules == []
    assert any("/host." in url for url in asked)
    stepper.container.scroll_into_view_if_needed()
    expect(stepper.root).to_be_visible()


def test_nothing_runs_over_at_any_width(stepper: Stepper) -> None:
    for _ in widths(stepper.page):
        for preset in ("sobel_x", "gauss", "identity"):
            stepper.choose("kernel", preset)
            size = stepper.geometry[0]
            for magnitude in (0.9, 0.09, 0.009):  # the smaller, the longer: −0.00123
                stepper.type_kernel(-torch.rand(size, size) * magnitude - magnitude / 9)
                assert stepper.overflowing() == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    stepper = Stepper(page).open(site)
    stepper.output.scroll_into_view_if_needed()
    box = stepper.output.bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] * 10.5 / 28, box["y"] + box["height"] * 20.5 / 28)
    assert stepper.at == (20, 10)
    stepper.check()
    stepper.control("step").tap()
    assert stepper.at == (20, 11)


def test_dark_mode_has_its_own_colours(new_page: NewPage, site: str) -> None:
    page, _ = new_page(color_scheme="dark")
    stepper = Stepper(page).open(site)
    expect(stepper.root).to_have_attribute("data-dlc-theme", "dark")
    zero = stepper.cell(stepper.output, 0, 0)
    assert stepper.map()[0, 0].item() == 0
    dark = zero.get_attribute("fill")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    expect(stepper.root).to_have_attribute("data-dlc-theme", "light")
    light = zero.get_attribute("fill")
    assert light == "#f7f7f6"
    assert dark == "#23252b"
    stepper.check()


def test_what_changes_is_spoken(stepper: Stepper) -> None:
    spoken = stepper.root.locator("[role=status][aria-live=polite]")
    stepper.cell(stepper.output, 12, 13).click(force=True)
    row, column = stepper.at
    expect(spoken).to_contain_text(f"Output row {row}, column {column}: ")
    assert read((spoken.text_content() or "").split(":")[1])[0] == pytest.approx(stepper.sum)
