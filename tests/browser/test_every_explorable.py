"""What every explorable of the book must do, whatever it shows: figure, lights, widths, fingers, failures, links."""

from __future__ import annotations

import random
import re
import secrets
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tools.explorables import ASKING, EXPLORABLES, Entry

from .conftest import NewPage
from .explorable import CLIPBOARD, LATE, PHONE, OnPage, read, words
from .looks import WIDE, looks, widths
from .test_no_dead_control import _FIND, ALIKE, CELLS, PATIENCE, SINGLE, Control, by_keys, by_mouse, changes, look
from .test_shared_keys import TOLD

every = pytest.mark.parametrize("entry", EXPLORABLES, ids=lambda entry: entry.name)
every_that_asks = pytest.mark.parametrize("entry", ASKING, ids=lambda entry: entry.name)


def drawn() -> random.Random:
    """A source of chance; its seed is printed."""
    seed = secrets.randbits(31)
    print("seed", seed)
    return random.Random(seed)


# --- the figure --------------------------------------------------------------------------------------------------

#: The cells of a table on the page, and of what Python writes.
_ROWS = """(table, written) => {
  const template = document.createElement('template');
  template.innerHTML = written;
  return [table, template.content.firstChild].map(t => [...t.rows].map(r => [...r.cells].map(c => c.textContent)));
}"""


def assert_same(found: str, expected: str) -> None:
    """Hold a text against another one; its numbers have three digits, of which rounding may change the last."""
    assert words(found) == words(expected)
    assert read(found) == pytest.approx(read(expected), rel=6e-3, abs=2e-6)


@every
def test_without_javascript_and_in_print_the_figure_stands_there(
    browser: Browser, page: Page, site: str, entry: Entry
) -> None:
    # Not watched: without scripts, Chromium reports the scripts that the page names as refused.
    context = browser.new_context(java_script_enabled=False)
    plain = OnPage(context.new_page(), entry)
    plain.page.goto(site + entry.address)
    twin = entry.begun(plain.first_state())
    image = plain.container.locator("figure img")
    image.scroll_into_view_if_needed()
    expect(image).to_be_visible()
    box = image.bounding_box()
    assert box
    assert box["height"] > 150, "the picture is there, not only its frame"
    assert image.evaluate("e => e.decode().then(() => e.naturalWidth)") > 300
    assert_same(image.get_attribute("alt") or "", twin.alternative_text())
    caption = plain.container.locator("figcaption")
    expect(caption).to_be_visible()
    assert caption.text_content() == twin.caption()
    table = twin.table()
    assert table, "an explorable of the book has a table in its printed figure"
    expect(plain.container.locator("details summary")).to_be_visible()
    found, expected = plain.container.locator("details table").evaluate(_ROWS, table.to_html())
    assert [len(row) for row in found] == [len(row) for row in expected]
    for row, wanted in zip(found, expected, strict=True):
        for cell, value in zip(row, wanted, strict=True):
            assert_same(cell, value)
    expect(plain.root).to_have_count(0)
    context.close()

    alive = OnPage(page, entry).open(site)
    expect(alive.container.locator("figure")).to_be_hidden()
    page.emulate_media(media="print")
    expect(alive.container.locator("figure img")).to_be_visible()
    expect(alive.root).to_be_hidden()


# --- lights and widths -------------------------------------------------------------------------------------------


def assert_stands(explorable: OnPage, state: str) -> None:
    for name in looks(explorable.page):
        assert explorable.faults(name) == {}, (state, name)
    explorable.page.emulate_media(color_scheme="light", forced_colors="none")
    for width in widths(explorable.page):
        assert explorable.overflowing() == [], (state, width)


def use(explorable: OnPage, chance: random.Random, count: int) -> list[str]:
    """Use controls that the crawler finds, drawn by chance; return which."""
    root, used = explorable.root, []
    found = [Control(**one) for one in root.evaluate(_FIND, [SINGLE, ALIKE, CELLS, chance.getrandbits(31)])]
    chance.shuffle(found)
    for control in found:
        element = root.locator(f"[data-crawled='{control.number}']")
        if not element.count() or not element.is_visible() or element.get_attribute("aria-disabled") == "true":
            continue
        how = chance.choice([by_mouse, by_keys])
        used.append(f"{control} {how.__name__}")
        element.scroll_into_view_if_needed()
        how(element, control, chance.randrange(6))
        explorable.settle()
        if len(used) == count:
            break
    return used


@every
def test_it_stands_in_any_light_and_at_any_width(new_page: NewPage, site: str, entry: Entry) -> None:
    chance = drawn()
    # With less motion, a play is one leap, which ends.
    page, _ = new_page(**CLIPBOARD, reduced_motion="reduce")
    explorable = OnPage(page, entry).open(site)
    explorable.control("keys").click()
    assert_stands(explorable, "as it begins, with its keys")
    explorable.control("keys").click()
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    used = use(explorable, chance, 3)
    print("; ".join(used))
    assert len(used) == 3
    page.mouse.move(0, 0)
    assert_stands(explorable, f"after {'; '.join(used)}")


# --- fingers -----------------------------------------------------------------------------------------------------

#: What a finger is to meet: controls, and what can be chosen one by one, but not the cells of an image.
FINGERS = f"{SINGLE}, {ALIKE}"
#: What is smaller: places in a picture that lie close beside each other.
SMALLER = ".dlc-strip, .dlc-terms .dlc-cell, .dlc-spot, .dlc-comparison-mark, .dlc-recurrent .dlc-token"
#: Each with the smaller one of its sides; a box to tick is as large as its label.
_SIZES = """(all, smaller) => all.filter(e => e.checkVisibility({ visibilityProperty: true }))
  .filter(e => !e.closest('svg, .dlc-unseen, [aria-hidden=true]') && !e.matches(smaller))
  .map(e => [e, (['checkbox', 'radio'].includes(e.type) && e.closest('label') || e).getBoundingClientRect()])
  .map(([e, box]) => [Math.min(box.width, box.height), e.outerHTML.slice(0, 200)])"""
LEAST = 32
#: Where a tap is tried first: a step; something to choose; a button of its own.
TAPPED = (
    "[data-control=stepBack]:not([aria-disabled=true]), [data-control=step]:not([aria-disabled=true])",
    "[role=option][aria-selected=false], [role=radio][aria-checked=false], [role=gridcell][aria-selected=false]",
    ":not(.dlc-actions, .dlc-engine, .dlc-keys) > button:not([aria-disabled=true])",
)


@every
def test_fingers_can_use_it(new_page: NewPage, site: str, entry: Entry) -> None:
    page, _ = new_page(**PHONE)
    explorable = OnPage(page, entry).open(site)
    sizes = explorable.root.locator(FINGERS).evaluate_all(_SIZES, SMALLER)
    assert len(sizes) > 5
    small = [(size, element) for size, element in sizes if size < LEAST]
    assert small == []
    tapped = 0
    for selector in TAPPED:
        found = explorable.root.locator(selector).locator("visible=true")
        if not found.count():
            continue
        before = look(explorable.root)
        found.first.tap()
        if not changes(page, explorable.root, before, 2000):
            # It says what is already so: the same one must answer from elsewhere.
            explorable.control("stepBack").tap()
            explorable.settle()
            before = look(explorable.root)
            found.first.tap()
            assert changes(page, explorable.root, before, PATIENCE), f"a tap on {selector} does nothing"
        explorable.settle()
        tapped += 1
    assert tapped


# --- an engine that fails ----------------------------------------------------------------------------------------

#: Files without which nothing is computed, as they may be missing one by one.
MISSING = ("**/worker.*.js", "**/*.wasm.gz", "**/*.onnx.gz", "**/graphs/*")
#: Where numbers stand that are the reader's own, or a clock's.
OWN = ".dlc-controls, .dlc-engine, input, select, textarea, [data-time]"
#: What shows at once what is wished for, though nothing is computed yet.
WISHED = {"digits": "[data-grid=pad]"}
#: Where a wish itself moves what is looked at, the numbers that stay where they are.
STAYING = {
    "attention": "[data-strip=key]",
    "convolution": "[data-grid=output] *",
    "recurrent": "[data-grid=time] *",
}
#: All that an explorable shows to the last digit.
_NUMBERS = """(root, [besides, only]) => [...root.querySelectorAll('*')]
  .filter(e => ['value', 'values', 'own', 'tokens'].some(key => key in e.dataset))
  .filter(e => !e.closest(besides) && e.matches(only) && e.checkVisibility())
  .map(({ dataset: { value, values, own, p, tokens } }) => [value, values, own, p, tokens].join('|'))"""


def shown(explorable: OnPage) -> list[str]:
    explorable.page.mouse.move(0, 0)  # off the figure, which would show what is pointed at
    besides = ", ".join(filter(None, (OWN, WISHED.get(explorable.entry.name))))
    only = STAYING.get(explorable.entry.name, "*")
    found: list[str] = explorable.root.evaluate(_NUMBERS, [besides, only])
    assert len(found) > 3
    return found


@every_that_asks
def test_when_nothing_computes_the_picture_stays_and_trying_again_answers(
    browser: Browser, new_page: NewPage, site: str, entry: Entry
) -> None:
    missing = drawn().choice(MISSING)
    print(missing)
    page = browser.new_page(viewport=WIDE)  # not watched: this page is meant to complain
    page.route(missing, lambda route: route.abort())
    explorable = OnPage(page, entry).open(site)
    before = shown(explorable)
    entry.change(explorable.root, 0)
    expect(explorable.engine).to_have_attribute("data-engine", "failed", timeout=LATE)
    alert = explorable.engine.locator(".dlc-engine-failure[role=alert]")
    expect(alert).to_contain_text(re.compile("could not be loaded|did not start the program"))
    expect(alert).to_contain_text("The figure keeps the last ones")
    assert shown(explorable) == before
    page.unroute(missing)
    explorable.engine.get_by_role("button", name="Try again").click()
    expect(explorable.engine).to_have_attribute("data-answered-by", "page", timeout=LATE)
    explorable.settle()
    expect(alert).to_be_empty()
    after = shown(explorable)
    assert after != before
    page.close()
    # Nothing of the failure is left: it shows what one shows whose engine has answered at once.
    other = OnPage(new_page()[0], entry).open(site)
    entry.change(other.root, 0)
    expect(other.engine).to_have_attribute("data-answered-by", "page", timeout=LATE)
    other.settle()
    assert shown(other) == after


# --- a hostile link ----------------------------------------------------------------------------------------------

#: What is a value of nothing that can be chosen, but of a text that a reader may type.
NONSENSE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "1e999",
    "-1e9",
    "NaN",
    "0x10",
    "__proto__",
    "constructor",
    '"x"',
    "[[]]",
    "[1e999,0]",
    '{"length":1}',
    "\u202e\u0000",
    "9," * 500,
    "🙂" * 500,
)
#: In links, some explorables call their traits otherwise, and some have more than traits.
FURTHER = ("at", "mask", "rates", "topk", "topp", "keep", "path")


def keys_of(explorable: OnPage) -> list[str]:
    """Whatever a link to it may tell."""
    told = [key for key, _ in parse_qsl(urlsplit(explorable.share()).fragment.partition("?")[2])]
    assert told
    return sorted({*explorable.first_state(), *told, *FURTHER})


def hostile(explorable: OnPage, chance: random.Random) -> str:
    """Every key with nonsense; a text that may be typed is empty."""
    fields = explorable.root.locator("textarea, input[type=text]").evaluate_all(
        "all => all.map(e => e.dataset.control)"
    )
    pairs = [(key, "" if key in fields else chance.choice(NONSENSE)) for key in keys_of(explorable)]
    chance.shuffle(pairs)
    return "__proto__=1&%zz&&=&" + "&".join(f"{key}={quote(value)}" for key, value in pairs) + "&constructor&%F0%9F=%"


def seen(explorable: OnPage) -> str:
    """What a reader sees; ids, which each visit has its own of, are left out."""
    return re.sub(r"(dlc-[a-z]+)-[a-z0-9]+-\d+", r"\1", look(explorable.root, TOLD))


@every
def test_a_hostile_link_opens_in_the_first_state(new_page: NewPage, site: str, entry: Entry) -> None:
    chance = drawn()
    page, watch = new_page(**CLIPBOARD)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    explorable = OnPage(page, entry).open(site)
    first = seen(explorable)

    def stands() -> None:
        page.mouse.move(0, 0)  # off the figure, which would show what is pointed at
        explorable.settle()
        assert seen(explorable) == first
        assert page.evaluate("Object.keys(Object.prototype)") == []
        assert page.evaluate("({}).length === undefined")
        assert dialogs == []
        watch.check()

    for _ in range(2):
        parameters = hostile(explorable, chance)
        print(parameters)
        explorable.open(site, parameters)  # on the page that is open: it comes as another fragment
        stands()
        page.reload()
        explorable.container.scroll_into_view_if_needed()
        explorable.arrive()
        stands()
