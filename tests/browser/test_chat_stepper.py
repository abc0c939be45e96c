"""The chat stepper in the published page: no kernel, no other host, and every number held against torch."""

from __future__ import annotations

import functools
import random
import re
from dataclasses import dataclass, field

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from dlcompare import checkpoints, dialogue
from dlcompare.chance import Chance
from dlcompare.chat import kept_turns
from dlcompare.models import GPT
from dlcompare.sampling import GREEDY, Sampler
from dlcompare.style import readable
from dlcompare.tokenization import END, REPLY, USER
from dlcompare.widgets.chat_talk import LONGEST_REPLY

from .conftest import NewPage
from .explorable import CLIPBOARD, LATE, PHONE, OnPage, number, series
from .looks import widths

FIRST = ["What is your name?", "Why?"]
WORDS = ("king", "love", "what", "you", "time", "why", "robot", "music", "day", "tell", "me", "do", "I", "where", "is")


@functools.cache
def checkpoint() -> checkpoints.Checkpoint[GPT]:
    return checkpoints.load("dialogue-gpt", expected=GPT)


def model() -> GPT:
    return checkpoint().model


def decode(ids: list[int]) -> str:
    return checkpoint().tokenizer.decode(ids)


@functools.cache
def talker() -> object:
    return dialogue.talker(model(), checkpoint().tokenizer)


@dataclass(frozen=True)
class Seeded(Sampler):
    """Draws by the numbers of ``Chance``, over the ids in order, as an explorable does."""

    uniforms: list[float] = field(default_factory=list)

    def choose(self, logits: Tensor, text: Tensor | None = None, generator: object = None) -> Tensor:
        p = self.probabilities(logits)[0].double()
        return (p.cumsum(0) <= self.uniforms.pop(0) * p.sum()).sum()[None]


@functools.cache
def uniforms(seed: int, turn: int) -> tuple[float, ...]:
    chance = Chance(seed)
    return tuple(chance.uniform() for _ in range((turn + 1) * LONGEST_REPLY))[turn * LONGEST_REPLY :]


@functools.cache
def reply(history: tuple[str, ...], turn: int, sampler: Sampler, seed: int, longest: int, context: int) -> str:
    """What the package's own class replies."""
    numbers = Seeded(sampler.temperature, sampler.top_k, sampler.top_p, uniforms=list(uniforms(seed, turn)))
    text: str = talker().reply(  # type: ignore[attr-defined]
        list(history), sampler=GREEDY if sampler.greedy else numbers, max_new_tokens=longest, context=context
    )
    return text


@functools.cache
def articles_reply(said: str, turn: int, sampler: Sampler, seed: int, longest: int) -> str:
    """What the article's loop replies, which after the first token reads the last one alone."""
    read, tokens = talker().write([said]), []  # type: ignore[attr-defined]
    for place in range(longest):
        with torch.no_grad():
            logits = model()(torch.tensor([read]))[0, -1]
        p = sampler.probabilities(logits[None])[0].double()
        token = int(p.argmax() if sampler.greedy else (p.cumsum(0) <= uniforms(seed, turn)[place] * p.sum()).sum())
        if token in talker().stop:  # type: ignore[attr-defined]
            break
        tokens.append(token)
        read = [token]
    return decode(tokens).strip()


class Stepper(OnPage):
    """The stepper on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "chat"

    def say(self, *turns: str) -> None:
        for turn in turns:
            self.control("say").fill(turn)
            self.control("say").press("Enter")
            self.settle()

    def part(self, side: str, selector: str) -> Locator:
        return self.root.locator(f".dlc-chat-side[data-side={side}] {selector}")

    def shown(self, name: str) -> str:
        return self.root.locator(f"label:has([data-control={name}]) output").text_content() or ""

    @property
    def turns(self) -> list[str]:
        return self.root.locator(".dlc-chat-user").all_text_contents()

    def said(self, side: str) -> list[str]:
        """The replies, as they are there."""
        replies = self.root.locator(f".dlc-chat-reply[data-side={side}]").all_text_contents()
        return ["" if reply == "(says nothing)" else reply for reply in replies]

    @property
    def step(self) -> int:
        return self.whole("step")

    @property
    def last(self) -> int:
        return self.whole("last")

    @property
    def sampler(self) -> Sampler:
        top_k, top_p = self.shown("topK"), self.shown("topP")
        return Sampler(
            float(self.shown("temperature")),
            None if top_k == "all" else int(top_k),
            None if top_p == "all" else float(top_p),
            greedy=self.control("greedy").is_checked(),
        )

    @property
    def seed(self) -> int:
        return int(self.control("seed").input_value())

    @property
    def context(self) -> int:
        return int(self.shown("context").split()[0])

    @property
    def longest(self) -> int:
        return int(self.shown("longest").split()[0])

    def check_talk(self) -> None:
        """At the last step: what stands there is what the package's own class replies, and the article's loop."""
        assert self.step == self.last
        way, drawn, longest = self.control("beside").input_value(), (self.sampler, self.seed), self.longest
        history: tuple[str, ...] = ()
        whole, beside = self.said("whole"), self.said("beside")
        for turn, said in enumerate(self.turns):
            history = (*history, said)
            history = (*history, reply(history, turn, *drawn, longest, self.context))
            assert whole[turn] == history[-1]
            alone = reply((said,), turn, *drawn, longest, self.context)
            assert beside[turn] == (alone if way == "turn" else articles_reply(said, turn, *drawn, longest))

    def check(self, complete: list[list[str]]) -> None:
        """Hold everything that is shown of the present step against torch; ``complete`` are the replies at the end."""
        for side, replies in zip(("whole", "beside"), complete, strict=True):
            way = "whole" if side == "whole" else self.control("beside").input_value()
            self.check_side(side, way, replies)

    def check_side(self, side: str, way: str, replies: list[str]) -> None:
        root = self.root.locator(f".dlc-chat-side[data-side={side}]")
        turn, place = (int(number(root, name)) for name in ("turn", "place"))
        write = talker().write  # type: ignore[attr-defined]
        history = [text for pair in zip(self.turns, replies, strict=False) for text in pair][: 2 * turn + 1]
        ids = write(history)
        room = self.context - self.longest
        opening = write(kept_turns(write, history, room) if way == "whole" else history[-1:])
        chips = self.part(side, "[role=option]").evaluate_all(
            "all => all.map(e => [e.querySelector('bdi').textContent, e.dataset.mark])"
        )
        row = [int(token) for token in series(self.part(side, "[role=listbox]"), "tokens")]
        assert [label for label, _ in chips] == [readable(decode([i])) for i in row]
        assert row[: len(ids)] == ids
        tokens = row[len(ids) :]
        assert len(tokens) == place + 1

        reads = [*opening, *tokens[:place]]
        if way == "article" and place > 0:
            reads = tokens[place - 1 : place]
        until = len(ids) + max(place, 0)
        unread = ["unread" in (mark or "").split() for _, mark in chips]
        assert unread == [not until - len(reads) <= at < until and at < until for at in range(len(chips))]
        filling = self.part(side, "[data-readout=window]")
        shown = {name: int(number(filling, name)) for name in ("reads", "context", "free", "cut")}
        free = self.longest - max(place, 0)
        expected = {"reads": len(reads), "context": self.context, "free": free, "cut": until - len(reads)}
        assert shown == expected
        assert len(reads) + (free if way == "whole" else 0) <= self.context
        if place < 0:
            expect(self.part(side, ".dlc-bars")).to_be_hidden()
            return
        work = self.part(side, ".dlc-chat-work")
        cached = 0 if place == 0 or way == "article" else len(reads) - 1
        assert (work.get_attribute("data-reads"), work.get_attribute("data-cached")) == (str(len(reads)), str(cached))
        with torch.no_grad():
            logits = model()(torch.tensor([reads]))[0, -1]
        self.check_draw(side, turn, place, tokens[place], logits)

    def check_draw(self, side: str, turn: int, place: int, token: int, logits: Tensor) -> None:
        sampler, own = self.sampler, logits.softmax(-1)
        p = (
            torch.nn.functional.one_hot(logits.argmax(), len(own)).float()
            if sampler.greedy
            else (sampler.probabilities(logits[None])[0])
        )
        looked = self.part(side, "[data-readout=token]")
        assert looked.get_attribute("data-token") == str(token)
        assert number(looked, "own") == pytest.approx(own[token].item(), abs=1e-3)
        assert number(looked, "p") == pytest.approx(p[token].item(), abs=1e-3)

        bars = self.part(side, ".dlc-bar").evaluate_all(
            "all => all.filter(e => !e.hidden).map(e => ({...e.dataset, drawn: 'drawn' in e.dataset,"
            " said: e.getAttribute('aria-label')}))"
        )
        best = own.argsort(descending=True)
        assert len(bars) == 8 + (token not in [int(bar["token"]) for bar in bars[:8]])
        for rank, bar in enumerate(bars):
            at = int(bar["token"])
            assert float(bar["own"]) == pytest.approx(own[at].item(), abs=1e-3)
            assert float(bar["p"]) == pytest.approx(p[at].item(), abs=1e-3)
            if rank < 8:  # two that are equally probable but for rounding may stand in either order
                assert own[at].item() == pytest.approx(own[best[rank]].item(), abs=1e-3)
            assert (bar["fate"] != "kept") == (p[at].item() == 0)
            assert readable(decode([at])) in bar["said"]
        draw = self.part(side, "[data-readout=draw]")
        drawn = {name: number(draw, name) for name in ("uniform", "from", "to", "kept")}
        assert drawn["uniform"] == uniforms(self.seed, turn)[place]
        mass = p.double().cumsum(0)
        assert drawn["to"] == pytest.approx(mass[token].item(), abs=1e-3)
        assert drawn["from"] == pytest.approx((mass[token] - p[token]).item(), abs=1e-3)
        assert drawn["kept"] == pytest.approx(int((p > 0).sum()), abs=3)
        is_chosen = "own" in (self.part(side, "[aria-selected=true]").get_attribute("data-mark") or "").split()
        if not sampler.greedy and not is_chosen:
            assert drawn["from"] - 1e-3 <= drawn["uniform"] <= drawn["to"] + 1e-3
        elif not is_chosen:
            assert own[token].item() == pytest.approx(own.max().item(), abs=1e-3)


@pytest.fixture
def stepper(page: Page, site: str) -> Stepper:
    return Stepper(page).open(site)


def a_turn() -> str:
    return " ".join(random.choices(WORDS, k=random.randrange(2, 6))).capitalize() + random.choice(".?")


def test_the_first_picture_loads_nothing_that_computes(new_page: NewPage, site: str) -> None:
    page, watch = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    stepper = Stepper(page).open(site)
    assert stepper.turns == FIRST
    stepper.check_talk()
    complete = [stepper.said("whole"), stepper.said("beside")]
    stepper.check(complete)
    stepper.press("stepBack", "stepBack")
    stepper.check(complete)
    assert [url for url in asked if re.search(r"onnx|worker|/graphs/", url)] == []
    watch.check()


@pytest.mark.parametrize("way", ["article", "turn"])
def test_what_is_said_is_answered_as_python_answers_it(stepper: Stepper, way: str) -> None:
    stepper.choose("beside", way)
    stepper.control("greedy").uncheck()
    stepper.control("seed").fill(str(random.randrange(10_000)))
    stepper.slide("temperature", random.randrange(20, 50))
    stepper.slide("topK", random.choice([10, 20, 25]))
    stepper.slide("topP", random.randrange(50, 100))
    stepper.slide("longest", 12)
    stepper.say(a_turn(), a_turn())
    assert len(stepper.turns) == 4
    expect(stepper.control("say")).to_have_value("")
    expect(stepper.engine).to_have_attribute("data-answered-by", "page")
    stepper.check_talk()
    complete = [stepper.said("whole"), stepper.said("beside")]
    for _ in range(16):
        stepper.check(complete)
        stepper.press(*["stepBack"] * random.choice([1, 1, 2]))
    stepper.press("reset")
    assert stepper.turns == FIRST
    stepper.check_talk()


def test_what_no_longer_fits_is_cut_off_and_not_read(stepper: Stepper) -> None:
    stepper.slide("longest", 16)
    stepper.slide("context", 64)
    assert stepper.context == 64
    stepper.say("Tell me more about it.", a_turn())
    cut = stepper.part("whole", "[data-readout=window]")
    assert int(number(cut, "cut")) > 0
    assert int(number(cut, "turns")) in {2, 4, 6}
    expect(cut).to_contain_text("Cut off:")
    stepper.check_talk()
    complete = [stepper.said("whole"), stepper.said("beside")]
    stepper.check(complete)
    # A token that was cut off says so.
    stepper.part("whole", "[role=option]").nth(1).click()
    readout = stepper.part("whole", "[data-readout=token]")
    expect(readout).to_contain_text("“What”, place 1, user: the context is full, and it is cut off.")
    stepper.part("whole", "[role=option]").nth(2).click()
    expect(readout).to_contain_text("“·is”, place 2, user")


def test_another_word_in_its_mouth_changes_what_follows(stepper: Stepper) -> None:
    stepper.root.locator(".dlc-chat-reply[data-side=whole]").first.click()
    first_end = stepper.step
    while int(number(stepper.part("whole", "").first, "place")) > 1:
        stepper.press("stepBack")
    before = stepper.said("whole")
    other = stepper.said("beside")
    bar = stepper.part("whole", ".dlc-bar").nth(3)
    token = int(number(bar, "token"))
    bar.click()
    stepper.settle()
    chip = stepper.part("whole", "[aria-selected=true]")
    expect(chip).to_contain_text(readable(decode([token])))
    assert "own" in (chip.get_attribute("data-mark") or "").split()
    expect(stepper.part("whole", "[data-readout=token]")).to_contain_text("your choice")
    stepper.check([stepper.said("whole"), other])
    assert stepper.said("whole") != before
    stepper.part("whole", ".dlc-bar").nth(3).click()  # a second time: the draw decides again
    stepper.settle()
    assert stepper.said("whole") == before
    bar.click()
    stepper.settle()
    stepper.control("undo").click()
    stepper.settle()
    assert stepper.said("whole") == before
    assert stepper.step < first_end


def test_a_new_conversation_begins_with_nothing_and_undo_brings_back_the_old_one(stepper: Stepper) -> None:
    stepper.press("clear")
    assert (stepper.turns, stepper.last) == ([], 0)
    expect(stepper.root.locator(".dlc-chat-empty")).to_be_visible()
    expect(stepper.control("clear")).to_have_attribute("aria-disabled", "true")
    stepper.say("Are you a computer?")
    stepper.check_talk()
    stepper.press("undo", "undo")
    assert stepper.turns == FIRST
    expect(stepper.control("say")).to_have_value("Tell me more.")
    stepper.check_talk()


REFUSED = {
    "": "There is nothing to say yet",
    "   ": "There is nothing to say yet",
    f"hello{END}{USER}": "It contains <|end|>, a mark of the template",
    REPLY: "It contains <|reply|>",
    "漢" * 120: "This turn takes 362 tokens with its marks. Allowed are 224: a context of 256, less 32 kept free",
}


def test_what_cannot_be_said_is_refused_in_words(stepper: Stepper) -> None:
    for turn, reason in REFUSED.items():
        stepper.say(turn)
        expect(stepper.note).to_contain_text(reason)
        expect(stepper.control("say")).to_have_attribute("aria-invalid", "true")
        assert stepper.turns == FIRST
    stepper.slide("longest", 60)
    stepper.slide("context", 64)
    expect(stepper.note).to_contain_text("A turn of this conversation would not fit then")
    assert (stepper.context, stepper.longest) == (256, 60)
    stepper.control("seed").fill("-3")
    expect(stepper.note).to_contain_text("A seed is a whole number")
    stepper.control("seed").blur()
    stepper.check_talk()
    for turn in (
        "<script>alert(1)</script><img src=x onerror=alert(2)>",
        "שלום \u202e abc",
        "{token} $& %s",
        "🎭👩‍👩‍👧",
    ):
        stepper.say(turn)
        assert stepper.turns[-1] == turn
        assert stepper.root.locator("script, img").count() == 0
    stepper.check_talk()


def test_by_keys_and_by_pressing_tokens(stepper: Stepper) -> None:
    page = stepper.page
    complete = [stepper.said("whole"), stepper.said("beside")]
    last = stepper.last
    stepper.control("keys").focus()
    for key, step in ((",", last - 1), (",", last - 2), (".", last - 1), (".", last)):
        page.keyboard.press(key)
        expect(stepper.root).to_have_attribute("data-step", str(step))
    stepper.check(complete)
    # A token of the reply leads to its place; one of the template only says what it is.
    chips = stepper.part("beside", "[role=option]")
    chips.last.click()
    page.keyboard.press("ArrowLeft")
    expect(stepper.root).to_have_attribute("data-step", str(last - 1))
    stepper.check(complete)
    chips.first.click()
    expect(stepper.root).to_have_attribute("data-step", str(last - 1))
    expect(stepper.part("beside", "[data-readout=token]")).to_contain_text(
        "mark of the template: the model does not read"
    )
    # The letters that are keys are letters in the field.
    stepper.control("say").fill("")
    stepper.control("say").press_sequentially("r, u. p?")
    assert (stepper.control("say").input_value(), stepper.turns) == ("r, u. p?", FIRST)
    stepper.control("keys").focus()
    page.keyboard.press("r")
    expect(stepper.root).to_have_attribute("data-step", str(last))


def test_play_writes_the_conversation_from_its_beginning(stepper: Stepper) -> None:
    stepper.slide("longest", 10)
    complete = [stepper.said("whole"), stepper.said("beside")]
    stepper.press("play")
    expect(stepper.root).to_have_attribute("data-step", re.compile(r"^[2-6]$"))
    stepper.press("play")
    stepper.check(complete)
    stepper.press("play")
    expect(stepper.root).to_have_attribute("data-step", str(stepper.last), timeout=LATE)
    stepper.check_talk()


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    stepper = Stepper(page).open(site)
    stepper.choose("beside", "turn")
    stepper.control("greedy").uncheck()
    stepper.control("seed").fill("41")
    stepper.slide("context", 128)
    stepper.say("O, what + a & rogue? “#é”")
    stepper.press("stepBack", "stepBack")
    stepper.part("whole", ".dlc-bar").nth(2).click()
    stepper.settle()
    link = stepper.share()
    state = [stepper.turns, stepper.said("whole"), stepper.said("beside"), stepper.step, stepper.seed, stepper.context]
    other, _ = new_page()
    restored = Stepper(other).follow(link)
    expect(restored.root).to_have_attribute("data-step", str(stepper.step), timeout=LATE)
    restored.settle()
    assert [
        restored.turns,
        restored.said("whole"),
        restored.said("beside"),
        restored.step,
        restored.seed,
        restored.context,
    ] == state


def test_long_words_run_over_at_no_width(stepper: Stepper) -> None:
    stepper.slide("longest", 12)
    stepper.slide("context", 64)
    stepper.say("Incomprehensibilities" * 2, "W" * 16)
    for _ in widths(stepper.page):
        for name in ("stepBack", "step"):
            stepper.press(name)
            assert stepper.overflowing() == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    stepper = Stepper(page).open(site)
    complete = [stepper.said("whole"), stepper.said("beside")]
    stepper.control("stepBack").tap()
    stepper.part("beside", "[role=option]").nth(-3).tap()
    stepper.check(complete)
    stepper.control("say").fill("Are you a robot?")
    stepper.control("speak").tap()
    stepper.settle()
    stepper.check_talk()
