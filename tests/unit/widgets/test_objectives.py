"""The objective viewer: its state, its numbers, and what it refuses."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from dlcompare import checkpoints
from dlcompare.checkpoints import Checkpoint
from dlcompare.models import BERT, GPT
from dlcompare.training import IGNORED
from dlcompare.widgets import ObjectiveViewer
from dlcompare.widgets.base import StateError

FIRST, SECOND = "My lord, I have a letter for your daughter.", "Then give it me, and I will read it."


@pytest.fixture(scope="module")
def models() -> tuple[Checkpoint[GPT], Checkpoint[BERT]]:
    return checkpoints.load("shakespeare-gpt", expected=GPT), checkpoints.load("shakespeare-bert", expected=BERT)


@pytest.fixture
def make(models):
    return lambda first=FIRST, second=SECOND, **traits: ObjectiveViewer(*models, first, second, **traits)


def test_one_sentence_under_three_objectives(make) -> None:
    """What the chapter invites to find."""
    widget = make()
    assert len(widget.table().rows) == len(widget.row) - 1 == 11
    lord = widget.table().rows[0]
    assert lord[:2] == ["My", "·lord"]
    widget.objective, widget.hidden = "masked", (1,)
    (hidden,) = widget.table().rows
    assert hidden[:2] == ["[MASK]", "·lord"]
    assert hidden[2] > 10 * lord[2], "both sides say more than one"
    widget.hidden = (0, 1)
    assert widget.table().rows[1][2] < hidden[2] / 10, "and the left neighbour said most of it"
    widget.objective = "next"
    assert [row[0] for row in widget.table().rows] == ["[CLS]"]
    for widget.first, widget.second in ((FIRST, SECOND), (SECOND, FIRST), ("To be", "or not to be"), ("a", "b")):
        assert widget.expected[0][1] == pytest.approx(0.5, abs=0.03)
    assert widget.measured["right"] == pytest.approx(0.498, abs=0.001)


def test_what_is_read_and_asked_for(make) -> None:
    widget = make("To be", "or not", objective="masked", hidden=[1])
    cls, sep, mask = (widget.sizes[name] for name in ("cls", "sep", "mask"))
    to, be, oh, no = widget._tokenizer.encode("To beor not")
    assert widget.row == [cls, to, mask, sep]
    assert widget.targets == [IGNORED, IGNORED, be, IGNORED]
    assert widget.place == 2, "it looks at what is asked for"
    assert [widget.name_of(token) for token in widget.row] == ["[CLS]", "To", "[MASK]", "[SEP]"]
    widget.objective = "next"
    assert widget.row[:4] == [cls, to, be, sep]
    assert widget.row[-1] == sep
    ((_, inputs),) = widget.questions()
    assert inputs["segments"].tolist() == [[0] * 4 + [1] * (len(widget.row) - 4)]
    assert (inputs["targets"] == IGNORED).all()
    assert inputs["label"] == 0
    widget.follows = False
    assert widget.questions()[0][1]["label"] == 1
    widget.objective = "causal"
    assert widget.row == [to, be]
    assert widget.targets == [be, IGNORED]
    assert (oh, no) != (to, be)


def test_places_stay_within_what_is_read(make) -> None:
    widget = make(objective="masked", hidden=[1, 11], place=13)
    widget.first = "To be"
    assert (widget.hidden, widget.place) == ((1,), 3)
    widget.objective = "causal"
    assert widget.place == 1
    assert make(first="to be " * 50).row == make(first="to be " * 60).row, "the first tokens are read"
    assert make(objective="masked", hidden=[]).place == 0


def test_the_figure_and_its_words(make) -> None:
    for objective in ("causal", "masked", "next"):
        widget = make(objective=objective, hidden=[1, 4])
        assert len(widget.figure().axes) == 2
        assert f"{widget.loss:.3g} nats" in widget.alternative_text()
    assert widget.measured["guess"] == {"causal": math.log(1024), "masked": math.log(1028), "next": math.log(2)}
    assert make(objective="masked").table().rows == [], "nothing hidden, nothing asked for"


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"objective": "all"}, "objective is 'all'; allowed are 'causal', 'masked', 'next'"),
        ({"objective": ["causal"]}, r"objective is \['causal'\]; allowed"),
        ({"first": ""}, "first has 0 characters; allowed are 1 to 500"),
        ({"second": 7}, "second is 7; allowed is a text of 1 to 500 characters"),
        ({"second": "\ud800"}, "second cannot be read"),
        ({"hidden": [20]}, r"hidden\[0\] is 20; allowed is a whole number from 0 to 19"),
        ({"hidden": [12]}, r"hidden is \[12\]; allowed are 0 to 11, the tokens that are read"),
        ({"hidden": [1, 1]}, r"hidden is \[1, 1\]; allowed is each place once"),
        ({"hidden": "1"}, "hidden is '1'; allowed are places"),
        ({"follows": 1}, "follows is 1; allowed are True and False"),
        ({"place": 12}, "place is 12; allowed are 0 to 11, the positions that are read"),
        ({"place": True}, "place is True; allowed"),
    ],
)
def test_what_is_not_allowed_is_named(make, traits: dict[str, object], message: str) -> None:
    with pytest.raises(StateError, match=message):
        make(**traits)
    widget = make()
    for name, value in traits.items():
        with pytest.raises(StateError, match=message):
            setattr(widget, name, value)


def test_models_that_do_not_go_together_are_refused(models) -> None:
    gpt, bert = models
    with pytest.raises(StateError, match="gpt is of a BERT; allowed is a GPT"):
        ObjectiveViewer(bert, bert, FIRST, SECOND)
    with pytest.raises(StateError, match="bert has no BPE tokenizer"):
        ObjectiveViewer(gpt, dataclasses.replace(bert, tokenizer=None), FIRST, SECOND)
    other = type(gpt.tokenizer).train("abc " * 20, 262)
    with pytest.raises(StateError, match="bert has other tokens than gpt"):
        ObjectiveViewer(gpt, dataclasses.replace(bert, tokenizer=other), FIRST, SECOND)
    silent = ObjectiveViewer(gpt, dataclasses.replace(bert, card={}), FIRST, SECOND)
    assert silent.measured["right"] is None


def test_the_first_picture_travels_small(make) -> None:
    widget = make(objective="masked", hidden=[1, 4])
    widget._remember()
    assert len(str(widget.page_state())) < 60_000
    torch.testing.assert_close(widget.answers["sees"], torch.ones(14, 14, dtype=torch.bool))
