"""What the comparison lab shows of records: tables of families, with the runs behind each row, as JSON has it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dlcompare import comparison
from dlcompare.catalogue import text, texts
from dlcompare.comparison import UNLIMITED, Budget, Record, Row, Task
from dlcompare.comparison.families import AnyFamily, short_title
from dlcompare.widgets.base import StateError

__all__ = ["AXES", "Given", "budgets_of", "families_of", "given", "row_of", "tables_of", "tasks_of"]

#: What can be an axis, in the order of a row's figures; memory is in millions of bytes, seconds are a processor's.
AXES = ("quality", "parameters", "flops", "seconds", "memory", "examples")
#: Significant digits of losses on the validation part.
_DIGITS = 5


class Given(NamedTuple):
    """Records, and what they name, each by its name in the order of the book."""

    records: list[Record]
    tasks: dict[str, Task]
    budgets: dict[str, Budget]
    families: dict[str, AnyFamily]


def given(
    records: Sequence[Record], tasks: Sequence[Task], budgets: Sequence[Budget], families: Sequence[AnyFamily]
) -> Given:
    """Return ``records`` with those tasks and budgets that they are of, and all families, a reader's own last.

    Parameters
    ----------
    records
        of each job the latest counts.
    tasks, budgets, families
        a reader's own, beside the package's; one with the same name takes its place.

    Raises
    ------
    StateError
        when there are no records, or one names what is unknown.
    """
    if not records:
        raise StateError(
            "records is empty; `make compare` measures all of them (hours), `make compare-quick` a few (minutes), and"
            " records=dlcompare.comparison.read(path) shows those of a file"
        )
    known: dict[str, dict[str, Any]] = {
        "task": {**comparison.TASKS, **{one.name: one for one in tasks}},
        "budget": {**comparison.BUDGETS, **{one.name: one for one in budgets}, UNLIMITED.name: UNLIMITED},
        "family": {**comparison.FAMILIES, **{one.name: one for one in families}},
    }
    found = comparison.latest(records)
    plural = {"task": "tasks", "budget": "budgets", "family": "families"}
    for record in found:
        for what, there in known.items():
            if getattr(record, what) not in there:
                raise StateError(
                    f"records has one (key {record.key}) of the {what} {getattr(record, what)!r}, which is none of"
                    f" {', '.join(there)}; your own is passed beside them: ComparisonLab(records, {plural[what]}=[…])"
                )
    named = {what: {getattr(record, what) for record in found} for what in ("task", "budget")}
    if len(named["budget"]) > 1:
        named["budget"].discard(UNLIMITED.name)  # what has none stands in the picture of each
    chosen = {what: {name: one for name, one in known[what].items() if name in names} for what, names in named.items()}
    return Given(found, chosen["task"], chosen["budget"], known["family"])


def _named(kind: str, name: str, otherwise: str) -> str:
    """Return the catalogue's name for something, or what it calls itself, as a reader's own does."""
    return texts("comparison").get(f"{kind}_{name}", otherwise)


def tasks_of(all_given: Given) -> list[dict[str, Any]]:
    """Return each task: what it asks, how it is judged, what is to be beaten."""
    return [
        {
            "name": task.name,
            "title": _named("task", task.name, task.name),
            "summary": task.summary,
            "metric": _named("metric", task.metric.name, task.metric.name.replace("_", " ")),
            "unit": _named("unit", task.metric.unit, task.metric.unit),
            "bounds": [0, 1] if task.metric.unit == "share" else None,
            "higher": task.metric.higher_is_better,
            "bar": task.bar and {"what": task.bar.what, "family": task.bar.family, "stated": task.bar.stated},
        }
        for task in all_given.tasks.values()
    ]


def budgets_of(all_given: Given) -> list[dict[str, str]]:
    """Return each budget's name and title."""
    return [{"name": budget.name, "title": budget.title} for budget in all_given.budgets.values()]


def families_of(all_given: Given) -> list[dict[str, str]]:
    """Return each family: its name, its title, a short name for beside a mark, and its group, which has a colour."""
    return [
        {
            "name": family.name,
            "title": family.title,
            "short": short_title(family),
            "group": family.group,
        }
        for family in all_given.families.values()
    ]


def _whole(value: float | None) -> float | None:
    """Return a number as an integer where it is one: it is shorter."""
    return int(value) if value is not None and float(value).is_integer() else value


def _rounded(loss: float) -> float:
    return float(f"{loss:.{_DIGITS}g}")


def _in_millions(size: float | None) -> float | None:
    return None if size is None else size / 1e6


def _of_run(record: Record, metric: str) -> list[float | None]:
    memory = _in_millions(record.peak_memory)
    costs = (record.parameters, record.flops, record.cpu_seconds, memory, record.examples)
    return [_whole(value) for value in (record.test[metric], *costs)]


def row_of(row: Row, metric: str, made: list[str]) -> dict[str, Any]:
    """Return a family's row: its figures in the order of :data:`AXES`, its interval, its runs and its setup.

    Parameters
    ----------
    row
        of the table.
    metric
        the figure's name in the records.
    made
        machines and versions so far, which the row names by their numbers; its own are added.
    """
    value = row.value
    known = math.isfinite(value.low)  # a single run says nothing of other seeds
    costs = (row.parameters, row.flops, row.cpu_seconds, _in_millions(row.peak_memory), row.examples)
    return {
        "family": row.family,
        "budget": row.budget,
        "rank": row.rank,
        "better": list(row.better),
        "at": [_whole(one) for one in (value.mean, *costs)],
        "interval": [value.low, value.high] if known else None,
        "fixed": value.low == value.high and not row.records[0].configuration.get("seeded", True),
        "asked": row.asked,
        "runs": [
            {
                "seed": record.seed,
                "at": _of_run(record, metric),
                "steps": record.steps,
                "curve": [[point.step, _rounded(point.validation)] for point in record.curve],
            }
            for record in row.records
        ],
        "setup": _setup(row.records[0]),
        "made": sorted({_place_of(_made(record), made) for record in row.records}),
    }


def _place_of(what: str, there: list[str]) -> int:
    """Return the place of something in a list, at whose end it is put if it isn't there."""
    if what not in there:
        there.append(what)
    return there.index(what)


def _setup(record: Record) -> dict[str, Any]:
    """Return how a model was made, as far as all seeds have it in common."""
    told = dict(record.configuration)
    layers = dict(_flat(told.get("config") or {})).get("n_layer")
    rates = record.search.get("tried", record.search.get("grid", ()))
    tried = zip(rates, record.search.get("validation", ()), strict=True)
    kept = ("model", "config", "checkpoint", "method", "terms", "k", "order", "season", "C", "shots", "chosen_from")
    sizes = {key: told[key] for key in kept if told.get(key) is not None}
    return {
        "model": sizes.pop("model", None),
        "width": told.get("width"),
        "layers": layers,
        "batch": told.get("batch_size"),
        "decay": told.get("weight_decay"),
        "rate": record.learning_rate,
        "tried": [[rate, loss if loss is None else _rounded(loss)] for rate, loss in tried],
        "sizes": "; ".join(f"{key} {_written(value)}" for key, value in _flat(sizes) if value is not None),
    }


def _flat(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield settings by their own names, those inside others too."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        else:
            yield key, value


def _written(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _made(record: Record) -> str:
    """Return on what a run was made."""
    machine, versions = record.machine, dict(record.versions)
    place = text("comparison.on_gpu") if record.device != "cpu" else str(machine.get("processor", record.device))
    if machine.get("threads"):
        place = text("comparison.threads", place=place, threads=machine["threads"])
    return "; ".join(filter(None, (place, ", ".join(f"{name} {version}" for name, version in versions.items()))))


def tables_of(all_given: Given) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a table for each task and budget, and the machines and versions that their rows name by numbers.

    A table has the rows, the best first, and why other families are missing.

    Raises
    ------
    StateError
        when a record lacks its task's metric.
    """
    made: list[str] = []
    tables = []
    for task in all_given.tasks.values():
        rows = {}
        for budget in all_given.budgets.values():
            try:
                rows[budget.name] = comparison.table(all_given.records, task.name, budget.name, task.metric)
            except ValueError as reason:
                raise StateError(str(reason)) from None
        for name, there in rows.items():
            here = {row.family for row in there}
            missing = [family for family in all_given.families.values() if family.name not in here]
            tables.append(
                {
                    "task": task.name,
                    "budget": name,
                    "rows": [row_of(row, task.metric.name, made) for row in there],
                    "missing": [
                        {"family": family.name, "why": _why(all_given, task, name, family, rows)} for family in missing
                    ],
                }
            )
    return tables, made


def _why(all_given: Given, task: Task, budget: str, family: AnyFamily, rows: Mapping[str, Iterable[Row]]) -> str:
    """Return why a family has no row: its error, the reason beforehand, or where else it stands."""
    for record in all_given.records:
        if record.task == task.name and record.family == family.name and record.budget in (budget, UNLIMITED.name):
            return text("comparison.why_failed", error=record.error)
    elsewhere = [name for name, there in rows.items() if family.name in {row.family for row in there}]
    return comparison.reason(task, family) or (
        text("comparison.why_elsewhere", budgets=", ".join(all_given.budgets[name].title for name in elsewhere))
        if elsewhere
        else text("comparison.why_unmeasured")
    )
