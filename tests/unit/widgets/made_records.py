"""Made-up records of the full run's jobs: as many as there will be, with numbers drawn by chance."""

from __future__ import annotations

import random
from collections.abc import Sequence

from dlcompare.comparison import Method, Point, Record
from dlcompare.comparison.grids import FULL
from dlcompare.comparison.job import Job
from dlcompare.comparison.task import Metric

GRID = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)


def metrics(metric: Metric, chance: random.Random, level: float) -> dict[str, float]:
    """Draw a metric near a level between 0 and 1."""
    return {metric.name: max(0.0, level + chance.gauss(0, 0.01)) * (1 if metric.unit == "share" else 3)}


def of_job(job: Job, chance: random.Random, level: float) -> Record:
    """Draw a record of a job."""
    common = {
        "versions": {"dlcompare": "0.1.0", "python": "3.11.9", "torch": "2.13.0"},
        "machine": {"processor": "A processor", "threads": 1},
        "seconds": 100 * chance.random(),
        "cpu_seconds": 10 ** (3 * chance.random()),
        "peak_memory": chance.randrange(10**8, 10**9),
        "validation": metrics(job.task.metric, chance, level),
        "test": metrics(job.task.metric, chance, level),
    }
    name = (job.key, job.task.name, job.family.name, job.budget.name, job.seed)
    if isinstance(job.family, Method):
        seeded = job.family.seeded or job.task.sampled
        return Record(*name, configuration={"method": "by hand", "k": 3, "seeded": seeded}, examples=500, **common)
    losses = sorted((chance.random() for _ in range(9)), reverse=True)
    return Record(
        *name,
        configuration={
            "model": "Net",
            "config": {"d_model": 64, "body": {"n_layer": 2}, "sizes": [784, 100, 10]},
            "width": chance.randrange(10, 99),
            "weight_decay": 0.01,
            "batch_size": 64,
            "best_step": 700,
            "seeded": True,
        },
        learning_rate=3e-3,
        search={
            "grid": [1e-4, *GRID, 1e-1],
            "tried": list(GRID),
            "validation": [0.5, 0.4, 0.3, chance.random() + 0.3, None],
            "seed": 0,
        },
        parameters=chance.randrange(95_000, 105_000),
        flops=int(10 ** (10 + 3 * chance.random())),
        steps=800,
        examples=51_200,
        curve=tuple(Point(100 * i, loss + 0.1, loss) for i, loss in enumerate(losses, 1)),
        **common,
    )


def made(
    seed: int = 0,
    tasks: Sequence[str] | None = None,
    families: Sequence[str] | None = None,
    budgets: Sequence[str] | None = None,
    seeds: int = 3,
) -> list[Record]:
    """Draw records of all jobs of the full run, or of those with these names."""
    chance, levels = random.Random(seed), random.Random(seed)
    level: dict[tuple[str, str], float] = {}
    records = []
    for job in FULL.only(tasks, families, budgets, seeds).jobs():
        of = level.setdefault((job.task.name, job.family.name), levels.uniform(0.4, 0.95))
        records.append(of_job(job, chance, of))
    return records
