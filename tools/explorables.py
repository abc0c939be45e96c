"""The book's explorables: where they stand, the graphs that their pages carry, and something to do with each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from playwright.sync_api import Locator

from dlcompare import checkpoints
from dlcompare.export import Graph
from dlcompare.models import GPT, MLP, MLPConfig, RecurrentLM
from dlcompare.models.backpropagation import Layers
from dlcompare.models.recurrent import Kind
from dlcompare.tokenization import CharTokenizer
from dlcompare.widgets import (
    AttentionExplorer,
    BackpropStepper,
    ConvolutionStepper,
    ForwardPass,
    GenerationDebugger,
    GradientFlow,
    RecurrentStepper,
    TrainingScrubber,
)


@dataclass(frozen=True)
class Entry:
    """One explorable on one page."""

    name: str
    address: str
    graphs: Callable[[], Sequence[Graph]]
    #: Changes something, in the explorable's root, that the engine has to answer; each time something else.
    change: Callable[[Locator, int], None]

    @property
    def container(self) -> str:
        """The selector of its container."""
        return f"#explorable-{self.name}"


@functools.cache
def _shakespeare() -> checkpoints.Checkpoint[GPT]:
    return checkpoints.load("shakespeare-gpt", expected=GPT)


def _language(
    widget: type[AttentionExplorer] | type[GenerationDebugger],
) -> Callable[[], Sequence[Graph]]:
    def make() -> Sequence[Graph]:
        checkpoint = _shakespeare()
        assert checkpoint.tokenizer is not None
        return widget(checkpoint.model, checkpoint.tokenizer, "ROMEO.").make_graphs()

    return make


def _recurrent() -> Sequence[Graph]:
    loaded = {kind: checkpoints.load(f"shakespeare-char-{kind}", expected=RecurrentLM) for kind in get_args(Kind)}
    tokenizer = loaded["lstm"].tokenizer
    assert isinstance(tokenizer, CharTokenizer)
    return RecurrentStepper({kind: each.model for kind, each in loaded.items()}, tokenizer, "?").make_graphs()


def _discard(_: object) -> None:
    pass


def _type(root: Locator, n: int) -> None:
    root.locator("[data-control=prompt]").fill(f"O Romeo{', Romeo' * (n + 1)}")


def _step(root: Locator, _: int) -> None:
    root.locator("[data-control=step]").click()


EXPLORABLES = (
    Entry(
        "convolution",
        "chapters/3-algorithms/3-1-3a-cnn.html",
        lambda: ConvolutionStepper(torch.rand(1, 28, 28), [0]).make_graphs(),
        lambda root, n: _discard(
            root.locator("[data-control=kernel]").select_option(("gauss", "edges", "blur")[n % 3])
        ),
    ),
    Entry(
        "forward",
        "chapters/3-algorithms/3-1-1-forward-propagation.html",
        lambda: ForwardPass(Layers.of(MLP(MLPConfig((2, 2, 1))))).make_graphs(),
        lambda root, n: root.locator("[data-control=weight1]").fill(f"{0.5 + n % 3}"),
    ),
    Entry(
        "backprop",
        "chapters/3-algorithms/3-1-2-backpropagation.html",
        lambda: BackpropStepper().make_graphs(),
        lambda root, n: root.locator("[data-control=w11]").fill(f"{0.7 + n % 3}"),
    ),
    Entry(
        "recurrent",
        "chapters/3-algorithms/3-1-3b-rnn.html",
        _recurrent,
        lambda root, n: root.locator("[data-control=prompt]").fill(f"O Romeo{'o' * (n % 9)}"),
    ),
    Entry(
        "gradients",
        "chapters/3-algorithms/3-1-3b-rnn.html",
        lambda: GradientFlow().make_graphs(),
        lambda root, n: root.locator("[data-control=seed]").click(),
    ),
    Entry("attention", "chapters/3-algorithms/3-2-1-transformer.html", _language(AttentionExplorer), _type),
    Entry("generation", "chapters/2-concepts/2-2-gpt.html", _language(GenerationDebugger), _step),
    Entry(
        "training", "chapters/3-algorithms/3-1-2-backpropagation.html", lambda: TrainingScrubber().make_graphs(), _step
    ),
)
