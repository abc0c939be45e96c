"""Loss against parameters, data and compute: three series out of the records of our own small runs.

A *point* is what was trained several times with nothing but another seed: a family, so many parameters, so many
characters to learn from, so many steps. A *series* is what a power law is fitted to
(:func:`dlcompare.graphs.power_law`).
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dlcompare.comparison.record import Record, latest

__all__ = [
    "ALL_CHARACTERS",
    "REFERENCES",
    "SCALED",
    "SERIES",
    "TASK",
    "ScalingPoint",
    "ScalingRun",
    "beaten",
    "frontier",
    "series",
]

#: What loss is held against.
SERIES = ("parameters", "data", "compute")
#: The families that are measured, in the order of the figure.
SCALED = ("gpt", "lstm")
#: Characters of the training part of Shakespeare: what a record says nothing of, has read from all of them.
ALL_CHARACTERS = 4_552_577
#: The exponents that Kaplan et al. (2020), equations 1.1 to 1.3, report for Transformers on web text: α_N, α_D and, for
#: compute that is spent in the best way, α_C(min).
REFERENCES = {"parameters": 0.076, "data": 0.095, "compute": 0.050}

#: The task whose records have all data and the usual number of steps; others are "scaling-300000" and the like.
TASK = "scaling"


@dataclass(frozen=True)
class ScalingRun:
    """One run of a point.

    Parameters
    ----------
    seed
        of weights and batches.
    bits, nats
        its loss on the test part, per character.
    learning_rate
        AdamW's peak.
    """

    seed: int
    bits: float
    nats: float
    learning_rate: float


@dataclass(frozen=True)
class ScalingPoint:
    """Runs that differ in nothing but their seed.

    Parameters
    ----------
    family
        one of :data:`~dlcompare.comparison.scaling.SCALED`.
    parameters
        numbers that are trained.
    characters
        of the text that there was to learn from, however often it was read.
    steps, tokens
        of the training; characters that were read in these, repeated ones counted again.
    flops
        floating-point operations of the training.
    runs
        one for each seed, in the seeds' order.
    """

    family: str
    parameters: int
    characters: int
    steps: int
    tokens: int
    flops: int
    runs: tuple[ScalingRun, ...]

    @property
    def bits(self) -> float:
        """The mean loss over the seeds, in bits per character."""
        return statistics.fmean(run.bits for run in self.runs)

    @property
    def nats(self) -> float:
        """The mean loss over the seeds, in nats per character."""
        return statistics.fmean(run.nats for run in self.runs)

    def along(self, over: str) -> int:
        """Return what the series ``over`` is drawn against: parameters, characters or operations.

        Raises
        ------
        ValueError
            for another name than those of :data:`~dlcompare.comparison.scaling.SERIES`.
        """
        where = {"parameters": self.parameters, "data": self.characters, "compute": self.flops}
        if over not in where:
            raise ValueError(f"over is {over!r}; allowed are {', '.join(map(repr, SERIES))}")
        return where[over]


def _points(records: Iterable[Record]) -> dict[tuple[str, int, int, int], list[Record]]:
    """Return what was measured without error, by family, parameters, characters and steps."""
    found: dict[tuple[str, int, int, int], list[Record]] = {}
    for record in latest(records):
        name = record.task == TASK or record.task.startswith(f"{TASK}-")
        if not name or record.family not in SCALED or record.error is not None:
            continue
        if record.parameters is None or record.flops is None or record.tokens is None or record.learning_rate is None:
            raise ValueError(f"the record {record.key} lacks parameters, flops, tokens or learning_rate")
        if missing := {"bits_per_character", "loss"} - set(record.test):
            raise ValueError(f"the record {record.key} lacks {', '.join(sorted(missing))} on the test part")
        characters = int(record.configuration.get("task", {}).get("characters", ALL_CHARACTERS))
        found.setdefault((record.family, record.parameters, characters, record.steps), []).append(record)
    return found


def _point(key: tuple[str, int, int, int], of: Sequence[Record]) -> ScalingPoint:
    family, parameters, characters, steps = key
    runs = [
        ScalingRun(one.seed, one.test["bits_per_character"], one.test["loss"], one.learning_rate or 0.0)
        for one in sorted(of, key=lambda one: one.seed)
    ]
    return ScalingPoint(family, parameters, characters, steps, of[0].tokens or 0, of[0].flops or 0, tuple(runs))


def frontier(points: Iterable[ScalingPoint]) -> list[ScalingPoint]:
    """Return the points that no other with as many or fewer operations equals, with growing operations.

    That is what so many operations can buy: each point has a lower mean loss than all before it.
    """
    best: list[ScalingPoint] = []
    for point in sorted(points, key=lambda point: (point.flops, point.bits)):
        if not best or point.bits < best[-1].bits:
            best.append(point)
    return best


def beaten(records: Iterable[Record]) -> list[ScalingPoint]:
    """Return the points with all the data that are on no :func:`frontier`, family by family, with growing operations.

    Raises
    ------
    ValueError
        as :func:`series` does.
    """
    found = _points(records)
    full = [_point(key, of) for key, of in found.items() if key[2] == ALL_CHARACTERS]
    best = [point for family in SCALED for point in frontier(one for one in full if one.family == family)]
    return sorted((one for one in full if one not in best), key=lambda one: (SCALED.index(one.family), one.flops))


def series(records: Iterable[Record]) -> Mapping[str, list[ScalingPoint]]:
    """Return the points of each of :data:`~dlcompare.comparison.scaling.SERIES`, family by family, from few to many.

    - ``parameters``: sizes, with all the data and the usual number of steps,
    - ``data``: amounts of text, with the usual number of steps and the size that was tried with less text than all,
    - ``compute``: of all sizes and numbers of steps with all the data, the :func:`frontier` of each family.

    Parameters
    ----------
    records
        of tasks whose names begin with "scaling"; others, those with an error and those of other families are left
        out. The usual number of steps is that of the task "scaling".

    Raises
    ------
    ValueError
        when a record lacks its parameters, operations, tokens, learning rate or loss.
    """
    found = _points(records)
    usual = {steps for (_, _, _, steps), of in found.items() if any(one.task == TASK for one in of)}
    made: dict[str, list[ScalingPoint]] = {name: [] for name in SERIES}
    for family in SCALED:
        points = [_point(key, of) for key, of in found.items() if key[0] == family]
        full = [point for point in points if point.characters == ALL_CHARACTERS]
        sizes = {point.parameters for point in points if point.characters < ALL_CHARACTERS and point.steps in usual}
        for name, of in (
            ("parameters", [point for point in full if point.steps in usual]),
            ("data", [point for point in points if point.parameters in sizes and point.steps in usual]),
            ("compute", frontier(full)),
        ):
            made[name] += sorted(of, key=lambda point, name=name: point.along(name))  # type: ignore[misc]
    return made
