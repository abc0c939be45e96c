"""The published models in the order of time: their dates, papers, depths, widths and numbers of parameters.

Sizes are computed from the configurations of :mod:`dlcompare.published`. A date is what a source supports: the month of
a paper's first version on arXiv, which its number tells, or else the year of its publication alone.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dlcompare.models.lenet import RadialBasis
from dlcompare.models.transformer import TransformerConfig
from dlcompare.published import PUBLISHED, Published

__all__ = ["LANES", "PAPERS", "Event", "Paper", "depth", "history", "output_width"]

#: The lanes of the history, with the families of :data:`dlcompare.style.FAMILY` in each.
LANES = {"classic": ("mlp", "cnn", "recurrent"), "transformer": ("transformer",), "gpt": ("gpt",)}


@dataclass(frozen=True)
class Paper:
    """A source of the bibliography.

    Parameters
    ----------
    key
        in ``references.bib``.
    authors
        as they are cited.
    title
        its title.
    year
        of the first description that the date is known of: of the first version on arXiv, or of the publication.
    month
        of the first version on arXiv; None where there is none.
    """

    key: str
    authors: str
    title: str
    year: int
    month: int | None = None


#: The papers, by their keys in ``references.bib``; a test compares them.
PAPERS = {
    paper.key: paper
    for paper in (
        Paper("lecun1998", "LeCun et al.", "Gradient-Based Learning Applied to Document Recognition", 1998),
        Paper(
            "krizhevsky2012",
            "Krizhevsky et al.",
            "ImageNet Classification with Deep Convolutional Neural Networks",
            2012,
        ),
        Paper("szegedy2015", "Szegedy et al.", "Going Deeper with Convolutions", 2014, 9),
        Paper("he2016", "He et al.", "Deep Residual Learning for Image Recognition", 2015, 12),
        Paper("vaswani2017", "Vaswani et al.", "Attention Is All You Need", 2017, 6),
        Paper("radford2018", "Radford et al.", "Improving Language Understanding by Generative Pre-Training", 2018),
        Paper(
            "devlin2019",
            "Devlin et al.",
            "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
            2018,
            10,
        ),
        Paper("radford2019", "Radford et al.", "Language Models are Unsupervised Multitask Learners", 2019),
        Paper("brown2020", "Brown et al.", "Language Models are Few-Shot Learners", 2020, 5),
        Paper(
            "dosovitskiy2021",
            "Dosovitskiy et al.",
            "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
            2020,
            10,
        ),
        Paper("touvron2023", "Touvron et al.", "LLaMA: Open and Efficient Foundation Language Models", 2023, 2),
        Paper(
            "allal2025",
            "Allal et al.",
            "SmolLM2: When Smol Goes Big – Data-Centric Training of a Small Language Model",
            2025,
            2,
        ),
    )
}
#: Models whose size the first figure of :data:`~dlcompare.published.PUBLISHED` takes from a later paper than their own.
_OWN_PAPER = {"GPT-1": "radford2018"}


@dataclass(frozen=True)
class Event:
    """A model in the history.

    Parameters
    ----------
    name
        what its paper calls it.
    family
        key of :data:`dlcompare.style.FAMILY`.
    lane
        key of :data:`LANES`.
    layers
        of a CNN the layers with trained weights, see :func:`depth`; of all others the blocks, those of encoder and
        decoder together.
    width
        numbers that the output layer reads, see :func:`output_width`; in a Transformer the width of its blocks.
    parameters
        by closed formula.
    paper
        where it was described.
    note
        on how its parameters are counted; empty where there is nothing to say.
    """

    name: str
    family: str
    lane: str
    layers: int
    width: int
    parameters: int
    paper: Paper
    note: str = ""

    @property
    def when(self) -> float:
        """The date in years: the middle of the month, or of the year where no month is known."""
        paper = self.paper
        return paper.year + (0.5 if paper.month is None else (paper.month - 0.5) / 12)


def depth(model: nn.Module, *inputs: Tensor) -> int:
    """Return how many layers with trained weights lie one behind the other, on the longest way to the output.

    A kernel, a matrix, and the coefficients of LeNet's subsampling are weights; biases and norms are not. The ways are
    those of autograd.

    Parameters
    ----------
    model
        the model; it may be on the meta device.
    *inputs
        an example, of any shape that the model takes.
    """
    weights = {id(p) for name, p in model.named_parameters() if p.ndim >= 2 and not name.endswith("bias")}

    def is_weight(node: Any) -> bool:
        if hasattr(node, "variable"):
            return id(node.variable) in weights
        # A matrix is transposed before it multiplies.
        return node.name() == "TBackward0" and is_weight(node.next_functions[0][0])

    output = model(*inputs)
    last = (output[0] if isinstance(output, tuple) else output).grad_fn
    lengths: dict[Any, int] = {}
    todo = [last]
    while todo:
        node = todo.pop()
        before = [n for n, _ in node.next_functions if n is not None]
        waiting = [n for n in before if n not in lengths]
        if waiting:
            todo += [node, *waiting]
        else:
            own = any(map(is_weight, before))
            lengths[node] = own + max((lengths[n] for n in before if not is_weight(n)), default=0)
    return lengths[last]


def output_width(model: nn.Module, *inputs: Tensor) -> int:
    """Return how many numbers the last layer reads, per image or token.

    Parameters
    ----------
    model
        the model; it may be on the meta device.
    *inputs
        an example, of any shape that the model takes.
    """
    read: list[int] = []
    last = [module for module in model.modules() if isinstance(module, nn.Linear | RadialBasis)]
    hooks = [module.register_forward_pre_hook(lambda _, x: read.append(x[0].shape[-1])) for module in last]
    model(*inputs)
    for hook in hooks:
        hook.remove()
    return read[-1]


def _size(entry: Published) -> tuple[int, int]:
    config = entry.config
    if hasattr(config, "n_layer"):
        return config.n_layer * (2 if isinstance(config, TransformerConfig) else 1), config.d_model
    model, inputs = entry.model().eval(), entry.inputs()
    return depth(model, *inputs), output_width(model, *inputs)


@functools.cache
def history() -> tuple[Event, ...]:
    """Return all published models, the oldest first, and of the same date the smallest."""
    lanes = {family: lane for lane, families in LANES.items() for family in families}
    events = []
    with torch.enable_grad():
        for entry in PUBLISHED:
            layers, width = _size(entry)
            paper = PAPERS[_OWN_PAPER.get(entry.name, entry.figures[0].source)]
            lane = lanes[entry.family]
            events.append(Event(entry.name, entry.family, lane, layers, width, entry.parameters, paper, entry.note))
    return tuple(sorted(events, key=lambda event: (event.when, event.parameters)))
