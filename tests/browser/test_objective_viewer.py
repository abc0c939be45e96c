"""The objective viewer in the published page: no kernel, no other host, every number held against torch."""

from __future__ import annotations

import functools
import random

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from dlcompare import checkpoints
from dlcompare.models import BERT, GPT
from dlcompare.style import readable
from dlcompare.training import IGNORED
from dlcompare.widgets import ObjectiveViewer

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number_if_any, numbers_if_any, within
from .looks import looks, widths

FIRST, SECOND = "My lord, I have a letter for your daughter.", "Then give it me, and I will read it."
SENTENCES = (
    "The king is dead, and his daughter weeps.",
    "Good night, good night!",
    "naïve 🎭 — ‘tis",
    "a\tb",
    "O",
    "To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer the slings and arrows",
)


@functools.cache
def torchs() -> ObjectiveViewer:
    torch.set_num_threads(1)
    gpt = checkpoints.load("shakespeare-gpt", expected=GPT)
    bert = checkpoints.load("shakespeare-bert", expected=BERT)
    return ObjectiveViewer(gpt, bert, FIRST, SECOND)


class Viewer(OnPage):
    """The viewer on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "objectives"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.twin = torchs()
        self.twin.set_state({"objective": "masked", "first": FIRST, "second": SECOND, "hidden": [1, 4]})
        self.twin.set_state({"follows": True, "place": 2})

    def follow(self, link: str) -> Viewer:
        super().follow(link).control("table").click()
        return self

    def chips(self, grid: str) -> Locator:
        return self.root.locator(f"[data-grid={grid}] [role=option]")

    def choose(self, objective: str) -> None:
        self.control("objective").select_option(objective)
        self.twin.objective = objective
        self.twin.place = self.twin._first_place()

    def type(self, name: str, sentence: str) -> None:
        self.control(name).fill(sentence)
        setattr(self.twin, name, sentence)

    def press(self, place: int) -> None:
        """Press a token of what is read."""
        self.chips("reads").nth(place).click()
        hidden, token = set(self.twin.hidden), place - 1
        if self.twin.objective == "masked" and 0 <= token < len(self.twin.row) - 2:
            self.twin.hidden = tuple(hidden ^ {token})
        self.twin.place = place

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        self.settle()
        twin, answers = self.twin, self.twin.answers
        following = twin.objective == "next"
        expect(self.root.locator("[data-objective]")).to_have_attribute("data-objective", twin.objective)
        expect(self.root.locator("[data-objective]")).to_have_attribute("data-place", str(twin.place))
        tokens = [readable(twin.name_of(token)) for token in twin.row]
        shown = self.chips("reads")
        assert shown.locator(".dlc-token-text").all_text_contents() == tokens
        sees = answers["sees"][twin.place].tolist()
        influence = answers["next_influence" if following else "influence"].tolist()
        assert numbers_if_any(shown) == near(
            [value if seen else None for value, seen in zip(influence, sees, strict=True)]
        )
        expect(shown.nth(twin.place)).to_have_attribute("aria-selected", "true")

        asked = [place for place, target in enumerate(twin.targets) if target != IGNORED]
        chips = self.chips("asks")
        assert numbers_if_any(chips) == near([answers["losses"][place].item() for place in asked])
        targets = [readable(twin.name_of(twin.targets[place])) for place in asked]
        assert chips.locator(".dlc-token-text").all_text_contents() == targets
        wanted = answers["next_loss" if following else "loss"].item() if following or asked else None
        assert number_if_any(self.root.locator("[data-readout=loss]")) == near(wanted)

        cells = self.root.locator("[data-grid=map] [role=gridcell]")
        seen = cells.evaluate_all("all => all.map(e => e.dataset.value === '1')")
        assert seen == answers["sees"].flatten().tolist()
        self.check_expected(answers["next" if following else "probabilities"])
        rows, table = self.root.locator(".dlc-table tbody tr"), twin.table().rows
        expect(rows).to_have_count(len(table))
        assert numbers_if_any(rows.locator("td")) == near([v for row in table for v in (None, *row[2:])])

    def check_expected(self, probabilities: Tensor) -> None:
        rows = self.root.locator("[data-grid=expected] li")
        found = rows.evaluate_all(
            "all => all.map(e => [Number(e.dataset.id), Number(e.querySelector('[data-value]').dataset.value)])"
        )
        twin = self.twin
        assert [value for _, value in found] == near([probabilities[i].item() for i, _ in found])
        marked = rows.and_(self.root.locator("[data-marked]"))
        if twin.objective == "next":
            assert [i for i, _ in found] == [0, 1]
            expect(marked).to_have_attribute("data-id", str(int(not twin.follows)))
            return
        assert [value for _, value in found[:8]] == near(probabilities.topk(8).values.tolist())
        target = twin.targets[twin.place]
        assert marked.count() == int(target != IGNORED)
        if target != IGNORED:
            expect(marked).to_have_attribute("data-id", str(target))
            rank = int((probabilities > probabilities[target]).sum()) + 1
            if rank > 8:
                expect(marked.locator(".dlc-bar-list-note")).to_have_text(f"asked for, place {rank}")


near = within(rel=1e-3, abs=2e-5)


@pytest.fixture
def viewer(page: Page, site: str) -> Viewer:
    return Viewer(page).open(site)


def test_every_objective_shows_torchs_numbers(viewer: Viewer) -> None:
    viewer.check()
    assert viewer.page.workers == [], "the first picture asks nothing"
    for objective in ("causal", "next", "masked"):
        viewer.choose(objective)
        viewer.check()
        for sentence in random.sample(SENTENCES, 3):
            viewer.type("first", sentence)
            if objective == "next":
                viewer.type("second", random.choice(SENTENCES))
                viewer.control("follows").select_option(label := random.choice(["follows", "not"]))
                viewer.twin.follows = label == "follows"
            viewer.press(random.randrange(len(viewer.twin.row)))
            viewer.check()
    expect(viewer.engine).to_have_attribute("data-answered-by", "page")


def test_tokens_are_hidden_and_shown_again(viewer: Viewer) -> None:
    for place in (1, 4, 1, 0, 13, 12):  # [CLS] and [SEP] cannot be hidden
        viewer.press(place)
        viewer.check()
    for place in range(1, 13):
        if place - 1 in viewer.twin.hidden:
            viewer.press(place)
    assert viewer.twin.hidden == ()
    viewer.check()
    expect(viewer.root.locator("[data-readout=loss]")).to_contain_text("Nothing is hidden")
    viewer.control("undo").click()
    viewer.twin.hidden = (11,)
    viewer.twin.place = 11 if viewer.twin.place != 12 else 12
    viewer.settle()
    assert viewer.chips("asks").count() == 1


def test_by_keys(viewer: Viewer) -> None:
    page = viewer.page
    viewer.chips("reads").nth(2).focus()
    for key, place in (("ArrowRight", 3), ("ArrowRight", 4), ("ArrowLeft", 3), ("End", 13), ("Home", 0)):
        page.keyboard.press(key)
        viewer.twin.place = place
        expect(viewer.chips("reads").nth(place)).to_be_focused()
        viewer.check()
        viewer.chips("reads").nth(place).focus()
    page.keyboard.press("ArrowRight")
    for key, hidden in (("Enter", (0, 1, 4)), ("Space", (1, 4))):
        page.keyboard.press(key)
        viewer.twin.hidden, viewer.twin.place = hidden, 1
        viewer.check()
        viewer.chips("reads").nth(1).focus()
    viewer.chips("asks").first.focus()
    for key, place in (("ArrowRight", 5), ("ArrowLeft", 2)):
        page.keyboard.press(key)
        viewer.twin.place = place
        viewer.check()
        viewer.chips("asks").nth(int(place == 5)).focus()
    viewer.root.locator("[data-grid=map] [tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    viewer.twin.place = 3
    viewer.check()
    viewer.root.locator("[data-grid=map] [tabindex='0']").focus()
    page.keyboard.press("End")
    expect(viewer.root.locator("[data-readout=map]")).to_contain_text("[SEP]")
    page.keyboard.press("r")
    viewer.twin.place = 2
    viewer.check()


def test_what_cannot_be_read_is_said_and_leaves_the_figure(viewer: Viewer) -> None:
    field, note = viewer.control("first"), viewer.note
    field.fill("")
    expect(note).to_have_text("Type at least one character. The figure keeps the last text.")
    viewer.check()
    field.blur()
    expect(field).to_have_value(FIRST)
    expect(note).to_have_text("")
    viewer.type("first", "<script>alert(1)</script> \u202e [MASK] <|end|>")
    viewer.check()
    field.fill("x" * 600)
    expect(note).to_contain_text("500 characters")


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    viewer = Viewer(page).open(site)
    viewer.type("first", "Where is my lord & father?")
    viewer.press(3)
    viewer.press(1)
    viewer.settle()
    link = viewer.share()
    state = {name: getattr(viewer.twin, name) for name in ("first", "hidden", "place")}
    other, _ = new_page()
    restored = Viewer(other)
    restored.twin.first = state["first"]
    restored.twin.hidden, restored.twin.place = state["hidden"], state["place"]
    restored.follow(link).check()


def test_each_objective_stands_in_any_light_and_at_any_width(viewer: Viewer) -> None:
    for objective in ("causal", "next"):
        viewer.choose(objective)
        viewer.settle()
        for look in looks(viewer.page):
            assert viewer.faults(look) == {}, (objective, look)
    viewer.page.emulate_media(color_scheme="light", forced_colors="none")
    for objective in ("masked", "causal", "next"):
        viewer.choose(objective)
        viewer.type("first", SENTENCES[-1])
        viewer.settle()
        for _ in widths(viewer.page):
            assert viewer.overflowing() == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    viewer = Viewer(page).open(site)
    viewer.chips("reads").nth(1).tap()
    viewer.twin.hidden, viewer.twin.place = (0, 1, 4), 1
    viewer.check()
    viewer.chips("asks").nth(2).tap()
    viewer.twin.place = 5
    viewer.check()
