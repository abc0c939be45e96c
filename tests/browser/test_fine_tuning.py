"""Before and after fine-tuning in the published page: no kernel, no other host, every number held against torch."""

from __future__ import annotations

import functools
import random

import pytest
import torch
from playwright.sync_api import Page, expect

from dlcompare import checkpoints
from dlcompare.models import GPT
from dlcompare.style import readable
from dlcompare.widgets import FineTuning

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, numbers, numbers_if_any, within
from .looks import looks, widths

PROMPT = "What did you do last weekend?"
PROMPTS = ("Good morrow, my noble lord.", "naïve 🎭 —", "O", "I like music and movies, and " * 5, "<|user|>Hi<|end|>")


@functools.cache
def torchs() -> FineTuning:
    torch.set_num_threads(1)
    names = ("shakespeare-gpt", "dialogue-gpt-lora", "dialogue-gpt")
    return FineTuning(*(checkpoints.load(name, expected=GPT) for name in names), PROMPT)


class Tuned(OnPage):
    """The explorable on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "finetuning"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.twin = torchs()
        for name, value in {"prompt": PROMPT, "chat": False, "strength": 1.0, "step": 0}.items():
            setattr(self.twin, name, value)
        largest = max(range(18), key=lambda i: self.twin.changes[i]["full"]["relative"])
        self.twin.matrix = largest

    def follow(self, link: str) -> Tuned:
        super().follow(link).control("table").click()
        return self

    def type(self, prompt: str) -> None:
        self.control("prompt").fill(prompt)
        self.twin.prompt = prompt

    def read_as(self, way: str) -> None:
        self.control("chat").select_option(way)
        self.twin.chat = way == "chat"

    def tune(self, strength: float) -> None:
        self.slide("strength", strength)
        self.twin.strength = strength

    def go(self, step: int) -> None:
        while self.twin.step != step:
            forward = step > self.twin.step
            self.control("step" if forward else "stepBack").click()
            self.twin.step += 1 if forward else -1
        expect(self.root).to_have_attribute("data-step", str(step))

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        self.settle()
        twin, answers = self.twin, self.twin.answers
        ids = [readable(twin._tokenizer.decode([token])) for token in twin.ids]
        for place, whose in enumerate(("before", "after")):
            written = self.root.locator(f"[data-text={whose}]")
            assert written.locator(".dlc-finetuning-prompt bdi").all_text_contents() == ids
            tokens = written.locator(".dlc-finetuning-token")
            assert numbers(tokens, "id") == [outputs["top"][place, 0].item() for outputs in answers[:-1]]
            assert numbers(tokens) == near([outputs["p"][place, place, 0].item() for outputs in answers[:-1]])
            assert tokens.and_(self.root.locator("[data-written]")).count() == twin.step
            rows = self.root.locator(f"[data-grid=next-{whose}] li")
            outputs = answers[twin.step]
            assert numbers(rows, "id") == outputs["top"][place].tolist()
            expected = outputs["p"][:, place].T.flatten().tolist()
            assert numbers(rows.locator("[data-value]")) == near(expected)
        surprise = self.root.locator("[data-grid=surprise] [data-value]")
        assert numbers(surprise) == near(answers[0]["surprise"].tolist())
        assert numbers(self.root.locator("[data-readout=moved]")) == near([answers[0]["moved"].item()])
        rows = self.root.locator(".dlc-table tbody td")
        assert numbers_if_any(rows) == near([v for row in twin.table().rows for v in (None, *row[2:])])
        self.check_weights()

    def check_weights(self) -> None:
        changes, chosen = self.twin.changes, self.twin.changes[self.twin.matrix]
        cells = self.root.locator("[data-matrix]")
        order = numbers(cells, "matrix")
        assert sorted(order) == list(range(len(changes)))
        moved = [changes[int(i)][way]["relative"] for i in order for way in ("full", "lora")]
        assert numbers(cells.locator("[data-value]")) == near(moved)
        expect(self.root.locator("[aria-checked=true]")).to_have_attribute("data-matrix", str(self.twin.matrix))
        values = [v for pair in zip(chosen["full"]["values"], chosen["lora"]["values"], strict=True) for v in pair]
        assert numbers(self.root.locator("[data-grid=directions] [data-value]")) == near(values)
        for way in ("full", "lora"):
            line = self.root.locator(f"p[data-readout={way}]")
            assert numbers_if_any(line) == near([chosen[way]["share"]])
            if chosen[way]["trained"]:
                expect(line).to_contain_text(f"{chosen[way]['trained']:,} numbers")

    def check_recorded(self) -> None:
        recorded = self.twin.recorded
        for way in ("full", "lora"):
            points = self.root.locator(f"[data-way={way}] circle")
            pairs = zip(numbers(points, "step"), numbers(points), strict=True)
            assert [list(pair) for pair in pairs] == recorded["curves"][way]
        for name in ("before", "full", "lora", "scratch"):
            cells = self.root.locator(f".dlc-finetuning-results [data-row={name}] td")
            assert numbers_if_any(cells) == [row[name] for row in recorded["results"]]


near = within(rel=1e-3, abs=2e-5)


@pytest.fixture
def tuned(page: Page, site: str) -> Tuned:
    return Tuned(page).open(site)


def test_both_models_show_torchs_numbers(tuned: Tuned) -> None:
    tuned.check()
    tuned.check_recorded()
    assert tuned.page.workers == [], "the first picture asks nothing"
    for prompt in random.sample(PROMPTS, 3):
        tuned.type(prompt)
        tuned.read_as(random.choice(["plain", "chat"]))
        tuned.tune(random.choice([0.0, 0.35, 0.8, 1.0, 1.5]))
        tuned.go(random.randrange(13))
        tuned.check()
    expect(tuned.engine).to_have_attribute("data-answered-by", "page")


def test_at_strength_0_nothing_has_changed(tuned: Tuned) -> None:
    tuned.tune(0.0)
    tuned.check()
    before, after = (tuned.root.locator(f"[data-text={whose}]").text_content() for whose in ("before", "after"))
    assert before == after
    assert numbers(tuned.root.locator("[data-readout=moved]")) == [0]


def test_every_step_is_shown_without_asking_anew(tuned: Tuned) -> None:
    for step in (1, 2, 12, 11):
        tuned.go(step)
        tuned.check()
    assert tuned.page.workers == []
    tuned.control("stepBack").click()
    tuned.twin.step = 10
    tuned.root.locator("[data-matrix='3']").focus()
    for key, step in ((".", 11), (",", 10), ("r", 0)):
        tuned.page.keyboard.press(key)
        expect(tuned.root).to_have_attribute("data-step", str(step))
    tuned.page.emulate_media(reduced_motion="reduce")
    tuned.page.keyboard.press("p")
    tuned.twin.step = 12
    tuned.check()


def test_matrices_by_mouse_and_by_keys(tuned: Tuned) -> None:
    place = random.randrange(18)
    tuned.root.locator(f"[data-matrix='{place}']").click()
    tuned.twin.matrix = place
    tuned.check_weights()
    tuned.root.locator("[data-matrix='2']").click()
    # In the model's order: two embeddings, then four matrices of each layer.
    for key, to in (("ArrowRight", 6), ("ArrowDown", 7), ("End", 15), ("Home", 3), ("PageDown", 0), ("ArrowRight", 1)):
        tuned.page.keyboard.press(key)
        tuned.twin.matrix = to
        expect(tuned.root.locator(f"[data-matrix='{to}']")).to_be_focused()
        tuned.check_weights()
    expect(tuned.root.locator("p[data-readout=lora]")).to_have_text("LoRA: it stayed as it was.")


def test_what_cannot_be_read_is_said_and_leaves_the_figure(tuned: Tuned) -> None:
    field, note = tuned.control("prompt"), tuned.note
    field.fill("")
    expect(note).to_have_text("Type at least one character. The figure keeps the last text.")
    field.blur()
    expect(field).to_have_value(PROMPT)
    tuned.check()
    tuned.type("<script>alert(1)</script> \u202e")
    tuned.check()


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    tuned = Tuned(page).open(site)
    tuned.type("Where do you & I live?")
    tuned.tune(0.4)
    tuned.go(3)
    tuned.root.locator("[data-matrix='5']").click()
    tuned.settle()
    link = tuned.share()
    other, _ = new_page()
    restored = Tuned(other)
    restored.twin.prompt, restored.twin.strength = "Where do you & I live?", 0.4
    restored.twin.step, restored.twin.matrix = 3, 5
    restored.follow(link).check()


def test_what_is_written_stands_in_any_light_and_a_long_text_at_any_width(tuned: Tuned) -> None:
    tuned.go(3)
    for look in looks(tuned.page):
        assert tuned.faults(look) == {}, look
    tuned.type(PROMPTS[3])
    tuned.read_as("chat")
    tuned.settle()
    for _ in widths(tuned.page):
        assert tuned.overflowing() == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    tuned = Tuned(page).open(site)
    tuned.root.locator("[data-matrix='9']").tap()
    tuned.twin.matrix = 9
    tuned.control("step").tap()
    tuned.twin.step = 1
    tuned.check()
