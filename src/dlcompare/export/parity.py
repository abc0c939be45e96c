"""Holding an exported graph against torch: the same inputs, the same outputs, or it is refused."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dlcompare.export.graph import Graph
from dlcompare.export.onnx_file import WEIGHTS

__all__ = ["ParityError", "compare", "difference"]

#: Fresh random inputs that a graph is held against torch on.
DRAWS = 4


class ParityError(RuntimeError):
    """An exported graph does not give what torch gives; the message says which output, and by how much."""


def difference(expected: Tensor, got: Tensor) -> float:
    """Return the largest absolute difference of two tensors of any shape.

    It is infinite where shapes or types differ, or the places of NaN and ±∞.
    """
    if expected.shape != got.shape or expected.dtype != got.dtype:
        return float("inf")
    if not expected.numel():
        return 0.0
    a, b = expected.double(), got.double()
    finite = a.isfinite() & b.isfinite()
    same = (a == b) | (a.isnan() & b.isnan())
    if not bool((finite | same).all()):
        return float("inf")
    return float((a - b)[finite].abs().max()) if bool(finite.any()) else 0.0


def _largest(value: Tensor) -> float:
    finite = value[value.isfinite()].double()
    return float(finite.abs().max()) if finite.numel() else 0.0


def run(graph: bytes, weights: bytes, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Run a written graph in onnxruntime and return its outputs by name."""
    return _Session(graph, weights).run(inputs)


class _Session:
    def __init__(self, graph: bytes, weights: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "graph.onnx")
            path.write_bytes(graph)
            Path(folder, WEIGHTS).write_bytes(weights)
            self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.outputs = [output.name for output in self.session.get_outputs()]

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        results = self.session.run(self.outputs, {name: np.asarray(value) for name, value in inputs.items()})
        return {name: torch.as_tensor(value) for name, value in zip(self.outputs, results, strict=True)}


def compare(graph: Graph, written: bytes, weights: bytes) -> dict[str, float]:
    """Return each output's largest absolute difference from torch over fresh random draws.

    Allowed is the graph's tolerance; for an output with numbers beyond ±1, the tolerance times the largest of them,
    since float32 rounds in proportion.

    Raises
    ------
    ParityError
        when one is beyond what is allowed. The seed in the message draws the same inputs again.
    """
    session = _Session(written, weights)
    largest: dict[str, float] = {}
    for _ in range(DRAWS):
        seed = secrets.randbits(48)
        inputs = dict(graph.draw(torch.Generator().manual_seed(seed)))
        expected, got = graph(**inputs), session.run(inputs)
        if list(expected) != list(got):
            raise ParityError(f"{graph.name} gives {list(expected)} in torch and {list(got)} as a graph")
        for name, value in expected.items():
            apart = difference(value, got[name])
            allowed = graph.tolerance * max(1.0, _largest(value))
            if apart > allowed:
                shapes = {key: tuple(tensor.shape) for key, tensor in inputs.items()}
                raise ParityError(
                    f"output {name!r} of {graph.name} differs from torch by {apart:.2g}; allowed is "
                    f"{allowed:g} (shape {tuple(got[name].shape)} for {tuple(value.shape)}; seed {seed}, "
                    f"inputs {shapes})"
                )
            largest[name] = max(largest.get(name, 0.0), apart)
    return largest
