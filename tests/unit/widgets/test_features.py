"""The CNN layer by layer: the explorable's state, its numbers, and what it refuses."""

from __future__ import annotations

import contextlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.models import CNN, CNNConfig
from dlcompare.widgets import FeatureMaps
from dlcompare.widgets.base import StateError


def cnn() -> CNN:
    torch.manual_seed(0)
    return CNN(CNNConfig(channels=(3, 4), hidden=5)).eval()


def maps(**traits: object) -> FeatureMaps:
    torch.manual_seed(1)
    images = torch.randint(0, 256, (2, 1, 28, 28)).float() / 255
    return FeatureMaps(cnn(), images, [7, 2], **traits)


def test_it_begins_at_the_strongest_unit_of_the_layer_and_at_the_answer() -> None:
    widget = maps(step=3)
    answers = widget.answers
    channel, row, column = widget.unit
    assert (
        answers["maps"][channel, row, column] == answers["maps"].max() == pytest.approx(answers["y"].item(), abs=1e-5)
    )
    assert widget.digit == answers["probabilities"].argmax()
    assert widget.source is None
    assert [(stage["name"], stage["sources"]) for stage in widget.stages] == [
        ("convolution1", 1), ("relu1", 1), ("pooling1", 1), ("convolution2", 3), ("relu2", 3), ("pooling2", 1),
        ("hidden", 4), ("logits", 5),
    ]  # fmt: skip
    assert widget.stages[3]["field"] == [8, 2, -3]
    assert f"reads as {widget.digit}" in widget.alternative_text()
    assert "convolution 2" in widget.alternative_text()


@pytest.mark.parametrize("step", range(8))
def test_its_table_adds_up_and_its_figure_is_drawn(step: int) -> None:
    widget = maps(step=step)
    rows = widget.table().rows
    y = widget.answers["y"].item()
    assert rows[-1][1] == y
    if step in (2, 5):
        assert max(row[1] for row in rows[:-1]) == y
    else:
        *shares, bias, z, _ = (float(row[1]) for row in rows)
        assert sum(shares) + bias == pytest.approx(z, abs=1e-5)
        assert y == pytest.approx(max(z, 0) if step in (1, 4, 6) else z)
    assert len(widget.figure().axes) == 3


def test_the_unit_stays_inside_when_the_layer_changes() -> None:
    widget = maps(step=0, unit=(2, 27, 13))
    widget.step = 5
    assert widget.unit == (2, 6, 6)
    widget.step = 7
    assert widget.unit == (2, 0, 0)
    widget.source = 4
    widget.step = 6
    assert widget.source is None
    widget.source = 3
    widget.step = 7
    assert widget.source == 3


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"step": 8}, "step is 8; allowed is a whole number from 0 to 7"),
        ({"image": 2}, "image is 2; allowed is a whole number from 0 to 1"),
        ({"digit": "7"}, "digit is '7'; allowed"),
        ({"unit": (0, 0)}, r"unit is \(0, 0\); allowed are three whole numbers"),
        ({"unit": (0, 28, 0)}, r"unit is \(0, 28, 0\); allowed are channel, row and column up to 2, 27, 27"),
        ({"unit": (-1, 0, 0)}, r"unit\[0\] is -1"),
        ({"step": 3, "source": 3}, "source is 3; allowed are None and a whole number from 0 to 2"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        maps(**traits)


def test_networks_and_images_are_checked() -> None:
    image = torch.zeros(1, 28, 28)
    with pytest.raises(ValueError, match="model takes images of 20 pixels a side; allowed are 28"):
        FeatureMaps(CNN(CNNConfig(image_size=20, channels=(2,))).eval(), image, [0])
    with pytest.raises(ValueError, match="labels has 2 entries; allowed is one for each of 1 images"):
        FeatureMaps(cnn(), image, [0, 1])
    with pytest.raises(ValueError, match="images: image has the shape"):
        FeatureMaps(cnn(), image + 2, [0])
    with pytest.raises(ValueError, match="model is in training mode"):
        FeatureMaps(cnn().train(), image, [0])


wishes = st.dictionaries(
    st.sampled_from(["step", "unit", "source", "digit", "image"]),
    st.integers(-2, 40) | st.none() | st.text(max_size=3) | st.lists(st.integers(-2, 30), max_size=4),
)


@settings(max_examples=60, deadline=None)
@given(message=wishes)
def test_whatever_the_front_end_sends_the_state_stays_valid(message: dict[str, object]) -> None:
    widget = maps()
    with contextlib.suppress(StateError):  # anything else is a failure
        widget.set_state(message)
    assert torch.isfinite(widget.answers["y"])
    assert widget.source is None or widget.source < widget.stages[widget.step]["sources"]
