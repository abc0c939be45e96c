"""The comparison lab in the published page: every number and place held against the records, as Python reads them."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from dlcompare import results
from dlcompare.comparison import FAMILIES, TASKS, Row, table
from dlcompare.style import short
from dlcompare.widgets import ComparisonLab
from dlcompare.widgets.comparison import SCALES
from dlcompare.widgets.comparison_rows import AXES

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number, series
from .looks import widths

#: Each mark's numbers and place; the ticks with theirs; where names lie; the lines to be beaten; single runs.
_PLOT = """plot => {
  const middle = e => { const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; };
  const box = e => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
  const all = selector => [...plot.querySelectorAll(selector)];
  const value = text => text === undefined ? null : Number(text);
  return {
    plot: box(plot),
    marks: all('[role=option]').map(e => ({
      family: e.dataset.key, quality: value(e.dataset.value), x: value(e.dataset.x), y: value(e.dataset.y),
      chosen: e.getAttribute('aria-selected') === 'true', at: middle(e), box: box(e),
    })),
    x: all('[data-tick-x]').map(e => [Number(e.dataset.tickX), middle(e)[0]]),
    y: all('[data-tick-y]').map(e => [Number(e.dataset.tickY), middle(e)[1]]),
    names: all('[data-name]').filter(e => e.checkVisibility()).map(e => [e.textContent, box(e)]),
    bars: all('.dlc-comparison-lines line').map(e => [Number(e.dataset.value), ...middle(e)]),
    runs: all('[data-of]').map(e =>
      [e.dataset.of, [...e.querySelectorAll('[data-seed]')].map(r => Number(r.dataset.value))]),
  };
}"""


def place(value: float, ticks: list[list[float]], log: bool) -> float:
    """Where a value must lie, between the ends of an axis's ticks."""
    (low, start), (high, end) = ticks[0], ticks[-1]
    share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    return start + share * (end - start)


def meet(one: list[float], other: list[float]) -> bool:
    return one[0] < other[2] - 1 and other[0] < one[2] - 1 and one[1] < other[3] - 1 and other[1] < one[3] - 1


class Lab(OnPage):
    """The lab on a page: what a reader does with it, and what it shows."""

    name = "comparison"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.twin = ComparisonLab()
        self.plot = self.root.locator(".dlc-comparison-plot")
        self.detail = self.root.locator(".dlc-comparison-detail")

    def choose(self, name: str, value: object) -> None:
        if self.control(name).count():
            super().choose(name, value)
            setattr(self.twin, name, value)

    def mark(self, family: str) -> Locator:
        return self.plot.locator(f"[role=option][data-key='{family}']")

    def option(self, family: str) -> Locator:
        return self.root.locator(f".dlc-comparison-ranking [data-key='{family}']")

    @property
    def rows(self) -> list[Row]:
        """The table by the comparison itself, not by the widget."""
        metric = TASKS[self.twin.task].metric
        return table(results.comparison(), self.twin.task, self.twin.budget, metric)

    def figures(self, row: Row) -> dict[str, float | None]:
        memory = None if row.peak_memory is None else row.peak_memory / 1e6
        costs = (row.parameters, row.flops, row.cpu_seconds, memory, row.examples)
        return dict(zip(AXES, (row.value.mean, *costs), strict=True))

    def check(self) -> None:
        """Hold everything that is shown against the records."""
        rows = self.rows
        assert self.twin.family in [row.family for row in rows]
        self.check_plot(rows)
        self.check_ranking(rows)
        self.check_detail(next(row for row in rows if row.family == self.twin.family))

    def check_plot(self, rows: list[Row]) -> None:
        twin = self.twin
        found: dict[str, Any] = self.plot.evaluate(_PLOT)
        assert [mark["family"] for mark in found["marks"]] == [row.family for row in rows]
        for mark, row in zip(found["marks"], rows, strict=True):
            figures = self.figures(row)
            assert mark["quality"] == pytest.approx(row.value.mean, rel=1e-12)
            assert mark["chosen"] == (row.family == twin.family)
            for key, at in (("x", mark["at"][0]), ("y", mark["at"][1])):
                axis = getattr(twin, key)
                log = axis != "quality" and twin.scale == "log"
                value = figures[axis]
                if value is None or (log and value <= 0):
                    assert mark[key] is None
                    first = found[key][0][1] if found[key] else math.inf
                    assert at < first if key == "x" else at > (first if found[key] else 0), "beside the axis"
                else:
                    assert mark[key] == pytest.approx(value, rel=1e-12)
                    ticks = found[key]
                    assert at == pytest.approx(place(value, ticks, log), abs=1.5), (row.family, axis)
            assert found["plot"][0] <= mark["box"][0]
            assert mark["box"][2] <= found["plot"][2]
        metric = TASKS[twin.task].metric.name
        assert dict(found["runs"]) == {row.family: [record.test[metric] for record in row.records] for row in rows}
        self.check_names(found)
        self.check_bars(found, rows)

    def check_names(self, found: dict[str, Any]) -> None:
        shorts = {family["name"]: family["short"] for family in self.twin.families}
        assert [name for name, _ in found["names"]] == [shorts[mark["family"]] for mark in found["marks"]]
        for (one, box), (other, its) in itertools.combinations(found["names"], 2):
            assert not meet(box, its), f"{one} lies on {other}"
        for name, box in found["names"]:
            assert found["plot"][0] <= box[0], name
            assert box[2] <= found["plot"][2] + 1, name
            for mark in found["marks"]:
                shrunk = [mark["box"][0] + 3, mark["box"][1] + 3, mark["box"][2] - 3, mark["box"][3] - 3]
                assert not meet(box, shrunk), f"{name} lies on the mark of {mark['family']}"

    def check_bars(self, found: dict[str, Any], rows: list[Row]) -> None:
        bar, expected = TASKS[self.twin.task].bar, []
        if bar and "quality" in (self.twin.x, self.twin.y):
            measured = [row.value.mean for row in rows if row.family == bar.family]
            expected = [*measured, *([] if bar.stated is None else [bar.stated])]
        assert [value for value, *_ in found["bars"]] == pytest.approx(expected)
        upright = self.twin.x == "quality"
        for value, x, y in found["bars"]:
            where = place(value, found["x" if upright else "y"], log=False)
            assert (x if upright else y) == pytest.approx(where, abs=1.5)
        words = self.plot.locator(".dlc-comparison-lines text").all_text_contents()
        assert [text.split()[-1] for text in words] == [short(value) for value in expected]

    def check_ranking(self, rows: list[Row]) -> None:
        options = self.root.locator(".dlc-comparison-ranking [role=option]")
        found = options.evaluate_all(
            "all => all.map(e => [e.dataset.key, Number(e.dataset.rank), Number(e.dataset.value), e.ariaSelected])"
        )
        chosen = self.twin.family
        assert found == [
            [row.family, row.rank, pytest.approx(row.value.mean, rel=1e-12), str(row.family == chosen).lower()]
            for row in rows
        ]
        for option, row in zip(options.all_inner_texts(), rows, strict=True):
            assert FAMILIES[row.family].title in option
            assert short(row.value.mean) in option
            if row.value.n > 1:
                assert f"{short(row.value.low)} – {short(row.value.high)}" in option

    def check_detail(self, row: Row) -> None:
        detail, record = self.detail, row.records[0]
        expect(detail).to_have_attribute("data-key", row.family)
        expect(detail.locator(".dlc-comparison-name")).to_have_text(FAMILIES[row.family].title)
        line = detail.locator(".dlc-comparison-rank-line").inner_text()
        assert line.startswith(f"Rank {row.rank} of {len(self.rows)}")
        assert [FAMILIES[name].title for name in row.better if FAMILIES[name].title not in line] == []
        for axis, value in self.figures(row).items():
            cell = detail.locator(f"dd[data-part={axis}]")
            if value is None:
                assert cell.get_attribute("data-value") is None
                assert cell.inner_text() in {"not counted", "not trained by gradients"}
            else:
                assert number(cell) == pytest.approx(value, rel=1e-12)
                assert short(value) in cell.inner_text() or f"{value:,.0f}" in cell.inner_text()
        metric = TASKS[row.records[0].task].metric.name
        quality = detail.locator("dd[data-part=quality]")
        assert series(quality) == [one.test[metric] for one in row.records]
        if row.value.n > 1:
            assert [number(quality, end) for end in ("low", "high")] == pytest.approx([row.value.low, row.value.high])
            assert f"{short(row.value.low)} to {short(row.value.high)}" in quality.inner_text()
        self.check_setup(row)
        for one in row.records:
            if not one.curve:
                expect(detail.locator("[data-part=curve] [role=img]")).to_be_hidden()
                continue
            shown = detail.locator(f"[data-part=curve] [data-seed='{one.seed}'] circle").evaluate_all(
                "all => all.map(e => [Number(e.dataset.step), Number(e.dataset.value)])"
            )
            assert shown == [[p.step, pytest.approx(p.validation, rel=5e-5)] for p in one.curve]
        assert record.device == "cpu" or "GPU" in detail.locator("dd[data-part=made]").inner_text()

    def check_setup(self, row: Row) -> None:
        record = row.records[0]
        told = record.configuration
        for part, value in (
            ("model", told.get("model")),
            ("width", told.get("width")),
            ("batch", told.get("batch_size")),
            ("rate", record.learning_rate),
            ("decay", told.get("weight_decay")),
            ("steps", ", ".join(map(str, dict.fromkeys(one.steps for one in row.records if one.steps))) or None),
        ):
            cell = self.detail.locator(f"[data-part=setup] dd[data-part={part}]")
            if value is None:
                expect(cell).to_have_count(0)
            else:
                assert cell.inner_text().replace(",", "") == str(value).replace(",", ""), part
        lines = self.detail.locator("[data-part=tried] tbody tr").evaluate_all(
            """all => all.map(r =>
              [Number(r.dataset.rate), Number(r.cells[1].dataset.value ?? NaN), 'chosen' in r.dataset])"""
        )
        rates = record.search.get("tried", record.search.get("grid", []))
        expected = [
            [
                rate,
                pytest.approx(math.nan if loss is None else loss, rel=5e-5, nan_ok=True),
                rate == record.learning_rate,
            ]
            for rate, loss in zip(rates, record.search.get("validation", []), strict=True)
        ]
        assert lines == expected


@pytest.fixture
def lab(page: Page, site: str) -> Lab:
    return Lab(page).open(site)


def cells(lab: Lab) -> list[tuple[str, str]]:
    return [(one["task"], one["budget"]) for one in lab.twin.tables]


def test_every_number_and_place_is_the_records(lab: Lab) -> None:
    lab.check()
    for task, budget in random.sample(cells(lab), min(6, len(cells(lab)))):
        lab.choose("task", task)
        lab.choose("budget", budget)
        lab.choose("x", random.choice([axis for axis in AXES if axis != lab.twin.x]))
        lab.choose("y", random.choice([axis for axis in AXES if axis != lab.twin.y]))
        lab.choose("scale", random.choice(SCALES))
        assert lab.control("x").input_value() == lab.twin.x, "chosen twice, they change places"
        assert lab.control("y").input_value() == lab.twin.y
        row = random.choice(lab.rows)
        lab.option(row.family).click()
        lab.twin.family = row.family
        lab.check()
    assert lab.page.workers == [], "nothing has to be loaded"


def test_the_table_and_the_reasons_are_pythons(lab: Lab) -> None:
    lab.control("table").click()
    for task in random.sample([one["name"] for one in lab.twin.tasks], min(3, len(lab.twin.tasks))):
        lab.choose("task", task)
        lines = lab.root.locator(".dlc-table tbody tr")
        expect(lines).to_have_count(len(lab.rows))
        found = lines.evaluate_all(
            """all => all.map(r => [...r.cells].map(c =>
              c.dataset.value === undefined ? c.innerText : Number(c.dataset.value)))"""
        )
        for line, row in zip(found, lab.rows, strict=True):
            known = math.isfinite(row.value.low)  # of a single run nothing is known, but for what no seed changes
            ends = [row.value.low, row.value.high] if known else ["–", "–"]
            costs = ["–" if value is None else value for value in list(lab.figures(row).values())[1:]]
            expected = [row.rank, row.value.mean, *ends, len(row.records), *costs]
            assert line[0] == FAMILIES[row.family].title
            assert line[1:] == [v if isinstance(v, str) else pytest.approx(v, rel=1e-12) for v in expected]
        heads = lab.root.locator(".dlc-table thead th").all_inner_texts()
        assert heads == list(lab.twin.table().columns)
        there = next(t for t in lab.twin.tables if (t["task"], t["budget"]) == (task, lab.twin.budget))
        missing = lab.root.locator(".dlc-comparison-missing")
        if not there["missing"]:
            expect(missing).to_be_hidden()
            continue
        if not missing.evaluate("e => e.open"):
            lab.control("missing").click()
        told = [f"{FAMILIES[one['family']].title}: {one['why']}" for one in there["missing"]]
        assert missing.locator("li").all_inner_texts() == told


def test_keys_go_to_every_mark_and_focus_shows_without_choosing(lab: Lab) -> None:
    page, families = lab.page, [row.family for row in lab.rows]
    lab.mark(lab.twin.family).focus()
    page.keyboard.press("End")
    lab.twin.family = families[-1]
    lab.check()
    reached = set()
    for key, count in (("ArrowLeft", len(families)), ("ArrowRight", len(families) - 1)):
        for _ in range(count):
            page.keyboard.press(key)
            reached.add(lab.plot.locator("[aria-selected=true]").get_attribute("data-key"))
    assert reached == set(families), "from left to right, all of them"
    lab.option(lab.plot.locator("[aria-selected=true]").get_attribute("data-key") or "").focus()
    page.keyboard.press("Home")
    for family in families:
        lab.twin.family = family
        lab.check()
        page.keyboard.press("ArrowDown")
    lab.mark(families[0]).focus()
    expect(lab.detail).to_have_attribute("data-pointed", "")
    lab.check_detail(lab.rows[0])
    expect(lab.option(families[-1])).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    lab.twin.family = families[0]
    lab.check()


def test_a_hand_points_and_chooses(lab: Lab) -> None:
    rows = lab.rows
    last = rows[-1].family
    box = lab.mark(last).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.page.mouse.move(x, y)
    lab.check_detail(rows[-1])
    expect(lab.mark(last)).to_have_attribute("data-pointed", "")
    lab.page.mouse.move(5, 5)
    lab.check()
    lab.page.mouse.click(x + 2, y - 2)
    lab.twin.family = last
    lab.check()
    # A name is its mark's.
    place = [row.family for row in rows].index(rows[0].family)
    lab.plot.locator(f"[data-name='{place}']").click()
    lab.twin.family = rows[0].family
    lab.check()


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    lab = Lab(page).open(site)
    task, budget = random.choice(cells(lab))
    for name, value in (("task", task), ("budget", budget), ("x", "memory"), ("scale", "linear")):
        lab.choose(name, value)
    lab.twin.family = lab.rows[-1].family
    lab.option(lab.twin.family).click()
    link = lab.share()
    other, _ = new_page()
    restored = Lab(other)
    restored.twin = lab.twin
    restored.follow(link).check()


def test_every_task_stands_at_any_width(lab: Lab) -> None:
    for width in widths(lab.page):
        for task, budget in random.sample(cells(lab), min(4, len(cells(lab)))):
            lab.choose("task", task)
            lab.choose("budget", budget)
            lab.choose("x", random.choice([axis for axis in AXES if axis != lab.twin.x]))
            assert lab.overflowing() == [], (width, task, budget)
            lab.check_plot(lab.rows)


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    lab = Lab(page).open(site)
    for row in random.sample(lab.rows, min(3, len(lab.rows))):
        lab.option(row.family).tap()
        lab.twin.family = row.family
        lab.check()
    lab.plot.scroll_into_view_if_needed()
    box = lab.mark(lab.rows[-1].family).bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert lab.plot.locator("[aria-selected=true]").get_attribute("data-key")
    lab.twin.family = lab.plot.locator("[aria-selected=true]").get_attribute("data-key") or ""
    lab.check()
