"""From a function to a graph of elementary operations, whatever autograd did on the way.

``make_fx`` runs the function once on symbolic shapes and notes every operation below autograd: so the backward pass
becomes ordinary operations, and what the exporter does not know is written in what it knows
(:mod:`dlcompare.export.decompositions`). ``torch.export`` then turns the graph into a program, with the weights apart.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule
from torch.fx.experimental import _config as symbolic_shapes
from torch.fx.experimental.proxy_tensor import make_fx

from dlcompare.export.decompositions import DECOMPOSITIONS
from dlcompare.export.graph import Graph

__all__ = ["Trace", "to_program", "trace"]


@dataclass(frozen=True)
class Trace:
    """A function's operations, with the names of its inputs and outputs in their order."""

    operations: GraphModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def constants(self) -> dict[str, Tensor]:
        """Return weights and constants by the names that the operations give them."""
        return {**dict(self.operations.named_parameters()), **dict(self.operations.named_buffers())}


class _Program(nn.Module):
    """What ``torch.export`` is given: the operations, called with the inputs in their order."""

    def __init__(self, operations: GraphModule) -> None:
        super().__init__()
        self.operations = operations

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.operations(*inputs))


@contextlib.contextmanager
def _while_compiling() -> Iterator[None]:
    # Checks of values, such as that ids are in range, ask torch.compiler.is_compiling() and keep out of the graph.
    # Axes that happen to be equally long in the example must not be taken for one. And a recurrent layer is noted step
    # by step, not as the one operation that a library has for it, which the exporter does not know.
    library = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        with torch.compiler._compile_session_context(), symbolic_shapes.patch(use_duck_shape=False):  # type: ignore[attr-defined]
            yield
    finally:
        torch._C._set_mkldnn_enabled(library)


def trace(graph: Graph) -> Trace:
    """Run the graph's function on symbolic shapes and return its operations."""
    names: tuple[str, ...] = tuple(graph.example)
    outputs: list[str] = []

    def flat(*inputs: Tensor) -> list[Tensor]:
        results = graph.function(**dict(zip(names, inputs, strict=True)))
        outputs[:] = list(results)
        return [value.detach() for value in results.values()]

    with _while_compiling():
        operations = make_fx(
            flat, decomposition_table=DECOMPOSITIONS, tracing_mode="symbolic", _allow_non_fake_inputs=True
        )(*graph.example.values())
    return Trace(operations, names, tuple(outputs))


def to_program(graph: Graph, traced: Trace) -> torch.export.ExportedProgram:
    """Return the operations as a program whose ``varying`` axes take any size."""
    free: Any = torch.export.Dim.DYNAMIC
    shapes = {"inputs": tuple({axis: free for axis in graph.varying.get(name, ())} for name in traced.inputs)}
    examples = tuple(graph.example.values())
    return torch.export.export(_Program(traced.operations), examples, dynamic_shapes=shapes, strict=False)
