"""A text's tokens as a printed figure: one line for each tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib import font_manager, ft2font
from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text

if TYPE_CHECKING:
    from dlcompare.widgets.tokenizer import TokenizerExplorer

__all__ = ["draw"]

INK = "#222222"
SOFT = "#57606a"
#: Letters in a line of tokens; what goes beyond it goes on in the next.
WIDTH = 118
#: Lines of tokens that are drawn of each kind.
LINES = 3


def _printable(token: str, font: ft2font.FT2Font) -> str:
    """Return a token in characters that the font has; others by their numbers."""
    shown = style.readable(token)
    parts = [c if font.get_char_index(ord(c)) else f"U+{ord(c):04X}" for c in shown]
    return ("" if parts == list(shown) else " ").join(parts)


def _piece(piece: bytes, font: ft2font.FT2Font) -> str:
    """Return the bytes of a token as text, or one by one where they are no whole characters."""
    try:
        return _printable(piece.decode(), font)
    except UnicodeDecodeError:
        return piece.hex(" ").upper()


def _lines(tokens: list[tuple[str, bool]]) -> list[list[tuple[str, bool]]]:
    """Return the tokens in lines."""
    lines: list[list[tuple[str, bool]]] = [[]]
    used = 0
    for token, known in tokens:
        width = len(token) + 2
        if used + width > WIDTH and lines[-1]:
            lines.append([])
            used = 0
        lines[-1].append((token, known))
        used += width
    return lines if len(lines) <= LINES else [*lines[: LINES - 1], [*lines[LINES - 1][:-1], ("…", True)]]


def draw(widget: TokenizerExplorer) -> Figure:
    """Return the figure of the text's tokens by all four tokenizers."""
    font = ft2font.FT2Font(font_manager.findfont("monospace"))
    known, words = set(widget._characters.characters), widget._words
    cuts = {
        "characters": [(_printable(character, font), character in known) for character in widget.text],
        "words": [
            (_printable(word, font), i != 0)
            for word, i in zip(words.tokens(widget.text), words.encode(widget.text), strict=True)
        ],
        "bytes": [(f"{byte:02X}", True) for byte in widget.text.encode()],
        "bpe": [(_piece(piece, font), True) for piece in widget._bpe.pieces(widget.text)],
    }
    rows = [(count, _lines(cuts[count.row])) for count in widget.counts]
    height = sum(len(lines) + 1.2 for _, lines in rows)
    figure = Figure(figsize=(7.2, 0.26 * height + 0.2), facecolor="white")
    figure.set_layout_engine("none")  # whatever a chapter has set
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    axes.set_axis_off()
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    y = 0.5
    for (row, tokens, _, unknown), lines in rows:
        label = f"{widget.name_of(row)}: {tokens}"
        if unknown:
            label += f", {unknown} {text('tokenizer.head_unknown')}"
        axes.text(0, y, label, fontsize=8.5, color=SOFT, va="center", parse_math=False)
        for line in lines:
            y += 1
            x = 0.6
            for token, is_known in line:
                edge = {"edgecolor": style.FAMILY["gpt"]} if is_known else {"edgecolor": INK, "linestyle": ":"}
                box = {"boxstyle": "round,pad=0.25", "facecolor": "#f3f5f8", "linewidth": 0.7, **edge}
                look: dict[str, Any] = {"fontsize": 6.6, "family": "monospace", "color": INK, "va": "center"}
                axes.text(x, y, token, parse_math=False, bbox=box, **look)
                x += len(token) + 2
        y += 1.2
    return figure
