"""What the comparison has measured: an explorable of the book's last chapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from dlcompare import results
from dlcompare.catalogue import text
from dlcompare.comparison import Budget, Record, Task
from dlcompare.comparison.families import AnyFamily
from dlcompare.style import short
from dlcompare.widgets.base import Explorable, Table
from dlcompare.widgets.checked import Checked, as_choice
from dlcompare.widgets.comparison_rows import AXES, budgets_of, families_of, given, tables_of, tasks_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SCALES", "ComparisonLab"]

#: How costs are drawn: by powers of ten, or by equal amounts.
SCALES = ("log", "linear")

#: Stands where there is no number.
_NONE = "–"


def _written(cost: float | None) -> str:
    """Return a cost: counts in full, as far as they are no longer than a reader's patience."""
    if cost is None:
        return _NONE
    return f"{cost:,}" if isinstance(cost, int) and cost < 1e9 else short(cost)


def _names(kind: str) -> Any:
    """Return a check: the trait holds one of the names among the widget's ``kind``."""
    singular = {"tasks": "task", "budgets": "budget"}[kind]
    return lambda widget, value: as_choice(value, singular, [one["name"] for one in getattr(widget, kind)])


def _family(widget: ComparisonLab, value: object) -> str:
    """Return the name of a family that has a row somewhere; none, where a table is empty."""
    there = dict.fromkeys(row["family"] for table in widget.tables for row in table["rows"])
    if value == "" and not all(table["rows"] for table in widget.tables):
        return ""
    return as_choice(value, "family", list(there))


class ComparisonLab(Explorable):
    """All families that were measured on a task within a budget: what they are worth, and what they cost.

    Parameters
    ----------
    records
        what was measured, by default the book's own (:func:`dlcompare.results.comparison`). Of each job the latest
        record counts.
    families, tasks, budgets
        a reader's own that records name, beside the package's; one with the same name takes its place.
    **traits:
        ``task``, ``budget`` (their names; without them the first); ``x`` and ``y`` (two of :data:`AXES`: choosing the
        other's value swaps them); ``scale`` of costs (``"log"`` or ``"linear"``); ``family`` (the chosen one; the best
        one where it has no row); and ``name``, see :class:`~dlcompare.widgets.base.Explorable`.

    Raises
    ------
    StateError
        (a ``ValueError``) when there are no records, when one names what is unknown or lacks its task's metric, and for
        an argument that is not allowed, here or assigned later.
    """

    module: ClassVar[str] = "comparison"
    text_prefixes: ClassVar[tuple[str, ...]] = ("widget", "comparison")

    tasks: Any = traitlets.List(read_only=True).tag(sync=True)
    budgets: Any = traitlets.List(read_only=True).tag(sync=True)
    families: Any = traitlets.List(read_only=True).tag(sync=True)
    #: A table for each task and budget, see :func:`~dlcompare.widgets.comparison_rows.tables_of`.
    tables: Any = traitlets.List(read_only=True).tag(sync=True)
    #: Machines and versions, which rows name by their numbers.
    made: Any = traitlets.List(read_only=True).tag(sync=True)
    task = Checked(_names("tasks"), "").tag(sync=True)
    budget = Checked(_names("budgets"), "").tag(sync=True)
    x = Checked(lambda _, value: as_choice(value, "x", AXES), "flops").tag(sync=True)
    y = Checked(lambda _, value: as_choice(value, "y", AXES), "quality").tag(sync=True)
    scale = Checked(lambda _, value: as_choice(value, "scale", SCALES), SCALES[0]).tag(sync=True)
    family = Checked(_family, "").tag(sync=True)

    def __init__(
        self,
        records: Sequence[Record] | None = None,
        *,
        families: Sequence[AnyFamily] = (),
        tasks: Sequence[Task] = (),
        budgets: Sequence[Budget] = (),
        **traits: Any,
    ) -> None:
        found = given(results.comparison() if records is None else records, tasks, budgets, families)
        self.set_trait("tasks", tasks_of(found))
        self.set_trait("budgets", budgets_of(found))
        self.set_trait("families", families_of(found))
        tables, made = tables_of(found)
        self.set_trait("tables", tables)
        self.set_trait("made", made)
        first = {"task": self.tasks[0]["name"], "budget": self.budgets[0]["name"]}
        first["family"] = next((row["family"] for table in self.tables for row in table["rows"]), "")
        super().__init__(**{**first, **traits})
        self._choose()

    @traitlets.observe("x", "y")
    def _swap(self, change: Any) -> None:
        if self.x == self.y:
            before = change.old or self.traits()[change.name].default_value  # in the beginning there is none before
            self.set_trait("y" if change.name == "x" else "x", before)

    @traitlets.observe("task", "budget", "family")
    def _choose(self, _change: Any = None) -> None:
        there = [row["family"] for row in self.rows]
        if self.family not in there:
            self.family = there[0] if there else ""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the present task and budget, the best first."""
        return self._table()["rows"]  # type: ignore[no-any-return]

    @property
    def about(self) -> dict[str, Any]:
        """What the present task asks, how it is judged, and what is to be beaten."""
        return next(one for one in self.tasks if one["name"] == self.task)

    def _table(self) -> dict[str, Any]:
        there = (one for one in self.tables if (one["task"], one["budget"]) == (self.task, self.budget))
        return next(there, {"rows": [], "missing": []})

    def title_of(self, family: str) -> str:
        """Return a family's title, by its name."""
        return next(one["title"] for one in self.families if one["name"] == family)  # type: ignore[no-any-return]

    def bar(self) -> float | None:
        """Return the figure that is to be beaten, as measured here; None where the task has none, or it was not."""
        bar = self.about["bar"]
        return next((row["at"][0] for row in self.rows if bar and row["family"] == bar["family"]), None)

    def table(self) -> Table:
        """Return all families of the present task and budget, the best first, with their figures and costs."""
        heads = ("family", "rank", "metric", "low", "high", "runs", *(f"axis_{axis}" for axis in AXES[1:]))

        rows: list[list[str | float]] = [
            [
                self.title_of(row["family"]),
                str(row["rank"]),
                short(row["at"][0]),
                *([_NONE, _NONE] if row["interval"] is None else map(short, row["interval"])),
                str(len(row["runs"])),
                *map(_written, row["at"][1:]),
            ]
            for row in self.rows
        ]
        return Table([text(f"comparison.{head}", metric=self.about["metric"]) for head in heads], rows)

    def alternative_text(self) -> str:
        """Say in words what :meth:`figure` shows."""
        about, rows = self.about, self.rows
        title = next(one["title"] for one in self.budgets if one["name"] == self.budget)
        if not rows:
            return text("comparison.alternative_empty", task=about["title"], budget=title)
        best, bar = rows[0], self.bar()
        parts = [
            text(
                "comparison.alternative",
                count=len(rows),
                task=about["title"],
                budget=title,
                x=text(f"comparison.axis_{self.x}"),
                y=text(f"comparison.axis_{self.y}"),
                metric=about["metric"],
                direction=text("comparison.more" if about["higher"] else "comparison.less"),
                best=self.title_of(best["family"]),
                value=short(best["at"][0]),
                worse=sum(best["family"] in row["better"] for row in rows),
            )
        ]
        if about["bar"]:
            parts.append(text("comparison.alternative_bar", what=about["bar"]["what"]))
            if bar is not None:
                parts.append(text("comparison.alternative_measured", value=short(bar)))
            if about["bar"]["stated"] is not None:
                parts.append(text("comparison.alternative_stated", value=short(about["bar"]["stated"])))
        return " ".join(parts)

    def caption(self) -> str:
        """Return the caption of :meth:`figure`."""
        return text("comparison.figure_caption")

    def figure(self) -> Figure:
        """Draw the present state with matplotlib."""
        from dlcompare.widgets.comparison_figure import draw

        return draw(self)
