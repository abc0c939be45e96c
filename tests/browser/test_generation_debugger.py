"""The generation debugger in the published page: no kernel, no other host, and every number held against torch."""

from __future__ import annotations

import functools
import random
import re
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from dlcompare import checkpoints
from dlcompare.models import GPT
from dlcompare.recording import record
from dlcompare.sampling import Sampler
from dlcompare.style import readable
from dlcompare.widgets import GenerationDebugger

from .conftest import NewPage
from .explorable import CLIPBOARD, LATE, PHONE, OnPage, number, numbers_if_any, read, series
from .looks import looks, widths

FATES = ("kept", "cut_by_top_k", "cut_by_top_p", "cut_by_greedy")


@functools.cache
def shakespeare() -> checkpoints.Checkpoint[GPT]:
    return checkpoints.load("shakespeare-gpt", expected=GPT)


def decode(ids: list[int]) -> str:
    return shakespeare().tokenizer.decode(ids)


def logits_after(ids: list[int]) -> Tensor:
    """The model's logits (seq, vocab_size) after each token, without a cache."""
    with torch.no_grad():
        return shakespeare().model(torch.tensor([ids]))[0]


class Debugger(OnPage):
    """The debugger on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "generation"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.bars = self.root.locator(".dlc-bar")
        self.chips = self.root.locator("[data-grid=text] [role=option]")
        self.nodes = self.root.locator("[data-grid=tree] [role=treeitem]")
        self.curve = self.root.locator("[data-scrub=vocabulary]")

    def readout(self, name: str) -> Locator:
        return self.root.locator(f"[data-readout={name}]")

    def write(self, prompt: str) -> None:
        self.control("prompt").fill(prompt)
        self.control("prompt").blur()
        self.settle()

    @property
    def ids(self) -> list[int]:
        """The tokens of the present text, from the tree."""
        path = self.root.locator("[data-grid=tree] [role=treeitem][data-on]")
        found = path.evaluate_all("all => all.map(e => [Number(e.dataset.place), Number(e.dataset.token)])")
        assert sorted(place for place, _ in found) == list(range(len(found)))
        return [token for _, token in sorted(found)]

    @property
    def origins(self) -> list[str]:
        return self.chips.evaluate_all("all => all.map(e => e.dataset.mark)")

    @property
    def sampler(self) -> Sampler:
        """The settings as they are shown."""
        shown = {
            name: self.root.locator(f"label:has([data-control={name}]) output").text_content() or ""
            for name in ("temperature", "topK", "topP")
        }
        top_k = None if shown["topK"] == "all" else int(shown["topK"])
        top_p = None if shown["topP"] == "all" else float(shown["topP"])
        greedy = self.control("greedy").is_checked()
        return Sampler(float(shown["temperature"]), top_k, top_p, greedy=greedy)

    @property
    def seed(self) -> int:
        return int(self.control("seed").input_value())

    def table(self) -> dict[str, list[Any]]:
        """The table of all tokens: their names, and the exact numbers in the columns."""
        details = self.root.locator(".dlc-table")
        if details.get_attribute("open") is None:
            # By key: the mouse may be on the curve, and when it leaves, the lines below it can move from under it.
            self.control("table").press("Enter")
        expect(details.locator("tbody tr")).to_have_count(1024)
        rows = details.locator("tbody tr").evaluate_all(
            "all => all.map(row => [row.querySelector('th').textContent,"
            " ...[...row.querySelectorAll('td')].map(cell => cell.dataset.value ?? cell.textContent)])"
        )
        names = ("token", "own", "tempered", "within_k", "p", "fate")
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        exact = {name: [float(value) for value in columns[name]] for name in names[1:-1]}
        return {"token": list(columns["token"]), "fate": list(columns["fate"]), **exact}

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        ids, sampler = self.ids, self.sampler
        logits = logits_after(ids)
        expected = {
            "own": logits[-1].softmax(-1),
            "tempered": Sampler(sampler.temperature).probabilities(logits[-1]),
            "within_k": Sampler(sampler.temperature, sampler.top_k).probabilities(logits[-1]),
            "p": sampler.probabilities(logits[-1]),
        }
        order = expected["own"].argsort(descending=True)
        table = self.table()
        assert len(table["token"]) == 1024
        for name, value in expected.items():
            # By rank: two tokens that are equally probable but for rounding may stand in either order.
            close(table[name], value[order], 1e-3)
        named = {readable(decode([i])) for i in order[:5].tolist()}
        assert named <= set(table["token"][:7])

        for bar in self.bars.all()[:5]:
            token = int(number(bar, "token"))
            for name in ("own", "p"):
                assert number(bar, name) == pytest.approx(expected[name][token].item(), abs=1e-3)
            cut = expected["p"][token] == 0
            assert (bar.get_attribute("data-fate") != "kept") == bool(cut)
            assert readable(decode([token])) in (bar.get_attribute("aria-label") or "")
        self.check_draw(expected["p"])
        self.check_text(ids, logits)
        self.check_cache(ids)
        for got, p in zip(series(self.readout("entropy")), (expected["own"], expected["p"]), strict=True):
            assert got == pytest.approx(-(p * p.clamp_min(1e-30).log2()).sum().item(), abs=5e-3)

    def check_draw(self, p: Tensor) -> None:
        draw = self.readout("draw")
        token, uniform = int(number(draw, "token")), number(draw, "uniform")
        widget = GenerationDebugger(shakespeare().model, shakespeare().tokenizer, seed=self.seed)
        assert uniform == widget.number(len(self.ids))
        if self.sampler.greedy:
            assert token == p.argmax()
        else:
            mass = p.double().cumsum(0)
            assert mass[token] - p[token] - 1e-3 <= uniform <= mass[token] + 1e-3
        assert p[token] > 0

    def check_text(self, ids: list[int], logits: Tensor) -> None:
        assert self.chips.all_text_contents() == [  # each with its number
            readable(decode([token])) + written
            for token, written in zip(ids, self.root.locator(".dlc-token-number").all_text_contents(), strict=True)
        ]
        shown = numbers_if_any(self.chips)
        assert shown[0] is None
        given = logits[:-1].softmax(-1)[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
        close(shown[1:], given, 1e-3)

    def check_cache(self, ids: list[int]) -> None:
        strip = self.root.locator("[data-scrub=cache]")
        sizes = self.root.locator(".dlc-cache-sizes")
        assert number(sizes, "tokens") == len(ids)
        assert number(sizes, "bytes") == len(ids) * 2 * 4 * 192 * 4
        names = [f"blocks.{i}.attention.softmax" for i in range(4)]
        with torch.no_grad(), record(shakespeare().model, *names) as seen:
            shakespeare().model(torch.tensor([ids]))
        weights = torch.stack([seen[name][0].mean(0)[-1] for name in names])  # (n_layer, seq)
        place = int(strip.get_attribute("aria-valuenow") or -1)
        close(series(self.readout("cache")), weights[:, place], 1e-3)


def close(got: list[float], expected: Tensor, bound: float) -> None:
    apart = (torch.tensor(got, dtype=torch.float64) - expected.double()).abs().max()
    assert apart <= bound, apart


@pytest.fixture
def debugger(page: Page, site: str) -> Debugger:
    return Debugger(page).open(site)


def test_the_first_picture_loads_nothing_that_computes(new_page: NewPage, site: str) -> None:
    page, watch = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    debugger = Debugger(page).open(site)
    expect(debugger.container.locator(".dlcompare-fallback")).to_be_hidden()
    debugger.check()
    assert [url for url in asked if re.search(r"onnx|worker|/graphs/", url)] == []
    watch.check()


def test_stepping_gives_torchs_numbers_under_any_settings(debugger: Debugger) -> None:
    lengths = {"temperature": 81, "topK": 26, "topP": 100}
    for _ in range(4):
        for name, count in lengths.items():
            debugger.slide(name, random.randrange(count))
        debugger.press("step")
        debugger.check()
    debugger.control("greedy").check()
    debugger.settle()
    debugger.press("step", "step")
    debugger.check()
    assert debugger.ids[-1] == logits_after(debugger.ids[:-1])[-1].argmax()


def test_any_prompt_is_read(debugger: Debugger) -> None:
    text = "".join(random.choices("abcdefghijklmnop .,'\nABCDE é🎭", k=40)).strip() + "x"
    debugger.write(text)
    assert debugger.ids == shakespeare().tokenizer.encode(text)
    debugger.check()
    expect(debugger.control("example")).to_have_value("")  # "your own"
    debugger.control("example").select_option("1")
    debugger.settle()
    assert debugger.control("prompt").input_value() == decode(debugger.ids)
    debugger.check()


def test_the_same_seed_prompt_and_settings_write_the_same_as_python(debugger: Debugger) -> None:
    seed = random.randrange(10_000)
    debugger.control("seed").fill(str(seed))
    debugger.slide("temperature", 40)  # 1
    debugger.slide("topK", 14)
    debugger.press("fast")
    sampler = debugger.sampler
    widget = GenerationDebugger(
        shakespeare().model,
        shakespeare().tokenizer,
        seed=seed,
        temperature=1.0,
        top_k=sampler.top_k,
        top_p=sampler.top_p,
    )
    widget.generate(50)
    assert debugger.ids == list(widget.ids)
    # And by single steps, with steps back between.
    debugger.press("reset")
    debugger.control("seed").fill(str(seed))
    debugger.slide("temperature", 40)
    debugger.slide("topK", 14)
    debugger.press("step", "step", "stepBack", "step", "stepBack", "stepBack", "step", "step", "step")
    assert debugger.ids == list(widget.ids[:9])


def test_up_to_the_full_context_it_is_exact_and_then_it_says_why_it_stops(debugger: Debugger) -> None:
    """How fast it is, `make bench-pages` says."""
    debugger.press("step", "fast")
    assert len(debugger.ids) == 57
    expect(debugger.note).to_contain_text("50 tokens in ")
    while debugger.control("fast").get_attribute("aria-disabled") is None:
        debugger.press("fast")
    assert len(debugger.ids) == 256
    expect(debugger.note).to_contain_text("The context is full: it holds 256 tokens.")
    expect(debugger.note).to_contain_text("every token would change its place")
    for name in ("step", "play"):
        expect(debugger.control(name)).to_have_attribute("aria-disabled", "true")
    debugger.check()
    debugger.press("stepBack")
    expect(debugger.note).to_have_text("")
    debugger.press("step")
    expect(debugger.note).to_contain_text("The context is full")


def test_a_bar_chooses_and_makes_a_branch(debugger: Debugger) -> None:
    debugger.press("step", "step")
    before, count = debugger.ids, debugger.nodes.count()
    debugger.press("stepBack")
    bar = debugger.bars.nth(7)
    token = int(number(bar, "token"))
    chance = number(bar, "p")
    assert token != before[-1]
    bar.click()
    debugger.settle()
    assert debugger.ids == [*before[:-1], token]
    assert debugger.nodes.count() == count + 1
    assert debugger.origins[-1] == "own"
    assert number(debugger.readout("text"), "chance") == pytest.approx(chance, abs=1e-6)
    debugger.check()
    expect(debugger.root.locator(".dlc-cache-work")).to_contain_text("computed 1 position")
    # The tree leads to the other branch, and there nothing is computed.
    debugger.nodes.locator("rect").nth(len(before) - 1).click()
    debugger.settle()
    assert debugger.ids == before
    expect(debugger.root.locator(".dlc-cache-work")).to_have_attribute("data-computed", "0")
    debugger.check()


def test_a_token_of_the_text_leads_back_to_its_place(debugger: Debugger) -> None:
    debugger.press("step", "step", "step")
    ids = debugger.ids
    debugger.chips.nth(7).click()
    readout = debugger.readout("text")
    assert number(readout, "place") == 7
    expected = logits_after(ids)[6].softmax(-1)[ids[7]].item()
    assert number(readout, "given") == pytest.approx(expected, abs=1e-4)
    assert debugger.ids == ids, "looking changes nothing"
    debugger.press("goOn")
    assert debugger.ids == ids[:8]
    debugger.check()
    # Into the prompt, too.
    debugger.chips.nth(2).click()
    debugger.press("goOn", "step")
    assert debugger.ids[:3] == ids[:3]
    assert len(debugger.ids) == 4
    debugger.check()


def test_another_seed_draws_other_tokens_and_the_first_one_the_same(debugger: Debugger) -> None:
    debugger.slide("temperature", 60)
    debugger.press("fast")
    text = debugger.ids
    debugger.chips.nth(6).click()
    debugger.press("goOn", "dice")
    assert debugger.seed == 1
    debugger.press("fast")
    assert debugger.ids[:7] == text[:7]
    assert debugger.ids != text
    debugger.chips.nth(6).click()
    debugger.press("goOn")
    debugger.control("seed").fill("0")
    debugger.press("fast")
    assert debugger.ids[: len(text)] == text


def test_the_curve_reaches_every_token(debugger: Debugger) -> None:
    page = debugger.page
    debugger.curve.focus()
    readout = debugger.readout("vocabulary")
    order = logits_after(debugger.ids)[-1].softmax(-1).sort(descending=True).values
    for key, rank in (("End", 1024), ("ArrowLeft", 1023), ("Home", 1), ("PageUp", 11), ("ArrowRight", 12)):
        page.keyboard.press(key)
        expect(debugger.curve).to_have_attribute("aria-valuenow", str(rank))
        assert number(readout, "own") == pytest.approx(order[rank - 1].item(), abs=1e-5)
    words = debugger.curve.get_attribute("aria-valuetext") or ""
    assert words.startswith("Rank 12: “")
    assert number(readout, "own") == pytest.approx(read(words)[1], rel=1e-6)
    token = int(number(readout, "token"))
    before = debugger.ids
    page.keyboard.press("Enter")
    debugger.settle()
    assert debugger.ids == [*before, token]
    # By mouse: on the right are the rarest, and the button takes the one that is pointed at.
    box = debugger.curve.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 20)
    rank = int(debugger.curve.get_attribute("aria-valuenow") or 0)
    assert rank > 990
    debugger.press("take")
    ranked = logits_after(debugger.ids[:-1])[-1].argsort(descending=True).tolist()
    assert abs(ranked.index(debugger.ids[-1]) - (rank - 1)) <= 1
    debugger.check()


def test_the_cuts_are_where_they_are_said_to_be(debugger: Debugger) -> None:
    debugger.slide("topK", 15)
    debugger.slide("topP", 79)
    sampler, logits = debugger.sampler, logits_after(debugger.ids)[-1]
    lines = debugger.root.locator(".dlc-curve-cut-names span")
    got = dict(lines.evaluate_all("all => all.map(e => [e.dataset.cut, Number(e.dataset.value)])"))
    kept = int((sampler.probabilities(logits) > 0).sum())
    assert got == {"cut_by_top_k": sampler.top_k, "cut_by_top_p": kept}
    fates = debugger.table()["fate"]
    assert fates == ["can be drawn"] * kept + ["cut by top-p"] * (sampler.top_k - kept) + ["cut by top-k"] * (
        1024 - sampler.top_k
    )
    debugger.control("greedy").check()
    debugger.settle()
    assert lines.evaluate_all("all => all.map(e => e.dataset.value)") == ["1"]
    expect(debugger.bars.nth(1)).to_contain_text("not the most probable")


def test_the_cache_is_walked_by_keys(debugger: Debugger) -> None:
    debugger.press("step", "step")
    debugger.root.locator("[data-scrub=cache]").focus()
    for key, place in (("Home", 0), ("ArrowRight", 1), ("End", 7), ("ArrowLeft", 6)):
        debugger.page.keyboard.press(key)
        expect(debugger.root.locator("[data-scrub=cache]")).to_have_attribute("aria-valuenow", str(place))
        debugger.check_cache(debugger.ids)


def test_the_keyboard_reaches_everything(debugger: Debugger) -> None:
    page = debugger.page
    debugger.press("step")
    debugger.control("example").focus()
    reached = []
    for _ in range(24):
        reached.append(
            page.evaluate(
                "() => { const e = document.activeElement; const grid = e.closest('[data-grid]');"
                "return e.dataset.control ?? e.dataset.scrub ?? (grid ? grid.dataset.grid : e.tagName) }"
            )
        )
        page.keyboard.press("Tab")
    actions = ["stepBack", "step", "play", "fast", "undo", "reset", "share", "keys"]
    settings = ["temperature", "topK", "topP", "greedy", "seed", "dice"]
    figure = ["text", "bars", "vocabulary", "take", "cache", "tree", "table"]
    expected = ["example", *actions, "prompt", *settings, *figure]
    # A part that scrolls is a stop of its own in some browsers.
    assert [name for name, after in zip(reached, [*reached[1:], ""], strict=True) if name != after][
        : len(expected)
    ] == expected


def test_arrow_keys_move_in_text_bars_and_tree(debugger: Debugger) -> None:
    page = debugger.page
    debugger.press("step", "step")
    ids = debugger.ids
    debugger.root.locator("[data-grid=text] [tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert number(debugger.readout("text"), "place") == 5
    page.keyboard.press("Enter")
    debugger.settle()
    assert debugger.ids == ids[:6]
    assert page.evaluate("document.activeElement.closest('[data-grid]').dataset.grid") == "text"
    page.keyboard.press("Backspace")
    debugger.settle()
    assert debugger.ids == ids[:5]

    debugger.root.locator("[data-grid=bars] [tabindex='0']").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    token = int(number(debugger.bars.nth(18), "token"))
    page.keyboard.press("Enter")
    debugger.settle()
    assert debugger.ids == [*ids[:5], token]

    debugger.root.locator("[data-grid=tree] [tabindex='0']").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    debugger.settle()
    assert debugger.ids == ids
    debugger.check()


def test_play_goes_on_until_it_is_paused(debugger: Debugger) -> None:
    play = debugger.control("play")
    play.click()
    expect(play).to_have_attribute("aria-label", "Pause")
    expect(debugger.root).to_have_attribute("data-tokens", re.compile(r"^(9|\d\d+)$"), timeout=LATE)  # or later
    play.click()
    expect(play).to_have_attribute("aria-label", "Play")
    debugger.settle()
    paused = len(debugger.ids)
    debugger.page.wait_for_timeout(700)
    assert len(debugger.ids) == paused
    debugger.check()
    play.click()
    expect(play).to_have_attribute("aria-label", "Pause")
    debugger.press("stepBack")
    expect(play).to_have_attribute("aria-label", "Play")
    debugger.check()


def test_with_reduced_motion_nothing_moves_by_itself(new_page: NewPage, site: str) -> None:
    page, _ = new_page(reduced_motion="reduce")
    debugger = Debugger(page).open(site)
    play = debugger.control("play")
    expect(play).to_have_attribute("aria-label", "Draw 10 tokens at once")
    play.click()
    expect(debugger.root).to_have_attribute("data-tokens", "16", timeout=LATE)
    debugger.settle()
    page.wait_for_timeout(700)
    assert len(debugger.ids) == 16
    moving = "all => all.flatMap(e => e.getAnimations()).length"
    assert debugger.root.locator("*").evaluate_all(moving) == 0


def test_reset_brings_back_the_first_state(debugger: Debugger) -> None:
    before = (debugger.ids, debugger.sampler, debugger.seed, debugger.control("prompt").input_value())
    debugger.write("My kingdom for a")
    debugger.slide("temperature", 70)
    debugger.slide("topK", 3)
    debugger.control("greedy").check()
    debugger.press("dice", "step", "fast")
    debugger.press("reset")
    after = (debugger.ids, debugger.sampler, debugger.seed, debugger.control("prompt").input_value())
    assert after == before
    assert debugger.nodes.count() == 6
    debugger.check()


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    debugger = Debugger(page).open(site)
    debugger.write("O, what + a & rogue?\n“#é”")
    debugger.slide("temperature", 55)
    debugger.slide("topK", 20)
    debugger.control("seed").fill("9007199254740991")
    debugger.press("step", "step")
    debugger.bars.nth(4).click()
    debugger.press("step")
    state = (debugger.ids, debugger.origins, debugger.sampler, debugger.seed)
    debugger.press("share")
    expect(debugger.note).to_have_text("The link to this state is copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url

    other, _ = new_page()
    restored = Debugger(other).follow(link)
    expect(restored.root).to_be_in_viewport()
    assert (restored.ids, restored.origins, restored.sampler, restored.seed) == state
    restored.check()
    debugger.press("step")
    restored.press("step")
    assert restored.ids == debugger.ids, "and goes on in the same way"


@pytest.mark.parametrize("parameters", ["prompt=" + "a" * 20_000, "prompt=%F0%9F&path=1024", "prompt=&path=3"])
def test_a_hostile_text_in_a_link_breaks_nothing(page: Page, site: str, parameters: str) -> None:
    debugger = Debugger(page).open(site, parameters)
    assert debugger.seed == 0
    assert debugger.sampler == Sampler(0.8, 50, 0.9)
    debugger.check()


HOSTILE = {
    "long": "a" * 10_000,
    "emoji": "🎭👩‍👩‍👧" * 3,
    "right to left": "שלום عليكم \u202e abc",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "control": "a\u0000b\u0007\tc",
    "spaces": " " * 30 + "\n\n\t",
    "braces": "{token} $& {0} \\u0041 %s",
}


def test_any_text_may_be_a_prompt(debugger: Debugger) -> None:
    field = debugger.control("prompt")
    for name, prompt in HOSTILE.items():
        debugger.press("reset")
        field.fill(prompt)
        ids = shakespeare().tokenizer.encode(field.input_value())
        if len(ids) >= 256:
            expect(debugger.note).to_contain_text(f"This prompt has {len(ids):,} tokens; the model reads at most 255")
            expect(field).to_have_attribute("aria-invalid", "true")
            field.blur()
            expect(field).to_have_value("To be, or not to")
        else:
            field.blur()
            debugger.settle()
            assert debugger.ids == ids, name
            debugger.press("step")
        debugger.check()
        assert debugger.root.locator("script, img").count() == 0, name


def test_what_cannot_be_read_is_refused_in_words(debugger: Debugger) -> None:
    field = debugger.control("prompt")
    for wrong, words in (("", "The prompt is empty"), ("\ud83d", "half a character")):
        field.evaluate("(e, text) => { e.value = text; e.dispatchEvent(new Event('input')) }", wrong)
        expect(debugger.note).to_contain_text(words)
        expect(field).to_have_attribute("aria-invalid", "true")
    field.focus()
    field.blur()
    expect(field).to_have_value("To be, or not to")
    seed = debugger.control("seed")
    for wrong in ("", "-1", "1.5", "9007199254740992", "seven"):
        seed.fill(wrong)
        expect(debugger.note).to_contain_text("A seed is a whole number from 0 to 9,007,199,254,740,991")
        expect(seed).to_have_attribute("aria-invalid", "true")
    seed.blur()
    expect(seed).to_have_value("0")
    expect(seed).not_to_have_attribute("aria-invalid", "true")
    debugger.check()


def test_nothing_runs_over_at_any_width(debugger: Debugger) -> None:
    for _ in widths(debugger.page):
        assert debugger.overflowing() == []
        debugger.slide("temperature", 80)
        debugger.press("fast")
        debugger.slide("temperature", 0)
        debugger.bars.nth(3).click()
        debugger.settle()
        assert debugger.overflowing() == []
        debugger.write("                                <|reply|><|user|> daughter brother nothing")
        assert debugger.overflowing() == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    debugger = Debugger(page).open(site)
    debugger.control("step").tap()
    debugger.settle()
    token = int(number(debugger.bars.nth(2), "token"))
    debugger.bars.nth(2).tap()
    debugger.settle()
    assert debugger.ids[-1] == token
    debugger.curve.scroll_into_view_if_needed()
    box = debugger.curve.bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    rank = int(debugger.curve.get_attribute("aria-valuenow") or 0)
    assert 10 < rank < 60
    debugger.control("take").tap()
    debugger.settle()
    debugger.chips.nth(3).tap()
    debugger.control("goOn").tap()
    debugger.settle()
    assert len(debugger.ids) == 4
    debugger.check()


def test_dark_mode_has_its_own_colours(new_page: NewPage, site: str) -> None:
    page, _ = new_page(color_scheme="dark")
    debugger = Debugger(page).open(site)
    expect(debugger.root).to_have_attribute("data-dlc-theme", "dark")
    colour = "e => getComputedStyle(e).backgroundColor"
    bar = debugger.root.locator(".dlc-bar-p").first
    dark = bar.evaluate(colour)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    expect(debugger.root).to_have_attribute("data-dlc-theme", "light")
    assert dark == "rgb(240, 138, 60)"
    assert bar.evaluate(colour) == "rgb(213, 94, 0)"
    debugger.check()


def test_what_changes_is_spoken(debugger: Debugger) -> None:
    debugger.press("step")
    spoken = debugger.root.locator("[role=status][aria-live=polite]")
    token = readable(decode(debugger.ids[-1:]))
    expect(spoken).to_contain_text(f"“{token}”, place 6, drawn, probability ")
    expect(spoken).to_contain_text("Next: Rank 1: “")


def test_a_branch_stands_in_any_light(debugger: Debugger) -> None:
    debugger.press("step", "stepBack")
    debugger.bars.nth(3).click()
    debugger.settle()
    for look in looks(debugger.page):
        assert debugger.faults(look) == {}, look
