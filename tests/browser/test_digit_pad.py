"""The digit pad in the published page: drawn on by mouse, finger and keys, every number held against torch."""

from __future__ import annotations

import random

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect

from dlcompare import checkpoints
from dlcompare.models.costs import costs
from dlcompare.widgets.pixel_text import to_text

from .conftest import NewPage
from .looks import NARROW, faults, looks, overflowing, widths

ADDRESS = "chapters/2-concepts/2-1-deep-learning.html"
CONTAINER = "#explorable-digits"
LATE = 60_000  # milliseconds for the first answer, which loads what computes it
KINDS = ("mlp", "cnn", "lstm", "vit")
BLANK = to_text(torch.zeros(28, 28))


class Pad:
    """The pad on a page: what a reader does with it, and the exact numbers that it shows."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(f"{CONTAINER} .dlc")
        self.grid = self.root.locator("[data-grid=pad]")
        self.models = {kind: checkpoints.load(f"digits-{kind}").model for kind in KINDS}

    def open(self, address: str) -> Pad:
        self.page.goto(address)
        self.page.locator(CONTAINER).scroll_into_view_if_needed()
        expect(self.root).to_be_visible()
        self.settle()
        return self

    def settle(self) -> None:
        expect(self.root).not_to_have_attribute("aria-busy", "true", timeout=LATE)

    def control(self, name: str) -> Locator:
        return self.root.locator(f"[data-control={name}]")

    @property
    def image(self) -> torch.Tensor:
        """The pixels, as they stand in the cells: (28, 28)."""
        values = self.grid.locator("[role=gridcell]").evaluate_all("all => all.map(e => Number(e.dataset.value))")
        return torch.tensor(values, dtype=torch.float32).reshape(28, 28)

    def at(self, row: float, column: float) -> tuple[float, float]:
        """Where the middle of a pixel is on the screen."""
        box = self.grid.bounding_box()
        assert box
        return box["x"] + (column + 0.5) * box["width"] / 28, box["y"] + (row + 0.5) * box["height"] / 28

    def draw(self, *points: tuple[float, float], steps: int = 4) -> None:
        first, *others = points
        self.page.mouse.move(*self.at(*first))
        self.page.mouse.down()
        for point in others:
            self.page.mouse.move(*self.at(*point), steps=steps)
        self.page.mouse.up()
        self.settle()

    def check(self) -> dict[str, int]:
        """Hold all numbers against torch; return what each network reads."""
        self.settle()
        image, read = self.image, {}
        for kind, model in self.models.items():
            with torch.no_grad():
                expected = model(image[None, None])[0].softmax(0)
            cells = self.root.locator(f"[data-of={kind}]")
            shown = cells.evaluate_all(
                "all => all.map(e => [Number(e.dataset.value),"
                " e.querySelector('.dlc-digits-bar').style.width, e.hasAttribute('data-best')])"
            )
            torch.testing.assert_close(torch.tensor([p for p, _, _ in shown]), expected, rtol=1e-3, atol=1e-5)
            assert [float(width[:-1]) for _, width, _ in shown] == pytest.approx((100 * expected).tolist(), abs=0.02)
            read[kind] = int(self.root.locator(f"[data-answer={kind}]").get_attribute("data-value") or "-1")
            assert [best for _, _, best in shown] == [digit == read[kind] for digit in range(10)]
            assert expected[read[kind]] > expected.max() - 1e-4
            said = self.root.locator(f"[data-answer={kind}]").inner_text()
            assert said == str(read[kind])
        return read

    def times(self) -> list[float | None]:
        found = (self.root.locator(f"[data-time={kind}]").get_attribute("data-value") for kind in KINDS)
        return [None if value is None else float(value) for value in found]


@pytest.fixture
def pad(page: Page, site: str) -> Pad:
    return Pad(page).open(site + ADDRESS)


def test_the_first_picture_asks_nothing_and_every_example_is_read_as_torch_reads_it(pad: Pad) -> None:
    pad.check()
    assert pad.page.workers == []
    assert pad.times() == [None] * 4
    for row, field in ((0, "parameters"), (1, "multiply_adds")):
        cells = pad.root.locator(f"tfoot tr:nth-child({row + 1}) td")
        expected = [getattr(costs(model, torch.zeros(1, 1, 28, 28))[""], field) for model in pad.models.values()]
        assert [int(cell.get_attribute("data-value") or "0") for cell in cells.all()] == expected
    options = pad.control("example").locator("option").evaluate_all("all => all.map(o => o.value).filter(Boolean)")
    for value in random.sample(options[1:], 4):
        pad.control("example").select_option(value)
        pad.check()
    expect(pad.root.locator(".dlc-engine")).to_have_attribute("data-answered-by", "page")
    assert all(time is not None and 0 <= time < 1000 for time in pad.times())


def test_what_is_drawn_with_the_mouse_is_read_and_undone_stroke_by_stroke(pad: Pad) -> None:
    first = pad.image
    pad.control("clear").click()
    assert pad.image.sum() == 0
    blank = pad.check()
    assert blank["lstm"] == blank["vit"] == 1
    pad.draw((5, 8), (5, 18), (21, 12))
    seven = pad.image
    assert pad.check()["cnn"] == 7
    # A fast hand leaves no gaps: each row on the way has ink.
    assert bool((seven[5:22].amax(1) == 1).all())
    expect(pad.control("example")).to_have_value("")
    pad.draw(*[(random.uniform(0, 27), random.uniform(0, 27)) for _ in range(4)], steps=2)
    pad.check()
    pad.control("undo").click()
    assert torch.equal(pad.image, seven)
    pad.check()
    pad.control("tool").select_option("eraser")
    pad.draw((5, 8), (5, 18))
    assert pad.image[4:7, 7:18].sum() == 0
    pad.control("undo").click()
    assert torch.equal(pad.image, seven)
    pad.control("undo").click()  # the eraser is put away
    expect(pad.control("tool")).to_have_value("pen")
    for expected in (torch.zeros(28, 28), first):
        pad.control("undo").click()
        assert torch.equal(pad.image, expected)
    pad.check()
    expect(pad.control("undo")).to_have_attribute("aria-disabled", "true")


def test_the_drawing_moves_and_what_leaves_is_gone(pad: Pad) -> None:
    for name, shift in (("left", (0, -1)), ("up", (-1, 0)), ("down", (1, 0)), ("right", (0, 1))):
        before = pad.image
        pad.control(name).click()
        pad.settle()
        inside = before.roll(shift, (0, 1))
        inside[:, -1 if shift[1] < 0 else 0] *= shift[1] == 0
        inside[-1 if shift[0] < 0 else 0] *= shift[0] == 0
        assert torch.equal(pad.image, inside)
    pad.check()


def test_keys_draw_too(pad: Pad) -> None:
    page = pad.page
    pad.control("clear").click()
    pad.grid.locator("[tabindex='0']").focus()
    for key in ("Control+Home", "ArrowDown", "ArrowRight", "Space"):
        page.keyboard.press(key)
    pad.settle()
    assert pad.image[1, 1] == 1
    assert int((pad.image > 0).sum()) == 9
    readout = pad.root.locator(".dlc-readout")
    expect(readout).to_have_text("row 1, column 1: 1")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowDown")
    pad.settle()
    assert bool((pad.image[1:8, 1] == 1).all())
    pad.check()
    page.keyboard.press("End")
    expect(readout).to_have_text("row 7, column 27: 0")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    pad.settle()
    assert pad.image[6:9].sum() == 0
    page.keyboard.press("u")
    assert pad.image[7, 1] == 1
    page.keyboard.press("r")
    pad.settle()
    assert to_text(pad.image) != BLANK
    pad.check()


def test_a_shared_link_restores_the_drawing_and_a_hostile_one_breaks_nothing(new_page: NewPage, site: str) -> None:
    page, _ = new_page(permissions=["clipboard-read", "clipboard-write"])
    pad = Pad(page).open(site + ADDRESS)
    first = pad.image
    pad.draw((20, 3), (8, 24))
    pad.control("share").click()
    expect(pad.root.locator(".dlc-note")).to_have_text("The link to this state is copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert len(link) < 1200
    other, _ = new_page()
    restored = Pad(other).open(link)
    assert torch.equal(restored.image, pad.image)
    restored.check()
    for hostile in ("image=<script>alert(1)</script>", f"image={BLANK}ff", "image=null&tool=x", "image=%zz&&"):
        third, _ = new_page()
        wrong = Pad(third).open(f"{site}{ADDRESS}{CONTAINER}?{hostile}")
        assert torch.equal(wrong.image, first)
        wrong.check()


def test_without_what_computes_the_last_answers_stay(new_page: NewPage, site: str) -> None:
    page, watch = new_page()
    away = True
    page.route("**/graphs/*", lambda route: route.abort() if away else route.fallback())
    pad = Pad(page).open(site + ADDRESS)
    before = pad.root.locator("[data-of=cnn]").evaluate_all("all => all.map(e => e.dataset.value)")
    pad.control("clear").click()
    failure = pad.root.locator(".dlc-engine-failure")
    expect(failure).not_to_be_empty(timeout=LATE)
    assert pad.image.sum() == 0, "one can go on drawing"
    assert pad.root.locator("[data-of=cnn]").evaluate_all("all => all.map(e => e.dataset.value)") == before
    page.mouse.click(*pad.at(10, 10))
    away = False
    pad.root.locator(".dlc-engine button").click()
    pad.check()
    watch.failed.clear()
    watch.complaints.clear()


def test_it_stands_in_any_light_and_at_any_width(pad: Pad) -> None:
    pad.control("keys").click()
    for look in looks(pad.page):
        assert faults(pad.page, CONTAINER, f"{CONTAINER} .dlc-pixels g g") == {}, look
    pad.control("keys").click()
    for _ in widths(pad.page):
        assert overflowing(pad.page, CONTAINER) == []


def test_fingers_draw(new_page: NewPage, site: str) -> None:
    page, _ = new_page(viewport=NARROW, has_touch=True, is_mobile=True)
    pad = Pad(page).open(site + ADDRESS)
    pad.control("clear").tap()
    page.touchscreen.tap(*pad.at(14, 9))
    pad.settle()
    assert pad.image[14, 9] == 1
    pad.check()
    # A finger that moves down draws, and does not scroll.
    assert pad.grid.evaluate("e => getComputedStyle(e).touchAction") == "none"
    targets = pad.root.locator("button, select").evaluate_all(
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
    assert "The Transformer reads" in (image.get_attribute("alt") or "")
    assert plain.locator(f"{CONTAINER} details table tr").count() == 11
    context.close()
    pad = Pad(page).open(site + ADDRESS)
    page.emulate_media(media="print")
    expect(page.locator(f"{CONTAINER} figure img")).to_be_visible()
    expect(pad.root).to_be_hidden()
