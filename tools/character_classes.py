"""Write the page tokenizer's classes of characters: ``python -m tools.character_classes``.

Byte-level BPE cuts a text into words by three classes of characters: letters, numbers, white space. Python's
``tokenizers`` takes them from its own edition of Unicode, a browser from another; they disagree on thousands of letters
and on two characters of white space. So the page gets the classes as ``tokenizers`` has them, found by asking it.

With ``--check`` nothing is written; it fails if the file is not what ``tokenizers`` says.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterable

from tokenizers import pre_tokenizers

from tools.chapters import ROOT

FILE = ROOT / "js" / "src" / "shared" / "tokenizer" / "character_classes.js"
SURROGATES = range(0xD800, 0xE000)
#: Digits of the packed form. The first 32 end a number, the others go on.
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HEADER = """\
/**
 * The characters that byte-level BPE counts as letters, numbers and white space, as Python's `tokenizers` does; every
 * browser has its own edition of Unicode. Written by `python -m tools.character_classes`; do not edit it by hand.
 *
 * Each class is a row of ranges in the order of the code points: the gap since the last range, and the length. Each of
 * these numbers is written in base 32, the lowest digit first, in the order A–Z, a–z, 0–9, -, _; 32 on top of a digit
 * says that the number goes on.
 */
"""

Range = tuple[int, int]  # a first code point, and the one after the last


def classes() -> dict[str, list[Range]]:
    """Return the ranges of each class of characters that ``tokenizers`` tells apart."""
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)

    def joins(neighbour: str, character: str) -> bool:
        return len(words.pre_tokenize_str(neighbour + character)) == 1

    def name(character: str) -> str:
        found = [name for name, one in {"letters": "a", "numbers": "1", "others": "!"}.items() if joins(one, character)]
        return found[0] if found else "spaces"

    found: dict[str, list[Range]] = {"letters": [], "numbers": [], "spaces": [], "others": []}
    for start, end in _alike(words):
        ranges = found[name(chr(start))]
        if ranges and ranges[-1][1] == start:
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((start, end))
    del found["others"]
    return found


def _alike(words: pre_tokenizers.ByteLevel) -> Iterable[Range]:
    """Yield ranges of code points that are of one class, because the text of them all has them in one word."""
    # ASCII one by one: a space or an apostrophe can begin a word of another class.
    yield from ((c, c + 1) for c in range(128))
    for start, end in ((128, SURROGATES.start), (SURROGATES.stop, sys.maxunicode + 1)):
        for _, (first, after) in words.pre_tokenize_str("".join(map(chr, range(start, end)))):
            yield start + first, start + after


def packed(ranges: list[Range]) -> str:
    """Return ranges as text, in the form that :data:`HEADER` describes."""
    text, last = "", 0
    for start, end in ranges:
        for number in (start - last, end - start):
            while number >= 32:
                text += DIGITS[32 + number % 32]
                number //= 32
            text += DIGITS[number]
        last = end
    return text


def module() -> str:
    """Return the module's whole text."""
    text = HEADER
    for name, ranges in classes().items():
        lines = "".join(f'\n  "{line}" +' for line in textwrap.wrap(packed(ranges), 112, break_on_hyphens=False))
        text += f"\nexport const {name.upper()} ={lines.removesuffix(' +')};\n"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the classes of characters that the page's tokenizer needs.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the file is stale")
    check = parser.parse_args().check
    text = module()
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == text:
        return 0
    if check:
        print(f"{FILE.relative_to(ROOT)} is stale: run python -m tools.character_classes", file=sys.stderr)
        return 1
    FILE.write_text(text, encoding="utf-8")
    print(f"wrote {FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
