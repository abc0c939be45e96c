"""A whole step of training an MLP, forward pass, PyTorch's autograd and update, and the weights that it starts from."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from dlcompare.export import Graph

__all__ = ["ACTIVATIONS", "DEPTHS", "first_weights", "parameter_names", "training_step"]

#: Numbers of hidden layers that there is a graph for.
DEPTHS = (1, 2, 3, 4)
#: The functions after a hidden layer, in the order in which a step's input ``activation`` counts them.
ACTIVATIONS = ("relu", "tanh", "sigmoid")


def parameter_names(depth: int) -> list[str]:
    """Return the names of the parameters of an MLP with ``depth`` hidden layers: w1, b1 for W¹ and b¹, and so on."""
    return [f"{kind}{layer}" for layer in range(1, depth + 2) for kind in "wb"]


def _cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    # A masked sum: within autograd, F.cross_entropy is exported wrongly.
    hit = (y[:, None] == torch.arange(logits.shape[1])).to(logits.dtype)  # (n, classes)
    return -(logits.log_softmax(1) * hit).sum() / logits.shape[0]


def _accuracy(logits: Tensor, y: Tensor) -> Tensor:
    return (logits.argmax(1) == y).to(logits.dtype).mean()


def _step(
    x: Tensor,
    y: Tensor,
    chosen: Tensor,
    held_x: Tensor,
    held_y: Tensor,
    look: Tensor,
    learning_rate: Tensor,
    activation: Tensor,
    **parameters: Tensor,
) -> dict[str, Tensor]:
    values = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    n_layers = len(values) // 2

    def f(z: Tensor) -> Tensor:
        return torch.where(activation == 0, z.relu(), torch.where(activation == 1, z.tanh(), z.sigmoid()))

    def forward(inputs: Tensor) -> Tensor:
        for layer in range(1, n_layers):
            inputs = f(F.linear(inputs, values[f"w{layer}"], values[f"b{layer}"]))
        return F.linear(inputs, values[f"w{n_layers}"], values[f"b{n_layers}"])

    batch = chosen.long()
    with torch.enable_grad():
        loss = _cross_entropy(forward(x[batch]), y[batch])
    gradient = dict(zip(values, torch.autograd.grad(loss, list(values.values())), strict=True))
    with torch.no_grad():
        n, m = x.shape[0], held_x.shape[0]
        logits = forward(torch.cat([x, held_x, look]))  # (n + m + points, classes)
        on_train, on_held, probabilities = logits[:n], logits[n : n + m], logits[n + m :].softmax(1)
        classes = torch.arange(logits.shape[1])
        truth = (held_y[:, None] == classes).to(x.dtype)  # (m, classes)
        answer = (on_held.argmax(1)[:, None] == classes).to(x.dtype)  # (m, classes)
        squares = [
            gradient[f"w{layer}"].square().sum() + gradient[f"b{layer}"].square().sum()
            for layer in range(1, n_layers + 1)
        ]
        return {
            "loss": loss,
            "train_loss": _cross_entropy(on_train, y),
            "held_loss": _cross_entropy(on_held, held_y),
            "train_accuracy": _accuracy(on_train, y),
            "held_accuracy": _accuracy(on_held, held_y),
            "confusion": truth.T @ answer,
            "probabilities": probabilities,
            "answers": probabilities.argmax(1).int(),
            "norms": torch.stack(squares).sqrt(),
            **{f"d{name}": gradient[name] for name in values},
            **{f"new_{name}": values[name] - learning_rate * gradient[name] for name in values},
        }


def training_step(depth: int) -> Graph:
    """Return the graph of one step of stochastic gradient descent on an MLP, with all that can be seen at that step.

    The network is that of :class:`~dlcompare.models.MLP`, its loss the mean cross-entropy of the batch in nats, its
    gradient PyTorch's autograd's, and the update w - η ∂L/∂w, as :class:`torch.optim.SGD` without momentum does it
    (Rumelhart, Hinton & Williams 1986). Numbers of examples, of features, of classes and the widths of the ``depth``
    hidden layers are those of the inputs: one graph serves all networks that are so deep.

    Inputs, float32 where nothing else is said:

    - ``x`` (n, features) and ``y`` (n,) int32: the training examples and their classes,
    - ``chosen`` (batch,) int32: which of them are the batch,
    - ``held_x`` (m, features) and ``held_y`` (m,) int32: examples that are held out,
    - ``look`` (points, features): where else the network is asked,
    - ``learning_rate`` η, and ``activation``, int32, the place of f in :data:`ACTIVATIONS`: both scalars,
    - ``w1``, ``b1``, …: W^l (n_l, n_{l-1}) and b^l (n_l,) of each layer l.

    Outputs; all but the last belong to the parameters that came in:

    - ``loss`` of the batch, ``train_loss`` and ``held_loss`` of all examples, in nats: scalars,
    - ``train_accuracy``, ``held_accuracy``: the shares of right answers, scalars,
    - ``confusion`` (classes, classes): how many held-out examples of a class (row) got an answer (column),
    - ``probabilities`` (points, classes) and ``answers`` (points,) int32, the likeliest classes, for ``look``,
    - ``dw1``, ``db1``, …: the gradient of ``loss``; ``norms`` (layers,): its length in each layer, w and b together,
    - ``new_w1``, ``new_b1``, …: the parameters after the step.

    Raises
    ------
    ValueError
        for a depth that is not in :data:`DEPTHS`.
    """
    if depth not in DEPTHS:
        raise ValueError(f"depth is {depth!r}; allowed are the integers from {DEPTHS[0]} to {DEPTHS[-1]}")

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        def number(low: int, high: int) -> int:
            return int(torch.randint(low, high + 1, (1,), generator=generator))

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator)

        features, classes, n, m = number(2, 9), number(2, 7), number(4, 12), number(3, 9)
        widths = [features, *(number(2, 9) for _ in range(depth)), classes]
        inputs = {
            "x": normal(n, features),
            "y": torch.randint(classes, (n,), generator=generator, dtype=torch.int32),
            "chosen": torch.randperm(n, generator=generator)[: number(2, n)].int(),
            "held_x": normal(m, features),
            "held_y": torch.randint(classes, (m,), generator=generator, dtype=torch.int32),
            "look": normal(number(2, 9), features),
            "learning_rate": torch.rand((), generator=generator),
            "activation": torch.randint(len(ACTIVATIONS), (), generator=generator, dtype=torch.int32),
        }
        for layer, (n_in, n_out) in enumerate(zip(widths, widths[1:], strict=False), start=1):
            inputs[f"w{layer}"] = normal(n_out, n_in) * math.sqrt(2 / n_in)
            inputs[f"b{layer}"] = normal(n_out)
        return inputs

    example = draw(torch.Generator().manual_seed(0))
    varying = {name: tuple(range(value.ndim)) for name, value in example.items()}
    return Graph(f"training-step-{depth}", _step, draw, varying=varying)


def _first_weights(uniform: Tensor) -> dict[str, Tensor]:
    n_out, n_in = uniform.shape
    between = 2 * uniform - 1  # from -1 to 1
    return {"he": between * (6 / n_in) ** 0.5, "glorot": between * (6 / (n_in + n_out)) ** 0.5}


def _draw_uniform(generator: torch.Generator) -> dict[str, Tensor]:
    n_out, n_in = (int(n) for n in torch.randint(2, 30, (2,), generator=generator))
    return {"uniform": torch.rand(n_out, n_in, generator=generator)}


def first_weights() -> Graph:
    """Return the graph that makes a layer's first weights of uniform numbers.

    Input: ``uniform`` (n_out, n_in), float32 numbers from 0 to 1. Outputs, both (n_out, n_in), uniform again:

    - ``he``: from -a to a with a = √(6 / n_in), whose variance is 2 / n_in, which keeps the size of the signal through
      ReLU layers (He et al. 2015, equation 10); :func:`torch.nn.init.kaiming_uniform_` draws so for ReLU,
    - ``glorot``: with a = √(6 / (n_in + n_out)), for tanh and sigmoid (Glorot & Bengio 2010, equation 16), as
      :func:`torch.nn.init.xavier_uniform_`.
    """
    return Graph("first-weights", _first_weights, _draw_uniform, varying={"uniform": (0, 1)})
