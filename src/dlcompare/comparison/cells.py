"""Which family makes no sense on which task, and why: one table."""

from __future__ import annotations

from dlcompare.comparison.families import AnyFamily
from dlcompare.comparison.task import Task

__all__ = ["REASONS", "reason"]

_NO_TEXT = "It was pre-trained to read text; here there is none to read."
_SEES_ANSWER = "An encoder sees the whole row at once, and with it the very characters that it is asked to foretell."


#: For a task and a family, by their names: the sentence that stands in the place of records.
REASONS: dict[tuple[str, str], str] = {
    ("shakespeare", "encoder"): _SEES_ANSWER,
    ("copying", "encoder"): "An encoder sees the whole row at once, and with it the copy that it is asked for.",
    ("shakespeare", "gpt-finetuned"): (
        "It was pre-trained on this very text: fine-tuning would go on with the same, at twenty times the size of the"
        " other models."
    ),
    ("shakespeare", "bert-finetuned"): _SEES_ANSWER,
    **{
        (task, family): _NO_TEXT
        for task in ("digits", "temperatures", "recall", "copying", "adding")
        for family in ("bert-finetuned", "gpt-finetuned")
    },
}


def reason(task: Task, family: AnyFamily) -> str | None:
    """Return why ``family`` is not measured on ``task``, in a sentence; None where it is."""
    return REASONS.get((task.name, family.name)) or REASONS.get((task.of or "", family.name))
