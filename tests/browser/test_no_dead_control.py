"""No dead control: whatever looks as if it could be used does something that is seen, by mouse and by keyboard.

A crawler finds the controls of every explorable by their roles, knowing nothing about any of them. It uses each one and
waits for the explorable to look different: text, colours, canvases and fields, but not where the focus is.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page

from .conftest import NewPage
from .test_engine import pages

#: What a reader may use. Of a grid's cells, which are all alike, a few.
SINGLE = "button, select, input, textarea, summary, [role=slider], [role=switch]"
ALIKE = "[role=gridcell], [role=option], [role=treeitem], [role=radio]"
#: Cells tried of each grid.
CELLS = 3
#: How long something may take to show, milliseconds: the first question loads what answers it.
PATIENCE = 30_000

#: Marks the controls of an explorable with numbers, and returns what is there.
_FIND = """(root, [single, alike, cells, seed]) => {
  let state = seed;
  const chance = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const there = e => e.checkVisibility({ visibilityProperty: true }) && !e.closest('[aria-hidden=true]');
  const some = [...root.querySelectorAll(single)];
  const groups = new Map();
  for (const e of root.querySelectorAll(alike)) {
    if (e.matches(single)) continue;
    const grid = e.closest('[role=grid], [role=listbox], [role=tree], [role=radiogroup], [data-grid]') ?? root;
    groups.set(grid, [...(groups.get(grid) ?? []), e]);
  }
  for (const [grid, all] of groups) {
    const visible = all.filter(there);
    for (let i = 0; i < cells && visible.length; i++)
      some.push(visible.splice(Math.floor(chance() * visible.length), 1)[0]);
  }
  const name = e => e.dataset.control ?? e.dataset.scrub ?? e.dataset.strip ?? e.closest('[data-grid]')?.dataset.grid ??
    e.getAttribute('aria-label') ?? e.textContent.slice(0, 30);
  return some.filter(there).map((e, number) => {
    e.dataset.crawled = number;
    return { number, tag: e.localName, type: e.type ?? '', role: e.getAttribute('role') ?? '', name: name(e) };
  });
}"""

#: What a reader sees of an explorable, as one text: no attributes that say where the focus is.
_LOOK = """(root, besides) => {
  const copy = root.cloneNode(true);
  const unseen = ['tabindex', 'data-crawled', 'data-lm-suppress-shortcuts', 'aria-busy', 'aria-expanded'];
  // Attributes in one order: which of them was set last is not seen.
  for (const e of [copy, ...copy.querySelectorAll('*')])
    for (const { name, value } of [...e.attributes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      e.removeAttribute(name);
      if (!unseen.includes(name) && (name !== 'class' || value)) e.setAttribute(name, value);
    }
  for (const e of copy.querySelectorAll(besides)) e.remove();
  const fields = [...root.querySelectorAll('input, select, textarea')].map(e => [e.value, e.checked].join());
  const canvases = [...root.querySelectorAll('canvas')].map(c => c.toDataURL());
  return [copy.outerHTML, ...fields, ...canvases].join('|');
}"""


@dataclass(frozen=True)
class Control:
    """A control that the crawler has found."""

    number: int
    tag: str
    type: str
    role: str
    name: str

    def __str__(self) -> str:
        return f"{self.role or self.tag}{f'[{self.type}]' if self.type else ''} “{self.name}”"


def by_mouse(element: Locator, control: Control, turn: int) -> None:
    """Use a control with the mouse, in one way or another by turns."""
    if control.tag == "select":
        values = element.evaluate("e => [...e.options].filter(o => !o.disabled && !o.hidden).map(o => o.value)")
        now = element.input_value()
        others = [value for value in values if value != now] or [now]
        element.select_option(others[turn % len(others)])
    elif control.type in {"text", "number", "textarea"}:
        element.click()
        element.fill(("1", "2")[turn % 2] if control.type == "number" else ("To be", "or not")[turn % 2])
    elif control.type == "range" or control.role == "slider":
        box = element.bounding_box()
        assert box
        element.click(position={"x": box["width"] * (0.2, 0.75, 0.5)[turn % 3], "y": box["height"] / 2}, force=True)
    elif control.role in {"gridcell", "option"}:
        element.click(force=True)  # cells and marks may lie upon each other; the picture takes the nearest
    else:
        element.click()


def by_keys(element: Locator, control: Control, turn: int) -> None:
    """Use a control with the keyboard, in one way or another by turns."""
    element.focus()
    if control.tag == "select" or control.type == "range" or control.role == "slider":
        element.press(("ArrowDown", "ArrowUp", "Home", "End")[turn % 4])
    elif control.type in {"text", "number", "textarea"}:
        element.press(("End", "ArrowUp")[control.type == "number" and turn % 2])
        element.press_sequentially("7" if control.type == "number" else " nay")
    elif control.tag in {"button", "summary"}:
        element.press(("Enter", "Space")[turn % 2])
    elif control.type == "checkbox":
        element.press("Space")
    else:
        element.press(("ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Enter", "Space")[turn % 6])


def look(root: Locator, besides: str = "") -> str:
    """Return what a reader sees of an explorable, but for what ``besides`` selects."""
    seen: str = root.evaluate(_LOOK, ", ".join(filter(None, (".dlc-unseen", besides))))
    return seen


def changes(page: Page, root: Locator, before: str, patience: int) -> bool:
    """Wait until an explorable looks different from before; say whether it did."""
    for _ in range(patience // 50):
        if look(root) != before:
            return True
        page.wait_for_timeout(50)
    return False


def rest(page: Page, root: Locator) -> None:
    """Wait until all is answered."""
    page.wait_for_function(
        "root => root.getAttribute('aria-busy') !== 'true'", arg=root.element_handle(), timeout=PATIENCE
    )


@pytest.mark.parametrize("address", pages())
@pytest.mark.parametrize("use", [by_mouse, by_keys], ids=["mouse", "keys"])
def test_everything_that_can_be_used_does_something(new_page: NewPage, site: str, address: str, use: object) -> None:
    # With less motion, a play is one leap, which ends.
    page, _ = new_page(permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce")
    page.goto(site + address)
    seed = random.randrange(2**31)
    print("seed", seed)
    for container in page.locator(".dlcompare-explorable").all():
        container.scroll_into_view_if_needed()
        root = container.locator(".dlc")
        root.wait_for()
        rest(page, root)
        controls = [Control(**found) for found in root.evaluate(_FIND, [SINGLE, ALIKE, CELLS, seed])]
        assert len(controls) > 5, "the crawler finds what there is"
        dead = [control for control in controls if not alive(page, root, control, use)]
        assert not dead, f"{address}, by {use.__name__}: {'; '.join(map(str, dead))}"  # type: ignore[attr-defined]


def choose_another(page: Page, root: Locator, element: Locator) -> None:
    """Choose something else when this is chosen already: by itself, the one thing chosen can't show that it answers."""
    if "true" not in {element.get_attribute("aria-selected"), element.get_attribute("aria-checked")}:
        return
    role = element.get_attribute("role")
    others = f"[role={role}]:is([aria-selected=false], [aria-checked=false]), [role=option][aria-selected=false]"
    another = root.locator(others).locator("visible=true")
    if another.count():
        another.last.click()
        rest(page, root)


def alive(page: Page, root: Locator, control: Control, use: object) -> bool:
    """Say whether using a control shows, from the state that the controls before it left."""
    element = root.locator(f"[data-crawled='{control.number}']")
    others = [name for name in ("stepBack", "step", "reset") if name != control.name]
    for turn in range(6):
        if element.count() == 0 or not element.is_visible():
            return True  # what was there has gone with what others have changed
        disabled = element.get_attribute("aria-disabled") == "true" or element.is_disabled()
        if disabled or turn > 2:
            # It can do nothing in this state, or says what is already so: go to another one.
            other = root.locator(f"[data-control={others[turn % len(others)]}]")
            if other.count():
                other.click()
                rest(page, root)
            if element.count():
                choose_another(page, root, element)
        if disabled:
            continue
        element.scroll_into_view_if_needed()
        page.mouse.move(0, 0)  # where the mouse was may have shown something already
        before = look(root)
        use(element, control, turn)  # type: ignore[operator]
        shows = changes(page, root, before, PATIENCE if turn == 5 else 600)
        rest(page, root)
        if shows:
            return True
    return False
