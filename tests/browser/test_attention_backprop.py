"""Back through an attention head in the published page: no kernel, no other host, every number held against torch."""

from __future__ import annotations

import json
import math
import random

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number, number_if_any, numbers, within
from .looks import looks, widths

FIRST = {
    "x": [[1.0, 0.0, -1.0], [0.5, 1.0, -0.5], [-1.0, 0.5, 1.0], [0.0, -1.0, 0.5]],
    "wq": [[1.0, -0.5, 0.0], [0.0, 1.0, 0.5], [0.5, 0.0, -1.0]],
    "wk": [[0.5, 1.0, 0.0], [-1.0, 0.5, 1.0], [0.0, 0.5, -1.0]],
    "wv": [[1.0, 0.0, 0.5], [0.0, -1.0, 0.5], [0.5, 0.5, 0.0]],
    "target": [[0.5, 1.0, -0.5], [-1.0, 0.5, 1.0], [0.0, -1.0, 0.5], [1.0, 0.0, -1.0]],
}
#: What each step takes and gives; operands of a step with several results go with the open one.
STEPS: list[tuple[list[list[str]], list[str]]] = [
    ([["x", f"w{p}"] for p in "qkv"], ["q", "k", "v"]),
    ([["q", "k"]], ["s"]),
    ([["s"]], ["m"]),
    ([["m"]], ["a"]),
    ([["a", "v"]], ["o"]),
    ([["x", "o"]], ["y"]),
    ([["y", "target"]], ["loss"]),
    ([["y", "target"]], ["dy"]),
    ([["dy"], ["dy"]], ["do", "dxr"]),
    ([["a", "do"]], ["dv"]),
    ([["do", "v"]], ["da"]),
    ([["a"]], ["jacobian"]),
    ([["da", "jacobian"]], ["ds"]),
    ([["ds", "k"]], ["dq"]),
    ([["ds", "q"]], ["dk"]),
    ([["x", f"d{p}"] for p in "qkv"], [f"dw{p}" for p in "qkv"]),
    ([[f"d{p}", f"w{p}"] for p in "qkv"], [f"dx{p}" for p in "qkv"]),
    ([["dxr", "dxq", "dxk", "dxv"]], ["dx"]),
]
SUMS = {"y", "dx"}
COPIES = {"do", "dxr"}
DIVIDED = {"s", "dq", "dk"}


class Head(OnPage):
    """The explorable on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "attention-backprop"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.given = {name: [list(row) for row in rows] for name, rows in FIRST.items()}
        self.causal, self.last = True, False
        self.row, self.column, self.middle, self.part = 2, 0, 1, 0

    def type(self, matrix: str, row: int, column: int, value: float) -> None:
        self.control("edited").select_option(matrix)
        self.control(f"number{row + 1}{column + 1}").fill(f"{value:g}")
        self.given[matrix][row][column] = float(f"{value:g}")
        self.settle()

    def set_causal(self, on: bool) -> None:
        self.control("causal").set_checked(on)
        self.causal = on
        self.settle()

    def set_last(self, on: bool) -> None:
        self.control("lossOn").select_option("last" if on else "every")
        self.last = on
        self.settle()

    def grid(self, name: str) -> Locator:
        return self.root.locator(f".dlc-matrix[data-matrix={name}]")

    def pick(self, name: str, row: int, column: int) -> None:
        self.grid(name).locator(".dlc-matrix-cell").nth(row * self.columns(name) + column).click()
        if name == "jacobian":
            self.middle, self.column = row, column
        else:
            self.row, self.column = row, column
            results = STEPS[self.step - 1][1]
            self.part = results.index(name) if name in results else self.part

    @staticmethod
    def columns(name: str) -> int:
        return 4 if name in {"s", "m", "a", "ds", "da", "jacobian"} else 1 if name == "loss" else 3

    @property
    def step(self) -> int:
        return self.whole("step")

    def torchs(self) -> dict[str, Tensor]:
        """All matrices, and the derivative of the loss by each, from autograd."""
        t = {name: torch.tensor(rows, requires_grad=True) for name, rows in self.given.items()}
        for way in "rqkv":
            t[f"x{way}"] = t["x"].clone()
        t |= {way: t[f"x{way}"] @ t[f"w{way}"] for way in "qkv"}
        t["s"] = t["q"] @ t["k"].T / math.sqrt(3)
        future = torch.ones(4, 4, dtype=torch.bool).triu(1)
        t["m"] = t["s"].masked_fill(future, -math.inf) if self.causal else t["s"] * 1
        t["a"] = t["m"].softmax(-1)
        t["o"] = t["a"] @ t["v"]
        t["y"] = t["xr"] + t["o"]
        counts = torch.tensor([0.0, 0, 0, 1] if self.last else [1.0] * 4)
        t["loss"] = (counts[:, None] * (t["y"] - t["target"]).square()).sum() / 2
        for value in t.values():
            value.retain_grad()
        t["loss"].backward()
        slopes = {f"d{name}": value.grad for name, value in t.items() if value.grad is not None}
        whole = torch.autograd.functional.jacobian(lambda m: m.softmax(-1), t["m"][self.row].detach())
        values = {name: value.detach() for name, value in t.items()}
        return {**values, **slopes, "jacobian": whole, "counts": counts}

    def numbers(self, name: str) -> list[float]:
        return numbers(self.grid(name).locator("[data-value]"))

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        self.settle()
        t, step = self.torchs(), self.step
        operands, results = STEPS[step - 1] if step else ([list(FIRST)], [])
        part = min(self.part, len(results) - 1) if results else 0
        shown = self.root.locator(".dlc-matrix").evaluate_all("all => all.map(e => e.dataset.matrix)")
        assert shown == [*operands[part], *results]
        for name in shown:
            assert self.numbers(name) == near(t[name].flatten().tolist()), name
        self.check_working(t, step, operands[part], results[part] if results else "")
        self.check_overview(t, step)
        norms = self.root.locator("[data-path]")
        if step == 18:
            t["dxa"] = t["dxq"] + t["dxk"] + t["dxv"]
            for name, key in {"residual": "r", "attention": "a", "q": "q", "k": "k", "v": "v", "both": ""}.items():
                found = number(self.root.locator(f"[data-path={name}] [data-value]"))
                assert found == near(torch.linalg.norm(t[f"dx{key}"]).item())
        else:
            assert not norms.first.is_visible()

    def check_overview(self, t: dict[str, Tensor], step: int) -> None:
        given = set(FIRST)
        there = given.union(*(results for _, results in STEPS[:step]))
        boxes = self.root.locator("[data-grid=overview] [data-name]")
        read = (
            "e => [e.dataset.name, ...['value', 'slope'].map(k => e.querySelector(`[data-kind=${k}]`)?.dataset.values)]"
        )
        for box in boxes.all():
            name, value, slope = box.evaluate(read)
            if name == "loss":
                found = number_if_any(box.locator(".dlc-attention-backprop-loss"))
                assert found == (near(t["loss"]) if "loss" in there else None)
                continue
            for key, text in ((name, value), (f"d{name}", slope)):
                assert (text is not None) == (key in there), key
                if text is not None:
                    assert [float(v) for v in text.split()] == near(t[key].flatten().tolist()), key

    def check_working(self, t: dict[str, Tensor], step: int, operands: list[str], result: str) -> None:
        rows = self.root.locator(".dlc-attention-backprop-working [data-row]").evaluate_all(
            "all => all.map(row => [row.dataset.row,"
            " [...row.querySelectorAll('[data-value]')].map(e => Number(e.dataset.value))])"
        )
        if step == 0:
            assert not self.root.locator(".dlc-attention-backprop-working").is_visible()
            return
        found = {name: [float(n) if n is not None else math.nan for n in numbers] for name, numbers in rows}
        value = t[result]
        if result == "loss":
            terms = [found[f"term{i}"][0] for i in range(4)]
            assert terms == near((t["counts"] * (t["y"] - t["target"]).square().sum(-1) / 2).tolist())
            assert found["sum"] == near([value.item()])
            return
        r = min(self.middle if result == "jacobian" else self.row, value.shape[0] - 1)
        c = min(self.column, value.shape[1] - 1)
        answer = value[r, c].item()
        last = list(found.values())[-1][-1]
        if answer == -math.inf:  # JSON has no infinity
            assert math.isnan(last) or last == -math.inf
        else:
            assert last == near(answer)
        operand = [t[name] for name in operands]
        if result == "m":
            assert found["mask"][0] == near(operand[0][r, c].item())
        elif result == "a":
            peak = t["m"][r].max()
            for key in range(4):
                assert found[f"term{key}"][-2:] == near([peak.item(), (t["m"][r, key] - peak).exp().item()])
            total = (t["m"][r] - peak).exp().sum().item()
            assert found["sum"] == near([total])
            assert found["quotient"] == near([(t["m"][r, c] - peak).exp().item(), total, answer])
        elif result in SUMS:
            assert {name: numbers[0] for name, numbers in list(found.items())[:-1]} == near(
                {name: t[name][r, c].item() for name in operands}
            )
            assert sum(t[name][r, c].item() for name in operands) == near(answer)
        elif result == "dy":
            y, target = operand
            error = (y - target)[r, c].item()
            assert found["error"] == near([y[r, c].item(), target[r, c].item(), error])
            if not t["counts"][r]:
                assert found["uncounted"] == near([error, 0, 0])
        elif result in COPIES:
            assert found["copy"] == near([answer, answer])
        elif result == "jacobian":
            a = t["a"][self.row]
            assert found["jacobian"] == near([a[r].item(), float(r == c) - a[c].item(), answer])
        else:
            self.check_products(found, operand, result, (r, c), answer)

    def check_products(
        self, found: dict[str, list[float]], operand: list[Tensor], result: str, cell: tuple[int, int], answer: float
    ) -> None:
        left, right = operand
        left = left.T if result in {"dv", "dk", "dwq", "dwk", "dwv"} else left
        right = right.T if result in {"s", "da", "dxq", "dxk", "dxv"} else right
        pairs = list(zip(left[cell[0]].tolist(), right[:, cell[1]].tolist(), strict=True))
        for n, (one, other) in enumerate(pairs):
            assert found[f"term{n}"] == near([one, other, one * other]), result
        assert f"term{len(pairs)}" not in found
        total = sum(one * other for one, other in pairs)
        assert found["sum"] == near([total])
        if result in DIVIDED:
            assert found["quotient"] == near([total, math.sqrt(3), answer])
        else:
            assert total == near(answer)


near = within(rel=1e-4, abs=2e-6)


@pytest.fixture
def head(page: Page, site: str) -> Head:
    return Head(page).open(site)


def test_every_step_shows_torchs_numbers(head: Head) -> None:
    head.check()
    for matrix in random.sample([*FIRST, *FIRST], 6):
        rows = head.given[matrix]
        place = random.randrange(len(rows)), random.randrange(3)
        head.type(matrix, *place, round(random.uniform(-2, 2), 2))
    expect(head.engine).to_have_attribute("data-answered-by", "page")
    head.set_causal(random.random() < 0.5)
    for step in range(17, -1, -1):
        head.go(step)
        head.check()
    head.set_causal(not head.causal)
    head.set_last(True)
    for step in range(1, 19):
        head.go(step)
        head.check()
    expect(head.control("step")).to_have_attribute("aria-disabled", "true")


def test_any_cell_of_any_result_opens(head: Head) -> None:
    for step in range(18, 0, -1):
        head.go(step)
        for name in STEPS[step - 1][1]:
            if name == "loss":
                continue
            rows = 3 if name.startswith("dw") else 4
            head.pick(name, random.randrange(rows), random.randrange(head.columns(name)))
            head.check()
        if step == 12:
            head.pick("a", random.randrange(4), random.randrange(4))
            head.check()


def test_without_values_the_attention_path_is_shut(head: Head) -> None:
    head.control("zero").click()
    head.given["wv"] = [[0.0] * 3] * 3
    head.check()
    assert head.numbers("dx") == head.numbers("dxr")
    assert not any(head.numbers("dxq") + head.numbers("dxk") + head.numbers("dxv"))
    expect(head.control("zero")).to_have_attribute("aria-disabled", "true")
    head.control("undo").click()
    head.given["wv"] = FIRST["wv"]
    head.check()
    head.control("edited").select_option("wq")
    for _ in range(3):
        head.control("double").click()
    head.given["wq"] = [[8 * value for value in row] for row in FIRST["wq"]]
    head.go(12)
    head.check()
    expect(head.control("double")).to_have_attribute("aria-disabled", "true")


def test_by_keys_and_by_pressing_the_small_matrices(head: Head) -> None:
    page = head.page
    box = head.root.locator("[data-grid=overview] [data-name=s]")
    box.focus()
    page.keyboard.press("Enter")  # the pass back has been there: to where its derivative came
    assert head.step == 13
    head.grid("ds").locator("[tabindex='0']").focus()
    for key, change in (("ArrowRight", (0, 1)), ("ArrowDown", (1, 0)), ("End", (0, 2)), ("ArrowRight", (0, 0))):
        page.keyboard.press(key)
        head.row, head.column = head.row + change[0], head.column + change[1]
        head.check()
    for key, step in ((",", 12), (".", 13), ("r", 18)):
        page.keyboard.press(key)
        expect(head.root).to_have_attribute("data-step", str(step))
    head.row, head.column = 2, 0
    head.check()
    head.go(6)
    head.root.locator("[data-name=k]").click()
    assert head.step == 1
    head.check()
    field = head.control("number11")
    for wrong in ("11", "-1e9", ""):
        field.fill(wrong)
        expect(field).to_have_attribute("aria-invalid", "true")
        head.check()
    field.blur()
    expect(field).to_have_value("1")


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    head = Head(page).open(site)
    head.type("wk", 1, 2, -0.75)
    head.set_causal(False)
    head.go(14)
    head.pick("dq", 3, 1)
    link = head.share()
    other, _ = new_page()
    restored = Head(other)
    restored.given, restored.causal, restored.row, restored.column = head.given, False, 3, 1
    restored.follow(link)
    assert restored.step == 14
    restored.check()


def test_numbers_far_out_stay_numbers(head: Head) -> None:
    for matrix in ("wq", "wk", "x"):
        for column in range(3):
            head.type(matrix, 0, column, random.choice([-10, 10]))
    for step in (18, 13, 12, 4):
        head.go(step)
        shown = json.dumps([head.numbers(name) for name in (*STEPS[step - 1][0][0], *STEPS[step - 1][1])])
        assert "NaN" not in shown
    head.go(4)
    head.check()


def test_each_kind_of_step_stands_in_any_light_and_at_any_width(head: Head) -> None:
    head.go(3)
    for look in looks(head.page):
        assert head.faults(look) == {}, look
    head.type("wq", 0, 0, -0.00123)
    for _ in widths(head.page):
        for step in (18, 17, 16, 13, 4, 1, 0):
            head.go(step)
            assert head.overflowing() == []


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    head = Head(page).open(site)
    head.root.locator("[data-grid=overview] [data-name=v]").tap()
    assert head.step == 10
    head.grid("dv").locator(".dlc-matrix-cell").nth(4).tap()
    head.row, head.column = 1, 1
    head.check()
