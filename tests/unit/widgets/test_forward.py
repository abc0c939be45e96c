"""The forward pass's explorable: its state, its numbers, and what it refuses."""

from __future__ import annotations

import pytest
import torch

from dlcompare.models import MLP, MLPConfig
from dlcompare.models.backpropagation import Layers
from dlcompare.widgets import ForwardPass


def explorable(**traits) -> ForwardPass:
    return ForwardPass(Layers.of(MLP(MLPConfig((2, 3, 1), "tanh"))), **traits)


def test_it_begins_with_all_computed_and_shows_the_layers_own_numbers() -> None:
    network = MLP(MLPConfig((2, 3, 1), "tanh"))
    widget = ForwardPass(Layers.of(network), x=[0.5, -1])
    assert (widget.step, widget.neuron, widget.activation) == (4, 3, "tanh")
    expected = network(torch.tensor([[0.5, -1.0]]))[0].detach()
    # It keeps four digits of each weight, which are what the reader sees.
    torch.testing.assert_close(widget.answers["y2"], expected, rtol=0, atol=1e-3)
    assert widget.table().rows[-1][2] == widget.answers["y2"][0].item()
    assert f"{widget.answers['y2'][0].item():.3g}" in widget.alternative_text()
    assert len(widget.figure().axes) == 1


def test_neurons_are_counted_through_the_layers() -> None:
    widget = explorable()
    assert [widget.place(n) for n in range(4)] == [(1, 0), (1, 1), (1, 2), (2, 0)]
    with pytest.raises(ValueError, match="neuron is 4; allowed is a whole number from 0 to 3"):
        widget.place(4)


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"x": [1]}, r"x is \[1\]; allowed are 2 numbers from -2 to 2"),
        ({"x": [1, 2.5]}, r"x\[1\] is 2.5; allowed is a number from -2 to 2"),
        ({"x": [1, float("nan")]}, r"x\[1\] is nan"),
        ({"x": "11"}, "x is '11'"),
        ({"weights": [[[1, 1, 1]]]}, "weights is .*; allowed is a matrix for each layer: 3 rows of 3, 1 rows of 4"),
        ({"weights": [[[1, 1, 1]] * 3, [[1, 1, 1, 11]]]}, r"weights\[1\]\[0\]\[3\] is 11; .* from -10 to 10"),
        ({"weights": [[[1, 1]] * 3, [[1, 1, 1, 1]]]}, r"weights\[0\]\[0\] is \[1, 1\]; allowed are 3 numbers"),
        ({"activation": "gelu"}, "activation is 'gelu'; allowed are 'relu', 'tanh', 'sigmoid'"),
        ({"step": 5}, "step is 5; allowed is a whole number from 0 to 4"),
        ({"neuron": 4}, "neuron is 4; allowed is a whole number from 0 to 3"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        explorable(**traits)


def test_a_network_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match=r"layers has the sizes \(2, 7, 1\); allowed are at most 4 layers"):
        ForwardPass(Layers.of(MLP(MLPConfig((2, 7, 1)))))
