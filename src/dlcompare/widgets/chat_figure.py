"""The chat stepper as a printed figure: the dialogue twice, and what the last token was drawn from."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text

if TYPE_CHECKING:
    from dlcompare.widgets.chat import ChatStepper
    from dlcompare.widgets.chat_talk import Reply

__all__ = ["draw"]

COLOUR = style.FAMILY["gpt"]
INK = "#222222"
SOFT = "#57606a"
#: Characters in a line of a bubble.
LINE = 34
#: Height of a line, and of the space between bubbles.
ROW = 0.19


def draw(stepper: ChatStepper) -> Figure:
    """Return the figure of the stepper's present state."""
    sides = {way: stepper.replies(way) for way in ("whole", stepper.beside)}
    talks = [_bubbles(stepper.turns, replies) for replies in sides.values()]
    height = max(sum(len(lines) * ROW + 0.24 for _, lines in bubbles) for bubbles in talks)
    figure = Figure(figsize=(7.2, height + 2.2), layout="constrained", facecolor="white")
    axes = figure.subplots(2, 2, height_ratios=(height + 0.1, 1.7), squeeze=False)
    for column, (way, replies) in enumerate(sides.items()):
        axes[0][column].set_title(text(f"chat.{way}_title"), loc="left", fontsize=9.5, color=INK)
        _draw_talk(axes[0][column], talks[column], height)
        if replies:
            _draw_bars(axes[1][column], stepper, replies[-1])
        else:
            axes[1][column].set_axis_off()
    return figure


def _bubbles(turns: tuple[str, ...], replies: list[Reply]) -> list[tuple[str, list[str]]]:
    said: list[tuple[str, list[str]]] = []
    for turn, reply in zip(turns, replies, strict=False):
        for who, words in (("user", turn), ("reply", reply.text or text("chat.silent"))):
            said.append((who, textwrap.wrap(words.replace("\n", " "), LINE, break_long_words=True) or [""]))
    return said


def _draw_talk(axis: Any, bubbles: list[tuple[str, list[str]]], height: float) -> None:
    axis.set_axis_off()
    axis.set(xlim=(0, 1), ylim=(height + 0.1, 0))
    top = 0.1
    for who, lines in bubbles:
        is_user = who == "user"
        ground, edge = ("#f3f5f8", SOFT) if is_user else ("white", COLOUR)
        box = {"boxstyle": "round,pad=0.3", "facecolor": ground, "edgecolor": edge, "linewidth": 1}
        axis.text(
            0.99 if is_user else 0.02,
            top,
            "\n".join(lines),
            ha="right" if is_user else "left",
            va="top",
            fontsize=8,
            color=INK,
            bbox=box,
            parse_math=False,
        )
        top += len(lines) * ROW + 0.24


def _draw_bars(axis: Any, stepper: ChatStepper, reply: Reply) -> None:
    step = reply.steps[-1]
    tokens = step["best"].tolist()
    before, after = step["best_own"].tolist(), step["best_p"].tolist()
    places = range(len(tokens))
    axis.barh(places, after, color=COLOUR, height=0.7, label=text("generation.after"))
    axis.barh(places, before, fill=False, edgecolor=INK, height=0.7, label=text("generation.before"))
    labels = [style.readable(stepper._tokenizer.decode([token])) for token in tokens]
    axis.set_yticks(places, labels, family="monospace", fontsize=7.5, parse_math=False)
    axis.tick_params(axis="x", labelsize=7.5)
    axis.invert_yaxis()
    axis.set_xlim(0, 1.05 * max(*before, *after))
    token = style.readable(stepper._tokenizer.decode([reply.tokens[-1]]))
    axis.set_title(text("chat.last_token", token=token), loc="left", fontsize=8.5, color=INK, parse_math=False)
    axis.legend(fontsize=7, frameon=False, loc="lower right")
    axis.spines[["top", "right"]].set_visible(False)
