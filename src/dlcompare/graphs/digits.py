"""A network that reads a handwritten digit: ten logits, and the probabilities that they stand for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlcompare.export import Graph

__all__ = ["SIDE", "digit_reader"]

#: Height and width of a digit's image in pixels.
SIDE = 28


def digit_reader(name: str, model: nn.Module) -> Graph:
    r"""Return the graph ``digits-NAME`` of one forward pass of ``model``, any network from an image to logits.

    Input: ``image`` (28, 28) float32, from 0 (paper) to 1 (ink). Outputs: ``logits`` (classes,) and ``probabilities``
    (classes,), their softmax :math:`p_i = e^{z_i} / \sum_j e^{z_j}`.

    Raises
    ------
    ValueError
        when ``model`` is in training mode: with dropout it would answer differently each time.
    """
    if model.training:
        raise ValueError("model is in training mode; allowed is evaluation mode: call model.eval()")

    def run(image: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            logits = model(image[None, None])[0]  # (classes,)
        return {"logits": logits, "probabilities": logits.softmax(0)}

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        ink = torch.rand(SIDE, SIDE, generator=generator) < 0.2 + 0.3 * torch.rand((), generator=generator)
        return {"image": torch.rand(SIDE, SIDE, generator=generator) * ink}

    return Graph(f"digits-{name}", run, draw)
