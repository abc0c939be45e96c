"""An explorable on a page: opened, waited for, used and read in one way. The rest is in the tests of each."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any, ClassVar, Self

import pytest
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tools.explorables import Entry, named

from . import looks

LATE = 60_000  # milliseconds for the first answer, which loads what computes it
#: A context in which a link can be copied and read.
CLIPBOARD: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}
#: A phone, used by finger.
PHONE: dict[str, Any] = {"viewport": looks.NARROW, "has_touch": True, "is_mobile": True}


#: Whether all that was asked is answered.
ANSWERED = "root => root.getAttribute('aria-busy') !== 'true'"
#: Whether it has been drawn at all, which comes a moment after it stands there.
DRAWN = "root => root.querySelector('[data-value], [data-values], [data-count], [data-own]') !== null"

#: Leave nothing beside an element in its article.
_ALONE = """element => {
  for (let inner = element; inner && inner.tagName !== 'ARTICLE'; inner = inner.parentElement) {
    for (const other of [...inner.parentElement.children]) if (other !== inner) other.remove();
  }
}"""


class OnPage:
    """An explorable on a page: what a reader does with it, and the exact numbers that it shows.

    A subclass names one of ``tools.explorables``, which says where it stands; or the entry is given.
    """

    name: ClassVar[str]

    def __init__(self, page: Page, entry: Entry | None = None) -> None:
        self.page = page
        self.entry = entry or named(self.name)
        self.container = page.locator(self.entry.container)
        self.root = self.container.locator(".dlc")
        self.note = self.root.locator(".dlc-note")
        self.engine = self.root.locator(".dlc-engine")

    def open(self, site: str, parameters: str = "") -> Self:
        """Open its page, with a state in the address."""
        return self.follow(site + self.entry.address + (f"{self.entry.container}?{parameters}" if parameters else ""))

    def follow(self, link: str) -> Self:
        """Open a link to its page; then it is there, and all is answered."""
        self.page.goto(link)
        self.container.scroll_into_view_if_needed()
        return self.arrive()

    def arrive(self) -> Self:
        """Wait until it is there, drawn and answered."""
        expect(self.root).to_be_visible()
        self.page.wait_for_function(DRAWN, arg=self.root.element_handle(), timeout=LATE)
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until all that was asked is answered; looked at in every frame, for it is often the next one."""
        if self.root.get_attribute("aria-busy") == "true":
            self.page.wait_for_function(ANSWERED, arg=self.root.element_handle(), timeout=LATE)

    def control(self, name: str) -> Locator:
        return self.root.locator(f"[data-control={name}]")

    def press(self, *names: str) -> None:
        for name in names:
            self.control(name).click()
        self.settle()

    def choose(self, name: str, value: object) -> None:
        self.control(name).select_option(str(value))
        self.settle()

    def slide(self, name: str, value: float) -> None:
        """Move a slider, as a hand does that lets go there."""
        self.control(name).evaluate(
            "(e, value) => { e.value = value; e.dispatchEvent(new Event('input')) }", f"{value:g}"
        )
        self.settle()

    def go(self, step: int) -> None:
        """Take steps, forth or back."""
        now = self.whole("step")
        for _ in range(abs(step - now)):
            self.control("step" if step > now else "stepBack").click()
        expect(self.root).to_have_attribute("data-step", str(step))

    def whole(self, key: str) -> int:
        """A whole number of its state, such as the step."""
        return int(self.root.get_attribute(f"data-{key}") or "-1")

    def first_state(self) -> dict[str, Any]:
        """The first state, which travelled with the page."""
        state: dict[str, Any] = json.loads(self.container.locator("script.dlcompare-state").text_content() or "")
        return state

    def share(self) -> str:
        """Share the state; return the link."""
        self.control("share").click()
        expect(self.note).to_have_text("The link to this state is copied.")
        link: str = self.page.evaluate("navigator.clipboard.readText()")
        assert link == self.page.url
        return link

    def faults(self, look: str = "") -> dict[str, str]:
        """What axe finds in it, in one of the ``looks``; of what is all alike and many, in the first few only.

        The text around it is taken away, which has a test of its own: axe would go through all of it each time.
        """
        self.container.evaluate(_ALONE)
        return looks.faults(self.page, self.entry.container, *looks.MANY, only=looks.ONLY.get(look, ""))

    def overflowing(self) -> list[str]:
        """What runs over in it, but for what may scroll."""
        return looks.overflowing(self.page, self.entry.container, scrolls=self.entry.scrolls, cut=self.entry.cut)


def near(expected: Any, *, rel: float, abs: float) -> Any:
    """What is equal to a number, to several, or to a tensor's but for rounding; None is equal to None alone."""
    value = expected.tolist() if isinstance(expected, Tensor) else expected
    if value is None:
        return None
    if isinstance(value, list) and None in value:
        return [None if one is None else pytest.approx(one, rel=rel, abs=abs) for one in value]
    return pytest.approx(value, rel=rel, abs=abs)


def within(rel: float, abs: float) -> Callable[[Any], Any]:
    """Return :func:`near` with these bounds."""
    return functools.partial(near, rel=rel, abs=abs)


def number(element: Locator, key: str = "value") -> float:
    """The exact number that an element shows; it must have one."""
    found = element.get_attribute(f"data-{key}")
    assert found is not None, key
    return float(found)


def number_if_any(element: Locator, key: str = "value") -> float | None:
    found = element.get_attribute(f"data-{key}")
    return None if found is None else float(found)


def numbers(elements: Locator, key: str = "value") -> list[float]:
    """The exact numbers that elements show, one each."""
    found = numbers_if_any(elements, key)
    assert None not in found, key
    return found  # type: ignore[return-value]


def numbers_if_any(elements: Locator, key: str = "value") -> list[float | None]:
    found = elements.evaluate_all("(all, key) => all.map(e => e.dataset[key] ?? null)", key)
    return [None if value is None else float(value) for value in found]


def series(element: Locator, key: str = "values") -> list[float]:
    """The exact numbers that one element shows all together."""
    return [float(value) for value in (element.get_attribute(f"data-{key}") or "").split()]


SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|∞)")


def as_typed(text: str) -> str:
    """Return a text with its numbers as a program writes them: no true minus signs, no powers of ten."""
    text = re.sub(r"·10([⁻⁰¹²³⁴-⁹]+)", lambda power: "e" + power[1].translate(SUPERSCRIPT), text)
    return text.replace("−", "-")


def read(text: str) -> list[float]:
    """Read the numbers in a text as a reader does, with true minus signs and powers of ten."""
    return [float(found.replace("∞", "inf")) for found in _NUMBER.findall(as_typed(text))]


def words(text: str) -> str:
    """Return a text with a mark in the place of each number."""
    return _NUMBER.sub("#", as_typed(text))
