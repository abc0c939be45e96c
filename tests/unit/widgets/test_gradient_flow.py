"""The explorable of gradients' reach: its state, its numbers, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from dlcompare.chance import Chance
from dlcompare.widgets import GradientFlow


def test_it_begins_at_the_input_of_the_first_step_with_the_norm_1_at_the_last_place() -> None:
    widget = GradientFlow()
    assert (widget.depth, widget.length, widget.layer, widget.time) == (4, 16, 0, 1)
    norms = widget.norms
    assert list(norms) == ["mlp", "rnn", "lstm", "gru", "gpt"]
    for value in norms.values():
        assert value.shape == (5, 16)
        assert value[-1, -1].item() == pytest.approx(1)
    rows = widget.table().rows
    assert [row[0] for row in rows] == [str(step) for step in range(1, 17)]
    assert [row[2] for row in rows] == norms["rnn"][0].tolist()
    assert f"RNN {norms['rnn'][0, 0].item():.2g}, LSTM" in widget.alternative_text()
    assert len(widget.figure().axes) == 2


def test_all_networks_take_their_weights_from_the_same_numbers() -> None:
    widget = GradientFlow(seed=7)
    chance = Chance(7)
    first = [chance.uniform() for _ in range(100)]
    for _, inputs in widget.questions():
        assert inputs["draws"][0, 0].flatten().tolist() == pytest.approx(first)
    assert GradientFlow(seed=8).questions()[0][1]["draws"][0, 0, 0, 0] != pytest.approx(first[0])


def test_open_gates_let_more_arrive_and_residual_connections_help_in_depth() -> None:
    closed, opened = GradientFlow().norms, GradientFlow(gate_bias=3).norms
    assert opened["lstm"][0, 0] > 10 * closed["lstm"][0, 0]
    for network in ("mlp", "rnn", "gpt"):
        assert (opened[network] == closed[network]).all()
    bypassed, straight = (GradientFlow(depth=8, residual=residual).norms for residual in (True, False))
    for network in bypassed:
        assert bypassed[network][0, -1] > 0.3
        assert bypassed[network][0, -1] > straight[network][0, -1]


def test_a_smaller_network_keeps_the_place_inside() -> None:
    widget = GradientFlow(layer=4, time=12)
    widget.depth = 2
    widget.length = 5
    assert (widget.layer, widget.time) == (2, 5)


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"depth": 9}, "depth is 9; allowed is a whole number from 1 to 8"),
        ({"length": 0}, "length is 0; allowed is a whole number from 1 to 16"),
        ({"scale": 0.1}, "scale is 0.1; allowed is a number from 0.25 to 2"),
        ({"gate_bias": float("nan")}, "gate_bias is nan"),
        ({"residual": 1}, "residual is 1; allowed are True and False"),
        ({"seed": 1000}, "seed is 1000"),
        ({"layer": 5}, "layer is 5; allowed are 0 to 4, the depth"),
        ({"length": 12, "time": 13}, "time is 13; allowed are 1 to 12, the length"),
        ({"depth": 2, "layer": 3}, "layer is 3; allowed are 0 to 2"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GradientFlow(**traits)
