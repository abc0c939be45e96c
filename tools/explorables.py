"""The book's explorables: where they stand, how one is made, and something to do with each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from playwright.sync_api import Locator

from dlcompare import checkpoints
from dlcompare.export import Graph
from dlcompare.models import GPT, MLP, MLPConfig
from dlcompare.models.backpropagation import Layers
from dlcompare.tokenization import BPETokenizer
from dlcompare.widgets import (
    AttentionExplorer,
    BackpropStepper,
    ChatStepper,
    ConvolutionStepper,
    ForwardPass,
    GenerationDebugger,
    TrainingScrubber,
)
from dlcompare.widgets.base import Explorable


@dataclass(frozen=True)
class Entry:
    """One explorable on one page."""

    name: str
    address: str
    #: One with the same graphs as the page's, which may begin elsewhere.
    make: Callable[[], Explorable]
    #: Changes something, in the explorable's root, that the engine has to answer; each time something else.
    change: Callable[[Locator, int], None]

    @property
    def container(self) -> str:
        """The selector of its container."""
        return f"#explorable-{self.name}"

    @property
    def graphs(self) -> Sequence[Graph]:
        """The graphs that its page carries."""
        return self.make().make_graphs()


@functools.cache
def _shakespeare() -> checkpoints.Checkpoint[GPT]:
    return checkpoints.load("shakespeare-gpt", expected=GPT)


def _language(widget: type[AttentionExplorer] | type[GenerationDebugger]) -> Callable[[], Explorable]:
    def make() -> Explorable:
        checkpoint = _shakespeare()
        assert checkpoint.tokenizer is not None
        return widget(checkpoint.model, checkpoint.tokenizer, "ROMEO.")

    return make


def _chat() -> Explorable:
    checkpoint = checkpoints.load("dialogue-gpt", expected=GPT)
    assert isinstance(checkpoint.tokenizer, BPETokenizer)
    return ChatStepper(checkpoint.model, checkpoint.tokenizer)


def _say(root: Locator, n: int) -> None:
    root.locator("[data-control=say]").fill(f"And {n + 1}?")
    root.locator("[data-control=speak]").click()


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
        lambda: ConvolutionStepper(torch.rand(1, 28, 28), [0]),
        lambda root, n: _discard(
            root.locator("[data-control=kernel]").select_option(("gauss", "edges", "blur")[n % 3])
        ),
    ),
    Entry(
        "forward",
        "chapters/3-algorithms/3-1-1-forward-propagation.html",
        lambda: ForwardPass(Layers.of(MLP(MLPConfig((2, 2, 1))))),
        lambda root, n: root.locator("[data-control=weight1]").fill(f"{0.5 + n % 3}"),
    ),
    Entry(
        "backprop",
        "chapters/3-algorithms/3-1-2-backpropagation.html",
        BackpropStepper,
        lambda root, n: root.locator("[data-control=w11]").fill(f"{0.7 + n % 3}"),
    ),
    Entry("attention", "chapters/3-algorithms/3-2-1-transformer.html", _language(AttentionExplorer), _type),
    Entry("chat", "chapters/3-algorithms/3-2-3-dialogue.html", _chat, _say),
    Entry("generation", "chapters/2-concepts/2-2-gpt.html", _language(GenerationDebugger), _step),
    Entry("training", "chapters/3-algorithms/3-1-2-backpropagation.html", TrainingScrubber, _step),
)


def named(name: str) -> Entry:
    """Return the entry of an explorable."""
    return {entry.name: entry for entry in EXPLORABLES}[name]
