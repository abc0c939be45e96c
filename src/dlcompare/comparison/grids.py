"""Which tasks, families, budgets and seeds are measured: the full run, and a reduced one of a few minutes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from dlcompare.comparison import cells
from dlcompare.comparison.budgets import BUDGETS, Budget
from dlcompare.comparison.families import FAMILIES, AnyFamily
from dlcompare.comparison.job import Job, jobs
from dlcompare.comparison.record import Record
from dlcompare.comparison.search import Search
from dlcompare.comparison.tables import Row, table
from dlcompare.comparison.task import Task
from dlcompare.comparison.tasks import TASKS

__all__ = ["FULL", "QUICK", "Grid"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


@dataclass(frozen=True)
class Grid:
    """What is measured with what.

    Parameters
    ----------
    tasks, families, budgets, seeds
        each with each, those left out that :func:`~dlcompare.comparison.reason` speaks against.
    search
        how learning rates are found.
    """

    tasks: tuple[Task, ...]
    families: tuple[AnyFamily, ...]
    budgets: tuple[Budget, ...]
    seeds: tuple[int, ...]
    search: Search = field(default_factory=Search)

    def only(
        self,
        tasks: Sequence[str] | None = None,
        families: Sequence[str] | None = None,
        budgets: Sequence[str] | None = None,
        seeds: int | None = None,
    ) -> Grid:
        """Return the part of the grid with these names, and so many seeds; None stands for all.

        Raises
        ------
        ValueError
            for a name that the grid does not have, naming those that it has.
        """
        return Grid(
            _chosen("task", self.tasks, tasks),
            _chosen("family", self.families, families),
            _chosen("budget", self.budgets, budgets),
            self.seeds if seeds is None else tuple(range(seeds)),
            self.search,
        )

    def jobs(self) -> list[Job]:
        """Return all that is to be measured, the first seed first.

        A task that is a smaller one of another, from a few labels, is measured within the first budget alone.
        """
        whole = [task for task in self.tasks if task.of is None]
        parts = [task for task in self.tasks if task.of is not None]
        made = [
            *jobs(whole, self.families, self.budgets, self.seeds, self.search),
            *jobs(parts, self.families, self.budgets[:1], self.seeds, self.search),
        ]
        return sorted(made, key=lambda job: self.seeds.index(job.seed))

    def reason(self, task: Task, family: AnyFamily) -> str | None:
        """Return why ``family`` isn't measured on ``task``; None where it is."""
        return cells.reason(task, family)

    def table(self, records: Iterable[Record], task: Task, budget: Budget) -> list[Row]:
        """Return the ranking on ``task`` within ``budget``, see :func:`~dlcompare.comparison.table`.

        Raises
        ------
        ValueError
            when a record of the task lacks its metric.
        """
        return table(records, task.name, budget.name, task.metric)


def _chosen(what: str, there: tuple[T, ...], names: Sequence[str] | None) -> tuple[T, ...]:
    by_name = {one.name: one for one in there}
    for name in names or ():
        if name not in by_name:
            raise ValueError(f"{what} is {name!r}; allowed are {', '.join(by_name)}")
    return there if not names else tuple(by_name[name] for name in dict.fromkeys(names))


#: The full run: everything, three seeds.
FULL = Grid(tuple(TASKS.values()), tuple(FAMILIES.values()), tuple(BUDGETS.values()), (0, 1, 2))


def _shorter(task: Task, steps: int) -> Task:
    return dataclasses.replace(task, settings={**task.settings, "steps": steps})


#: The reduced run: two tasks, a family of each kind, one budget and few steps. Its records have keys of their own.
QUICK = Grid(
    (_shorter(TASKS["digits"], 200), _shorter(TASKS["surnames"], 300)),
    tuple(FAMILIES[name] for name in ("baseline", "mlp", "cnn", "lstm", "encoder", "gpt")),
    (Budget("parameters", "30,000 parameters", parameters=30_000, tolerance=0.1),),
    (0, 1, 2),
    Search(grid=(3e-3, 1e-2, 3e-2)),
)
