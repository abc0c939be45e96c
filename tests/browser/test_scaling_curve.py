"""The scaling curve in the published page: no kernel, no other host, every number and place held against torch."""

from __future__ import annotations

import math
import random
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from dlcompare.style import short
from dlcompare.widgets import ScalingCurve
from dlcompare.widgets.scaling import SCALES

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number, series, within
from .looks import widths

#: What each mark says, and where its middle stands in the chart, as shares from the left and from below.
_MARKS = """all => all.map(e => {
  const [plot, box] = [e.closest('.dlc-scaling-plot').getBoundingClientRect(), e.getBoundingClientRect()];
  const d = e.dataset;
  return {
    index: Number(d.index), x: Number(d.x), bits: Number(d.value ?? d.own), out: d.out !== undefined,
    chosen: e.getAttribute('aria-selected') === 'true',
    left: (box.left + box.width / 2 - plot.left) / plot.width,
    up: (plot.bottom - box.top - box.height / 2) / plot.height,
  };
})"""
#: The ticks of one direction: what each stands for, and where.
_TICKS = """(all, [key, side]) => all.map(e => [Number(e.dataset[key]), parseFloat(e.style[side]) / 100])"""

near = within(rel=1e-5, abs=1e-7)


class Scaling(OnPage):
    """The explorable on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "scaling"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.twin = ScalingCurve()

    def mark(self, index: int) -> Locator:
        return self.root.locator(f"[role=gridcell][data-index='{index}']")

    def there(self) -> list[int]:
        return [i for of in self.twin.shown().values() for i in of]

    def choose(self, name: str, value: object) -> None:
        super().choose(name, value)
        setattr(self.twin, name, value)

    def toggled(self, index: int) -> None:
        """What pressing a point does, in the twin."""
        self.twin.left_out = sorted(set(self.twin.left_out) ^ {index})
        self.twin.point = index

    def toggle(self, index: int) -> None:
        """Leave a point out, or take it back, by keyboard."""
        self.mark(index).focus()
        self.page.keyboard.press("Enter")
        self.toggled(index)
        self.settle()

    def leave_largest(self) -> None:
        """Leave the largest point of each family out."""
        kept = [[i for i in of if i not in self.twin.left_out] for of in self.twin.shown().values()]
        largest = [of[-1] for of in kept if of]
        self.control("largest").click()
        self.twin.left_out = sorted([*self.twin.left_out, *largest])
        self.twin.point = largest[0]
        self.settle()

    def places(self) -> tuple[Any, Any]:
        """Where a value stands along each axis, by the ticks: functions from values to shares."""

        def between(ticks: list[list[float]]) -> Any:
            log = math.log if self.twin.scale == "log" else float
            (low, start), (high, end) = ticks[0], ticks[-1]
            assert high > low
            return lambda value: start + (log(value) - log(low)) / (log(high) - log(low)) * (end - start)

        ticks = [
            self.root.locator(f"[data-tick-{side}]").evaluate_all(_TICKS, [f"tick{side.upper()}", style])
            for side, style in (("x", "left"), ("y", "bottom"))
        ]
        return between(ticks[0]), between(ticks[1])

    def check(self) -> None:
        """Hold everything that is shown against Python and torch."""
        self.settle()
        self.check_marks()
        self.check_laws()
        self.check_lines()
        self.check_detail(self.twin.point)

    def check_marks(self) -> None:
        twin, (x_of, y_of) = self.twin, self.places()
        marks = self.root.locator("[role=gridcell]").evaluate_all(_MARKS)
        assert [mark["index"] for mark in marks] == self.there()
        assert len([mark for mark in marks if mark["chosen"]]) == 1
        seeds = [(p["x"], s["bits"]) for p in map(twin.points.__getitem__, self.there()) for s in p["seeds"]]
        faint = self.root.locator("[data-kind=seed]").evaluate_all(_MARKS)
        assert [(one["x"], one["bits"]) for one in faint] == seeds
        off = [spot for spot in twin.others[twin.over] if twin.family in ("both", spot["family"])]
        beaten = self.root.locator("[data-kind=beaten]").evaluate_all(_MARKS)
        assert [(one["x"], one["bits"]) for one in beaten] == [(spot["x"], spot["bits"]) for spot in off]
        for mark in marks:
            point = twin.points[mark["index"]]
            assert (mark["x"], mark["bits"]) == (point["x"], point["bits"])
            assert mark["chosen"] == (mark["index"] == twin.point)
            assert mark["out"] == (mark["index"] in twin.left_out)
        for one in (*marks, *faint, *beaten):
            assert one["left"] == pytest.approx(x_of(one["x"]), abs=5e-3)
            assert one["up"] == pytest.approx(y_of(one["bits"]), abs=6e-3)
            assert 0 < one["left"] < 1
            assert 0 < one["up"] < 1

    def check_laws(self) -> None:
        twin = self.twin
        fits = twin.fits
        assert self.root.locator("[data-law]").evaluate_all(
            "all => all.filter(e => !e.hidden).map(e => e.dataset.law)"
        ) == list(fits)
        lines = []
        for family, fit in fits.items():
            card = self.root.locator(f"[data-law={family}]")
            members = twin.shown()[family]
            kept = [i for i in members if i not in twin.left_out]
            assert number(card.locator("[data-count]"), "count") == len(kept)
            expect(card.locator("[data-count]")).to_have_text(f"{len(kept)} of {len(members)} points count.")
            law = card.locator(".dlc-scaling-law")
            if len(kept) < 3:
                expect(law).to_contain_text("Fewer than 3 points count")
                expect(card.locator("[data-value]")).to_have_count(0)
                continue
            numbers = [fit[key].item() for key in ("alpha", "alpha_low", "alpha_high")]
            assert series(law) == near(numbers)
            told = [short(value) for value in series(law)]
            expect(law).to_have_text(f"α = {told[0]}, with 95 % confidence between {told[1]} and {told[2]}.")
            tenfold = card.locator("[data-value]")
            assert number(tenfold) == near(fit["tenfold"].item())
            expect(tenfold).to_contain_text(f"by {short(number(tenfold))}.")
            for i in members:
                if i in twin.left_out:
                    place = members.index(i)
                    values = [fit[f"point_{key}"][place].item() for key in ("line", "new_low", "new_high")]
                    lines.append((i, [*values, twin.points[i]["bits"]]))
        verdicts = self.root.locator("[data-verdict]")
        assert verdicts.evaluate_all("all => all.map(e => Number(e.dataset.verdict))") == [i for i, _ in lines]
        for i, values in lines:
            verdict = self.root.locator(f"[data-verdict='{i}']")
            assert series(verdict) == near(values)
            line, low, high, bits = series(verdict)
            where = (
                "inside" if low <= bits <= high else "worse than foreseen" if bits > high else "better than foreseen"
            )
            expect(verdict).to_contain_text(f"Foreseen {short(line)} bits, a new point between {short(low)} and")
            expect(verdict).to_contain_text(f"measured {short(bits)}: {where}.")
        reference = self.root.locator(".is-reference [data-value]")
        assert number(reference) == twin.references[twin.over]
        expect(reference).to_contain_text(f"α = {twin.references[twin.over]:g}: ")

    def check_lines(self) -> None:
        """The paths of the lines, on their square of a thousand units, against what torch gives."""
        twin, (x_of, y_of) = self.twin, self.places()
        grid = twin.grids[twin.over]

        def spots(path: Locator) -> list[tuple[float, float]]:
            found = re.findall(r"[ML](-?[\d.]+),(-?[\d.]+)", path.get_attribute("d") or "")
            return [(float(x) / 1000, 1 - float(y) / 1000) for x, y in found]

        def spot(x: float, y: float) -> Any:
            return pytest.approx((x_of(x), max(-20, min(20, y_of(y)))), abs=4e-3)

        for place, (family, fit) in enumerate(twin.fits.items()):
            lines = self.root.locator(f"[data-line={family}]")
            members = twin.shown()[family]
            kept = [at for at, i in enumerate(members) if i not in twin.left_out]
            if place == 0:
                drawn = spots(self.root.locator(".dlc-scaling-reference"))
                assert len(drawn) == len(grid)
                for at in (0, -1):
                    assert drawn[at] == spot(grid[at], fit["reference_line"][at].item())
            if len(kept) < 3:
                expect(lines).to_have_count(0)
                continue
            expect(lines).to_have_count(3)
            before, after, fitted = (spots(line) for line in lines.all())
            first, last = ((twin.points[members[at]]["x"], fit["point_line"][at].item()) for at in (kept[0], kept[-1]))
            assert fitted[0] == before[-1] == spot(*first)
            assert fitted[-1] == after[0] == spot(*last)
            assert before[0] == spot(grid[0], fit["line"][0].item())
            assert after[-1] == spot(grid[-1], fit["line"][-1].item())
            for x, y, at in zip(grid, fit["line"].tolist(), range(len(grid)), strict=True):
                inside = first[0] < x < last[0]
                assert (spot(x, y) in fitted) or not inside, at
        out = [
            i for i in self.there() if i in twin.left_out and not twin.fits[twin.points[i]["family"]]["alpha"].isnan()
        ]
        foreseen = self.root.locator("[data-foreseen]")
        assert foreseen.evaluate_all("all => all.map(e => Number(e.dataset.foreseen))") == out
        for i in out:
            family = twin.points[i]["family"]
            at, fit = twin.shown()[family].index(i), twin.fits[family]
            ends = spots(self.root.locator(f"[data-foreseen='{i}']"))
            x = twin.points[i]["x"]
            assert ends == [spot(x, fit[f"point_{key}"][at].item()) for key in ("new_low", "new_high")]

    def check_detail(self, index: int) -> None:
        twin, panel = self.twin, self.root.locator(".dlc-scaling-detail")
        point = twin.points[index]
        expect(panel.locator(".dlc-scaling-name")).to_contain_text({"gpt": "GPT", "lstm": "LSTM"}[point["family"]])

        def part(name: str) -> Locator:
            return panel.locator(f"[data-part={name}]")

        for name in ("parameters", "characters", "steps", "tokens"):
            assert series(part(name)) == [point[name]]
            expect(part(name)).to_have_text(f"{point[name]:,}")
        for name in ("flops", "bits", "nats"):
            assert series(part(name)) == [point[name]]
            expect(part(name)).to_have_text(short(point[name]))
        assert series(part("rates")) == point["rates"]
        assert series(part("seeds")) == [seed["bits"] for seed in point["seeds"]]
        expect(part("seeds")).to_have_text(", ".join(short(seed["bits"]) for seed in point["seeds"]))
        fit, at = twin.fits[point["family"]], twin.shown()[point["family"]].index(index)
        if fit["alpha"].isnan():
            expect(part("line")).to_have_text("no line")
            expect(part("apart")).to_have_text("no line")
        else:
            assert series(part("line")) == near([fit[f"point_{k}"][at].item() for k in ("line", "new_low", "new_high")])
            assert series(part("apart")) == near([fit["apart"][at].item()])
            expect(part("apart")).to_have_text(short(series(part("apart"))[0]))
        expect(part("fit")).to_have_text("left out" if index in twin.left_out else "counts")


@pytest.fixture
def scaling(page: Page, site: str) -> Scaling:
    return Scaling(page).open(site)


def test_the_first_picture_is_pythons_and_asks_nothing(scaling: Scaling) -> None:
    scaling.check()
    for scale in SCALES:
        scaling.choose("scale", scale)
        scaling.check()
    assert scaling.page.workers == []


def test_any_points_left_out_give_torchs_fit(scaling: Scaling) -> None:
    for over in scaling.twin.overs:
        scaling.choose("over", over)
        scaling.choose("family", random.choice(scaling.twin.choices))
        scaling.choose("scale", random.choice(SCALES))
        scaling.check()
        for index in random.sample(scaling.there(), 3):
            scaling.toggle(index)
            scaling.check()
        scaling.toggle(random.choice(scaling.there()))
        scaling.check()
    assert len(scaling.page.workers) == 1


def test_the_largest_are_left_out_until_no_line_is_left(scaling: Scaling) -> None:
    most = max(len(of) for of in scaling.twin.shown().values())
    for _ in range(most):
        scaling.leave_largest()
        scaling.check()
    expect(scaling.control("largest")).to_have_attribute("aria-disabled", "true")
    scaling.page.keyboard.press("u")
    expect(scaling.control("largest")).not_to_have_attribute("aria-disabled", "true")
    scaling.page.keyboard.press("r")
    scaling.twin = ScalingCurve()
    scaling.check()


def test_keys_go_along_and_across_and_focus_shows_without_choosing(scaling: Scaling) -> None:
    page, twin = scaling.page, scaling.twin
    first, second = twin.shown().values()
    scaling.mark(twin.point).focus()
    for key, index in (
        ("Home", first[0]),
        ("ArrowRight", first[1]),
        ("ArrowDown", second[1]),
        ("ArrowLeft", second[0]),
        ("End", second[-1]),
        ("ArrowUp", first[-1]),
    ):
        page.keyboard.press(key)
        twin.point = index
        scaling.check_marks()
        scaling.check_detail(index)
        expect(scaling.mark(index)).to_be_focused()
    assert page.workers == [], "looking asks nothing"
    scaling.mark(second[0]).focus()
    scaling.check_marks()
    scaling.check_detail(second[0])
    page.keyboard.press("Space")
    scaling.toggled(second[0])
    scaling.check()


def test_a_hand_points_and_presses(scaling: Scaling) -> None:
    index = scaling.there()[1]
    box = scaling.mark(index).bounding_box()
    assert box
    scaling.page.mouse.move(box["x"] + 9, box["y"] + 4)
    scaling.check_detail(index)
    scaling.check_marks()
    for _ in range(2):
        scaling.page.mouse.click(box["x"] + 9, box["y"] + 4)
        scaling.toggled(index)
        scaling.check()
    assert scaling.twin.left_out == []


def test_the_table_has_all_that_is_shown(scaling: Scaling) -> None:
    scaling.toggle(scaling.there()[0])
    scaling.control("table").click()
    for over in scaling.twin.overs:
        scaling.choose("over", over)
        expected = scaling.twin.table().rows
        rows = scaling.root.locator(".dlc-table tbody tr")
        expect(rows).to_have_count(len(expected))
        found = rows.evaluate_all("all => all.map(r => [...r.cells].map(c => c.dataset.value ?? c.innerText))")
        for row, wanted in zip(found, expected, strict=True):
            assert row[:5] == wanted[:5]
            assert [float(value) for value in row[5:8]] == near(wanted[5:8])
            assert row[8] == wanted[8]


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    scaling = Scaling(page).open(site)
    scaling.choose("over", scaling.twin.overs[-1])
    scaling.choose("scale", "linear")
    scaling.leave_largest()
    link = scaling.share()
    other, _ = new_page()
    restored = Scaling(other)
    restored.twin = scaling.twin
    restored.follow(link).check()


def test_every_series_stands_at_any_width(scaling: Scaling) -> None:
    for _ in widths(scaling.page):
        for over in scaling.twin.overs:
            for scale in SCALES:
                scaling.choose("over", over)
                scaling.choose("scale", scale)
                scaling.leave_largest()
                scaling.check_marks()
                assert scaling.overflowing() == [], (over, scale)
        scaling.press("reset")
        scaling.twin = ScalingCurve()


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    scaling = Scaling(page).open(site)
    for index in random.sample(scaling.there(), 3):
        scaling.mark(index).scroll_into_view_if_needed()
        box = scaling.mark(index).bounding_box()
        assert box
        # A finger is not exact.
        page.touchscreen.tap(box["x"] + box["width"] / 2 + 3, box["y"] + box["height"] / 2 + 4)
        scaling.toggled(index)
        scaling.check()
