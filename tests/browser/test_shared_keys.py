"""The same keys do the same in every explorable of the book, and `?` lists them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tools.explorables import EXPLORABLES, Entry

from .test_no_dead_control import PATIENCE, changes, look, rest

#: What tells of what has happened, and is no part of the state.
TOLD = ".dlc-note, .dlc-engine, [data-control=undo]"


@pytest.mark.parametrize("entry", EXPLORABLES, ids=lambda entry: entry.name)
def test_the_same_keys_do_the_same_everywhere(page: Page, site: str, entry: Entry) -> None:
    page.goto(site + entry.address)
    page.locator(entry.container).scroll_into_view_if_needed()
    root = page.locator(f"{entry.container} .dlc")
    root.wait_for()
    rest(page, root)
    help_button = root.locator("[data-control=keys]")
    help_button.focus()
    first = look(root, TOLD)
    panel = root.locator(".dlc-keys")
    expect(panel).to_be_hidden()
    page.keyboard.press("?")
    expect(panel).to_be_visible()
    listed = panel.locator("kbd").all_text_contents()
    assert listed.count("?") == 1
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()

    def press(key: str) -> None:
        before = look(root)
        page.keyboard.press(key)
        assert changes(page, root, before, PATIENCE), f"{key} does nothing"
        rest(page, root)

    assert {"u", "r"} <= set(listed)
    if ",  ." in listed:
        at_end = root.locator("[data-control=step]").get_attribute("aria-disabled") == "true"
        for key in (",", ".") if at_end else (".", ","):
            press(key)
        press("," if at_end else ".")
        press("r")
    for n, key in enumerate("ur"):
        before = look(root)
        (entry.setting or entry.change)(root, n)
        assert changes(page, root, before, PATIENCE)
        rest(page, root)
        help_button.focus()
        press(key)
        assert look(root, TOLD) == first
    assert look(root, TOLD) == first
