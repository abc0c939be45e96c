"""Backpropagation step by step in the published page: no kernel, no other host, every number held against torch."""

from __future__ import annotations

import random

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from .conftest import NewPage
from .explorable import CLIPBOARD, PHONE, OnPage, number_if_any, within
from .looks import looks, widths

PARAMETERS = ("w11", "w12", "b1", "w21", "w22", "b2", "v1", "v2", "c")
#: What each operation is made from, in the order of the forward pass.
PARENTS = {
    "z1": ("w11", "w12", "b1", "x1", "x2"),
    "z2": ("w21", "w22", "b2", "x1", "x2"),
    "h1": ("z1",),
    "h2": ("z2",),
    "y": ("v1", "v2", "c", "h1", "h2"),
    "e": ("y",),
    "L": ("e",),
}
ORDER = list(PARENTS)


class Stepper(OnPage):
    """The stepper on a page: what a reader does with it, and the exact numbers that it shows."""

    name = "backprop"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        first = (0.5, -1.0, 0.2, 1.0, 0.3, -0.4, 0.8, -1.2, 0.1)
        self.leaves = dict(zip(PARAMETERS, first, strict=True)) | {"x1": 1.0, "x2": -0.5, "t": 1.0}
        self.rate = 0.1

    def type(self, name: str, value: float) -> None:
        self.control(name).fill(f"{value:g}")
        self.leaves[name] = float(f"{value:g}")
        self.settle()

    def learn_at(self, rate: float) -> None:
        self.slide("learningRate", rate)
        self.rate = rate

    @property
    def step(self) -> int:
        return self.whole("step")

    def torchs(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """All values, and the derivative of the loss by each, from autograd."""
        v = {name: torch.tensor(value, requires_grad=True) for name, value in self.leaves.items()}
        for n in "12":
            v[f"z{n}"] = v[f"w{n}1"] * v["x1"] + v[f"w{n}2"] * v["x2"] + v[f"b{n}"]
            v[f"h{n}"] = v[f"z{n}"].tanh()
        v["y"] = v["v1"] * v["h1"] + v["v2"] * v["h2"] + v["c"]
        v["e"] = v["y"] - v["t"]
        v["L"] = v["e"].square() / 2
        for value in v.values():
            value.retain_grad()
        v["L"].backward()
        return v, {name: value.grad for name, value in v.items() if value.grad is not None}

    def check(self) -> None:
        """Hold everything that is shown against torch."""
        self.settle()
        step, (values, slopes) = self.step, self.torchs()
        there = {"x1", "x2", *ORDER[:step]}
        back = ORDER[::-1][: max(0, min(step, 14) - 7)]
        for name in ("x1", "x2", *ORDER):
            box = self.root.locator(f"[data-name={name}]")
            assert number_if_any(box.locator(".dlc-backprop-value")) == near(values[name], name in there)
            come = [result for result in back if name in PARENTS[result]]
            slope = number_if_any(box.locator(".dlc-backprop-slope"))
            is_part = name.startswith("x") and come == ["z2"]
            said = box.get_attribute("aria-label") or ""
            assert ("by z2, and what is still to come by z1" in said) == is_part
            assert box.locator(".dlc-backprop-slope").inner_text().endswith("…") == is_part
            if name == "L":
                assert slope == (1 if back or step > 7 else None)
            elif is_part:
                assert slope == near(slopes["z2"] * values[f"w2{name[1]}"])
            else:
                assert slope == near(slopes[name], bool(come))
        for name in PARAMETERS:
            row = self.root.locator(f"[data-parameter={name}]")
            known = any(name in PARENTS[result] for result in back)
            assert number_if_any(row.locator("[data-part=slope]")) == near(slopes[name], known)
            new = values[name] - self.rate * slopes[name]
            assert number_if_any(row.locator("[data-part=next]")) == near(new, step == 15)
        self.check_working(step, values, slopes)

    def check_working(self, step: int, values: dict[str, Tensor], slopes: dict[str, Tensor]) -> None:
        rows = self.root.locator(".dlc-backprop-rows [data-row]").evaluate_all(
            "all => all.map(row => [row.dataset.row,"
            " [...row.querySelectorAll('[data-value]')].map(e => Number(e.dataset.value))])"
        )
        if step == 0:
            assert rows == []
        elif step == 15:
            better = Stepper(self.page)
            better.leaves = self.leaves | {p: (values[p] - self.rate * slopes[p]).item() for p in PARAMETERS}
            assert dict(rows)["loss"] == [near(values["L"])]
            assert dict(rows)["new loss"] == [near(better.torchs()[0]["L"])]
        elif step <= 7:
            result = ORDER[step - 1]
            assert dict(rows)[result] == [near(values[result])]
            for name, numbers in rows[:-1]:
                assert numbers[0] == near(values[name])
                assert numbers[-1] == near(values[name] * (numbers[1] if len(numbers) == 3 else 1))
            if len(rows) > 1:
                assert sum(numbers[-1] for _, numbers in rows[:-1]) == near(values[result])
        else:
            result = ORDER[14 - step]
            found = dict(rows)
            for parent in PARENTS[result]:
                upstream, local, product = found[parent]
                (expected,) = torch.autograd.grad(self.again(result, values), self.parents[parent])
                assert (upstream, local) == (near(slopes[result]), near(expected))
                assert product == near(slopes[result] * expected)
            for name in {"x1", "x2"} if result == "z1" else ():
                assert found[f"sum {name}"] == [near(slopes[name])]

    def again(self, result: str, values: dict[str, Tensor]) -> Tensor:
        """One operation alone, for its local derivatives."""
        p = self.parents = {name: values[name].detach().requires_grad_() for name in PARENTS[result]}
        if result[0] == "z":
            return p[f"w{result[1]}1"] * p["x1"] + p[f"w{result[1]}2"] * p["x2"] + p[f"b{result[1]}"]
        if result == "y":
            return p["v1"] * p["h1"] + p["v2"] * p["h2"] + p["c"]
        (only,) = p.values()
        return {"h": only.tanh(), "e": only - self.leaves["t"], "L": only.square() / 2}[result[0]]


equal = within(rel=1e-5, abs=1e-6)


def near(value: Tensor, known: bool = True) -> object:
    return equal(value) if known else None


@pytest.fixture
def stepper(page: Page, site: str) -> Stepper:
    return Stepper(page).open(site)


def test_every_step_shows_torchs_numbers(stepper: Stepper) -> None:
    stepper.check()
    assert stepper.page.workers == [], "the first picture asks nothing"
    for name in random.sample([*PARAMETERS, "x1", "x2", "t"], 6):
        stepper.type(name, round(random.uniform(-2, 2), 2))
    stepper.learn_at(random.choice([0.05, 0.5, 1.5]))
    expect(stepper.engine).to_have_attribute("data-answered-by", "page")
    for step in (*range(14, -1, -1), *range(1, 16)):
        stepper.go(step)
        stepper.check()
    expect(stepper.control("step")).to_have_attribute("aria-disabled", "true")


def test_going_on_with_the_new_values_lowers_the_loss_and_can_be_undone(stepper: Stepper) -> None:
    first = dict(stepper.leaves)
    losses = []
    for _ in range(3):
        values, slopes = stepper.torchs()
        losses.append(values["L"].item())
        stepper.control("takeStep").click()
        stepper.leaves |= {p: (values[p] - stepper.rate * slopes[p]).item() for p in PARAMETERS}
        stepper.check()
    assert losses == sorted(losses, reverse=True)
    for _ in range(3):
        stepper.control("undo").click()
    stepper.leaves = first
    stepper.check()


def test_by_keys_and_by_pressing_boxes(stepper: Stepper) -> None:
    page = stepper.page
    stepper.root.locator("[data-name=y]").focus()
    page.keyboard.press("Enter")  # the pass back has been there: to where its derivative came
    assert stepper.step == 9
    stepper.check()
    for key, step in ((",", 8), (",", 7), ("r", 15)):
        page.keyboard.press(key)
        expect(stepper.root).to_have_attribute("data-step", str(step))
    stepper.go(7)
    stepper.root.locator("[data-name=h2]").click()
    assert stepper.step == 4
    stepper.check()
    field = stepper.control("v1")
    for wrong in ("11", "-1e9", ""):
        field.fill(wrong)
        expect(field).to_have_attribute("aria-invalid", "true")
        stepper.check()
    field.blur()
    expect(field).to_have_value("0.8")


def test_a_shared_link_restores_the_state(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**CLIPBOARD)
    stepper = Stepper(page).open(site)
    stepper.type("w22", -0.75)
    stepper.learn_at(0.4)
    stepper.go(12)
    link = stepper.share()
    other, _ = new_page()
    restored = Stepper(other)
    restored.leaves, restored.rate = stepper.leaves, stepper.rate
    restored.follow(link)
    assert restored.step == 12
    restored.check()


def test_each_kind_of_step_stands_in_any_light_and_at_any_width(stepper: Stepper) -> None:
    stepper.go(14)
    for look in looks(stepper.page):
        assert stepper.faults(look) == {}, look
    stepper.type("w11", -0.00123)
    for v1 in (0.8, 1e-3, -1e-6):  # of this size are the derivatives before it, with up to ten letters
        stepper.type("v1", v1)
        for width in widths(stepper.page):
            for step in (15, 14, 3):
                stepper.go(step)
                assert stepper.overflowing() == [], (v1, width, step)


def test_fingers_can_use_it(new_page: NewPage, site: str) -> None:
    page, _ = new_page(**PHONE)
    stepper = Stepper(page).open(site)
    stepper.root.locator("[data-name=z1]").tap()
    assert stepper.step == 12
    stepper.control("stepBack").tap()
    stepper.check()
