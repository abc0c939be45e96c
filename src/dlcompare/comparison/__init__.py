"""The comparison, measured: the same tasks, data and budgets for classic networks and for GPT.

*Tasks* say what goes in, what is to come out, and by which figure it is judged (:mod:`dlcompare.comparison.tasks`).
*Families* say how a network is built at a given width (:data:`FAMILIES`). *Budgets* say what is equal for all
(:data:`BUDGETS`). A task, a family, a budget and a seed are a :class:`Job`; :func:`run` makes a :class:`Record` of
each, and :func:`table` a ranking of these.
"""

from dlcompare.comparison.baselines import Outcome
from dlcompare.comparison.budgets import BUDGETS, UNLIMITED, Budget, BudgetError
from dlcompare.comparison.cells import REASONS, reason
from dlcompare.comparison.families import FAMILIES, Family, FineTuned, Method, family_named
from dlcompare.comparison.intervals import Interval, interval, student_t, wilson
from dlcompare.comparison.job import Job, jobs
from dlcompare.comparison.reach import gradient_reach
from dlcompare.comparison.record import Point, Record, RecordError, append, latest, read
from dlcompare.comparison.runner import remaining, run
from dlcompare.comparison.scaling import ScalingPoint, ScalingRun, frontier, series
from dlcompare.comparison.search import Search
from dlcompare.comparison.tables import Row, contradictions, table
from dlcompare.comparison.task import Bar, Examples, Form, Metric, Part, Task
from dlcompare.comparison.tasks import TASKS, task_named

__all__ = [
    "BUDGETS",
    "FAMILIES",
    "REASONS",
    "TASKS",
    "UNLIMITED",
    "Bar",
    "Budget",
    "BudgetError",
    "Examples",
    "Family",
    "FineTuned",
    "Form",
    "Interval",
    "Job",
    "Method",
    "Metric",
    "Outcome",
    "Part",
    "Point",
    "Record",
    "RecordError",
    "Row",
    "ScalingPoint",
    "ScalingRun",
    "Search",
    "Task",
    "append",
    "contradictions",
    "family_named",
    "frontier",
    "gradient_reach",
    "interval",
    "jobs",
    "latest",
    "read",
    "reason",
    "remaining",
    "run",
    "series",
    "student_t",
    "table",
    "task_named",
    "wilson",
]
