"""The attention explorer in the published page: no kernel, no other host, and every number held against torch."""

from __future__ import annotations

import copy
import functools
import json
import math
import random
import re
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from dlcompare import checkpoints, data
from dlcompare.models import GPT
from dlcompare.recording import record
from dlcompare.style import readable

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number, numbers, numbers_if_any, read, series
from .looks import looks, widths

LONGEST = 32
STEPS = ("vectors", "dots", "scaled", "masked", "weights", "terms", "sum")
MATRICES = ("dots", "dots", "scaled", "masked", "weights", "weights", "weights")


@functools.cache
def shakespeare() -> checkpoints.Checkpoint[GPT]:
    return checkpoints.load("shakespeare-gpt", expected=GPT)


@functools.cache
def play() -> str:
    return data.load_shakespeare().test.text


@functools.cache
def computed(prompt: str, layer: int, head: int, *, causal: bool, heads: str) -> dict[str, Tensor]:
    """Everything about a pass, from the model itself: heads are switched off where the projection takes them up."""
    model = copy.deepcopy(shakespeare().model)
    ids = torch.tensor([shakespeare().tokenizer.encode(prompt)[:LONGEST]])
    d_head = model.config.d_model // model.config.n_head
    steps = ("query", "key", "value", "scores", "softmax", "mixed")
    with torch.no_grad():
        for i, block in enumerate(model.blocks):
            block.attention.causal = causal
            for j in range(model.config.n_head):
                chosen = (i, j) == (layer, head)
                off = {"all": False, "without": chosen, "layer": i == layer and not chosen, "only": not chosen}[heads]
                if off:
                    block.attention.project.weight[:, j * d_head : (j + 1) * d_head] = 0
        with record(model, *(f"blocks.*.attention.{step}" for step in steps)) as seen:
            logits = model(ids)[0]
    own = {step: seen[f"blocks.{layer}.attention.{step}"][0, head] for step in steps}
    attention = torch.stack([seen[f"blocks.{i}.attention.softmax"][0] for i in range(model.config.n_layer)])
    dots = own["query"] @ own["key"].T
    seq = ids.shape[1]
    surprise = -logits[:-1].log_softmax(-1)[torch.arange(seq - 1), ids[0, 1:]].mean() / math.log(2)
    return {
        **own,
        "attention": attention,
        "weights": own["softmax"],
        "dots": dots,
        "scaled": dots / math.sqrt(d_head),
        "masked": own["scores"],
        "probabilities": logits[-1].softmax(-1),
        "surprise": surprise,
    }


def close(got: Any, expected: Tensor, scale: float | None = None) -> None:
    """Hold numbers against torch's: within a thousandth, of their own size where they are large."""
    tensor = torch.as_tensor(got, dtype=torch.float64).reshape(expected.shape)
    size = max(1.0, float(expected[expected.isfinite()].abs().max()) if scale is None else scale)
    torch.testing.assert_close(tensor, expected.double(), rtol=0, atol=1e-3 * size)


class Explorer(OnPage):
    """The explorer on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "attention"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.field = self.control("prompt")
        self.tokens = self.root.locator("[data-grid=tokens] [role=option]")
        self.heads = self.root.locator("[data-grid=heads]")
        self.map = self.root.locator("[data-grid=map]")
        self.table = self.root.locator("[data-grid=terms]")
        self.readout = self.root.locator("[data-readout=detail]")

    def type(self, prompt: str) -> None:
        self.field.fill(prompt)
        self.settle()

    def head(self, layer: int, head: int) -> Locator:
        return self.heads.locator(f"[data-layer='{layer}'][data-head='{head}']")

    def cell(self, query: int, key: int) -> Locator:
        return self.map.locator(f"[role=gridcell][data-row='{query}'][data-column='{key}']")

    def place(self, column: str, row: int) -> Locator:
        """A cell of the calculation; a vector's is its strip."""
        line = self.table.locator(".dlc-line-key").nth(row)
        return line.locator(f"[data-strip={column}], .dlc-cell-number[data-column={column}]")

    @property
    def state(self) -> tuple[int, int, int, int, str, str]:
        at = [self.whole(name) for name in ("layer", "head", "query", "step")]
        return (*at, self.control("mask").input_value(), self.control("heads").input_value())  # type: ignore[return-value]

    def step_to(self, step: int) -> None:
        self.root.locator(f".dlc-steps [data-step='{step}']").click()
        self.settle()

    def column(self, name: str) -> list[float]:
        cells = self.table.locator(f".dlc-line-key .dlc-cell-number[data-column={name}]")
        return numbers(cells)

    def strips(self, name: str) -> list[list[float]]:
        return [series(strip) for strip in self.table.locator(f"[data-strip={name}]").all()]

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        self.page.mouse.move(0, 0)  # off the figure, which would show what is pointed at
        self.settle()
        layer, head, query, step, mask, heads = self.state
        causal = mask == "causal"
        prompt = self.field.input_value()
        expected = computed(prompt, layer, head, causal=causal, heads=heads)
        trained = computed(prompt, layer, head, causal=True, heads="all")
        seq = len(expected["query"])

        ids = shakespeare().tokenizer.encode(prompt)[:LONGEST]
        names = [readable(shakespeare().tokenizer.decode([token])) for token in ids]
        assert self.tokens.locator(".dlc-token-text").all_text_contents() == names
        weights = expected["attention"][layer, head]
        visible = query + 1 if causal else seq
        shown = numbers_if_any(self.tokens)
        assert shown[visible:] == [None] * (seq - visible), "what must not be seen has no weight"
        close(shown[:visible], weights[query, :visible])

        values = numbers(self.map.locator("[role=gridcell]"))
        close(values, expected[MATRICES[step]])
        self.check_table(expected, query)
        self.check_prediction(expected, trained, as_trained=causal and heads == "all")

    def check_table(self, expected: dict[str, Tensor], query: int) -> None:
        for column, name in (("dot", "dots"), ("scaled", "scaled"), ("masked", "masked"), ("weight", "weights")):
            close(self.column(column), expected[name][query])
        masked = expected["masked"][query]
        exponentials = (masked - masked.max()).exp()
        close(self.column("exponential"), exponentials)
        total = number(self.table.locator("[data-column=total]"))
        assert total == pytest.approx(exponentials.sum().item(), abs=1e-3)
        for name in ("key", "value"):
            close(self.strips(name), expected[name])
        close(self.strips("query"), expected["query"][query])
        close(self.strips("term"), expected["weights"][query, :, None] * expected["value"])
        close(self.strips("output"), expected["mixed"][query])
        # What is printed is what was computed, to three digits.
        for column in ("dot", "scaled", "masked", "exponential", "weight"):
            cells = self.table.locator(f".dlc-line-key .dlc-cell-number[data-column={column}]")
            printed = [value for text in cells.all_text_contents() for value in read(text)]
            assert printed == pytest.approx(self.column(column), rel=6e-3, abs=1e-12)

    def check_prediction(self, expected: dict[str, Tensor], trained: dict[str, Tensor], *, as_trained: bool) -> None:
        rows = self.root.locator("[data-grid=next] li").evaluate_all(
            "all => all.map(row => [Number(row.dataset.id), Number(row.dataset.value), row.dataset.before ?? null,"
            " row.querySelector('.dlc-next-token').textContent])"
        )
        assert len(rows) == 8
        for place, (token, value, before, name) in enumerate(rows):
            assert value == pytest.approx(expected["probabilities"][token].item(), abs=1e-3)
            assert value == pytest.approx(expected["probabilities"].topk(8).values[place].item(), abs=1e-3)
            assert name == readable(shakespeare().tokenizer.decode([token]))
            if as_trained:
                assert before is None
            else:
                assert float(before) == pytest.approx(trained["probabilities"][token].item(), abs=1e-3)
        said = self.root.locator("[data-note=surprise]").text_content() or ""
        if len(expected["query"]) > 1:
            numbers = [float(number) for number in re.findall(r"\d+\.\d+", said)]
            bits = [expected["surprise"].item()] + [trained["surprise"].item()] * (not as_trained)
            assert numbers == pytest.approx(bits, rel=6e-3)
        else:
            assert said == ""


@pytest.fixture
def explorer(page: Page, site: str) -> Explorer:
    return Explorer(page).open(site)


def random_prompt() -> str:
    start = random.randrange(len(play()) - 200)
    return play()[start : start + random.randrange(3, 90)]


def test_the_first_picture_is_right_and_loads_nothing(new_page: NewPage, site: str) -> None:
    page, watch = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    explorer = Explorer(page).open(site)
    expect(explorer.container.locator(".dlcompare-fallback")).to_be_hidden()
    explorer.check()
    for query in (0, 7):
        explorer.tokens.nth(query).hover()
        assert explorer.whole("at") == query
    assert [url for url in asked if re.search(r"worker\.|\.onnx|\.bin|\.wasm", url)] == []
    watch.check()


def test_both_passes_share_the_file_of_their_weights(explorer: Explorer) -> None:
    graphs = json.loads(explorer.container.get_attribute("data-graphs") or "")
    causal, bidirectional = graphs["attention-causal"], graphs["attention-bidirectional"]
    assert causal["weights"]
    assert causal["weights"] == bidirectional["weights"]
    assert causal["graph"] != bidirectional["graph"]
    state = explorer.container.locator("script.dlcompare-state").text_content() or ""
    assert len(state) < 250_000


@pytest.mark.parametrize("mask", ["causal", "none"])
def test_typed_texts_and_chosen_heads_give_torchs_numbers(explorer: Explorer, mask: str) -> None:
    explorer.choose("mask", mask)
    for heads in ("all", "without", "layer", "only"):
        explorer.choose("heads", heads)
        explorer.type(random_prompt())
        explorer.head(random.randrange(4), random.randrange(4)).click()
        explorer.tokens.nth(random.randrange(explorer.tokens.count())).click()
        explorer.step_to(random.randrange(7))
        explorer.check()


def test_one_token_and_the_longest_text(explorer: Explorer) -> None:
    explorer.type("a")
    assert explorer.tokens.count() == 1
    explorer.check()
    explorer.choose("mask", "none")
    explorer.check()
    text = play()[5000:5400]
    count = len(shakespeare().tokenizer.encode(text))
    explorer.type(text)
    assert explorer.tokens.count() == LONGEST
    said = explorer.root.locator(".dlc-part-tokens .dlc-part-title")
    expect(said).to_have_text(f"The text has {count} tokens. The first {LONGEST} are read, the rest is cut off.")
    explorer.check()


def test_the_mouse_points_and_chooses(explorer: Explorer) -> None:
    before = explorer.whole("query")
    explorer.tokens.nth(3).hover()
    assert explorer.whole("at") == 3
    assert explorer.whole("query") == before
    explorer.root.locator(".dlc-title").hover()  # leaving goes back
    assert explorer.whole("at") == before
    explorer.cell(9, 4).hover(force=True)
    assert explorer.whole("at") == 9
    weight = number(explorer.cell(9, 4))
    said = explorer.root.locator("[data-readout=looks]")
    assert float((said.text_content() or "").split("the weight ")[1].rstrip(".")) == weight
    explorer.cell(4, 9).hover(force=True)
    expect(said).to_contain_text("must not see")
    explorer.cell(11, 2).click(force=True)
    assert explorer.whole("query") == 11
    explorer.check()
    explorer.tokens.nth(5).click()
    assert explorer.whole("query") == 5
    explorer.head(0, 3).click()
    explorer.check()
    assert explorer.state[:2] == (0, 3)


def test_a_number_in_a_vector_is_read_out_in_full(explorer: Explorer) -> None:
    explorer.tokens.nth(12).click()
    explorer.settle()
    strip = explorer.place("key", 8)
    box = strip.bounding_box()
    assert box
    place = 29
    strip.hover(position={"x": (place + 0.5) * box["width"] / 48, "y": 5})
    a, b = explorer.strips("query")[0][place], explorer.strips("key")[8][place]
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d+", written(explorer.readout))]
    assert numbers[0] == b
    assert numbers[1:3] == [a, b]
    assert numbers[3] == pytest.approx(a * b, abs=1e-5)
    expect(explorer.table).to_have_class(re.compile("has-place"))
    assert explorer.table.evaluate("e => e.style.getPropertyValue('--dlc-place')") == str(place)
    before = written(explorer.readout)
    strip.click(position={"x": (place + 0.5) * box["width"] / 48, "y": 5})
    assert written(explorer.readout) == before, "the focus goes to the number that was clicked"
    expect(strip).to_have_attribute("aria-valuenow", str(place))
    explorer.page.keyboard.press("ArrowRight")
    expect(strip).to_have_attribute("aria-valuenow", str(place + 1))
    explorer.place("term", 8).hover(position={"x": 0.5 * box["width"] / 48, "y": 5})
    weight, value = explorer.column("weight")[8], explorer.strips("value")[8][0]
    numbers = [
        float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", written(explorer.readout).split("=")[1])
    ]
    assert numbers[1:] == [weight, value]
    assert numbers[0] == pytest.approx(weight * value, abs=1e-6)
    explorer.place("masked", 15).hover()
    expect(explorer.readout).to_contain_text("−∞ It comes later, and must not be seen.")
    explorer.root.locator(".dlc-title").hover()
    expect(explorer.readout).to_have_text("")


def written(locator: Locator) -> str:
    return (locator.text_content() or "").replace("−", "-")


def focused(explorer: Explorer) -> str:
    """Where the focus is: the grid or the control, and what stands on it."""
    return explorer.page.evaluate(
        """() => { const e = document.activeElement; const own = e.dataset;
          return own.control ?? own.step ?? `${e.closest('[data-grid]')?.dataset.grid}`; }"""
    )


def test_the_tab_key_comes_to_everything_once(explorer: Explorer) -> None:
    explorer.field.focus()
    met = [focused(explorer)]
    while met[-1] != "table":
        explorer.page.keyboard.press("Tab")
        met.append(focused(explorer))
        assert len(met) < 30, met
    controls = ["prompt", "mask", "heads", "stepBack", "step", "play", "undo", "reset", "share", "keys"]
    assert met == [*controls, "tokens", "heads", "map", *"0123456", "terms", "table"]


def test_arrow_keys_choose_tokens_heads_and_cells(explorer: Explorer) -> None:
    press = explorer.page.keyboard.press
    explorer.tokens.nth(4).click()
    press("ArrowRight")
    press("ArrowRight")
    assert explorer.whole("query") == 6
    press("Home")
    assert explorer.whole("query") == 0
    press("End")
    last = explorer.tokens.count() - 1
    assert explorer.whole("query") == last
    press("ArrowUp")  # to the line above
    above = explorer.whole("query")
    assert above < last
    tops = explorer.tokens.evaluate_all("all => all.map(chip => chip.getBoundingClientRect().top)")
    assert tops[above] < tops[last]
    press("ArrowDown")
    assert tops[explorer.whole("query")] == tops[last]

    explorer.head(1, 1).click()
    press("ArrowDown")
    press("ArrowRight")
    explorer.settle()
    assert explorer.state[:2] == (2, 2)
    press("Control+End")
    press("x")
    explorer.settle()
    assert explorer.state == (3, 3, explorer.whole("query"), 6, "causal", "without")
    expect(explorer.head(3, 3)).to_have_attribute("data-off", "")
    press("i")
    assert explorer.state[5] == "layer"
    press("o")
    assert explorer.state[5] == "only"
    press("o")
    assert explorer.state[5] == "all"

    explorer.cell(9, 3).click(force=True)
    press("ArrowLeft")
    press("ArrowUp")
    assert explorer.whole("query") == 8
    mark = explorer.root.locator("[data-mark=map]")
    assert (mark.get_attribute("data-row"), mark.get_attribute("data-column")) == ("8", "2")
    explorer.check()


def test_the_calculation_is_walked_by_keys(explorer: Explorer) -> None:
    press = explorer.page.keyboard.press
    explorer.tokens.nth(10).click()
    press("Enter")
    here = explorer.page.locator("*:focus")
    expect(here).to_have_attribute("data-strip", "query")
    expect(here).to_have_attribute("role", "slider")
    press("ArrowRight")
    expect(here).to_have_attribute("aria-valuenow", "1")
    value = explorer.strips("query")[0][1]
    assert float((here.get_attribute("aria-valuetext") or "").replace("−", "-")) == value
    assert repr(value).rstrip("0") in written(explorer.readout) + "0"
    press("ArrowDown")
    expect(here).to_have_attribute("data-strip", "key")
    expect(here).to_have_attribute("aria-label", re.compile(r"^key of .*, number 1$"))
    press("Control+ArrowRight")
    expect(here).to_have_attribute("data-column", "dot")
    assert f"{explorer.column('dot')[0]}" in written(explorer.readout)
    press("PageDown")
    press("End")
    expect(here).to_have_attribute("data-strip", "output")
    press("Escape")
    assert focused(explorer) == "tokens"


def test_steps_forth_and_back(explorer: Explorer) -> None:
    explorer.tokens.nth(2).click()
    explorer.step_to(0)
    sentence = explorer.root.locator(".dlc-sentence")
    said = set()
    for step in range(7):
        assert explorer.state[2:4] == (2, step)
        said.add(sentence.text_content())
        ahead = explorer.table.locator(".dlc-line-key .dlc-cell[data-column=weight]").first
        expect(ahead).to_be_visible() if step >= 4 else expect(ahead).to_be_hidden()
        explorer.check()
        explorer.control("step").click()
    assert len(said) == 7
    assert explorer.state[2:4] == (3, 0), "after the last step comes the next token"
    explorer.control("stepBack").click()
    assert explorer.state[2:4] == (2, 6)
    explorer.tokens.last.click()
    expect(explorer.control("step")).to_have_attribute("aria-disabled", "true")
    explorer.tokens.first.click()
    explorer.step_to(0)
    expect(explorer.control("stepBack")).to_have_attribute("aria-disabled", "true")
    explorer.control("stepBack").click(force=True)
    assert explorer.state[2:4] == (0, 0)


def test_a_sentence_has_the_numbers_of_its_step(explorer: Explorer) -> None:
    explorer.tokens.nth(9).click()
    said = explorer.root.locator(".dlc-sentence")
    expected = computed(explorer.field.input_value(), *explorer.state[:2], causal=True, heads="all")
    for step, name in ((1, "dots"), (2, "scaled"), (4, "weights"), (5, "weights")):
        explorer.step_to(step)
        numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", written(said))]
        largest = expected[name][9].max().item()
        assert any(number == pytest.approx(largest, rel=6e-3) for number in numbers), (name, numbers, largest)
    explorer.step_to(3)
    expect(said).to_contain_text(f"there are {explorer.tokens.count() - 10}")


def test_play_walks_through_the_steps_and_pauses(explorer: Explorer) -> None:
    play = explorer.control("play")
    play.click()
    expect(play).to_have_attribute("aria-label", "Pause")
    expect(explorer.root).to_have_attribute("data-step", re.compile("^[0-3]$"))  # after the last step it begins anew
    expect(explorer.root).to_have_attribute("data-step", re.compile("^[2-5]$"), timeout=10_000)
    play.click()
    expect(play).to_have_attribute("aria-label", "Play")
    paused = explorer.whole("step")
    assert paused < 6
    explorer.page.wait_for_timeout(1900)
    assert explorer.whole("step") == paused
    explorer.step_to(2)
    explorer.tokens.first.focus()
    explorer.page.keyboard.press(" ")
    expect(play).to_have_attribute("aria-label", "Pause")
    expect(play).to_have_attribute("aria-label", "Play", timeout=10_000)  # it stops at the end by itself
    assert explorer.whole("step") == 6
    explorer.check()


def test_with_reduced_motion_nothing_moves_by_itself(new_page: NewPage, site: str) -> None:
    page, _ = new_page(reduced_motion="reduce")
    explorer = Explorer(page).open(site)
    play = explorer.control("play")
    expect(play).to_have_attribute("aria-label", "Next token")
    explorer.tokens.nth(3).click()
    play.click()
    assert explorer.state[2:4] == (4, 6)
    page.wait_for_timeout(1900)
    assert explorer.state[2:4] == (4, 6)
    assert explorer.root.locator("*").evaluate_all("all => all.flatMap(e => e.getAnimations()).length") == 0
    explorer.check()


def test_the_mask_and_the_heads_change_what_is_expected(explorer: Explorer) -> None:
    first = explorer.root.locator("[data-grid=next] .dlc-next-token").first
    expect(first).to_have_text("⏎")
    explorer.choose("heads", "without")
    explorer.head(1, 0).click()
    explorer.settle()
    expect(first).to_have_text("·and")
    explorer.check()
    explorer.step_to(6)
    expect(explorer.root.locator(".dlc-sentence")).to_contain_text("this head is switched off")
    explorer.choose("heads", "all")
    explorer.choose("mask", "none")
    expect(first).to_have_text("·and")
    lost = explorer.root.locator("[data-note=lost]")
    expect(lost).to_contain_text("As trained, “⏎” comes first, with 0.62")
    explorer.step_to(3)
    expect(explorer.root.locator(".dlc-sentence")).to_contain_text("No mask")
    expect(explorer.root.locator("[data-note=surprise]")).to_contain_text("although the token before has now seen it")
    explorer.check()


def test_reset_brings_back_the_first_state(explorer: Explorer) -> None:
    before = (explorer.state, explorer.field.input_value())
    explorer.type("Once more unto the breach, dear friends")
    explorer.choose("mask", "none")
    explorer.choose("heads", "only")
    explorer.head(0, 2).click()
    explorer.step_to(1)
    explorer.control("reset").click()
    explorer.settle()
    assert (explorer.state, explorer.field.input_value()) == before
    explorer.check()


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    explorer = Explorer(page).open(site)
    prompt = "To be, or not to be: that's\nthe question & more?"
    explorer.type(prompt)
    explorer.choose("mask", "none")
    explorer.choose("heads", "layer")
    explorer.head(3, 1).click()
    explorer.tokens.nth(4).click()
    explorer.step_to(4)
    state = explorer.state
    link = explorer.share()

    other, _ = new_page()
    other.goto(link)
    restored = Explorer(other)
    expect(restored.root).to_be_in_viewport()
    restored.arrive()
    assert restored.field.input_value() == prompt
    assert restored.state == state
    restored.check()
    other.evaluate("hash => { location.hash = hash }", f"{restored.entry.container}?prompt=Hark&step=2&layer=0")
    expect(restored.root).to_have_attribute("data-step", "2")
    restored.settle()
    assert restored.field.input_value() == "Hark"
    restored.check()


def test_a_link_with_a_text_without_an_end_breaks_nothing(explorer: Explorer, site: str) -> None:
    explorer.open(site, "prompt=" + "a" * 5000)
    explorer.check()


TEXTS = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "שלום עולם مرحبا",
    "👩\u200d👩\u200d👧\u200d👦 🎭 é \u202egnorw",
    "\x00\x01\x7f\t\n\n{query} {0} %s",
    "<|end|><|user|>__proto__",
    " ",
)


def test_any_text_can_be_typed(explorer: Explorer) -> None:
    for prompt in TEXTS:
        explorer.type(prompt)
        assert explorer.field.input_value() == prompt
        assert explorer.root.locator("script, img").count() == 0
        explorer.check()


def test_what_cannot_be_read_is_refused_in_words(explorer: Explorer) -> None:
    first = explorer.tokens.all_text_contents()
    explorer.field.fill("")
    expect(explorer.note).to_have_text("Type at least one character. The figure keeps the last text.")
    assert explorer.tokens.all_text_contents() == first
    put = "(e, text) => { e.value = eval(text); e.dispatchEvent(new Event('input')) }"
    explorer.field.evaluate(put, "'a\\ud800b'")
    expect(explorer.note).to_contain_text("half of a character")
    explorer.field.evaluate(put, "'b'.repeat(10000)")  # past what the field takes by hand
    expect(explorer.note).to_have_text("A text has at most 500 characters. The figure keeps the last one.")
    assert explorer.tokens.all_text_contents() == first
    explorer.control("mask").focus()  # leaving the field brings back what is shown
    assert explorer.field.input_value() == explorer.first_state()["prompt"]
    expect(explorer.note).to_have_text("")
    explorer.field.fill("")
    explorer.field.focus()
    explorer.page.keyboard.insert_text("to be " * 2000)
    expect(explorer.note).to_have_text("The field takes 500 characters; what is beyond is cut off.")
    assert len(explorer.field.input_value()) == 500
    explorer.check()


def test_a_part_of_a_character_says_so(explorer: Explorer) -> None:
    explorer.type("a🎭")
    hints = explorer.tokens.evaluate_all("all => all.map(chip => chip.title)")
    assert hints[1:] == ["A part of the character 🎭, whose bytes are several tokens"] * 4


def test_writing_on_goes_on_asking_at_the_end(explorer: Explorer) -> None:
    explorer.type("But")
    explorer.tokens.last.click()
    explorer.field.focus()
    explorer.page.keyboard.press("Control+End")
    explorer.page.keyboard.insert_text(" soft, what light")
    explorer.settle()
    assert explorer.whole("query") == explorer.tokens.count() - 1 > 2
    assert focused(explorer) == "prompt", "the focus stays where it is written"
    explorer.check()


def test_the_numbers_stand_in_a_table_too(explorer: Explorer) -> None:
    explorer.control("table").click()
    rows = explorer.root.locator(".dlc-table tbody tr")
    expect(rows).to_have_count(explorer.tokens.count())
    values = numbers(rows.locator("td:last-child"))
    assert values == explorer.column("weight")


def test_what_changes_is_spoken(explorer: Explorer) -> None:
    spoken = explorer.root.locator("[role=status][aria-live=polite]")
    explorer.tokens.nth(6).click()
    weights = explorer.column("weight")
    place = weights.index(max(weights))
    name = explorer.tokens.nth(place).locator(".dlc-token-text").text_content()
    expect(spoken).to_contain_text(f"looks most at “{name}”, weight {max(weights)}. Expected next: “⏎”, 0.62")


LEFT_BEHIND = """async ([source, state]) => {
  const held = new Map();
  const count = (key, by) => held.set(key, (held.get(key) ?? 0) + by);
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  const global = target => target === globalThis || target === document || target instanceof MediaQueryList;
  EventTarget.prototype.addEventListener = function (type, ...rest) {
    if (global(this ?? globalThis)) count(`listener ${type}`, 1);
    return add.call(this ?? globalThis, type, ...rest);
  };
  EventTarget.prototype.removeEventListener = function (type, ...rest) {
    if (global(this ?? globalThis)) count(`listener ${type}`, -1);
    return remove.call(this ?? globalThis, type, ...rest);
  };
  for (const Observer of [MutationObserver, ResizeObserver]) {
    const { observe, disconnect } = Observer.prototype;
    Observer.prototype.observe = function (...args) { held.set(this, 1); return observe.apply(this, args); };
    Observer.prototype.disconnect = function () { held.set(this, 0); return disconnect.call(this); };
  }
  const values = new Map(Object.entries(state));
  const model = {
    get: key => values.get(key),
    set: (key, value) => values.set(key, value),
    on: event => count(`model ${event}`, 1),
    off: event => count(`model ${event}`, -1),
    save_changes() {},
    send() {},
  };
  const el = document.createElement('div');
  document.body.append(el);
  const { default: module } = await import(source);
  const end = module.render({ model, el });
  await new Promise(resolve => setTimeout(resolve, 300));
  el.querySelector('[data-control=play]').click();
  const drawn = el.querySelectorAll('[data-strip]').length;
  const before = [...held.values()].filter(Boolean).length;
  end();
  await new Promise(resolve => setTimeout(resolve, 2000));
  return { drawn, before, left: [...held].filter(([, n]) => n).map(String), inside: el.childNodes.length };
}"""


def test_taken_away_it_leaves_nothing_behind(explorer: Explorer) -> None:
    tag = explorer.page.locator("script[data-dlcompare-modules]")
    modules = json.loads(tag.get_attribute("data-dlcompare-modules") or "")
    source = explorer.page.evaluate(
        "([tag, file]) => new URL(file, document.querySelector(tag).src).href",
        ["script[data-dlcompare-modules]", modules["attention"]],
    )
    state = explorer.first_state()
    found = explorer.page.evaluate(LEFT_BEHIND, [source, state])
    assert found["drawn"] == 2 + 3 * 20
    assert found["before"] > 3
    assert (found["left"], found["inside"]) == ([], 0)


def test_nothing_runs_over_at_any_width(explorer: Explorer) -> None:
    first = explorer.field.input_value()
    for _ in widths(explorer.page, 360, 768, 1280, 1700):
        for prompt, steps in ((first, range(7)), ("wwwwwwwwww " * 20, (1, 4, 6)), ("a", (6,))):
            explorer.type(prompt)
            for step in steps:
                explorer.step_to(step)
                assert explorer.overflowing() == [], (prompt, step)
        explorer.choose("heads", "only")
        explorer.choose("mask", "none")
        explorer.type(play()[9000:9300])
        assert explorer.overflowing() == []
        explorer.choose("heads", "all")
        explorer.choose("mask", "causal")


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    explorer = Explorer(page).open(site)
    explorer.tokens.nth(8).tap()
    assert explorer.whole("query") == 8
    explorer.head(3, 2).tap()
    explorer.settle()
    assert explorer.state[:2] == (3, 2)
    explorer.map.scroll_into_view_if_needed()
    box = explorer.map.bounding_box()
    assert box
    count = explorer.tokens.count()
    page.touchscreen.tap(box["x"] + box["width"] * 3.5 / count, box["y"] + box["height"] * 11.5 / count)
    assert explorer.whole("query") == 11
    explorer.root.locator(".dlc-steps [data-step='1']").tap()
    strip = explorer.place("key", 2)
    strip.tap()
    expect(explorer.readout).to_contain_text("key of")
    explorer.control("step").tap()
    assert explorer.whole("step") == 2
    explorer.check()


def test_dark_mode_has_its_own_colours(new_page: NewPage, site: str) -> None:
    page, _ = new_page(color_scheme="dark")
    explorer = Explorer(page).open(site)
    expect(explorer.root).to_have_attribute("data-dlc-theme", "dark")
    explorer.step_to(2)
    bar = explorer.root.locator(".dlc-map .dlc-legend-bar")
    assert "#23252b" in (bar.get_attribute("style") or "")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    expect(explorer.root).to_have_attribute("data-dlc-theme", "light")
    assert "#f7f7f6" in (bar.get_attribute("style") or "")
    explorer.check()


def test_a_head_that_is_off_stands_in_any_light(explorer: Explorer) -> None:
    explorer.choose("heads", "without")
    for step in (0, 6):
        explorer.step_to(step)
        for look in looks(explorer.page):
            assert explorer.faults(look) == {}, (step, look)
