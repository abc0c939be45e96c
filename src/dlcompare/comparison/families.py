"""Families of models: how each is built for a task at a given width, or what else it does in its place.

A :class:`Family` is trained from scratch. A :class:`FineTuned` one starts from a committed checkpoint, whose size is
what it is. A :class:`Method` is not trained by gradients. A reader's own goes to the runner like any of these:

>>> from dlcompare.comparison import Family
>>> from dlcompare.models import MLP, MLPConfig
>>> mine = Family(
...     name="two-layers",
...     title="MLP with two hidden layers",
...     group="mlp",
...     build=lambda form, width: MLP(MLPConfig((form.length * form.size_in, width, width, form.size_out))),
...     widths=range(4, 512),
... )
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from dlcompare.catalogue import texts
from dlcompare.comparison import builders, pretrained, prompting
from dlcompare.comparison.baselines import Outcome, baseline
from dlcompare.comparison.pretrained import Start
from dlcompare.comparison.task import Examples, Form, Task

__all__ = ["FAMILIES", "AnyFamily", "Family", "FineTuned", "Method", "family_named", "short_title"]


@dataclass(frozen=True)
class Family:
    """A kind of network that is trained from random weights.

    Parameters
    ----------
    name
        in records and commands.
    title
        for people.
    group
        which colour it has, see :data:`dlcompare.style.FAMILY`.
    build
        from a form and a width to a network with random weights, whose parameters grow with the width.
    widths
        the widths to choose from.
    settings
        what else ``build`` depends on, for the record and its key; change it when ``build`` changes.
    """

    name: str
    title: str
    group: str
    build: Callable[[Form, int], nn.Module]
    widths: Sequence[int] = range(2, 2049, 2)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FineTuned:
    """A checkpoint that is trained on: all of its weights, with a new last layer.

    Parameters
    ----------
    name, title, group
        as of a :class:`Family`.
    checkpoint
        what it starts from.
    begin
        from that name and the task's data to the network, and the data as it reads them.
    settings
        as of a :class:`Family`.
    lower
        how many places lower the search for the learning rate begins: large steps destroy what was learned before.
    """

    name: str
    title: str
    group: str
    checkpoint: str
    begin: Callable[[str, Examples], Start]
    settings: Mapping[str, Any] = field(default_factory=dict)
    lower: int = 2


@dataclass(frozen=True)
class Method:
    """What answers without being trained by gradients.

    Parameters
    ----------
    name, title, group
        as of a :class:`Family`.
    measure
        from the task, its data and a seed to what it is worth.
    settings
        as of a :class:`Family`.
    seeded
        whether the seed changes its answers.
    """

    name: str
    title: str
    group: str
    measure: Callable[[Task, Examples, int], Outcome]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeded: bool = False


AnyFamily = Family | FineTuned | Method

#: Widths of what has no heads, which would ask for even ones.
_ANY = range(2, 2049)
_ALL: tuple[AnyFamily, ...] = (
    Method("baseline", "simple baseline", "baseline", baseline),
    Family("mlp", "MLP", "mlp", builders.mlp, _ANY, builders.SIZES),
    Family("cnn", "CNN", "cnn", builders.cnn, _ANY, builders.SIZES),
    *(
        Family(
            kind,
            kind.upper(),
            "recurrent",
            functools.partial(builders.recurrent, kind=kind),
            _ANY,
            builders.SIZES,
        )
        for kind in ("rnn", "lstm", "gru")
    ),
    Family("encoder", "Transformer encoder", "transformer", builders.encoder, settings=builders.SIZES),
    Family("gpt", "GPT from scratch", "gpt", builders.gpt, settings=builders.SIZES),
    FineTuned("bert-finetuned", "encoder, pre-trained", "transformer", "shakespeare-bert", pretrained.bert_classifier),
    FineTuned("gpt-finetuned", "GPT, pre-trained", "gpt", "shakespeare-gpt", pretrained.gpt_classifier),
    *(
        Method(
            f"smollm2-{name}-shot",
            f"SmolLM2, {name}-shot prompts",
            "gpt",
            functools.partial(prompting.prompted, shots=shots),
            {"shots": shots, "asked": prompting.ASKED},
        )
        for name, shots in (("zero", 0), ("few", prompting.SHOTS))
    ),
)

#: Every family by its name.
FAMILIES: dict[str, AnyFamily] = {one.name: one for one in _ALL}


def family_named(name: str) -> AnyFamily:
    """Return the family of that name.

    Raises
    ------
    ValueError
        when there is none; the message names those there are.
    """
    if name not in FAMILIES:
        raise ValueError(f"family is {name!r}; allowed are {', '.join(FAMILIES)}")
    return FAMILIES[name]


def short_title(family: AnyFamily) -> str:
    """Return a name for beside a mark: the catalogue's, or the family's own title, as a reader's own has it."""
    return texts("comparison").get(f"short_{family.name}", family.title)
