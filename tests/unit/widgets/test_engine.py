"""The kernel's side of the engine: it answers what it is asked properly, and refuses everything else in words."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.export import Graph, GraphError, decode, encode
from dlcompare.widgets import ConvolutionStepper
from dlcompare.widgets.base import Explorable, Table


class Doubler(Explorable):
    module = "convolution"
    text_prefixes = ("widget",)
    asked = 0

    def make_graphs(self) -> list[Graph]:
        return [Graph("double", self._double, lambda g: {"x": torch.randn(3, generator=g)}, varying={"x": (0,)})]

    def _double(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        if x.numel() == 0:
            raise ValueError("x is empty; at least one number is needed")
        self.asked += 1
        return {"y": 2 * x}

    def questions(self) -> list[tuple[str, dict[str, torch.Tensor]]]:
        return [("double", {"x": torch.tensor([1.0, 2.0])})]


class Line:
    """The line to a front end: what the widget sends."""

    def __init__(self, widget: Explorable) -> None:
        self.widget = widget
        self.sent: list[tuple[Any, Any]] = []
        widget.send = lambda content, buffers=None: self.sent.append((content, buffers))

    def say(self, content: Any, buffers: list[bytes] | None = None) -> tuple[Any, Any]:
        """Send a message as a front end does, and return the one answer."""
        before = len(self.sent)
        self.widget._handle_custom_msg(content, [memoryview(b) for b in buffers or []])
        assert len(self.sent) == before + 1
        return self.sent[-1]

    def ask(self, x: torch.Tensor) -> tuple[Any, Any]:
        description, content = encode(x)
        inputs = [{"name": "x", **description}]
        return self.say({"kind": "ask", "id": "7", "graph": "double", "inputs": inputs}, [content])


@pytest.fixture
def line() -> Line:
    return Line(Doubler())


def test_a_question_is_answered_by_torch(line: Line) -> None:
    x = torch.randn(5)
    content, buffers = line.ask(x)
    assert content == {"kind": "answer", "id": "7", "outputs": [{"name": "y", "type": "float32", "dims": [5]}]}
    assert torch.equal(decode(content["outputs"][0], buffers[0]), 2 * x)


def test_what_the_function_refuses_comes_back_as_its_words(line: Line) -> None:
    content, _ = line.ask(torch.zeros(0))
    assert content == {"kind": "refused", "id": "7", "detail": "ValueError: x is empty; at least one number is needed"}
    content, _ = line.ask(torch.zeros(2, 2))
    assert content["detail"] == "GraphError: input 'x' of double has shape [2, 2]; allowed is [None] (None: any size)"


def test_unknown_graphs_are_refused_by_name(line: Line) -> None:
    content, _ = line.say({"kind": "ask", "id": 1, "graph": "__class__", "inputs": []})
    assert content["detail"] == "GraphError: graph is '__class__'; allowed are double"
    with pytest.raises(GraphError, match="graph is 'triple'; allowed are double"):
        Doubler().ask("triple", x=torch.ones(1))


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
near = st.fixed_dictionaries(
    {"kind": st.just("ask")},
    optional={
        "id": junk,
        "graph": st.just("double") | junk,
        "inputs": junk
        | st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": st.just("x") | junk,
                    "type": st.sampled_from(["float32", "int32", "bool", "float16"]) | junk,
                    "dims": st.lists(st.integers(-2, 9), max_size=3) | junk,
                },
            ),
            max_size=3,
        ),
    },
)


@settings(max_examples=300)
@given(near, st.lists(st.binary(max_size=40), max_size=3))
def test_whatever_is_asked_is_answered_or_refused(content: Any, buffers: list[bytes]) -> None:
    line = Line(Doubler())
    reply, _ = line.say(content, buffers)
    assert reply["kind"] in {"answer", "refused"}
    assert reply["id"] is content.get("id")
    if reply["kind"] == "refused":
        assert reply["detail"]


@settings(max_examples=200)
@given(junk, st.lists(st.binary(max_size=40), max_size=2))
def test_other_messages_are_nobodys_business(content: Any, buffers: list[bytes]) -> None:
    if isinstance(content, dict) and content.get("kind") == "ask":
        return
    line = Line(Doubler())
    line.widget._handle_custom_msg(content, [memoryview(b) for b in buffers])
    assert line.sent == []


def test_the_first_pictures_questions_travel_with_their_answers() -> None:
    widget = Doubler()
    assert widget.asked == 0, "asked when it is shown, not when it is made"
    widget._repr_mimebundle_()
    (entry,) = widget.remembered
    assert entry["graph"] == "double"
    tensors = {}
    for part in ("inputs", "outputs"):
        import base64

        for name, written in entry[part].items():
            tensors[name] = decode(written, base64.b64decode(written["data"]))
    assert torch.equal(tensors["x"], torch.tensor([1.0, 2.0]))
    assert torch.equal(tensors["y"], torch.tensor([2.0, 4.0]))


def test_the_first_pictures_answers_are_those_of_the_present_state() -> None:
    widget = ConvolutionStepper(torch.rand(2, 9, 9), ["a", "b"])
    widget._repr_mimebundle_()
    before = widget.remembered
    widget.image = 1
    widget._repr_mimebundle_()
    assert widget.remembered != before
    assert len(widget.remembered) == 1


def test_a_table_is_written_for_readers_and_escaped() -> None:
    html = Table(["<place>", "value"], [["a & b", -0.00012345], ["c", "text"]]).to_html()
    assert '<th scope="col">&lt;place&gt;</th>' in html
    assert '<tr><th scope="row">a &amp; b</th><td>\u22121.23·10⁻⁴</td></tr>' in html
