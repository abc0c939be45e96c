"""What every explorable must pass in any light and at any width: axe, and nothing that runs over."""

from __future__ import annotations

from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 740}
#: What is all alike and many, but for the first few: an image's rows, and the lines of a long calculation.
MANY = (".dlc-pixels [role=row]:nth-child(n + 3)", ".dlc-terms .dlc-line-key:nth-child(n + 6)")
#: The one rule of axe's that depends on the light: it alone is looked at where nothing else differs from another look.
ONLY = {"dark": "color-contrast", "forced colours": "color-contrast"}

_OVERFLOWING = """([container, besides, cut]) => {
  const root = document.querySelector(`${container} .dlc`).getBoundingClientRect();
  const inside = [...document.querySelectorAll(`${container} .dlc *`)].filter(e => !e.closest(besides));
  const isCut = e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline' &&
    !['SELECT', 'INPUT'].includes(e.tagName) && !e.closest(cut);
  const out = inside.filter(e => e.checkVisibility()).filter(e => {
    const box = e.getBoundingClientRect();
    return box.right > root.right + 0.5 || box.left < root.left - 0.5 || isCut(e);
  });
  return out.map(e => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 30)}`);
}"""


def overflowing(page: Page, container: str, *, scrolls: str = "", cut: str = "") -> list[str]:
    """Return the parts of an explorable that run over its edge, or whose content runs over their own.

    ``scrolls`` selects what may scroll, and is left out with all in it; ``cut`` what may cut its content off.
    """
    besides = ", ".join(filter(None, (".dlc-unseen, svg, .dlc-table", scrolls)))
    found: list[str] = page.evaluate(_OVERFLOWING, [container, besides, cut or "no-such-element"])
    return found


def widths(page: Page, *pixels: int) -> Iterator[int]:
    """Give the page one width after the other; after each, it must not be wider than its window."""
    for width in pixels or (360, 768, 1600):
        page.set_viewport_size({"width": width, "height": 740})
        calm(page)
        yield width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def calm(page: Page) -> None:
    """Wait until nothing moves any more: changing colours, a sliding sidebar, and what follows its width."""
    page.evaluate(
        """async () => {
          const frames = async count => { while (count--) await new Promise(requestAnimationFrame); };
          await frames(3);
          const ends = document.getAnimations().filter(a => a.effect?.getComputedTiming().endTime < Infinity);
          await Promise.allSettled(ends.map(a => a.finished));
          await frames(3);
        }"""
    )


def looks(page: Page) -> Iterator[str]:
    """Show the page in light, in dark, in forced colours, and on a phone."""
    for name, scheme, forced, size in (
        ("light", "light", "none", WIDE),
        ("dark", "dark", "none", WIDE),
        ("forced colours", "light", "active", WIDE),
        ("narrow", "light", "none", NARROW),
    ):
        page.emulate_media(color_scheme=scheme, forced_colors=forced)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        calm(page)
        yield name


def faults(page: Page, container: str, *repeated: str, only: str = "") -> dict[str, str]:
    """Return what axe finds serious or critical in a part of a page, each fault with the first element that has it.

    ``repeated`` selects what is all alike and many, to be left out: axe takes a minute for two thousand cells. ``only``
    is the one rule to be looked at, for all.
    """
    looked_at = {"include": [[container]], "exclude": [[each] for each in repeated]}
    # Without preloading: it would ask for imported style sheets itself, relative to the wrong folder. To describe every
    # element that passed a rule would take it longer than to look at them.
    options = {"preload": False, "resultTypes": ["violations"], **({"runOnly": [only]} if only else {})}
    found = Axe().run(page, context=looked_at, options=options).response
    assert len(found["passes"]) > (0 if only else 15), "axe has looked at it"
    return {v["id"]: v["nodes"][0]["html"] for v in found["violations"] if v["impact"] in {"serious", "critical"}}
