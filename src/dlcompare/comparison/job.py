"""One job: a task, a family, a budget and a seed become a record."""

from __future__ import annotations

import copy
import functools
import importlib.metadata
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from typing import Any

import torch
from torch import nn

import dlcompare
from dlcompare._machine import machine
from dlcompare.comparison.budgets import UNLIMITED, Budget, flops_per_step, matched_width, steps_within, take
from dlcompare.comparison.families import AnyFamily, Family, FineTuned, Method
from dlcompare.comparison.record import Point, Record, key_of
from dlcompare.comparison.search import Search
from dlcompare.comparison.task import Task
from dlcompare.training import Batch, Collate, History, fit, n_parameters, set_seed

__all__ = ["Job", "jobs"]

#: Counts up when what is measured, or how, changes for all.
PROTOCOL = 1
#: How often a run looks at the validation part.
_EVALUATIONS = 8
_WEIGHT_DECAY, _WARMUP = 0.01, 0.05
#: A run within a budget of operations or seconds is at most so many times as long as the task's own: one of few weights
#: would else go on for hours, long after it was best.
_LONGEST = 20
#: When a budget is in seconds: steps before the clock starts, steps on the clock, and how much of the budget these must
#: take; if they don't, four times as many are measured. The clock is the processor's, which other programs don't turn.
_UNTIMED, _TIMED, _TIMED_SHARE = 3, 10, 0.02
#: How a network is trained, for the key of a record.
_COURSE = {"weight_decay": _WEIGHT_DECAY, "warmup": _WARMUP, "evaluations": _EVALUATIONS, "longest": _LONGEST}
#: Batches whose operations are counted: texts differ in length.
_COUNTED = 4


@dataclass(frozen=True)
class Job:
    """What is to be measured once.

    Parameters
    ----------
    task, family, budget
        what is to be compared.
    seed
        of weights, batches, and of the sample of labels where there is one.
    search
        how the learning rate is found.
    """

    task: Task
    family: AnyFamily
    budget: Budget
    seed: int
    search: Search = field(default_factory=Search)

    @property
    def name(self) -> str:
        """Task, family, budget and seed, for people."""
        return f"{self.task.name} {self.family.name} {self.budget.name} {self.seed}"

    @property
    def key(self) -> str:
        """The record's key: the same for the same job, whatever it runs on."""
        trained = not isinstance(self.family, Method)
        return key_of(
            protocol=PROTOCOL,
            task=self.task.identity,
            family={"name": self.family.name, "settings": dict(self.family.settings)},
            budget=self.budget.identity,
            search=self.search.identity if trained else None,
            course=_COURSE if trained else None,
            seed=self.seed,
        )

    @property
    def source(self) -> Job | None:
        """The job whose search finds this one's learning rate; None where it is this one, or nothing is searched."""
        if isinstance(self.family, Method) or self.seed == self.search.seed:
            return None
        return replace(self, seed=self.search.seed)

    def failed(self, error: str, device: str = "cpu") -> Record:
        """Return the record that says why there are no metrics."""
        return Record(
            self.key,
            self.task.name,
            self.family.name,
            self.budget.name,
            self.seed,
            versions=_versions(self.family),
            machine=machine(),
            device=device,
            error=error,
        )

    def run(self, device: str = "cpu", source: Record | None = None) -> Record:
        """Train, measure and return the record; the test part is looked at once, at the very end.

        Parameters
        ----------
        device
            where networks are trained and measured, "cpu" or "cuda"; all else is computed on the CPU.
        source
            the record of the job :attr:`source`, where there is one: its learning rate is taken over.

        Raises
        ------
        BudgetError
            when the family can't be brought to the budget.
        FloatingPointError
            when the training diverges at every learning rate, or at that of the source.
        ValueError
            when ``source`` is not the record of the job that is needed.
        """
        needed = None if self.source is None else self.source.key
        if (None if source is None else source.key) != needed:
            raise ValueError(
                f"source is {source and source.key!r}; the job {self.name!r} needs the record {needed!r}, whose search"
                " finds its learning rate"
            )
        if isinstance(self.family, Method):
            return self._answered(self.family)
        return _Run(self, self.family, device).record(source)

    def _answered(self, method: Method) -> Record:
        examples = self.task.load(self.seed)
        began, began_cpu = time.perf_counter(), time.process_time()
        outcome = method.measure(self.task, examples, self.seed)
        return Record(
            self.key,
            self.task.name,
            method.name,
            self.budget.name,
            self.seed,
            configuration={**outcome.configuration, "seeded": method.seeded or self.task.sampled},
            versions=_versions(method),
            machine=machine(),
            seconds=time.perf_counter() - began,
            cpu_seconds=time.process_time() - began_cpu,
            parameters=outcome.parameters,
            examples=outcome.configuration.get("shots", len(examples.splits.train)),  # a prompt shows a few of them
            validation=outcome.validation,
            test=outcome.test,
        )


class _Run:
    """A job of a network, from its data to its record."""

    def __init__(self, job: Job, family: Family | FineTuned, device: str):
        self.device = device
        self.job, self.family, self.task, self.budget = job, family, job.task, job.budget
        self.examples = self.task.load(job.seed)
        self.collate: Collate | None = None
        self.chosen: dict[str, Any] = {}
        set_seed(job.seed)
        if isinstance(family, FineTuned):
            start = family.begin(family.checkpoint, self.examples)
            self.examples, self.collate, self._start = start.examples, start.collate, start.model
            self.chosen |= {"checkpoint": family.checkpoint, "checkpoint_sha256": start.sha256}
        else:
            self.build = functools.partial(family.build, self.examples.form)
            self.width = self._width(family.widths)
            self.chosen["width"] = self.width
        self.loss = self.task.loss(self.examples)

    def _width(self, widths: Sequence[int]) -> int:
        if self.budget.parameters is None:
            raise ValueError(f"budget {self.budget.name!r} sets no parameters, but {self.family.name!r} needs a width")
        return matched_width(self.build, widths, self.budget.parameters, self.budget.tolerance)

    def model(self) -> nn.Module:
        """Return the network as it begins: of one seed, always the same weights."""
        set_seed(self.job.seed)
        model = copy.deepcopy(self._start) if isinstance(self.family, FineTuned) else self.build(self.width)
        return model.to(self.device)

    def batches(self) -> Iterator[Batch]:
        """Yield the batches of the job's seed from the beginning."""
        return self.task.batches(self.examples, torch.Generator().manual_seed(self.job.seed), self.collate)

    def trained(self, rate: float, steps: int) -> tuple[nn.Module, History]:
        """Train a new network, and keep the weights that were best on the validation part."""
        model = self.model()
        history = fit(
            model,
            self.loss,
            self.batches(),
            steps=steps,
            learning_rate=rate,
            weight_decay=_WEIGHT_DECAY,
            warmup=max(1, round(_WARMUP * steps)),
            evaluate=lambda m: self.task.validation_loss(m, self.examples, self.collate),
            evaluate_every=max(1, steps // _EVALUATIONS),
            description=self.job.name,
        )
        return model, history

    def steps(self, flops: int) -> int:
        """Return how many steps the budget allows."""
        most = _LONGEST * int(self.task.settings["steps"])
        if self.budget.flops is not None:
            return steps_within(self.budget.flops, flops, "operations", most)
        if self.budget.seconds is None:
            return int(self.task.settings["steps"])
        model, batches = self.model(), self.batches()
        course = {"learning_rate": min(self.job.search.grid), "description": self.job.name}
        fit(model, self.loss, batches, steps=_UNTIMED, **course)  # type: ignore[arg-type]
        timed, taken = _TIMED, 0.0
        while taken < _TIMED_SHARE * self.budget.seconds:
            history = fit(model, self.loss, batches, steps=timed, **course)  # type: ignore[arg-type]
            taken = history.cpu_seconds if self.device == "cpu" else history.seconds
            of_one, timed = taken / timed, 4 * timed
        self.chosen["seconds_per_step"] = of_one
        return steps_within(self.budget.seconds, of_one, "seconds", most)

    def searched(self, steps: int) -> tuple[float, tuple[nn.Module, History], dict[str, Any]]:
        """Return the best learning rate, what was trained at it, and what the record tells of it."""

        def tried(rate: float) -> tuple[tuple[nn.Module, History], float]:
            model, history = self.trained(rate, steps)
            return (model, history), history.best[1]

        return self.job.search.best(tried)

    def record(self, source: Record | None) -> Record:
        model = self.model()
        parameters, config = n_parameters(model), _plain(getattr(model, "config", None))
        few = take(self.batches(), _COUNTED)
        flops = flops_per_step(model, self.loss, few)
        steps = self.steps(flops)
        if source is None:
            rate, (model, history), found = self.searched(steps)
        else:
            assert source.learning_rate is not None
            rate, found = source.learning_rate, {**source.search, "how": f"taken over from seed {source.seed}"}
            model, history = self.trained(rate, steps)
        rows = len(few[0][-1])
        tokens = few[0][0].shape[1] if self.examples.form.answer in ("next", "places") else None
        job, examples = self.job, self.examples
        return Record(
            job.key,
            self.task.name,
            self.family.name,
            self.budget.name,
            job.seed,
            configuration={
                "model": type(model).__name__,
                "config": config,
                **self.chosen,
                "budget": {k: v for k, v in self.budget.identity.items() if v is not None},
                "task": dict(self.task.settings),
                "weight_decay": _WEIGHT_DECAY,
                "warmup_share": _WARMUP,
                "batch_size": rows,
                "best_step": history.best[0],
                "seeded": True,
            },
            learning_rate=rate,
            search=found,
            versions=_versions(self.family),
            machine=machine(),
            device=self.device,
            seconds=history.seconds,
            cpu_seconds=history.cpu_seconds,
            parameters=parameters,
            flops=flops * history.steps,
            steps=history.steps,
            examples=rows * history.steps,
            tokens=None if tokens is None else rows * tokens * history.steps,
            curve=_curve(history),
            validation=self.task.measure(model, examples, examples.splits.validation, self.collate),
            test=self.task.measure(model, examples, examples.splits.test, self.collate),
        )


def _plain(config: object) -> Any:
    """Return a configuration as JSON has it; None for a network that has none."""
    return asdict(config) if is_dataclass(config) and not isinstance(config, type) else None


def _curve(history: History) -> tuple[Point, ...]:
    points, before = [], 0
    for step, value in history.validation:
        points.append(Point(step, statistics.fmean(history.loss[before:step]), value))
        before = step
    return tuple(points)


def _versions(family: AnyFamily) -> dict[str, str]:
    versions = {"dlcompare": dlcompare.__version__, "python": platform.python_version(), "torch": torch.__version__}
    if isinstance(family, Method):
        for name in ("scikit-learn",):
            try:
                versions[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
    return versions


def jobs(
    tasks: Sequence[Task],
    families: Sequence[AnyFamily],
    budgets: Sequence[Budget],
    seeds: Sequence[int],
    search: Search | None = None,
) -> list[Job]:
    """Return every job of a grid, those left out that a reason speaks against.

    The first of the seeds searches the learning rates. What isn't trained by gradients has no budget; where no seed
    changes it either, it is measured once. The first seeds of all come first, so that a table is whole early.
    """
    from dlcompare.comparison.cells import reason

    search = search or Search()
    if seeds:
        search = replace(search, seed=seeds[0])
    made = []
    for i, seed in enumerate(seeds):
        for task in tasks:
            for family in families:
                if reason(task, family) is not None:
                    continue
                if not isinstance(family, Method):
                    own = replace(search, lower=family.lower) if isinstance(family, FineTuned) else search
                    made += [Job(task, family, budget, seed, own) for budget in budgets]
                elif i == 0 or family.seeded or task.sampled:
                    made.append(Job(task, family, UNLIMITED, seed))
    return made
