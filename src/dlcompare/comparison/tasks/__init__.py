"""The tasks of the comparison, by their names."""

from __future__ import annotations

from dlcompare.comparison.task import Task
from dlcompare.comparison.tasks.digits import DIGITS
from dlcompare.comparison.tasks.few_labels import FEW_LABELS
from dlcompare.comparison.tasks.memory import ADDING, COPYING, RECALL
from dlcompare.comparison.tasks.sentiment import SENTIMENT
from dlcompare.comparison.tasks.shakespeare import SHAKESPEARE
from dlcompare.comparison.tasks.surnames import SURNAMES
from dlcompare.comparison.tasks.temperatures import TEMPERATURES

__all__ = ["TASKS", "task_named"]

#: Every task by its name.
TASKS: dict[str, Task] = {
    one.name: one
    for one in (
        DIGITS,
        SENTIMENT,
        SURNAMES,
        SHAKESPEARE,
        TEMPERATURES,
        RECALL,
        COPYING,
        ADDING,
        *FEW_LABELS,
    )
}


def task_named(name: str) -> Task:
    """Return the task of that name.

    Raises
    ------
    ValueError
        when there is none; the message names those there are.
    """
    if name not in TASKS:
        raise ValueError(f"task is {name!r}; allowed are {', '.join(TASKS)}")
    return TASKS[name]
