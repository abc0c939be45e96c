"""The runs for scaling curves: how the loss falls with parameters, data and operations, GPT beside an LSTM.

The size varies at all the data, and at a quarter of the steps as well; the data vary at one size. Everything else is as
in the comparison: characters of Shakespeare, the same batches, the same search for the learning rate.
"""

from __future__ import annotations

import dataclasses
import functools

from dlcompare.comparison.budgets import Budget
from dlcompare.comparison.families import FAMILIES
from dlcompare.comparison.grids import Grid
from dlcompare.comparison.scaling import SCALED, TASK
from dlcompare.comparison.search import Search
from dlcompare.comparison.task import Task
from dlcompare.comparison.tasks import shakespeare

__all__ = ["CHARACTERS", "PARAMETERS", "SCALING", "STEPS"]

#: Sizes of the networks, in parameters; the first is that at which the data vary.
PARAMETERS = (100_000, 3_000, 10_000, 30_000, 300_000)
#: Characters to learn from, besides all that there are.
CHARACTERS = (30_000, 100_000, 300_000, 1_000_000)
#: Steps of a whole run, and of a short one.
STEPS = (1000, 250)
#: A width is even, so that the smallest networks can't come nearer.
_TOLERANCE = 0.25


def _task(name: str, steps: int, characters: int | None = None) -> Task:
    settings = {**shakespeare.SHAKESPEARE.settings, "steps": steps}
    if characters is None:
        return dataclasses.replace(shakespeare.SHAKESPEARE, name=name, settings=settings, bar=None)
    return dataclasses.replace(
        shakespeare.SHAKESPEARE,
        name=name,
        summary=f"{shakespeare.SHAKESPEARE.summary[:-1]}, learned from {characters:,} characters?",
        load=functools.partial(shakespeare.load, characters=characters),
        settings={**settings, "characters": characters},
        bar=None,
        of=TASK,
        sampled=True,
    )


#: Everything that the scaling curves are drawn from.
SCALING = Grid(
    (
        _task(TASK, STEPS[0]),
        _task(f"{TASK}-{STEPS[1]}-steps", STEPS[1]),
        *(_task(f"{TASK}-{characters}", STEPS[0], characters) for characters in CHARACTERS),
    ),
    tuple(FAMILIES[name] for name in SCALED),
    tuple(
        Budget(f"{parameters}", f"{parameters:,} parameters", parameters=parameters, tolerance=_TOLERANCE)
        for parameters in PARAMETERS
    ),
    (0, 1, 2),
    Search(grid=(1e-3, 3e-3, 1e-2, 3e-2, 1e-1)),
)
