"""Tasks: what goes in, what is to come out, on which data, and by which figure the answers are judged.

Every model of a task is trained on the same loss and batches, chosen on the same validation part, and measured once on
the same test part.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare import data
from dlcompare.training import (
    IGNORED,
    Batch,
    Collate,
    LossFunction,
    Texts,
    bits_per_character,
    causal_lm_loss,
    classification_loss,
    classify,
    device_of,
    ended,
    example_batches,
    regression_loss,
    reply_loss,
    shuffled_batches,
    window_batches,
)

__all__ = ["Answer", "Bar", "Examples", "Form", "Kind", "Metric", "Part", "Task", "default_collate", "judged"]

Kind = Literal["image", "tokens", "series"]
Answer = Literal["class", "next", "places", "value"]

_LOSSES: dict[str, LossFunction] = {
    "class": classification_loss,
    "next": causal_lm_loss,
    "places": reply_loss,
    "value": regression_loss,
}


@dataclass(frozen=True)
class Form:
    """What a model reads and answers: all that decides on its first and its last layer.

    Parameters
    ----------
    kind
        "image": (batch, 1, length, size_in), grey; "tokens": ids (batch, seq); "series": (batch, seq, size_in).
    answer
        "class": logits (batch, size_out), one class per example; "next": logits (batch, seq, size_out) of each next
        token; "places": the same, asked at some positions alone; "value": (batch, size_out) numbers.
    size_in
        the image's width in pixels, the number of token ids, or numbers per time step.
    length
        the image's height in pixels, or the longest sequence.
    size_out
        classes, token ids, or numbers.
    end
        the token id that ends a text, where texts of different lengths come in.
    scale
        what a difference of 1 between numbers is in the metric's unit.
    looks_ahead
        for "places": whether a network may see what comes later; not where the answers stand there.
    """

    kind: Kind
    answer: Answer
    size_in: int
    length: int
    size_out: int
    end: int | None = None
    scale: float = 1.0
    looks_ahead: bool = False


@dataclass(frozen=True)
class Metric:
    """The figure that a task is judged by.

    Parameters
    ----------
    name
        as it stands in a record's metrics.
    unit
        of the figure: "share", "bits", "°C".
    higher_is_better
        its direction.
    """

    name: str
    unit: str
    higher_is_better: bool


@dataclass(frozen=True)
class Bar:
    """What a model has to beat for the task to be worth a network.

    Parameters
    ----------
    what
        in words.
    family
        whose records say how high it is.
    stated
        the figure that the design of this book set beforehand, in the metric's unit; None where it set none.
    """

    what: str
    family: str
    stated: float | None = None


@dataclass(frozen=True, eq=False)
class Part:
    """Examples of a task.

    Parameters
    ----------
    inputs
        (n, …), or the token ids of n texts; for the answer "next" one text (n,).
    targets
        classes (n,), tokens (n, seq) with :data:`~dlcompare.training.IGNORED` where nothing is asked, or values
        (n, size_out); for "next" the text (n,).
    raw
        what a person would read: the texts themselves, where there are any.
    groups
        (n,), a number for each example by which it is measured apart as well, such as a distance; None for none.

    Raises
    ------
    ValueError
        when there are not as many targets, raw texts or groups as inputs.
    """

    inputs: Tensor | Sequence[Texts]
    targets: Tensor
    raw: Sequence[str] = ()
    groups: Tensor | None = None

    def __post_init__(self) -> None:
        n = len(self.inputs)
        if len(self.targets) != n:
            raise ValueError(f"targets has {len(self.targets)} entries; allowed is as many as inputs has: {n}")
        if self.groups is not None and self.groups.shape != (n,):
            raise ValueError(f"groups has shape {tuple(self.groups.shape)}; allowed is ({n},), as many as inputs")

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True, eq=False)
class Examples:
    """A task's data, and what it asks of a model.

    Parameters
    ----------
    form
        what goes in and comes out.
    splits
        the examples to learn from, to choose on, and to be measured on.
    draw
        makes new training examples, as many as it is told, with the generator that it is given; None where the
        training part is all there is.
    """

    form: Form
    splits: data.Splits[Part]
    draw: Callable[[int, torch.Generator], Part] | None = None


@dataclass(frozen=True)
class Task:
    """A task.

    Parameters
    ----------
    name
        in records and commands.
    summary
        one line for people.
    load
        returns the data; the seed decides on the sample of labels where there is one, and on nothing else.
    metric
        the figure that the models are ranked by.
    settings
        the numbers that ``load`` and the training depend on; among them ``batch_size``, ``steps`` where the budget
        does not set them, and ``seq`` for the answer "next".
    data
        names of the data sets, as ``dlcompare data list`` has them; none for a task that is made up.
    bar
        what is to be beaten.
    of
        the task that this is a smaller one of, by name: what makes no sense there makes none here.
    sampled
        whether the seed decides on the training examples.

    Raises
    ------
    ValueError
        when ``settings`` lack ``batch_size`` or ``steps``.
    """

    name: str
    summary: str
    load: Callable[[int], Examples]
    metric: Metric
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    bar: Bar | None = None
    of: str | None = None
    sampled: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "steps"):
            if not isinstance(self.settings.get(name), int):
                raise ValueError(f"settings has {name} = {self.settings.get(name)!r}; allowed is an integer")

    @property
    def identity(self) -> dict[str, Any]:
        """What determines the task, for the key of a record: its name, its settings, the SHA-256 of its data."""
        return {
            "name": self.name,
            "settings": dict(self.settings),
            "data": {name: data.sha256(name) for name in self.data},
        }

    def loss(self, examples: Examples) -> LossFunction:
        """Return what is minimised, for every family the same."""
        return _LOSSES[examples.form.answer]

    def batches(
        self, examples: Examples, generator: torch.Generator, collate: Collate | None = None
    ) -> Iterator[Batch]:
        """Yield the batches that every family is trained on, for ever.

        ``collate`` makes what a model reads of texts; by default the ids, ended, and which of them are visible.
        """
        train, size = examples.splits.train, min(self.settings["batch_size"], len(examples.splits.train))
        if examples.draw is not None:
            while True:
                drawn = examples.draw(self.settings["batch_size"], generator)
                assert isinstance(drawn.inputs, Tensor)
                yield drawn.inputs, drawn.targets
        elif examples.form.answer == "next":
            yield from window_batches(train.targets, self.settings["seq"], self.settings["batch_size"], generator)
        elif isinstance(train.inputs, Tensor):
            yield from shuffled_batches(train.inputs, train.targets, size, generator)
        else:
            read = collate or default_collate(examples.form)
            yield from example_batches(train.inputs, train.targets, size, generator, read)

    def validation_loss(self, model: nn.Module, examples: Examples, collate: Collate | None = None) -> float:
        """Return the mean loss on the validation part, in nats or squared units: what everything is chosen by."""
        return self.measure(model, examples, examples.splits.validation, collate)["loss"]

    def measure(
        self, model: nn.Module, examples: Examples, part: Part, collate: Collate | None = None
    ) -> dict[str, float]:
        """Return what ``model`` is worth on a part: ``loss``, and the metrics by their names.

        For classes and places the ``accuracy``, a share; for "next" the ``bits_per_character``; for values the
        ``mean_absolute_error`` and ``root_mean_squared_error``, in the target's unit. Where the part has groups, the
        first of these again for each, ``accuracy_at_8`` for example.
        """
        answer = examples.form.answer
        if answer == "next":
            bits = bits_per_character(model, part.targets, len(part.raw[0]))
            nats = bits * len(part.raw[0]) / (len(part.targets) - 1) * float(torch.log(torch.tensor(2.0)))
            return {"loss": nats, "bits_per_character": bits}
        if isinstance(part.inputs, Tensor):
            outputs = _outputs(model, part.inputs)
        else:
            outputs = classify(model, part.inputs, collate or default_collate(examples.form))
        return judged(outputs, part, examples.form)


def default_collate(form: Form) -> Collate:
    """Return how a network reads the texts of a task: the ids, then the one that ends a text.

    Raises
    ------
    ValueError
        when the form has no such id.
    """
    if form.end is None:
        raise ValueError("form.end is None; texts of different lengths need an id that ends them")
    return functools.partial(ended, end=form.end)


def judged(outputs: Tensor, part: Part, form: Form) -> dict[str, float]:
    """Return the figures of :meth:`dlcompare.comparison.Task.measure` for a model's ``outputs`` on a part.

    ``outputs`` are logits (n, classes), logits (n, seq, tokens), or values (n, size_out), as ``form.answer`` says.
    """
    targets = part.targets
    if form.answer == "value":
        errors = (outputs - targets).abs().double().flatten(1).mean(1)  # (n,)
        squares = (outputs - targets).square().double().flatten(1).mean(1)
        found = {
            "loss": squares.mean().item(),
            "mean_absolute_error": form.scale * errors.mean().item(),
            "root_mean_squared_error": form.scale * squares.mean().sqrt().item(),
        }
        return found | _by_group("mean_absolute_error", form.scale * errors, part.groups)
    asked = targets != IGNORED  # (n,) or (n, seq)
    right = (outputs.argmax(-1) == targets) & asked
    loss = F.cross_entropy(outputs.flatten(0, -2), targets.flatten(), ignore_index=IGNORED).item()
    share = right.double().flatten(1).sum(1) / asked.double().flatten(1).sum(1) if targets.ndim > 1 else right.double()
    accuracy = right.sum().item() / asked.sum().item()
    return {"loss": loss, "accuracy": accuracy} | _by_group("accuracy", share, part.groups)


def _by_group(name: str, values: Tensor, groups: Tensor | None) -> dict[str, float]:
    if groups is None:
        return {}
    return {f"{name}_at_{group}": values[groups == group].mean().item() for group in sorted(set(groups.tolist()))}


@torch.inference_mode()
def _outputs(model: nn.Module, inputs: Tensor, batch_size: int = 250) -> Tensor:
    """Return what ``model`` answers to ``inputs`` (n, …), in pieces, on the CPU."""
    model.eval()
    device = device_of(model)
    return torch.cat([model(piece.to(device)).cpu() for piece in torch.split(inputs, batch_size)])
