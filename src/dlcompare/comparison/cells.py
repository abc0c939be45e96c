"""Which family makes no sense on which task, and why: one table."""

from __future__ import annotations

from dlcompare.comparison.families import AnyFamily
from dlcompare.comparison.task import Task

__all__ = ["REASONS", "reason"]

_NO_TEXT = "It was pre-trained to read text; here there is none to read."
_NO_QUESTION = (
    "Fourteen languages need a prompt with examples of each, longer than a small model can follow; asked with none, it"
    " names the few that it has heard most of."
)
_OTHER_TOKENS = (
    "It reads tokens of several characters and has read Shakespeare's plays: its bits could not be compared."
)
_MADE_UP = "The rows are made-up symbols, which no text that it has read is about; there is no word to ask with."
_SEES_ANSWER = "An encoder sees the whole row at once, and with it the very characters that it is asked to foretell."


#: For a task and a family, by their names: the sentence that stands in the place of records.
REASONS: dict[tuple[str, str], str] = {
    ("shakespeare", "encoder"): _SEES_ANSWER,
    ("copying", "encoder"): "An encoder sees the whole row at once, and with it the copy that it is asked for.",
    ("shakespeare", "gpt-finetuned"): (
        "It was pre-trained on this very text: fine-tuning would go on with the same, at forty times the size of the"
        " other models."
    ),
    ("shakespeare", "bert-finetuned"): _SEES_ANSWER,
    **{
        (f"sentiment-{n}", "smollm2-zero-shot"): (
            "It is asked without any solved example: how many labels there are changes nothing, and its records stand"
            " with the task of all labels."
        )
        for n in (10, 100, 1000)
    },
    **{
        (f"sentiment-{n}", "smollm2-few-shot"): (
            "Its prompt has room for eight solved examples, however many labels there are: it is measured with ten, and"
            " with all."
        )
        for n in (100, 1000)
    },
    **{
        (task, family): why
        for task, why in (
            ("digits", "It reads words; an image has none."),
            ("surnames", _NO_QUESTION),
            ("shakespeare", _OTHER_TOKENS),
            (
                "temperatures",
                "It was trained on words, and reads a number digit by digit: no forecast of twenty-four values.",
            ),
            ("recall", _MADE_UP),
            ("copying", _MADE_UP),
            ("adding", _MADE_UP),
        )
        for family in ("smollm2-zero-shot", "smollm2-few-shot")
    },
    **{
        (task, family): _NO_TEXT
        for task in ("digits", "temperatures", "recall", "copying", "adding")
        for family in ("bert-finetuned", "gpt-finetuned")
    },
}


def reason(task: Task, family: AnyFamily) -> str | None:
    """Return why ``family`` is not measured on ``task``, in a sentence; None where it is."""
    return REASONS.get((task.name, family.name)) or REASONS.get((task.of or "", family.name))
