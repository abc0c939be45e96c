"""The one catalogue of the strings that a reader sees in widgets and figures.

A string has a key (``"convolution.title"``) and one text per language, in ``locale/<language>.json``.
The language is the environment variable ``DLCOMPARE_LANG``, English without it. Translating the book's
widgets and figures means adding one file.
"""

from __future__ import annotations

import functools
import json
import os
from importlib import resources

__all__ = ["language", "text", "texts"]


def language() -> str:
    """Return the language of widgets and figures: ``DLCOMPARE_LANG``, or ``"en"``."""
    return os.environ.get("DLCOMPARE_LANG", "en")


@functools.cache
def _catalogue(code: str) -> dict[str, str]:
    file = resources.files("dlcompare") / "locale" / f"{code}.json"
    if not file.is_file():
        known = sorted(
            entry.name.removesuffix(".json") for entry in (resources.files("dlcompare") / "locale").iterdir()
        )
        raise ValueError(f"DLCOMPARE_LANG is {code!r}; there is a catalogue for {', '.join(known)}")
    entries: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return entries


def text(key: str, **values: object) -> str:
    """Return the text of ``key`` in the reader's language, with ``{name}`` replaced from ``values``.

    Raises
    ------
    KeyError
        if the catalogue has no such key.
    """
    catalogue = _catalogue(language())
    if key not in catalogue:
        raise KeyError(f"no text for key {key!r} in locale/{language()}.json")
    return catalogue[key].format(**values) if values else catalogue[key]


def texts(prefix: str) -> dict[str, str]:
    """Return every text whose key starts with ``prefix + "."``, keyed by the rest of the key.

    This is what a widget hands to its front end, which fills in ``{name}`` itself.
    """
    start = prefix + "."
    return {key.removeprefix(start): value for key, value in _catalogue(language()).items() if key.startswith(start)}
