"""Fine-tuning as a printed figure: the next token before and after, which matrices moved, and the recorded losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from dlcompare import style
from dlcompare.catalogue import text

if TYPE_CHECKING:
    from dlcompare.widgets.finetuning import FineTuning

__all__ = ["draw"]

BEFORE, AFTER = style.FAMILY["baseline"], style.FAMILY["gpt"]
#: Of one family and hence one colour: filled where all weights were trained, hollow for LoRA.
MARKS = {"full": {"marker": "s"}, "lora": {"marker": "o", "markerfacecolor": "white"}}


def draw(widget: FineTuning) -> Figure:
    """Return the figure of the explorable's present state."""
    figure = Figure(figsize=(9.2, 3.8), layout="constrained", facecolor="white")
    tokens, matrices, losses = figure.subplots(1, 3, width_ratios=(1.1, 1.2, 1))
    rows = {token: (before, after) for place in (0, 1) for token, before, after in widget.expected(bool(place))}
    places = range(len(rows))
    for offset, values, colour, label in (
        (-0.2, [before for before, _ in rows.values()], BEFORE, "before"),
        (0.2, [after for _, after in rows.values()], AFTER, "after"),
    ):
        name = text(f"finetuning.{label}")
        tokens.barh([place + offset for place in places], values, 0.38, color=colour, label=name)
    tokens.set_yticks(places, [style.readable(token) for token in rows], family="monospace", fontsize=8)
    tokens.invert_yaxis()
    tokens.set(xlabel=text("finetuning.column_probability"))
    tokens.set_title(text("finetuning.expected"))
    tokens.legend(fontsize=8, loc="lower right")

    changes = widget.changes
    for key, mark in MARKS.items():
        values = [change[key]["relative"] for change in changes]
        look = {"color": AFTER, "linestyle": "none", "label": text(f"finetuning.{key}"), **mark}
        matrices.plot(values, range(len(changes)), **look)
    names = [change["name"].removeprefix("blocks.") for change in changes]
    matrices.set_yticks(range(len(changes)), names, fontsize=6)
    matrices.invert_yaxis()
    matrices.set(xlabel=text("finetuning.relative"))
    matrices.set_title(text("finetuning.weights"))
    matrices.legend(fontsize=8)

    for key, mark in MARKS.items():
        curve = widget.recorded["curves"][key]
        losses.plot([step for step, _ in curve], [bits for _, bits in curve], color=AFTER, **mark)
    losses.set(xlabel=text("axis.step"), ylabel=text("finetuning.bits"))
    losses.set_title(text("finetuning.curves"))
    return figure
