"""The book's explorables: where they stand, and the graphs that their pages carry."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from dlcompare import checkpoints
from dlcompare.export import Graph
from dlcompare.widgets import AttentionExplorer, ConvolutionStepper, GenerationDebugger, TrainingScrubber


@dataclass(frozen=True)
class Entry:
    """One explorable on one page."""

    name: str
    address: str
    graphs: Callable[[], Sequence[Graph]]

    @property
    def container(self) -> str:
        return f"#explorable-{self.name}"


@functools.cache
def _shakespeare() -> checkpoints.Checkpoint:
    return checkpoints.load("shakespeare-gpt")


def _language(widget: Callable) -> Callable[[], Sequence[Graph]]:
    return lambda: widget(_shakespeare().model, _shakespeare().tokenizer).make_graphs()


EXPLORABLES = (
    Entry(
        "convolution",
        "chapters/3-algorithms/3-1-3a-cnn.html",
        lambda: ConvolutionStepper(torch.rand(1, 28, 28), [0]).make_graphs(),
    ),
    Entry("attention", "chapters/3-algorithms/3-2-1-transformer.html", _language(AttentionExplorer)),
    Entry("generation", "chapters/2-concepts/2-2-gpt.html", _language(GenerationDebugger)),
    Entry("training", "chapters/3-algorithms/3-1-2-backpropagation.html", lambda: TrainingScrubber().make_graphs()),
)
