"""The forward pass of a small MLP with every number on its way: the article's equation 3.1.1, term by term."""

from __future__ import annotations

import torch
from torch import Tensor

from dlcompare.export import Graph
from dlcompare.models.backpropagation import Layers, feed_forward
from dlcompare.models.mlp import MLPConfig

__all__ = ["forward_pass"]


def forward_pass(config: MLPConfig) -> Graph:
    """Return the graph of the forward pass of an MLP with ``config``'s sizes and activation.

    Its name is ``forward``, the sizes and the activation, as in ``forward-2-3-1-relu``. Inputs: ``x`` (n_0,), and for
    each layer l = 1 … L ``w1``, ``b1`` and so on: weights (n_l, n_{l-1}) and biases (n_l,), float32. Outputs, for each
    layer, by :func:`~dlcompare.models.backpropagation.feed_forward`:

    - ``products1`` … (n_l, n_{l-1}): each weight times what arrives there,
    - ``z1`` … (n_l,): their sums with the biases,
    - ``y1`` … (n_l,): the activation of the sums; of the last layer the sums themselves.
    """
    sizes = config.sizes
    layers = range(1, len(sizes))

    def run(x: Tensor, **parameters: Tensor) -> dict[str, Tensor]:
        weights = [parameters[f"w{layer}"] for layer in layers]
        biases = [parameters[f"b{layer}"] for layer in layers]
        y, z = feed_forward(Layers(weights, biases, config.activation), x[None])
        outputs = {}
        for layer in layers:
            outputs[f"products{layer}"] = weights[layer - 1] * y[layer - 1][0]
            outputs[f"z{layer}"] = z[layer][0]
            outputs[f"y{layer}"] = y[layer][0]
        return outputs

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        inputs = {"x": torch.randn(sizes[0], generator=generator)}
        for layer in layers:
            inputs[f"w{layer}"] = torch.randn(sizes[layer], sizes[layer - 1], generator=generator)
            inputs[f"b{layer}"] = torch.randn(sizes[layer], generator=generator)
        return inputs

    return Graph("-".join(["forward", *map(str, sizes), config.activation]), run, draw)
