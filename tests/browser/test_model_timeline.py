"""The models in time in the published page: no kernel, no other host, every number and place held against Python."""

from __future__ import annotations

import itertools
import math
import random
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from dlcompare.history import LANES, Event, history
from dlcompare.widgets import ModelTimeline
from dlcompare.widgets.timeline import MEASURES, SCALES

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number
from .looks import widths

#: What each mark says, where it stands, and the ticks beside it.
_MARKS = """all => all.map(e => {
  const [plot, box] = [e.parentElement.getBoundingClientRect(), e.getBoundingClientRect()];
  const d = e.dataset;
  return {
    index: Number(d.index),
    lane: e.closest('[data-lane]').dataset.lane,
    later: d.later !== undefined,
    chosen: e.getAttribute('aria-selected') === 'true',
    numbers: [d.parameters, d.layers, d.width, d.when, d.value].map(Number),
    x: box.left + box.width / 2,
    y: box.top + box.height / 2,
    ticks: [...e.parentElement.querySelectorAll('[data-tick]')].map(t =>
      [Number(t.dataset.tick), t.getBoundingClientRect().bottom]),
    inside: box.left > plot.left && box.right < plot.right && box.top > plot.top,
  };
})"""


class Timeline(OnPage):
    """The timeline on a page: what a reader does with it, and what it shows."""

    name = "timeline"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.twin = ModelTimeline()

    def mark(self, index: int) -> Locator:
        return self.root.locator(f"[role=gridcell][data-index='{index}']")

    def choose(self, name: str, value: str) -> None:
        super().choose(name, value)
        setattr(self.twin, name, value)

    def check(self) -> None:
        """Hold everything that is shown against Python."""
        expect(self.root).to_have_attribute("data-step", str(self.twin.step))
        self.check_marks()
        self.check_detail(self.twin.model)

    def check_marks(self) -> None:
        twin = self.twin
        marks = self.root.locator("[role=gridcell]").evaluate_all(_MARKS)
        assert sorted(mark["index"] for mark in marks) == list(range(len(history())))
        for mark in marks:
            event = history()[mark["index"]]
            value = getattr(event, twin.measure)
            numbers = [event.parameters, event.layers, event.width, event.when, value]
            assert mark["numbers"] == pytest.approx(numbers, rel=1e-12)
            assert (mark["lane"], mark["inside"]) == (event.lane, True)
            assert (mark["chosen"], mark["later"]) == (mark["index"] == twin.step, mark["index"] > twin.step)
            # Its height, between the ticks beside it.
            (low, low_y), (high, high_y) = mark["ticks"][-2:]
            if twin.scale == "log":
                low, high, value = math.log(low), math.log(high), math.log(value)
            expected = low_y + (value - low) / (high - low) * (high_y - low_y)
            assert mark["y"] == pytest.approx(expected, abs=1.5), event.name
        # Time goes to the right, and years are equally long, but for where the axis is broken.
        spots = sorted({(history()[mark["index"]].when, round(mark["x"], 1)) for mark in marks})
        unbroken = [spot for spot in spots if spot[0] > 2012]
        (first, left), (last, right) = unbroken[0], unbroken[-1]
        for when, x in unbroken:
            assert x == pytest.approx(left + (when - first) / (last - first) * (right - left), abs=1)
        assert all(a[1] < b[1] for a, b in itertools.pairwise(spots))

    def check_detail(self, event: Event) -> None:
        panel = self.root.locator(".dlc-timeline-detail")
        expect(panel.locator(".dlc-timeline-name")).to_have_text(event.name)
        for part, value in (
            ("date", event.when),
            ("layers", event.layers),
            ("width", event.width),
            ("parameters", event.parameters),
        ):
            cell = panel.locator(f"[data-part={part}]")
            assert number(cell) == pytest.approx(value, rel=1e-12)
        assert panel.locator("[data-part=parameters]").inner_text() == f"{event.parameters:,}"
        assert panel.locator("[data-part=width]").inner_text().startswith(f"{event.width:,} ")
        date = panel.locator("[data-part=date]").inner_text()
        assert date == self.twin.date_of(event) + ("" if event.paper.month else "; the bibliography gives no month")
        assert panel.get_attribute("data-key") == event.paper.key
        written = panel.inner_text()
        assert event.paper.title in written
        assert f"{event.paper.authors} ({event.paper.year})" in written
        assert event.note in written


@pytest.fixture
def timeline(page: Page, site: str) -> Timeline:
    return Timeline(page).open(site)


def test_every_number_and_place_is_pythons(timeline: Timeline) -> None:
    timeline.check()
    lanes = timeline.root.locator("[data-lane]").evaluate_all("all => all.map(e => e.dataset.lane)")
    assert lanes == list(LANES)
    for measure, scale in itertools.product(MEASURES, SCALES):
        timeline.choose("measure", measure)
        timeline.choose("scale", scale)
        timeline.twin.step = random.randrange(1, len(history()))
        timeline.mark(timeline.twin.step).focus()
        timeline.page.keyboard.press("Enter")
        timeline.check()
    assert timeline.page.workers == [], "nothing has to be loaded"


def test_each_model_in_turn(timeline: Timeline) -> None:
    timeline.mark(len(history()) - 1).focus()
    timeline.page.keyboard.press("Home")
    for step, event in enumerate(history()):
        expect(timeline.root).to_have_attribute("data-step", str(step))
        timeline.check_detail(event)
        timeline.page.keyboard.press("ArrowRight")
    expect(timeline.control("step")).to_have_attribute("aria-disabled", "true")
    timeline.control("table").click()
    lines = timeline.root.locator(".dlc-table tbody tr")
    expect(lines).to_have_count(len(history()))
    rows = lines.evaluate_all("all => all.map(r => [...r.cells].map(c => c.innerText))")
    assert rows == [list(row) for row in timeline.twin.table().rows]


def test_keys_go_between_lanes_and_focus_shows_without_choosing(timeline: Timeline) -> None:
    events, page = history(), timeline.page
    timeline.mark(timeline.twin.step).focus()
    for key, lane in (
        ("ArrowUp", "transformer"),
        ("ArrowUp", "classic"),
        ("ArrowUp", "classic"),
        ("ArrowDown", "transformer"),
    ):
        page.keyboard.press(key)
        timeline.twin.step = timeline.whole("step")
        assert timeline.twin.model.lane == lane
        timeline.check()
    other = next(i for i, event in enumerate(events) if event.name == "AlexNet")
    timeline.mark(other).focus()
    timeline.check_marks()
    timeline.check_detail(events[other])
    expect(timeline.root.locator(".dlc-timeline-detail")).to_have_attribute("data-pointed", "")
    page.keyboard.press("Space")
    timeline.twin.step = other
    timeline.check()
    page.keyboard.press("r")
    timeline.twin.step = len(events) - 1
    expect(timeline.root).to_have_attribute("data-step", str(timeline.twin.step))


def test_a_hand_points_and_chooses(timeline: Timeline) -> None:
    index = next(i for i, event in enumerate(history()) if event.name == "Llama 7B")
    box = timeline.mark(index).bounding_box()
    assert box
    timeline.page.mouse.move(box["x"] + 12, box["y"] - 6)
    timeline.check_detail(history()[index])
    timeline.check_marks()
    timeline.page.mouse.move(5, 5)
    timeline.check()
    timeline.page.mouse.click(box["x"] + 12, box["y"] - 6)
    timeline.twin.step = index
    timeline.check()
    # Several in one place are chosen by turns.
    timeline.choose("measure", "layers")
    same = [i for i, event in enumerate(history()) if event.paper.key == "brown2020" and event.layers == 24]
    assert len(same) == 3
    box = timeline.mark(same[0]).bounding_box()
    assert box
    found = []
    for _ in same:
        timeline.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        found.append(timeline.whole("step"))
        timeline.page.wait_for_timeout(50)
    assert sorted(found) == same


def test_playing_goes_through_time(new_page: NewPage, site: str) -> None:
    page, _ = new_page()
    timeline = Timeline(page).open(site)
    timeline.control("play").click()
    first = re.compile("^[1-9]$")  # the first nine, for a busy machine may be late
    expect(timeline.root).to_have_attribute("data-step", first, timeout=10_000)
    reached = timeline.whole("step")
    expect(timeline.root).not_to_have_attribute("data-step", str(reached), timeout=10_000)
    timeline.control("play").click()
    expect(timeline.control("play")).to_have_attribute("aria-label", "Play")
    assert timeline.whole("step") > reached
    timeline.twin.step = timeline.whole("step")
    timeline.check()


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    timeline = Timeline(page).open(site)
    timeline.choose("measure", "width")
    timeline.choose("scale", "linear")
    timeline.control("stepBack").click()
    timeline.twin.step -= 1
    link = timeline.share()
    other, _ = new_page()
    restored = Timeline(other)
    restored.twin = timeline.twin
    restored.follow(link).check()


def test_every_measure_and_scale_stands_at_any_width(timeline: Timeline) -> None:
    for _ in widths(timeline.page):
        for measure, scale in itertools.product(MEASURES, SCALES):
            timeline.choose("measure", measure)
            timeline.choose("scale", scale)
            for step in (0, len(history()) - 1):
                timeline.mark(step).focus()
                timeline.page.keyboard.press("Enter")
                assert timeline.overflowing() == [], (measure, scale)


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    timeline = Timeline(page).open(site)
    for name in ("LeNet-5", "Llama 7B", "ViT-B/16"):
        index = next(i for i, event in enumerate(history()) if event.name == name)
        timeline.mark(index).scroll_into_view_if_needed()
        box = timeline.mark(index).bounding_box()
        assert box
        # A finger is not exact.
        page.touchscreen.tap(box["x"] + box["width"] / 2 + 4, box["y"] + box["height"] / 2 + 5)
        timeline.twin.step = index
        timeline.check()
