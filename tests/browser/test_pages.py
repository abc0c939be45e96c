"""Every page of the built book, in a real browser, cut off from every other host."""

from __future__ import annotations

import functools
import html
import re
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from _ext import api_reference
from tools.chapters import ROOT, pages

from .conftest import HTML, NewPage, Watch
from .looks import calm, faults

#: What the theme writes besides the chapters.
GENERATED = ("search.html", "genindex.html")
#: What is all alike and many, but for the first few: entries of the reference, of an index, of tables and lists.
ALIKE = (
    "dl.py:nth-of-type(n + 4)",
    ".indextable li:nth-child(n + 4)",
    "tbody tr:nth-child(n + 9)",
    "li:nth-child(n + 13)",
)
#: What one program writes on many pages, and the one page on which all of it is looked at: the reference's entries, and
#: code in colours, which has thousands of words.
WRITTEN_ALIKE = {
    "dl.py": "chapters/appendix/reference/comparison.html",
    ".highlight": "chapters/4-code/4-2-1-gpt2.html",
}


#: Whether keys reach each block that scrolls and no other. The theme sees to it a while after a width has changed.
_REACHED = """() => [...document.querySelectorAll('pre')].every(
  e => (e.tabIndex === 0) === (e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight)
)"""


def addresses() -> list[str]:
    """Return the address of each page, from the table of contents, not from what happens to be on disk."""
    return [str(path.relative_to(ROOT).with_suffix(".html").as_posix()) for path in pages()] + list(GENERATED)


@pytest.fixture
def new_page(new_page: NewPage) -> NewPage:
    """Open pages with all that is on them."""
    return functools.partial(new_page, equations=True)


def load(page: Page, address: str) -> None:
    """Open a page and wait until it has loaded all it will load by itself, and has set its equations."""
    response = page.goto(address, wait_until="networkidle")
    assert response is not None
    assert response.ok, f"{address}: status {response.status}"
    page.evaluate("async () => { if (window.MathJax?.startup) await window.MathJax.startup.promise }")


def test_every_page_on_disk_is_tested() -> None:
    assert set(WRITTEN_ALIKE.values()) <= set(addresses())
    on_disk = {p.relative_to(HTML).as_posix() for p in HTML.rglob("*.html") if "_static" not in p.parts}
    # index.html leads to the first chapter; it has a test of its own.
    assert on_disk - {"index.html"} == set(addresses())


@pytest.mark.parametrize("address", addresses())
def test_page(new_page: NewPage, site: str, address: str) -> None:
    """In light and in dark mode, wide and narrow: whole, silent, and asking nobody."""
    page, watch = new_page(color_scheme="light")
    load(page, site + address)
    watch.check()

    assert page.title().strip(), "the page has no title"
    # The theme repeats the title for print, out of sight.
    assert page.locator("h1:visible").count() == 1, "a page has one heading of the first level"
    assert page.evaluate("document.documentElement.lang") == "en"

    without = page.evaluate(
        "[...document.images].filter(i => !i.hasAttribute('alt') || "
        "(!i.alt.trim() && i.getAttribute('role') !== 'presentation' && !i.closest('[aria-hidden=true]')))"
        ".map(i => i.currentSrc.slice(0, 100))"
    )
    assert not without, f"images without alternative text: {without}"
    blank = page.evaluate("[...document.images].filter(i => i.complete && i.naturalWidth === 0).map(i => i.currentSrc)")
    assert not blank, f"images that show nothing: {blank}"

    raw = page.evaluate(
        "[...document.querySelectorAll('.math')].filter(m => !m.querySelector('mjx-container')).map(m => m.textContent)"
    )
    assert not raw, f"equations that are not typeset: {raw}"
    errors = page.locator("mjx-merror, mjx-container [data-mjx-error]").all_text_contents()
    assert not errors, f"equations with errors: {errors}"

    anchors = page.evaluate(
        "[...document.querySelectorAll('article a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => id && !document.getElementById(decodeURIComponent(id)))"
    )
    assert not anchors, f"links to places that this page does not have: {anchors}"

    for narrow in (1100, 360):  # too narrow for the margin, and a phone
        page.set_viewport_size({"width": narrow, "height": 740})
        page.wait_for_timeout(100)  # figures that follow the width do so in the next frames
        width = page.evaluate("document.documentElement.scrollWidth")
        wide = page.evaluate(
            "narrow => [...document.querySelectorAll('main *')].filter(e => "
            "e.getBoundingClientRect().right > narrow + 1 && !e.closest('pre, .math, table, mjx-container, svg'))"
            ".slice(0, 5).map(e => e.outerHTML.slice(0, 120))",
            narrow,
        )
        assert width <= narrow, f"at {narrow} pixels the page is {width} wide; among the widest: {wide}"
    page.set_viewport_size({"width": 1280, "height": 900})
    calm(page)

    # What is not looked at is taken away: axe would go through it all the same. Explorables are looked at in all their
    # states, in tests of their own.
    elsewhere = (selector for selector, where in WRITTEN_ALIKE.items() if address != where)
    besides = ", ".join((".dlcompare-explorable", *ALIKE, *elsewhere))
    page.evaluate("besides => document.querySelectorAll(besides).forEach(e => e.remove())", besides)
    page.wait_for_function(_REACHED)
    assert faults(page, "body") == {}
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in dark[4:-1].split(",")[:3]) < 64, f"in dark mode the page is {dark}"
    calm(page)
    assert faults(page, "body", only="color-contrast") == {}
    watch.check()


def test_on_a_phone_a_wide_figure_scrolls_in_its_box_by_keys_too(new_page: NewPage, site: str) -> None:
    """Its letters stay larger than in a figure as wide as the page, and its edge fades as long as it goes on."""
    page, watch = new_page(color_scheme="light")
    page.set_viewport_size({"width": 360, "height": 740})
    load(page, site + "chapters/5-outlook/5-1-deep-learning.html")
    box = page.locator(".dlc-wide").first
    figure, fade = box.locator("img"), "getComputedStyle(e).getPropertyValue('--dlc-fade')"
    natural = figure.evaluate("e => e.naturalWidth")
    assert natural > 660
    assert figure.evaluate("e => e.clientWidth / e.naturalWidth") == pytest.approx(0.62, abs=0.01)
    assert box.evaluate("e => e.clientWidth") < 0.5 * natural
    assert box.evaluate(f"e => {fade}") == "32px"
    box.focus()
    expect(box).to_be_focused()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("e => e.scrollLeft + e.clientWidth > e.scrollWidth - 2", arg=box.element_handle())
    page.wait_for_function(f"e => {fade} === '0px'", arg=box.element_handle())
    page.set_viewport_size({"width": 1280, "height": 900})
    assert figure.evaluate("e => e.clientWidth") > 0.9 * natural
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
    watch.check()


def test_code_in_any_colour_can_be_read(new_page: NewPage, site: str) -> None:
    """Every kind of word that code has on any page, in each kind of block, in light and in dark."""
    kinds = set()
    for address in addresses():
        for block in re.findall(r'<div class="highlight"><pre>(.*?)</pre>', (HTML / address).read_text("utf-8"), re.S):
            kinds |= set(re.findall(r'<span class="([^"]+)"', block))
    assert len(kinds) > 20
    page, _ = new_page(color_scheme="light")
    load(page, site + WRITTEN_ALIKE[".highlight"])
    page.evaluate(
        """kinds => {
          for (const kind of ['.cell_input', '.cell_output'])
            document.querySelector(`${kind} .highlight pre`).innerHTML =
              kinds.map(kind => `<span class="${kind}">word</span>`).join(' ');
        }""",
        sorted(kinds),
    )
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        calm(page)
        assert faults(page, "article", only="color-contrast") == {}, scheme


@functools.cache
def places(page: Path) -> set[str]:
    """The places in a page that a link may lead to."""
    return {html.unescape(name) for name in re.findall(r' id="([^"]+)"', page.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("address", addresses())
def test_links_within_the_book_lead_somewhere(address: str) -> None:
    source = HTML / address
    broken = []
    for target, place in re.findall(r'<a [^>]*href="([^"#?]+)(?:#([^"]+))?', source.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:|//", target):
            continue
        page = source.parent / target
        if not page.exists() or (place and unquote(html.unescape(place)) not in places(page.resolve())):
            broken.append(f"{target}#{place}")
    assert not broken


def test_front_door_leads_to_the_first_page(page: Page, site: str) -> None:
    page.goto(site)
    page.wait_for_url("**/chapters/index.html")
    expect(page.locator("article h1")).to_be_visible()


def test_math_is_set_by_our_own_mathjax(page: Page, site: str) -> None:
    with_math = [a for a in addresses() if 'class="math' in (HTML / a).read_text(encoding="utf-8")]
    assert with_math, "no page of the book has an equation"
    load(page, site + with_math[0])
    assert page.locator("mjx-container").count() > 0
    box = page.locator("mjx-container").first.bounding_box()
    assert box is not None
    assert box["width"] > 3
    assert box["height"] > 3
    assert page.evaluate("document.fonts.check('16px MJXTEX')")
    source = page.evaluate("[...document.scripts].map(s => s.src).find(s => s.includes('mathjax'))")
    assert source.startswith(site)


def test_search_finds_a_page(page: Page, site: str) -> None:
    page.goto(site + "search.html?q=environment")
    results = page.locator("#search-results li a")
    expect(results.first).to_be_visible(timeout=15_000)
    assert any("environment" in (href or "") for href in (r.get_attribute("href") for r in results.all()))


def test_search_from_a_chapter(page: Page, site: str) -> None:
    load(page, site + "chapters/index.html")
    page.keyboard.press("Control+k")
    field = page.locator("dialog[open] input[type=search], .search-button__wrapper.show input[type=search]").first
    expect(field).to_be_focused()
    field.fill("lock")
    field.press("Enter")
    page.wait_for_url("**/search.html?q=lock*")
    expect(page.locator("#search-results li a").first).to_be_visible(timeout=15_000)


def test_reader_can_choose_dark_mode_and_it_stays(page: Page, site: str) -> None:
    load(page, site + "chapters/index.html")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    for _ in range(3):  # automatic, light, dark: the button goes round
        if root.get_attribute("data-mode") == "dark":
            break
        page.locator("button.theme-switch-button:visible").first.click()
    expect(root).to_have_attribute("data-theme", "dark")
    load(page, site + "chapters/appendix/data.html")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_notebook_can_be_downloaded(page: Page, site: str) -> None:
    load(page, site + "chapters/appendix/environment.html")
    page.locator(".dropdown-download-buttons > button").click()
    with page.expect_download() as download:
        page.locator("a.btn-download-source-button, .dropdown-download-buttons a[href$='.ipynb']").first.click()
    assert download.value.suggested_filename == "environment.ipynb"
    content = Path(download.value.path()).read_text(encoding="utf-8")
    assert '"nbformat": 4' in content


def test_every_public_name_has_its_entry() -> None:
    for part in api_reference.parts():
        page = (HTML / "chapters/appendix/reference" / f"{part.split('.')[1]}.html").read_text(encoding="utf-8")
        missing = [
            entry.path
            for listed in api_reference.entries(part).values()
            for entry in listed
            if f'id="{entry.path}"' not in page
        ]
        assert not missing


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_from_a_chapters_code_to_the_reference_and_back(
    new_page: NewPage, site: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page, _ = new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)
    target = "reference/models.html#dlcompare.models.GPT"
    chapter = next(a for a in addresses() if f'{target}"' in (HTML / a).read_text(encoding="utf-8"))
    load(page, site + chapter)
    link = page.locator(f"#use-{'dlcompare.models.GPT'.replace('.', chr(92) + '.')}")
    expect(link).to_have_text("GPT")
    # It looks like the code around it, and whoever has no mouse reaches it.
    looks = "e => [getComputedStyle(e).color, getComputedStyle(e.closest('pre')).color]"
    assert len(set(link.evaluate(looks))) == 1
    link.focus()
    assert link.evaluate("e => e.matches(':focus-visible') && getComputedStyle(e).textDecorationLine") == "underline"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{target}")
    entry = page.locator("dl.py").filter(has=page.locator("dt[id='dlcompare.models.GPT']")).last
    expect(entry.locator("> dt")).to_be_in_viewport()
    entry.locator("> dd > .used-in a").first.click()
    page.wait_for_url(f"**/{chapter}#use-dlcompare.models.GPT")
    expect(link).to_be_in_viewport()


def test_links_leave_the_code_as_it_is(page: Page, site: str) -> None:
    """What is selected or copied is the chapter's own source."""
    notebook = next(path for path in pages() if path.suffix == ".ipynb")
    cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    load(page, site + notebook.relative_to(ROOT).with_suffix(".html").as_posix())
    assert page.locator("a.code-link").count() > 0
    shown = page.locator("div.cell_input pre").evaluate_all("all => all.map(pre => pre.textContent.trim())")
    assert shown == [cell.source.strip() for cell in cells]


@pytest.mark.parametrize("width", [360, 1280])
def test_contents_can_be_reached(new_page: NewPage, site: str, width: int) -> None:
    """The table of contents stands beside the page, or behind a button on a phone."""
    page, _ = new_page(viewport={"width": width, "height": 740})
    load(page, site + "chapters/index.html")
    link = page.locator(".bd-sidebar-primary a, dialog a").filter(has_text="environment").first
    if width < 992:
        page.locator("button.primary-toggle:visible").first.click()
    expect(link).to_be_visible()
    link.click()
    page.wait_for_url("**/chapters/appendix/environment.html")


def test_the_watch_sees_what_it_is_there_for(browser: Browser, site: str) -> None:
    """A request elsewhere, a missing file, a complaint and an exception: each must be noticed, and only each."""
    context = browser.new_context()
    watch = Watch()
    watch.follow(context, site)
    page = context.new_page()
    page.goto(site + "chapters/index.html", wait_until="networkidle")
    watch.check()
    page.evaluate(
        """() => {
            for (const address of ["http://192.0.2.1/pixel.png", "missing.png"]) {
                const image = new Image();
                image.src = address;
                document.body.append(image);
            }
            console.warn("careful");
            setTimeout(() => { throw new Error("broken"); });
        }"""
    )
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    context.close()
    assert watch.foreign == ["http://192.0.2.1/pixel.png"]
    assert any(entry.startswith("404 ") and entry.endswith("missing.png") for entry in watch.failed)
    assert any("careful" in entry for entry in watch.complaints)
    assert any("broken" in entry for entry in watch.complaints)
    with pytest.raises(AssertionError, match="another host"):
        watch.check()
