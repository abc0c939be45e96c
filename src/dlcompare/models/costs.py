"""What a forward pass costs, by closed formula over the layers: parameters and multiply-adds.

A multiply-add is one product and its addition to a sum: two floating-point operations (FLOPs). The papers' "FLOPs" of
ResNet and "ops" of GoogLeNet are multiply-adds. Counted are convolutions and products of matrices; biases, norms,
activations, pooling and all else that works number by number are not.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dlcompare.models.attention import MultiHeadSelfAttention

__all__ = ["Cost", "costs"]


@dataclass(frozen=True)
class Cost:
    """What a module and all its parts cost in one forward pass.

    Parameters
    ----------
    parameters
        numbers that are trained, those of parts that did not run left out, shared ones counted once.
    multiply_adds
        multiply-adds.
    """

    parameters: int
    multiply_adds: int

    @property
    def flops(self) -> int:
        """Floating-point operations: two per multiply-add."""
        return 2 * self.multiply_adds


def _convolution(module: nn.Conv2d, y: Tensor) -> int:
    """Each number that comes out is a sum of k² · (channels in / groups) products."""
    return y.numel() * module.weight[0].numel()


def _linear(module: nn.Linear, y: Tensor) -> int:
    """Each number that comes out is a sum of n_in products."""
    return y.numel() * module.in_features


def _attention(module: MultiHeadSelfAttention, y: Tensor) -> int:
    """Q Kᵀ and A V: seq² · d_model products each, masked places included."""
    return 2 * y.shape[1] * y.numel()


def _recurrent(module: nn.RNNBase, y: Tensor) -> int:
    """Each matrix multiplies one vector per time step."""
    steps = y.shape[:-1].numel()
    return steps * sum(p.numel() for p in module.parameters() if p.ndim == 2)


def _lookup(module: nn.Embedding, y: Tensor) -> int:
    """Read a row: no product."""
    return 0


#: The formula of each kind of layer, given the layer and what it puts out, its parts left out.
FORMULAS: dict[type[nn.Module], Callable[[Any, Tensor], int]] = {
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    nn.RNN: _recurrent,
    nn.LSTM: _recurrent,
    nn.GRU: _recurrent,
    nn.Embedding: _lookup,
    MultiHeadSelfAttention: _attention,
}


def costs(model: nn.Module, *inputs: Tensor) -> dict[str, Cost]:
    """Return what each named module costs in one forward pass of ``model`` on ``inputs``.

    Parameters
    ----------
    model
        any model; it is copied to the meta device and stays as it is.
    inputs
        what ``model`` is called with; only shapes and types count. A batch of one gives the costs of one example.

    Returns
    -------
    dict
        from the names of ``model.named_modules()`` that ran, "" for the whole model.

    Raises
    ------
    ValueError
        for a module that holds a matrix and has no formula: its cost would be missing without a sign.
    """
    originals = dict(model.named_modules())
    copied = copy.deepcopy(model).to("meta").eval()
    products: dict[str, int] = {}

    def count(name: str, module: nn.Module, output: Any) -> None:
        formula = FORMULAS.get(type(module))
        if formula is None and any(p.ndim == 2 or p.ndim == 4 for p in module.parameters(recurse=False)):
            allowed = ", ".join(known.__name__ for known in FORMULAS)
            raise ValueError(f"{name} is a {type(module).__name__}, which has no formula; allowed are {allowed}")
        y = output[0] if isinstance(output, tuple) else output
        products[name] = products.get(name, 0) + (formula(module, y) if formula else 0)

    for name, module in copied.named_modules():
        module.register_forward_hook(lambda module, inputs, output, name=name: count(name, module, output))
    with torch.no_grad():
        copied(*(x.to("meta") for x in inputs))

    result = {}
    for name in products:
        parts = [part for part in products if not name or part == name or part.startswith(f"{name}.")]
        parameters = {p for part in parts for p in originals[part].parameters(recurse=False)}
        result[name] = Cost(sum(p.numel() for p in parameters), sum(products[part] for part in parts))
    return result
