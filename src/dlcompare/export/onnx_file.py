"""An ONNX graph as two compact files: the operations, and the weights, which several graphs may share.

The weights of a model are the same numbers in every graph that is made from it. So they stand in a file of their own,
in an order that depends on nothing but their content: two graphs of one model name the same file, and a reader's
browser fetches it once. Where float16 holds them, they take half the room; the graph widens them when it is loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

__all__ = ["WEIGHTS", "split", "to_onnx"]

#: The name under which a graph refers to its weights' file.
WEIGHTS = "weights"
#: Constants of up to so many numbers stay within the graph. The exporter folds operations on these into new constants
#: (a transposed matrix, a row of a mask); so every larger one is a weight as the model has it.
FOLDED = 8192


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes on packages that are not installed, and on its own future, to itself."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def to_onnx(program: torch.export.ExportedProgram, inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """Return the program as an ``onnx.ModelProto`` with these names, free of notes on where it came from."""
    # The exporter names values within the graph after operations, such as "embedding": ours must not be taken for them.
    given, got = [f"input:{name}" for name in inputs], [f"output:{name}" for name in outputs]
    with _quiet():
        made = torch.onnx.export(program, dynamo=True, verbose=False, input_names=given, output_names=got)
    assert made is not None
    model = made.model_proto
    _rename(model.graph, dict(zip((*given, *got), (*inputs, *outputs), strict=True)))
    # The exporter notes the stack of every operation, with the paths of the machine that it ran on.
    for part in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.initializer,
        *model.graph.input,
        *model.graph.output,
    ):
        del part.metadata_props[:]
        part.doc_string = ""
    del model.graph.value_info[:]
    return model


def _rename(graph: Any, names: dict[str, str]) -> None:
    """Give inputs and outputs the new ``names``, and every value within the graph one that no name of ours has."""

    def new(name: str) -> str:
        return names.get(name, f":{name}") if name else name  # an empty name stands for an input left out

    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = new(value.name)
    for node in graph.node:
        node.input[:] = [new(name) for name in node.input]
        node.output[:] = [new(name) for name in node.output]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    _rename(inner, names)


def split(model: Any, *, half: bool) -> tuple[bytes, bytes]:
    """Return the graph's bytes and its weights' bytes, which are empty where it has none; ``half``: as float16."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    result = onnx.ModelProto()
    result.CopyFrom(model)
    large: list[tuple[bytes, Any]] = []
    casts = []
    for tensor in result.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size <= FOLDED:
            continue
        name = tensor.name
        if half:
            array = array.astype(np.float16)
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
            name = f"{name}.half"
        # Without its numbers, which follow below; helper.make_tensor would refuse that.
        stored = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(array.dtype), dims=array.shape)
        tensor.CopyFrom(stored)
        large.append((array.tobytes(), tensor))
    # In the order of their content's hash, each content once.
    contents = sorted({content for content, _ in large}, key=lambda content: hashlib.sha256(content).digest())
    offsets, weights = {}, bytearray()
    for content in contents:
        offsets[content] = len(weights)
        weights += content + b"\0" * (-len(content) % 64)  # aligned, as onnxruntime likes it
    for content, tensor in large:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS), ("offset", offsets[content]), ("length", len(content))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, str(value)
    nodes = [*casts, *result.graph.node]
    del result.graph.node[:]
    result.graph.node.extend(nodes)
    return result.SerializeToString(deterministic=True), bytes(weights)
