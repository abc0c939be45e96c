"""Backpropagation through a network of five neurons' size, one number at a time, and a step of gradient descent."""

from __future__ import annotations

import torch
from torch import Tensor

from dlcompare.export import Graph

__all__ = ["backprop_step"]


def _forward(x: Tensor, target: Tensor, hidden: Tensor, output: Tensor) -> dict[str, Tensor]:
    # Each hidden neuron has its own copy of x, so that what comes back by each can be told apart: (2, 2).
    ways_x = x.expand(2, 2)
    products_hidden = hidden[:, :-1] * ways_x
    z = products_hidden.sum(1) + hidden[:, -1]  # (2,)
    h = z.tanh()  # (2,)
    products_output = output[:-1] * h  # (2,)
    y = products_output.sum() + output[-1]  # ()
    e = y - target  # ()
    return {
        "ways_x": ways_x,
        "products_hidden": products_hidden,
        "z": z,
        "h": h,
        "products_output": products_output,
        "y": y,
        "e": e,
        "loss": 0.5 * e.square(),
    }


def _step(x: Tensor, target: Tensor, hidden: Tensor, output: Tensor, learning_rate: Tensor) -> dict[str, Tensor]:
    leaves = {
        name: value.detach().requires_grad_() for name, value in (("x", x), ("hidden", hidden), ("output", output))
    }
    with torch.enable_grad():
        values = _forward(leaves["x"], target, leaves["hidden"], leaves["output"])
        wanted = {**leaves, **{name: values[name] for name in ("ways_x", "z", "h", "y", "e")}}
        gradients = torch.autograd.grad(values["loss"], list(wanted.values()), retain_graph=True)
        (slope,) = torch.autograd.grad(values["h"].sum(), values["z"])
    d = dict(zip(wanted, gradients, strict=True))
    with torch.no_grad():
        new = {"new_hidden": hidden - learning_rate * d["hidden"], "new_output": output - learning_rate * d["output"]}
        # x is used twice: what comes back by each way adds up to d_x.
        ways_x = d.pop("ways_x")
        return {
            **{name: value.detach() for name, value in values.items() if name != "ways_x"},
            "slope": slope,
            **{f"d_{name}": gradient for name, gradient in d.items()},
            "ways_x": ways_x,
            **new,
            "new_loss": _forward(x, target, new["new_hidden"], new["new_output"])["loss"],
        }


def _draw(generator: torch.Generator) -> dict[str, Tensor]:
    def numbers(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    return {
        "x": numbers(2),
        "target": numbers(),
        "hidden": numbers(2, 3),
        "output": numbers(3),
        "learning_rate": torch.rand((), generator=generator),
    }


def backprop_step() -> Graph:
    """Return the graph of z = Wx + b, h = tanh z, y = v·h + c, L = ½ (y - t)²: forward, back, and a step.

    The gradients are PyTorch's autograd's; backpropagation is due to Rumelhart, Hinton & Williams (1986).

    Inputs, float32: ``x`` (2,); ``target``, a scalar, t; ``hidden`` (2, 3), a row for each hidden neuron: its weights W
    and last its bias b; ``output`` (3,), v and c; ``learning_rate``, a scalar. Outputs:

    - ``z``, ``h`` (2,), ``y``, ``e`` = y - t and ``loss``, scalars: the values, in their order,
    - ``products_hidden`` (2, 2) and ``products_output`` (2,): weight times input,
    - ``slope`` (2,): the derivative of tanh at z,
    - ``d_e``, ``d_y``, ``d_h``, ``d_z``, ``d_x``, ``d_hidden``, ``d_output``: the derivatives of the loss, each of the
      shape of what it is taken by,
    - ``ways_x`` (2, 2): what comes back to each input from each hidden neuron; its sum over the neurons is ``d_x``,
    - ``new_hidden``, ``new_output``: the weights less ``learning_rate`` times their gradients; ``new_loss``: theirs.
    """
    return Graph("backprop", _step, _draw)
