"""A torch function with named inputs and outputs, the unit that explorables ask and pages carry."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["Graph", "GraphError", "decode", "encode"]

#: The types that may cross the border between Python and a page, by their names there.
TYPES = {"float32": torch.float32, "int32": torch.int32, "bool": torch.bool}
_NAMES = {dtype: name for name, dtype in TYPES.items()}
#: Numbers that one input may have at most; beyond, a request is a mistake or an attack.
LARGEST = 20_000_000


class GraphError(ValueError):
    """A graph was declared or asked wrongly; the message names the input or output, what it was and what is allowed."""


class Graph:
    """A torch function with named inputs and outputs.

    Parameters
    ----------
    name
        what front ends ask for: lower-case letters, digits, single hyphens; unique within an explorable.
    function
        called with the inputs as keywords, in the order in which ``draw`` names them; returns tensors by name. It may
        use modules, hooks (:func:`dlcompare.recording.record`) and :func:`torch.autograd.grad`. Of the values of its
        inputs nothing in Python may depend; of their shapes only in the ``varying`` axes nothing may.
    draw
        returns fresh random inputs from a generator, tensors of type float32, int32 or bool. The sizes of ``varying``
        axes should differ from draw to draw: the exported graph is held against torch on such draws.
    varying
        by input, the axes whose size may vary; all others are fixed.
    tolerance
        largest difference between torch and the exported graph that is accepted, for every output: absolute for numbers
        within ±1, else as a share of the output's largest number.

    Raises
    ------
    GraphError
        for a name of another form, or when ``draw`` or ``varying`` do not fit together.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Mapping[str, Tensor]],
        draw: Callable[[torch.Generator], Mapping[str, Tensor]],
        *,
        varying: Mapping[str, Sequence[int]] | None = None,
        tolerance: float = 1e-4,
    ) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            raise GraphError(
                f"name is {name!r}; allowed are lower-case letters, digits and single hyphens between them"
            )
        self.name = name
        self.function = function
        self.draw = draw
        self.tolerance = tolerance
        self.varying = {key: tuple(axes) for key, axes in (varying or {}).items()}
        #: One draw, which fixes the inputs' names, types and shapes.
        self.example = dict(draw(torch.Generator().manual_seed(0)))
        for key, value in self.example.items():
            if value.dtype not in _NAMES:
                raise GraphError(f"input {key!r} of {name} is {value.dtype}; allowed are {', '.join(TYPES)}")
        for key, axes in self.varying.items():
            if key not in self.example or not all(0 <= axis < self.example[key].ndim for axis in axes):
                raise GraphError(f"varying names axes {axes} of {key!r}, which {name} does not have")

    def __call__(self, **inputs: Tensor) -> dict[str, Tensor]:
        """Run the function in torch and return its outputs, detached.

        Raises
        ------
        GraphError
            for a missing or unknown input, one of another type or shape, or an output of a type that no page takes.
        """
        self.check(inputs)
        outputs = {key: value.detach() for key, value in self.function(**inputs).items()}
        for key, value in outputs.items():
            if value.dtype not in _NAMES:
                raise GraphError(f"output {key!r} of {self.name} is {value.dtype}; allowed are {', '.join(TYPES)}")
        return outputs

    def check(self, inputs: Mapping[str, Tensor]) -> None:
        """Raise GraphError unless ``inputs`` have the names, types and shapes that the function takes."""
        if set(inputs) != set(self.example):
            raise GraphError(f"inputs of {self.name} are {sorted(inputs)}; allowed are {sorted(self.example)}")
        for key, example in self.example.items():
            value, free = inputs[key], self.varying.get(key, ())
            if value.dtype != example.dtype:
                raise GraphError(f"input {key!r} of {self.name} is {value.dtype}; allowed is {example.dtype}")
            fits = value.ndim == example.ndim and all(
                axis in free or size == example.shape[axis] for axis, size in enumerate(value.shape)
            )
            if not fits:
                allowed = [None if axis in free else size for axis, size in enumerate(example.shape)]
                raise GraphError(
                    f"input {key!r} of {self.name} has shape {list(value.shape)}; allowed is {allowed} (None: any size)"
                )


def encode(value: Tensor) -> tuple[dict[str, Any], bytes]:
    """Return a tensor (…), of any shape, as it crosses to a front end: type and shape, and its numbers as bytes.

    Numbers are little-endian, 32 bits wide; truth values are bytes of 0 and 1.

    Raises
    ------
    GraphError
        for a type that does not cross.
    """
    if value.dtype not in _NAMES:
        raise GraphError(f"tensor is {value.dtype}; allowed are {', '.join(TYPES)}")
    array = value.detach().cpu().contiguous().numpy()
    return {"type": _NAMES[value.dtype], "dims": list(value.shape)}, array.astype(
        array.dtype.newbyteorder("<")
    ).tobytes()


def decode(description: Mapping[str, Any], content: bytes | memoryview) -> Tensor:
    """Return the tensor that :func:`encode`, or a front end, wrote as ``description`` and ``content``.

    Raises
    ------
    GraphError
        when the two do not fit together; nothing that a front end sends is trusted.
    """
    kind, dims = description.get("type"), description.get("dims")
    if kind not in TYPES:
        raise GraphError(f"type is {kind!r}; allowed are {', '.join(TYPES)}")
    if not isinstance(dims, list) or not all(type(size) is int and size >= 0 for size in dims) or len(dims) > 8:
        raise GraphError(f"dims is {dims!r}; allowed is a list of at most 8 integers of at least 0")
    count = math.prod(dims)
    content = bytes(content)
    width = 1 if kind == "bool" else 4
    if count > LARGEST or len(content) != count * width:
        raise GraphError(
            f"{len(content)} bytes were sent for dims {dims}; allowed are {width} per number, {LARGEST} numbers"
        )
    array = np.frombuffer(content, dtype={"float32": "<f4", "int32": "<i4", "bool": "u1"}[kind])
    tensor = torch.from_numpy(array.astype(array.dtype.newbyteorder("="))).reshape(dims)
    return tensor != 0 if kind == "bool" else tensor


def to_json(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return tensors by name in a form that JSON can hold, their bytes in base 64."""
    texts = {}
    for name, value in tensors.items():
        description, content = encode(value)
        texts[name] = {**description, "data": base64.b64encode(content).decode()}
    return texts
