r"""LoRA: fine-tuning a few numbers beside frozen weights (Hu et al. 2021, section 4.1).

A matrix :math:`W_0` stays as it is; what is learned is a change of low rank (equation 3):

.. math:: h = W_0 x + \frac{\alpha}{r} B A x, \qquad B \in \mathbb{R}^{d \times r},\ A \in \mathbb{R}^{r \times k}

Deviations: the paper adapts the query's and the value's matrix, each with a pair of its own. Here queries, keys and
values come from one matrix, which has one pair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

__all__ = ["LoRALinear", "add_lora", "merge_lora"]

Model = TypeVar("Model", bound=nn.Module)


class LoRALinear(nn.Module):
    """A linear layer, frozen, and beside it a change of low rank that is trained.

    A starts normal with variance 1 / in_features (the paper: Gaussian), B with zeros: at the start nothing is changed.

    Parameters
    ----------
    linear
        the layer; its parameters are frozen.
    rank
        r in the paper: how many numbers pass between A and B.
    alpha
        the change is scaled by alpha / rank, so that the learning rate need not change with the rank.

    Raises
    ------
    ValueError
        for a ``rank`` below 1 or above the smaller side of the layer's matrix.
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float):
        super().__init__()
        smaller = min(linear.weight.shape)
        if not 1 <= rank <= smaller:
            raise ValueError(f"rank is {rank}; allowed are 1 to {smaller}, the smaller side of the matrix")
        self.rank, self.alpha = rank, alpha
        self.linear = linear.requires_grad_(False)
        self.A = nn.Linear(linear.in_features, rank, bias=False, device=linear.weight.device)
        self.B = nn.Linear(rank, linear.out_features, bias=False, device=linear.weight.device)
        nn.init.normal_(self.A.weight, std=1 / math.sqrt(linear.in_features))
        nn.init.zeros_(self.B.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, in_features) to (…, out_features)."""
        h: Tensor = self.linear(x) + self.alpha / self.rank * self.B(self.A(x))
        return h

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        r"""Return a linear layer with the weights :math:`W_0 + \frac{\alpha}{r} B A`: the same map at no extra cost."""
        out_features, in_features = self.linear.weight.shape
        layer = nn.Linear(in_features, out_features, self.linear.bias is not None, self.linear.weight.device)
        layer.weight.copy_(self.linear.weight + self.alpha / self.rank * self.B.weight @ self.A.weight)
        if self.linear.bias is not None:
            layer.bias.copy_(self.linear.bias)
        return layer


def add_lora(model: Model, rank: int, alpha: float, names: Sequence[str]) -> Model:
    """Freeze ``model`` and put a :class:`LoRALinear` around the linear layers named; in place, and return it.

    Parameters
    ----------
    model
        any model. What lies outside it, such as a new layer on top of it, stays as trainable as it was.
    rank, alpha
        of each change.
    names
        last parts of the names of the layers, such as ``"query_key_value"`` or ``"mlp.0"``.

    Raises
    ------
    ValueError
        when a name fits no linear layer, or ``rank`` does not fit a layer.
    """
    linear = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    chosen = {name: [layer for layer in linear if f".{layer}".endswith(f".{name}")] for name in names}
    if missing := [name for name, layers in chosen.items() if not layers]:
        raise ValueError(
            f"names contains {missing[0]!r}, which no linear layer is called; there are {', '.join(linear)}"
        )
    model.requires_grad_(False)
    for layer in dict.fromkeys(layer for layers in chosen.values() for layer in layers):
        model.set_submodule(layer, LoRALinear(linear[layer], rank, alpha))
    return model


def merge_lora(model: Model) -> Model:
    """Replace each :class:`LoRALinear` of ``model`` by one linear layer that computes the same; in place, return it."""
    for name, module in list(model.named_modules()):
        if isinstance(module, LoRALinear):
            model.set_submodule(name, module.merged())
    return model
