"""A graph's declaration, what it refuses, and tensors on their way to a front end and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dlcompare.export import Graph, GraphError, decode, encode
from dlcompare.export.graph import to_json


def double(x: torch.Tensor, times: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"y": x * 2 * times, "many": x > 0}


def draw(generator: torch.Generator) -> dict[str, torch.Tensor]:
    rows = int(torch.randint(2, 9, (1,), generator=generator))
    return {"x": torch.randn(rows, 3, generator=generator), "times": torch.tensor(4, dtype=torch.int32)}


def graph(**changes) -> Graph:
    return Graph(**{"name": "double", "function": double, "draw": draw, "varying": {"x": (0,)}, **changes})


def test_a_graph_is_its_function() -> None:
    x = torch.randn(5, 3)
    outputs = graph()(x=x, times=torch.tensor(3, dtype=torch.int32))
    assert list(outputs) == ["y", "many"]
    torch.testing.assert_close(outputs["y"], x * 6)
    assert torch.equal(outputs["many"], x > 0)


def test_outputs_come_without_their_graph() -> None:
    weight = torch.ones(3, requires_grad=True)
    watched = graph(function=lambda x, times: {"y": x * weight * times})
    assert not watched(**draw(torch.Generator()))["y"].requires_grad


@pytest.mark.parametrize("name", ["", "Double", "a b", "../a", "a--b", "a-", "ä"])
def test_a_name_has_one_form(name: str) -> None:
    with pytest.raises(GraphError, match=r"name is .*; allowed are lower-case letters, digits and single hyphens"):
        graph(name=name)


@pytest.mark.parametrize("varying", [{"z": (0,)}, {"x": (2,)}, {"x": (-1,)}])
def test_only_axes_that_are_there_vary(varying) -> None:
    with pytest.raises(GraphError, match="varying names axes"):
        graph(varying=varying)


@pytest.mark.parametrize("dtype", [torch.float64, torch.int64, torch.uint8])
def test_types_that_do_not_cross_are_refused(dtype: torch.dtype) -> None:
    with pytest.raises(GraphError, match=rf"input 'x' of double is {dtype}; allowed are float32, int32, bool"):
        graph(draw=lambda _: {"x": torch.ones(2, dtype=dtype)}, varying={})
    with pytest.raises(GraphError, match=rf"output 'y' of double is {dtype}; allowed are float32, int32, bool"):
        graph(function=lambda x, times: {"y": x.to(dtype)})(**draw(torch.Generator()))
    with pytest.raises(GraphError, match=f"tensor is {dtype}"):
        encode(torch.ones(2, dtype=dtype))


TIMES = torch.tensor(3, dtype=torch.int32)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, r"inputs of double are \[\]; allowed are \['times', 'x'\]"),
        ({"x": torch.ones(2, 3), "times": TIMES, "z": TIMES}, "inputs of double are"),
        ({"x": torch.ones(2, 3).double(), "times": TIMES}, "input 'x' of double is torch.float64; allowed is"),
        ({"x": torch.ones(2, 4), "times": TIMES}, r"has shape \[2, 4\]; allowed is \[None, 3\]"),
        ({"x": torch.ones(3), "times": TIMES}, r"has shape \[3\]; allowed is \[None, 3\]"),
        ({"x": torch.ones(2, 3), "times": TIMES[None]}, r"input 'times' of double has shape \[1\]; allowed is \[\]"),
    ],
)  # fmt: skip
def test_wrong_inputs_are_refused_by_name(inputs, words: str) -> None:
    with pytest.raises(GraphError, match=words):
        graph()(**inputs)


arrays = st.sampled_from(["float32", "int32", "bool"]).flatmap(
    lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)


@given(arrays)
def test_tensors_come_back_as_they_went(array: np.ndarray) -> None:
    tensor = torch.from_numpy(np.array(array))
    description, content = encode(tensor)
    again = decode(description, memoryview(content))
    assert again.dtype == tensor.dtype
    assert again.shape == tensor.shape
    assert encode(again) == (description, content), "bit by bit, NaN included"


@pytest.mark.parametrize(
    ("description", "content"),
    [
        ({}, b""),
        ({"type": "float64", "dims": [1]}, b"12345678"),
        ({"type": "float32", "dims": [2]}, b"1234"),
        ({"type": "float32", "dims": [-1]}, b""),
        ({"type": "float32", "dims": [True]}, b"1234"),
        ({"type": "float32", "dims": [1.0]}, b"1234"),
        ({"type": "float32", "dims": "1"}, b"1234"),
        ({"type": "float32", "dims": None}, b"1234"),
        ({"type": "float32", "dims": [1] * 9}, b"1234"),
        ({"type": "float32", "dims": [10**9, 10**9]}, b""),
        ({"type": "float32", "dims": [10**12, 0]}, b"1234"),
    ],
)
def test_what_does_not_fit_together_is_refused(description, content: bytes) -> None:
    with pytest.raises(GraphError, match=r"^(type|dims) is|bytes were sent"):
        decode(description, content)


def test_the_written_form_is_plain_json() -> None:
    import json

    written = json.loads(json.dumps(to_json({"x": torch.tensor([1.5, float("-inf")])}), allow_nan=False))
    assert written == {"x": {"type": "float32", "dims": [2], "data": "AADAPwAAgP8="}}
