"""The digit pad in the published page: drawn on by mouse, finger and keys, every number held against torch."""

from __future__ import annotations

import random

import pytest
import torch
from playwright.sync_api import Page, expect

from dlcompare import checkpoints
from dlcompare.models.costs import costs
from dlcompare.widgets.pixel_text import to_text

from .conftest import NewPage
from .explorable import CLIPBOARD, LATE, PHONE, OnPage, number, number_if_any, numbers

KINDS = ("mlp", "cnn", "lstm", "vit")
BLANK = to_text(torch.zeros(28, 28))


class Pad(OnPage):
    """The pad on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "digits"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.grid = self.root.locator("[data-grid=pad]")
        self.models = {kind: checkpoints.load(f"digits-{kind}").model for kind in KINDS}

    @property
    def image(self) -> torch.Tensor:
        """The pixels, as they stand in the cells: (28, 28)."""
        values = numbers(self.grid.locator("[role=gridcell]"))
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
            read[kind] = int(number(self.root.locator(f"[data-answer={kind}]")))
            assert [best for _, _, best in shown] == [digit == read[kind] for digit in range(10)]
            assert expected[read[kind]] > expected.max() - 1e-4
            said = self.root.locator(f"[data-answer={kind}]").inner_text()
            assert said == str(read[kind])
        return read

    def times(self) -> list[float | None]:
        return [number_if_any(self.root.locator(f"[data-time={kind}]")) for kind in KINDS]


@pytest.fixture
def pad(page: Page, site: str) -> Pad:
    return Pad(page).open(site)


def test_the_first_picture_asks_nothing_and_every_example_is_read_as_torch_reads_it(pad: Pad) -> None:
    pad.check()
    assert pad.page.workers == []
    assert pad.times() == [None] * 4
    for row, field in ((0, "parameters"), (1, "multiply_adds")):
        cells = pad.root.locator(f"tfoot tr:nth-child({row + 1}) td")
        expected = [getattr(costs(model, torch.zeros(1, 1, 28, 28))[""], field) for model in pad.models.values()]
        assert [int(number(cell)) for cell in cells.all()] == expected
    options = pad.control("example").locator("option").evaluate_all("all => all.map(o => o.value).filter(Boolean)")
    for value in random.sample(options[1:], 4):
        pad.control("example").select_option(value)
        pad.check()
    expect(pad.engine).to_have_attribute("data-answered-by", "page")
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


def test_a_shared_link_restores_the_drawing(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    pad = Pad(page).open(site)
    pad.draw((20, 3), (8, 24))
    link = pad.share()
    assert len(link) < 1200
    other, _ = new_page()
    restored = Pad(other).follow(link)
    assert torch.equal(restored.image, pad.image)
    restored.check()


def test_without_what_computes_one_can_go_on_drawing(new_page: NewPage, site: str) -> None:
    page, watch = new_page()
    page.route("**/graphs/*", lambda route: route.abort())
    pad = Pad(page).open(site)
    answers = numbers(pad.root.locator("[data-of]"))
    pad.control("clear").click()
    expect(pad.root.locator(".dlc-engine-failure")).not_to_be_empty(timeout=LATE)
    assert pad.image.sum() == 0
    page.mouse.click(*pad.at(10, 10))
    assert pad.image[10, 10] == 1
    assert numbers(pad.root.locator("[data-of]")) == answers
    page.unroute("**/graphs/*")
    pad.root.locator(".dlc-engine button").click()
    pad.check()
    watch.failed.clear()
    watch.complaints.clear()


def test_fingers_draw(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    pad = Pad(page).open(site)
    pad.control("clear").tap()
    page.touchscreen.tap(*pad.at(14, 9))
    pad.settle()
    assert pad.image[14, 9] == 1
    pad.check()
    # A finger that moves down draws, and does not scroll.
    assert pad.grid.evaluate("e => getComputedStyle(e).touchAction") == "none"
