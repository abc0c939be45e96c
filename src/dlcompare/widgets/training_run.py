"""A training run that its settings determine, step by step: what the training scrubber records, and its front end too.

``js/src/explorables/training/rules.js`` and ``batches.js`` are the twins of this module: from the same settings both
draw the same first weights and the same batches.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from dlcompare.chance import Chance
from dlcompare.graphs.training import ACTIVATIONS, parameter_names
from dlcompare.widgets.base import StateError
from dlcompare.widgets.checked import as_whole

__all__ = [
    "BATCHES",
    "LAST_STEP",
    "MEASURES",
    "MOST_CHANGES",
    "RATES",
    "Change",
    "Examples",
    "Run",
    "Schedule",
    "as_schedule",
    "batch_at",
    "settings_at",
    "train",
]

#: The last step of a run.
LAST_STEP = 2000
#: Learning rates to choose from, in even steps on a logarithmic scale.
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
#: Sizes of a batch to choose from. The last is all the training examples.
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
#: Changes of the learning rate or the batch that a run may have, its first settings included.
MOST_CHANGES = 60
#: What is measured at every step, by the names of the graph's outputs.
MEASURES = ("train_loss", "held_loss", "train_accuracy", "held_accuracy")
#: Streams of chance per seed: the first is that of the first weights, the others belong to the steps 0, 1, ….
_STREAMS = 4096


class Change(NamedTuple):
    """From which step on which learning rate and batch size hold."""

    step: int
    learning_rate: float
    batch: int


Schedule = tuple[Change, ...]


def as_schedule(value: object) -> Schedule:
    """Return ``value`` as a schedule.

    Raises
    ------
    StateError
        unless it holds 1 to :data:`MOST_CHANGES` entries (step, learning rate, batch), the first at step 0 and each
        later than the one before it.
    """
    try:
        entries = [(step, rate, batch) for step, rate, batch in value]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        entries = []
    if not 1 <= len(entries) <= MOST_CHANGES:
        raise StateError(
            f"schedule is {value!r}; allowed are 1 to {MOST_CHANGES} entries (step, learning rate, batch size)"
        )
    changes: list[Change] = []
    for index, (step, rate, batch) in enumerate(entries):
        first = changes[-1].step + 1 if changes else 0
        number = as_whole(step, f"step of schedule[{index}]", first, LAST_STEP if changes else 0)
        if isinstance(rate, bool) or rate not in RATES:
            allowed = ", ".join(f"{each:g}" for each in RATES)
            raise StateError(f"learning rate of schedule[{index}] is {rate!r}; allowed are {allowed}")
        if isinstance(batch, bool) or batch not in BATCHES:
            raise StateError(f"batch of schedule[{index}] is {batch!r}; allowed are {', '.join(map(str, BATCHES))}")
        changes.append(Change(number, float(rate), int(batch)))
    return tuple(changes)


def settings_at(schedule: Schedule, step: int) -> Change:
    """Return the entry of ``schedule`` that holds at ``step``."""
    return next(change for change in reversed(schedule) if change.step <= step)


def batch_at(schedule: Schedule, step: int, seed: int, n: int) -> list[int]:
    """Return which of ``n`` examples the batch of ``step`` holds.

    Each epoch has an order of its own, and a rest smaller than a batch is left out; a new size of the batch begins a
    new epoch. The order depends on the seed and on the step at which the epoch begins, and on nothing else: so the
    batch of any step is known without the steps before it.
    """
    batch = settings_at(schedule, step).batch
    start = 0
    for before, change in pairwise(schedule):
        if change.step <= step and change.batch != before.batch:
            start = change.step
    steps_per_epoch = n // batch
    within = (step - start) % steps_per_epoch
    order = _order(seed * _STREAMS + 1 + step - within, n)
    return list(order[within * batch : (within + 1) * batch])


@functools.lru_cache(maxsize=4)  # all the steps of an epoch ask for the same
def _order(stream: int, n: int) -> tuple[int, ...]:
    return tuple(Chance(stream).permutation(n))


@dataclass(frozen=True)
class Examples:
    """What a network is trained on, what is held out, and where else it is asked.

    Parameters
    ----------
    x, y
        the training examples (n, features), float32, and their classes (n,), int32.
    held_x, held_y
        those that are held out, (m, features) and (m,).
    look
        what the picture needs answers to, (points, features).
    classes
        how many classes there are.
    """

    x: Tensor
    y: Tensor
    held_x: Tensor
    held_y: Tensor
    look: Tensor
    classes: int


Ask = Callable[..., dict[str, Tensor]]


@dataclass(frozen=True)
class Run:
    """A run, from its first step to its last.

    Parameters
    ----------
    parameters
        of each step, by name.
    measures
        what :data:`MEASURES` names, at each step: (steps + 1, 4).
    inputs, outputs
        of the training step's graph at the last step.
    """

    parameters: Sequence[Mapping[str, Tensor]]
    measures: Tensor
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    @property
    def last(self) -> int:
        """The last step: the one asked for, or the first one whose loss is no number any more."""
        return len(self.parameters) - 1


def _first_parameters(ask: Ask, widths: Sequence[int], activation: str, seed: int) -> dict[str, Tensor]:
    chance = Chance(seed * _STREAMS)
    parameters = {}
    for layer, (n_in, n_out) in enumerate(zip(widths, widths[1:], strict=False), start=1):
        uniform = torch.tensor([[chance.uniform() for _ in range(n_in)] for _ in range(n_out)], dtype=torch.float32)
        parameters[f"w{layer}"] = ask("first-weights", uniform=uniform)["he" if activation == "relu" else "glorot"]
        parameters[f"b{layer}"] = torch.zeros(n_out)
    return parameters


def train(
    ask: Ask, examples: Examples, *, depth: int, width: int, activation: str, seed: int, schedule: Schedule, steps: int
) -> Run:
    """Train a network from its first weights.

    Parameters
    ----------
    ask
        answers questions to the graphs, as :meth:`.Explorable.ask` does.
    examples
        what it learns from.
    depth, width, activation, seed, schedule
        the settings: hidden layers, neurons in each, f, the seed of weights and batches, learning rates and batches.
    steps
        how many. The run ends earlier where its loss ceases to be a number.
    """
    graph = f"training-step-{depth}"
    names = parameter_names(depth)
    parameters = _first_parameters(ask, [examples.x.shape[1], *[width] * depth, examples.classes], activation, seed)
    history: list[dict[str, Tensor]] = []
    measures = []
    while True:
        step = len(history)
        change = settings_at(schedule, step)
        inputs = {
            "x": examples.x,
            "y": examples.y,
            "chosen": torch.tensor(batch_at(schedule, step, seed, len(examples.x)), dtype=torch.int32),
            "held_x": examples.held_x,
            "held_y": examples.held_y,
            "look": examples.look[:1],
            "learning_rate": torch.tensor(change.learning_rate),
            "activation": torch.tensor(ACTIVATIONS.index(activation), dtype=torch.int32),
            **parameters,
        }
        outputs = ask(graph, **inputs)
        history.append(parameters)
        measures.append(torch.stack([outputs[name] for name in MEASURES]))
        if step == steps or not bool(outputs["train_loss"].isfinite()):
            break
        parameters = {name: outputs[f"new_{name}"] for name in names}
    # Only the last step is looked at.
    inputs["look"] = examples.look
    return Run(history, torch.stack(measures), inputs, ask(graph, **inputs))
