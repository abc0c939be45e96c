"""The one style of the book's figures: a colour per family, one diverging and one even scale.

Hues are Okabe & Ito's (2008), which people with the usual colour deficiencies can tell apart. Colour never carries
meaning alone: lines have marks or labels too.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlcompare.catalogue import text

__all__ = [
    "DIVERGING",
    "FAMILY",
    "MARKER",
    "SEQUENTIAL",
    "MarkdownTable",
    "attention_map",
    "image_row",
    "readable",
    "short",
    "signed_image",
    "table",
    "use",
]

#: One colour per family, everywhere in the book.
FAMILY = {
    "baseline": "#595959",
    "mlp": "#E69F00",
    "cnn": "#56B4E9",
    "recurrent": "#009E73",
    "transformer": "#0072B2",
    "gpt": "#D55E00",
}
#: One mark per family, so that colour is not needed to tell lines apart.
MARKER = {"baseline": "x", "mlp": "s", "cnn": "D", "recurrent": "^", "transformer": "v", "gpt": "o"}

#: Signed values, zero in the middle.
DIVERGING = "PuOr_r"
#: Magnitudes, even to the eye.
SEQUENTIAL = "cividis"


def use() -> None:
    """Apply the style to all figures that follow."""
    mpl.rcParams.update(
        {
            "figure.figsize": (7.0, 3.4),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "white",
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.titlesize": 10.5,
            "axes.titlelocation": "left",
            "axes.prop_cycle": mpl.rcsetup.cycler(color=[c for name, c in FAMILY.items() if name != "baseline"]),
            "grid.color": "#e4e4e4",
            "grid.linewidth": 0.7,
            "image.cmap": SEQUENTIAL,
            "image.interpolation": "nearest",
            "legend.frameon": False,
            "lines.linewidth": 1.8,
        }
    )


def _array(values: Tensor | np.ndarray) -> np.ndarray:
    return values.detach().numpy() if isinstance(values, Tensor) else np.asarray(values)


def image_row(images: Sequence[Tensor | np.ndarray], titles: Sequence[str], **imshow: Any) -> Figure:
    """Return a figure with ``images`` (height, width) side by side, a title over each, no axes.

    Raises
    ------
    ValueError
        when there are no images, or not one title for each.
    """
    if len(images) != len(titles) or not len(images):
        raise ValueError(
            f"titles has {len(titles)} entries; allowed is one per image, of which there are {len(images)}"
        )
    figure, axes = plt.subplots(1, len(images), figsize=(1.15 * len(images), 1.5), squeeze=False)
    for axis, image, title in zip(axes[0], images, titles, strict=True):
        axis.imshow(_array(image), **imshow)
        axis.set_title(title, loc="center")
        axis.set_axis_off()
    return figure


def signed_image(axis: Axes, values: Tensor | np.ndarray, limit: float | None = None) -> Any:
    """Draw signed ``values`` (height, width) on the diverging scale with zero in the middle; returns the image."""
    array = _array(values)
    bound = float(np.abs(array).max()) if limit is None else limit
    axis.grid(False)
    return axis.imshow(array, cmap=DIVERGING, vmin=-bound or -1.0, vmax=bound or 1.0)


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MARKS = {" ": "·", "\n": "⏎", "\t": "⇥", "\x7f": "␡"}


def readable(token: str) -> str:
    """Return a token with marks for what would not be seen: spaces, line ends, control and format characters.

    The twin of ``js/src/shared/token_text.js``.
    """

    def mark(character: str) -> str:
        if character in _MARKS:
            return _MARKS[character]
        if character < " ":
            return chr(0x2400 + ord(character))  # pictures of the control characters
        hidden = unicodedata.category(character) in {"Cc", "Cf", "Zs", "Zl", "Zp"}
        return f"U+{ord(character):04X}" if hidden else character

    shown = "".join(map(mark, token))
    # An accent without a letter would sit on its neighbour.
    return f"◌{shown}" if shown and unicodedata.category(shown[0]).startswith("M") else shown


def short(value: float) -> str:
    """Return a number as a reader sees it: three significant digits, a true minus sign, no exponent in letters.

    Shorter only where fewer digits say it exactly. The twin of ``js/src/shared/format.js``.
    """
    size, sign = abs(value), "\N{MINUS SIGN}" if value < 0 else ""
    if size == 0 or math.isinf(size):
        return "0" if size == 0 else f"{sign}∞"
    rounded = float(f"{size:.3g}")
    if rounded >= 1e6 or rounded < 1e-3:
        mantissa, _, exponent = f"{size:.2e}".partition("e")
        return f"{sign}{mantissa}·10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    exact = f"{size:g}"
    if rounded == size and len(exact) < 5:
        return sign + exact
    return sign + (f"{rounded:.0f}" if rounded >= 100 else f"{rounded:.{2 - math.floor(math.log10(rounded))}f}")


def attention_map(axis: Axes, weights: Tensor | np.ndarray, tokens: Sequence[str]) -> Any:
    """Draw attention weights (seq, seq), rows ask and columns answer, labelled with ``tokens``; returns the image."""
    labels = [readable(token) for token in tokens]
    image = axis.imshow(_array(weights), vmin=0, cmap=SEQUENTIAL)
    axis.set_xticks(range(len(labels)), labels, rotation=90, family="monospace", fontsize=8)
    axis.set_yticks(range(len(labels)), labels, family="monospace", fontsize=8)
    axis.set_xlabel(text("axis.attended"))
    axis.set_ylabel(text("axis.attending"))
    axis.grid(False)
    return image


@dataclass(frozen=True)
class MarkdownTable:
    """A table as a notebook and the book show it; see :func:`table`.

    Parameters
    ----------
    markdown
        its lines.
    """

    markdown: str

    def _repr_markdown_(self) -> str:
        return self.markdown


def table(header: Sequence[str], rows: Iterable[Iterable[object]], align: str = "---:") -> MarkdownTable:
    """Return a table whose first column stands to the left.

    Parameters
    ----------
    header
        the columns' heads.
    rows
        of each, a cell per column, which may be Markdown.
    align
        of the other columns, as Markdown has it: "---:" to the right, "---" to the left.

    Raises
    ------
    ValueError
        when a row has more cells than the header, or fewer.
    """
    lines = [list(map(str, header)), ["---"] + [align] * (len(header) - 1)]
    for row in rows:
        cells = list(map(str, row))
        if len(cells) != len(header):
            raise ValueError(
                f"rows has one of {len(cells)} cells, {cells}; allowed are {len(header)}, as many as header"
            )
        lines.append(cells)
    return MarkdownTable("\n".join(f"| {' | '.join(line)} |" for line in lines))
