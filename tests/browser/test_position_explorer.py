"""The explorer of positions in the published page: no kernel, no other host, every number held against torch."""

from __future__ import annotations

import functools
import math
import random

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from dlcompare import checkpoints
from dlcompare.models import GPT
from dlcompare.models.encoder import sinusoidal_positions
from dlcompare.models.llama import rotate
from dlcompare.style import readable

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number, numbers, series, within
from .looks import looks, widths

KINDS = ("none", "sinusoidal", "learned", "rotary")


@functools.cache
def shakespeare() -> checkpoints.Checkpoint[GPT]:
    return checkpoints.load("shakespeare-gpt", expected=GPT)


class Explorer(OnPage):
    """The explorable on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "positions"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.prompt, self.order, self.token = "The man did love the lady", [0, 5, 2, 3, 4, 1], 1
        self.kind, self.causal, self.position, self.distance, self.dimension = "sinusoidal", False, 20, 3, 18

    @property
    def tokens(self) -> list[str]:
        tokenizer = shakespeare().tokenizer
        assert tokenizer is not None
        return [readable(tokenizer.decode([i])) for i in tokenizer.encode(self.prompt)[:24]]

    def choose(self, kind: str, causal: bool | None = None) -> None:
        self.kind, self.causal = kind, self.causal if causal is None else causal
        self.control("kind").select_option(kind)
        self.control("causal").set_checked(self.causal)
        self.settle()

    def write(self, prompt: str) -> None:
        self.control("prompt").fill(prompt)
        self.prompt = prompt
        count = len(self.tokens)
        kept = [place for place in self.order if place < count]
        self.order = [*kept, *(place for place in range(count) if place not in kept)]
        self.token = min(self.token, count - 1)
        self.settle()

    def slide(self, name: str, value: int) -> None:
        super().slide(name, value)
        setattr(self, name, value)

    def press(self, name: str) -> None:
        self.control(name).click()
        at, last = self.order.index(self.token), len(self.order) - 1
        if name == "reverse":
            self.order = self.order[::-1]
        elif name == "restore":
            self.order = list(range(last + 1))
        else:
            self.order.remove(self.token)
            self.order.insert(min(last, max(0, at + (1 if name == "later" else -1))), self.token)
        self.settle()

    def pick(self, place: int) -> None:
        """Press a token of the shuffled text: the chosen one moves on, and from the end to the beginning."""
        self.root.locator("[data-grid=shuffled] [role=option]").nth(place).click()
        if self.order[place] == self.token:
            self.order.remove(self.token)
            self.order.insert((place + 1) % (len(self.order) + 1), self.token)
        else:
            self.token = self.order[place]
        self.settle()

    def layer(self, x: Tensor) -> Tensor:
        """What the first layer's attention puts out, step by step."""
        model = shakespeare().model
        c, block, seq = model.config, model.blocks[0], len(x)
        if self.kind == "sinusoidal":
            x = x * math.sqrt(c.d_model) + sinusoidal_positions(seq, c.d_model)
        if self.kind == "learned":
            x = x + model.position_embedding.weight[:seq]
        stacked = block.attention.query_key_value(block.norm1(x)).view(seq, 3, c.n_head, -1)
        q, k, v = (part.transpose(0, 1) for part in stacked.unbind(1))  # each (n_head, seq, d_head)
        if self.kind == "rotary":
            q, k = (rotate(part[None], torch.arange(seq), 10_000.0)[0] for part in (q, k))
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        if self.causal:
            scores = scores.masked_fill(torch.ones(seq, seq, dtype=torch.bool).triu(1), -math.inf)
        out: Tensor = block.attention.project((scores.softmax(-1) @ v).transpose(0, 1).flatten(1))
        return out

    @torch.no_grad()
    def check(self) -> None:
        """Hold everything that is shown against torch."""
        self.settle()
        checkpoint = shakespeare()
        assert checkpoint.tokenizer is not None
        model, c = checkpoint.model, checkpoint.model.config
        embedded = model.token_embedding.weight[checkpoint.tokenizer.encode(self.prompt)[:24]]
        moved, shuffled = self.layer(embedded)[self.order], self.layer(embedded[self.order])
        apart = torch.linalg.norm(shuffled - moved, dim=-1)

        assert self.root.locator("[data-grid=original] bdi").all_text_contents() == self.tokens
        expect(self.root.locator("[data-grid=original] [data-chosen]")).to_have_text(self.tokens[self.token])
        options = self.root.locator("[data-grid=shuffled] [role=option]")
        texts = "all => all.map(e => e.querySelector('.dlc-token-text').textContent)"
        assert options.evaluate_all(texts) == [self.tokens[place] for place in self.order]
        expect(options.nth(self.order.index(self.token))).to_have_attribute("aria-selected", "true")
        found = numbers(self.root.locator("[data-grid=shuffled] [data-value]"))
        assert found == pytest.approx(apart.tolist(), rel=1e-3, abs=5e-6)
        assert number(self.root.locator(".dlc-positions-verdict")) == pytest.approx(
            apart.max().item(), rel=1e-3, abs=5e-6
        )
        now = self.order.index(self.token)
        for name, rows in (("moved", moved), ("shuffled", shuffled)):
            strip = self.root.locator(f"[data-strip={name}]")
            assert series(strip) == near(rows[now].tolist())
            assert number(self.root.locator(f"[data-readout={name}]")) == near(rows[now, self.dimension].item())
        self.check_positions(model, c.d_model // c.n_head, embedded)

    def check_positions(self, model: GPT, d_head: int, embedded: Tensor) -> None:
        parts = [
            self.root.locator(name)
            for name in ("[data-grid=vectors]", ".dlc-positions-dots", ".dlc-positions-rotation")
        ]
        assert [part.is_visible() for part in parts] == [
            self.kind != "none",
            self.kind != "none",
            self.kind == "rotary",
        ]
        if self.kind == "none":
            return
        other = self.position - min(self.position, self.distance)
        block = model.blocks[0]
        stacked = block.attention.query_key_value(block.norm1(embedded[self.token])).view(3, -1, d_head)
        query, key = stacked[0, 0], stacked[1, 0]

        def turn(x: Tensor, place: int) -> Tensor:
            turned: Tensor = rotate(x[None, None, None], torch.tensor([place]), 10_000.0)[0, 0, 0]
            return turned

        if self.kind == "rotary":
            table = torch.stack([turn(torch.tensor([1.0, 0.0]).repeat(d_head // 2), place) for place in range(64)])
            dots = torch.stack([turn(query, self.position) @ turn(key, place) for place in range(64)])
        else:
            whole = sinusoidal_positions(64, model.config.d_model)
            table = whole if self.kind == "sinusoidal" else model.position_embedding.weight[:64]
            dots = table @ table[self.position]
        dimension = min(self.dimension, table.shape[1] - 1)
        assert number(self.root.locator("[data-readout=vector]")) == near(table[self.position, dimension].item())
        assert series(self.root.locator(".dlc-positions-curve")) == near(dots.tolist())
        assert number(self.root.locator(".dlc-positions-product")) == near(dots[other].item())
        expect(self.root.locator(".dlc-positions-product")).to_contain_text(
            f"Position {self.position} with position {other},"
        )
        self.check_map(table)
        if self.kind == "rotary":
            at = dimension // 2 * 2
            angle = 10_000.0 ** (-at / d_head)
            for name, x, place in (("query", query, self.position), ("key", key, other)):
                expected = [*x[at : at + 2].tolist(), place * angle, *turn(x, place)[at : at + 2].tolist()]
                cells = self.root.locator(f"[data-vector={name}] [data-value]")
                assert numbers(cells) == near(expected)
            plain = (query[at : at + 2] @ key[at : at + 2]).item()
            turned = (turn(query, self.position)[at : at + 2] @ turn(key, other)[at : at + 2]).item()
            assert number(self.root.locator("[data-part=dot_plain]")) == near(plain)
            assert number(self.root.locator("[data-part=dot_turned]")) == near(turned)

    def check_map(self, table: Tensor) -> None:
        """The map's colours: of the number with the largest size, of one near zero, and the map's own size."""
        values = table.flatten()
        largest, least = int(values.abs().argmax()), int(values.abs().argmin())
        size, *colours = self.root.locator(".dlc-positions-cells").evaluate(
            """(canvas, places) => {
              const { width, height } = canvas;
              const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
              copy.drawImage(canvas, 0, 0);
              const pixel = place => [...copy.getImageData(place % width, Math.floor(place / width), 1, 1).data];
              return [[height, width], ...places.map(pixel)];
            }""",
            [largest, least],
        )
        assert size == list(table.shape)
        strongest = [127, 59, 8, 255] if values[largest] > 0 else [45, 0, 75, 255]  # the diverging scale's ends
        assert colours == [pytest.approx(strongest, abs=2), pytest.approx([247, 247, 246, 255], abs=6)]


near = within(rel=1e-3, abs=2e-5)


@pytest.fixture
def explorer(page: Page, site: str) -> Explorer:
    return Explorer(page).open(site)


def test_every_kind_shows_torchs_numbers(explorer: Explorer) -> None:
    explorer.check()
    assert explorer.page.workers == [], "the first picture asks nothing"
    for kind in random.sample(KINDS, 4):
        for causal in (True, False):
            explorer.choose(kind, causal)
            explorer.check()
    expect(explorer.engine).to_have_attribute("data-answered-by", "page")


def test_a_readers_own_sentence_in_any_order(explorer: Explorer) -> None:
    explorer.choose("none")
    explorer.write("Now is the winter of our discontent, is it not?")
    explorer.check()
    for name in random.choices(["earlier", "later", "reverse", "restore"], k=6):
        if explorer.control(name).get_attribute("aria-disabled") == "true":
            explorer.pick(random.randrange(1, len(explorer.order) - 1))
            explorer.check()
            continue
        explorer.press(name)
        explorer.check()
        assert number(explorer.root.locator(".dlc-positions-verdict")) < 1e-5
    explorer.pick(2)
    explorer.pick(explorer.order.index(explorer.token))
    explorer.check()
    explorer.press("later")
    explorer.choose("learned")
    explorer.check()
    explorer.write("To be")
    explorer.check()
    explorer.choose("none", causal=True)
    for _ in range(2):  # a mask knows order: the two tokens as they stood, and the other way round
        explorer.press("reverse")
        explorer.check()
        moved = explorer.order != sorted(explorer.order)
        assert (number(explorer.root.locator(".dlc-positions-verdict")) > 1e-3) == moved


def test_what_depends_on_the_distance_alone(explorer: Explorer) -> None:
    product = explorer.root.locator(".dlc-positions-product")
    for kind, alone in (("sinusoidal", True), ("rotary", True), ("learned", False)):
        explorer.choose(kind)
        explorer.slide("distance", random.randrange(1, 8))
        found = []
        for position in random.sample(range(8, 64), 3):
            explorer.slide("position", position)
            explorer.check()
            found.append(number(product))
        assert (max(found) - min(found) < 1e-3 * max(map(abs, found)) + 1e-3) == alone, found
    explorer.slide("distance", 40)
    explorer.slide("position", 6)
    explorer.check()


def test_by_keys(explorer: Explorer) -> None:
    page = explorer.page
    explorer.choose("rotary")
    explorer.root.locator("[data-grid=vectors]").focus()
    for key, position, dimension in (
        ("ArrowDown", 1, 0),
        ("ArrowRight", 0, 1),
        ("PageDown", 42, 0),
        ("ArrowUp", -1, 0),
    ):
        page.keyboard.press(key)
        explorer.position, explorer.dimension = explorer.position + position, explorer.dimension + dimension
        explorer.check()
    explorer.root.locator("[data-strip=moved]").focus()
    page.keyboard.press("ArrowRight")
    explorer.dimension += 1
    explorer.check()
    explorer.root.locator("[data-grid=shuffled] [tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    explorer.token = 4
    explorer.check()
    page.keyboard.press("Enter")
    explorer.order = [0, 5, 2, 3, 1, 4]
    explorer.check()
    page.keyboard.press("u")
    explorer.order = [0, 5, 2, 3, 4, 1]
    explorer.check()
    page.keyboard.press("r")
    expect(explorer.control("kind")).to_have_value("sinusoidal")
    explorer.__init__(page)  # type: ignore[misc]
    explorer.check()


def test_text_that_cannot_be_read_is_refused_in_words(explorer: Explorer) -> None:
    field = explorer.control("prompt")
    field.fill("")
    expect(explorer.note).to_have_text("Type at least one character. The figure keeps the last text.")
    explorer.check()
    field.blur()
    expect(field).to_have_value(explorer.prompt)
    expect(explorer.note).to_be_empty()
    explorer.write("<b>𝄞 e\u0301 \u202e</b>")
    explorer.check()


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    explorer = Explorer(page).open(site)
    explorer.write("My lord, the king is dead & gone")
    explorer.choose("rotary", causal=True)
    explorer.press("reverse")
    explorer.slide("position", 33)
    link = explorer.share()
    other, _ = new_page()
    restored = Explorer(other)
    for name in ("prompt", "order", "token", "kind", "causal", "position"):
        setattr(restored, name, getattr(explorer, name))
    restored.follow(link)
    restored.check()


def test_each_kind_stands_in_any_light_and_at_any_width(explorer: Explorer) -> None:
    explorer.choose("rotary")
    for look in looks(explorer.page):
        assert explorer.faults(look) == {}, look
    for _ in widths(explorer.page):
        for kind in KINDS:
            explorer.choose(kind)
            assert explorer.overflowing() == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    explorer = Explorer(page).open(site)
    grid = explorer.root.locator("[data-grid=vectors]")
    box = grid.bounding_box()
    assert box
    grid.tap(position={"x": box["width"] / 2, "y": box["height"] * 0.26})
    expect(grid).to_have_attribute("aria-valuenow", "16")
    explorer.position = 16
    explorer.dimension = int(
        (explorer.root.locator("[data-readout=vector]").text_content() or "").split()[3].rstrip(":")
    )
    assert abs(explorer.dimension - 96) <= 1
    explorer.root.locator("[data-grid=shuffled] [role=option]").nth(1).tap()
    explorer.token = 5
    explorer.control("later").tap()
    explorer.order = [0, 2, 5, 3, 4, 1]
    explorer.check()
