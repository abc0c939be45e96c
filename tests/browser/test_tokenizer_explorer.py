"""The tokenizer explorer in the published page: no kernel, no other host, every number held against Python's."""

from __future__ import annotations

import functools
import random
import unicodedata

import pytest
from playwright.sync_api import Locator, Page, expect

from dlcompare import checkpoints
from dlcompare.style import readable
from dlcompare.tokenization import BPETokenizer

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage
from .looks import looks, widths

ROWS = ("characters", "words", "bytes", "bpe")
PIECES = (
    "My", " lord", " the", "To be", "KING.", "\n", "'s", "'ll", " ", "  ", "!?", "1606", "名字", "。", "é", "e\u0301",
    "🌹", "👩‍👩‍👧", "مرحبا", "<|end|>", "<|", "supercali", "ing", "aaaa", "\u200b", "\ufffd", "ß", "q", "…",
)  # fmt: skip
#: What every edition of Unicode knows.
ANYTHING = [chr(i) for i in range(0xA0, 0x20000) if unicodedata.category(chr(i)) not in {"Cn", "Cs", "Co"}]


def random_text() -> str:
    text = "".join(random.choices(PIECES, k=random.randint(2, 12)))
    return (text + "".join(random.choices(ANYTHING, k=4)))[:200]


@functools.cache
def bpe() -> BPETokenizer:
    tokenizer = checkpoints.load("shakespeare-gpt").tokenizer
    assert isinstance(tokenizer, BPETokenizer)
    return tokenizer


@functools.cache
def first_merges(n: int) -> BPETokenizer:
    return bpe().first_merges(n)


class Explorer(OnPage):
    """The explorer on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "tokenizer"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.field = self.control("text")
        self.tokens = self.root.locator("[data-grid=tokens] [role=option]")
        self.lines = self.root.locator("[data-grid=merges] [role=option]")

    def follow(self, link: str) -> Explorer:
        super().follow(link)
        #: The same in Python, which takes part in everything.
        self.twin = self.entry.begun(self.first_state())
        assert self.first_state()["tokenizers"]["bpe"] == bpe().to_page()
        return self

    def type(self, text: str) -> None:
        self.field.fill(text)
        self.twin.text = text

    def go(self, step: int) -> None:
        now = self.whole("step")
        super().go(step)
        if step != now:
            self.twin.cut, self.twin.step = "bpe", step

    def cut(self, row: str) -> None:
        self.root.locator(f"[data-row={row}]").click()
        self.twin.cut = "bpe" if row == "bytes" else row
        if row in ("bytes", "bpe"):
            self.twin.step = 0 if row == "bytes" else len(self.twin.merges)

    def data(self, elements: Locator, *names: str) -> list[tuple[int, ...]]:
        found: list[list[str]] = elements.evaluate_all(
            "(all, names) => all.map(e => names.map(name => e.dataset[name]))", list(names)
        )
        return [tuple(map(int, values)) for values in found]

    def selected(self, elements: Locator) -> list[int]:
        found: list[int] = elements.evaluate_all("all => all.flatMap((e, i) => (e.ariaSelected === 'true' ? [i] : []))")
        return found

    def pieces(self, step: int) -> list[bytes]:
        return first_merges(self.twin.merges[step - 1].rank + 1 if step else 0).pieces(self.twin.text)

    def shown_pieces(self) -> list[bytes]:
        """The bytes of each of the tokens that are shown."""
        twin = self.twin
        if twin.cut == "bpe":
            return self.pieces(twin.step)
        return [token.encode() for token in (twin.text if twin.cut == "characters" else twin._words.tokens(twin.text))]

    def check(self) -> None:
        """Hold everything that is shown against Python."""
        twin = self.twin
        expect(self.root).to_have_attribute("data-step", str(twin.step))
        expect(self.root).to_have_attribute("data-last", str(len(twin.merges)))
        rows = [self.root.locator(f"[data-row={row}]") for row in ROWS]
        assert [self.data(row, "count", "size", "unknown")[0] for row in rows] == [count[1:] for count in twin.counts]
        chosen = "bytes" if (twin.cut, twin.step) == ("bpe", 0) else twin.cut
        assert [row.get_attribute("aria-checked") for row in rows] == [str(row == chosen).lower() for row in ROWS]
        now = rows[3].locator(".dlc-tokenizer-now").get_attribute("data-value")
        partly = chosen == "bpe" and twin.step < len(twin.merges)
        assert now == (str(len(twin.ids)) if partly else None)

        ids = self.tokens.locator(".dlc-token-number").all_text_contents()
        assert ids == ["–" if i is None else str(i) for i in twin.ids]
        for shown, piece in zip(
            self.tokens.locator(".dlc-token-text").all_text_contents(), self.shown_pieces(), strict=True
        ):
            try:
                assert shown == readable(piece.decode())
            except UnicodeDecodeError:
                assert shown == piece.hex(" ").upper()
        merged = ("rank", "left", "right", "token", "places", "count")
        assert self.data(self.lines, *merged) == [
            (m.rank, m.left, m.right, m.token, m.places, m.count) for m in twin.merges
        ]
        assert self.selected(self.lines) == ([twin.step - 1] if twin.step else [])
        self.check_merge()
        self.check_detail()

    def check_merge(self) -> None:
        twin, panel = self.twin, self.root.locator(".dlc-tokenizer-present")
        after = self.pieces(twin.step)
        assert self.data(panel, "step", "count") == [(twin.step, len(after))]
        said = panel.locator(".dlc-tokenizer-sentence").text_content() or ""
        if twin.step == 0:
            assert f"{len(after)} bytes" in said
            return
        merge, before = twin.merges[twin.step - 1], self.pieces(twin.step - 1)
        assert f"Merge {merge.rank + 1} of the {len(twin._bpe.merges)}" in said
        assert f"{len(before)} tokens before, {len(after)} after" in said
        for word in panel.locator(".dlc-tokenizer-word").all():
            ids = [list(map(int, (word.get_attribute(f"data-{when}") or "").split())) for when in ("before", "after")]
            assert twin._bpe.decode(ids[0]) == twin._bpe.decode(ids[1])
            assert ids[1].count(merge.token) == len(ids[0]) - len(ids[1]) > 0
            word_text = twin._bpe.decode(ids[0])
            if "\ufffd" not in word_text:
                assert first_merges(merge.rank + 1).encode(word_text) == ids[1]
                assert first_merges(merge.rank).encode(word_text) == ids[0]

    def check_detail(self) -> None:
        twin, panel = self.twin, self.root.locator(".dlc-tokenizer-detail")
        ends, first, chosen = [], 0, None
        for index, piece in enumerate(self.shown_pieces()):
            if twin.at is not None and first <= twin.at < first + len(piece):
                chosen = (index, first, first + len(piece))
            first += len(piece)
            ends.append(first)
        assert self.selected(self.tokens) == ([] if chosen is None else [chosen[0]])
        if chosen is None:
            assert panel.locator(".dlc-tokenizer-character").count() == 0
            return
        _, start, end = chosen
        expected, at = [], 0
        for character in twin.text:
            content = character.encode()
            if at < end and at + len(content) > start:
                expected.append((ord(character), [(byte, start <= at + i < end) for i, byte in enumerate(content)]))
            at += len(content)
        found = panel.locator(".dlc-tokenizer-character").evaluate_all(
            "all => all.map(e => [Number(e.dataset.code), [...e.querySelectorAll('[data-value]')]"
            ".map(b => [Number(b.dataset.value), b.dataset.own !== undefined])])"
        )
        assert [(code, [tuple(byte) for byte in content]) for code, content in found] == expected


@pytest.fixture
def explorer(page: Page, site: str) -> Explorer:
    return Explorer(page).open(site)


def test_every_number_is_pythons(explorer: Explorer) -> None:
    explorer.check()
    for _ in range(4):
        explorer.type(text := random_text())
        print(repr(text))
        explorer.check()
        for row in random.sample(ROWS, 4):
            explorer.cut(row)
            explorer.check()
        last = len(explorer.twin.merges)
        for step in sorted(random.sample(range(last + 1), min(4, last + 1))):
            explorer.go(step)
            explorer.check()
        index = random.randrange(explorer.tokens.count())
        before = explorer.twin.at
        explorer.tokens.nth(index).click()
        start = sum(map(len, explorer.shown_pieces()[:index]))
        end = start + len(explorer.shown_pieces()[index])
        explorer.twin.at = None if before is not None and start <= before < end else start
        explorer.check()
    assert explorer.page.workers == [], "nothing has to be loaded"


def test_each_merge_in_turn(explorer: Explorer) -> None:
    explorer.type("the thing that the other hath")
    explorer.go(0)
    for step in range(len(explorer.twin.merges) + 1):
        explorer.go(step)
        explorer.check()
    expect(explorer.control("step")).to_have_attribute("aria-disabled", "true")
    assert explorer.twin.ids == explorer.twin._bpe.encode(explorer.twin.text)


def test_by_keys(explorer: Explorer) -> None:
    page, twin = explorer.page, explorer.twin
    explorer.root.locator("[data-row=bpe]").focus()
    page.keyboard.press("ArrowUp")
    twin.step = 0
    explorer.check()
    page.keyboard.press("ArrowLeft")
    twin.cut = "words"
    explorer.check()
    page.keyboard.press("End")
    twin.cut, twin.step = "bpe", len(twin.merges)
    explorer.check()
    explorer.lines.last.focus()
    for key, step in (("ArrowUp", -1), ("Home", None), ("ArrowDown", 1), ("End", 99), (",", -1), (".", 1)):
        page.keyboard.press(key)
        twin.step = 1 if step is None else min(len(twin.merges), twin.step + step)
        explorer.check()
    explorer.tokens.first.click()
    twin.at = 0
    page.keyboard.press("ArrowRight")
    twin.at = len(explorer.shown_pieces()[0])
    explorer.check()
    page.keyboard.press("Enter")
    twin.at = None
    explorer.check()
    page.keyboard.press("Space")
    twin.at = len(explorer.shown_pieces()[0])
    explorer.check()
    page.keyboard.press("r")
    explorer = explorer.follow(page.url)
    explorer.check()


def test_an_example_and_a_way_back(explorer: Explorer) -> None:
    first = explorer.twin.text
    option = explorer.control("example").locator("option").nth(2)
    explorer.control("example").select_option(option.get_attribute("value"))
    explorer.twin.text = explorer.field.input_value()
    assert explorer.twin.text != first
    explorer.check()
    explorer.control("undo").click()
    explorer.twin.text = first
    expect(explorer.field).to_have_value(first)
    explorer.twin.at = 18
    explorer.check()


def test_what_cannot_be_read_is_said_and_the_figure_stays(explorer: Explorer) -> None:
    note = explorer.note
    before = explorer.twin.text
    explorer.field.fill("")
    expect(note).to_contain_text("Type at least one character")
    explorer.check()
    explorer.field.evaluate("e => { e.value = 'a\\ud800'; e.dispatchEvent(new Event('input')) }")
    expect(note).to_contain_text("half of a character")
    explorer.check()
    explorer.field.blur()
    expect(explorer.field).to_have_value(before)
    expect(note).to_be_empty()
    explorer.type("<img src=x onerror=alert(1)>")
    explorer.check()
    assert explorer.root.locator("img").count() == 0
    explorer.field.fill("a" * 300)
    expect(note).to_contain_text("takes 200 characters")
    explorer.twin.text = "a" * 200
    explorer.check()


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    explorer = Explorer(page).open(site)
    explorer.type("the rose 字 & the thorn?")
    explorer.go(3)
    explorer.tokens.nth(2).click()
    explorer.twin.at = sum(map(len, explorer.shown_pieces()[:2]))
    explorer.check()
    link = explorer.share()
    other, _ = new_page()
    restored = Explorer(other).follow(link)
    restored.twin.text, restored.twin.step = explorer.twin.text, 3
    restored.twin.at = explorer.twin.at
    restored.check()


def test_each_row_stands_in_any_light_and_a_long_text_at_any_width(explorer: Explorer) -> None:
    explorer.go(5)
    for look, row in zip(looks(explorer.page), ("words", "bpe", "characters", "bpe"), strict=True):
        explorer.root.locator(f"[data-row={row}]").click()
        assert explorer.faults(look) == {}, look
    explorer.type("名字 🌹👩‍👩‍👧 the " * 4 + "w" * 80)
    for _ in widths(explorer.page):
        for row in ROWS:
            explorer.root.locator(f"[data-row={row}]").click()
            explorer.tokens.last.click()
            assert explorer.overflowing() == [], row


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    explorer = Explorer(page).open(site)
    explorer.root.locator("[data-row=words]").tap()
    explorer.twin.cut = "words"
    explorer.tokens.nth(1).tap()
    explorer.twin.at = len(explorer.shown_pieces()[0])
    explorer.check()
    explorer.lines.nth(-2).tap()
    explorer.twin.cut, explorer.twin.step = "bpe", len(explorer.twin.merges) - 1
    explorer.check()
