"""The forward pass as a graph, held against torch's own modules."""

from __future__ import annotations

import pytest
import torch

from dlcompare.graphs import forward_pass
from dlcompare.models import MLP, MLPConfig


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_every_number_is_that_of_torchs_modules(activation: str) -> None:
    config = MLPConfig((3, 5, 4, 2), activation)
    network = MLP(config)
    linear = [layer for layer in network.layers if isinstance(layer, torch.nn.Linear)]
    inputs = {"x": torch.randn(3)}
    for i, layer in enumerate(linear, start=1):
        inputs |= {f"w{i}": layer.weight.detach(), f"b{i}": layer.bias.detach()}
    outputs = forward_pass(config)(**inputs)
    y = inputs["x"]
    with torch.no_grad():
        for i, layer in enumerate(linear, start=1):
            z = layer(y)
            torch.testing.assert_close(outputs[f"z{i}"], z)
            torch.testing.assert_close(outputs[f"products{i}"].sum(1) + layer.bias, z)
            torch.testing.assert_close(outputs[f"products{i}"], layer.weight * y)
            y = getattr(torch, activation)(z) if i < len(linear) else z
            torch.testing.assert_close(outputs[f"y{i}"], y)
        torch.testing.assert_close(y, network(inputs["x"][None])[0])


def test_networks_of_different_sizes_can_stand_on_one_page() -> None:
    networks = [MLPConfig(sizes, a) for sizes in ((2, 2, 1), (2, 21), (2, 3, 1)) for a in ("relu", "tanh")]
    assert len({forward_pass(network).name for network in networks}) == 6
