r"""Feed-forward and backpropagation written out: the article's sections 3.1.1 and 3.1.2, without autograd.

Backpropagation is due to Rumelhart, Hinton & Williams (1986). A batch holds one example per row, so that
:math:`Y^l` is (batch, n_l), and :math:`W^l` is (n_l, n_{l-1}): row i holds the weights of neuron i. The forward pass
goes from l = 1 to L, the backward pass from L to 1:

.. math::

   Z^l &= Y^{l-1} (W^l)^\top + b^l, & Y^l &= f(Z^l), \quad Y^0 = X \\
   \frac{\partial L}{\partial Z^l} &= \frac{\partial L}{\partial Y^l} \odot f'(Z^l), &
   \frac{\partial L}{\partial Y^{l-1}} &= \frac{\partial L}{\partial Z^l} \, W^l \\
   \frac{\partial L}{\partial W^l} &= \Big(\frac{\partial L}{\partial Z^l}\Big)^\top Y^{l-1}, &
   \frac{\partial L}{\partial b^l} &= \sum_\text{examples} \frac{\partial L}{\partial Z^l}

Where the article's form is loose:

- It gives every layer an f. The last layer of a classifier or a regression has none, and :math:`Y^L = Z^L`.
- :math:`\partial L / \partial y^{l+1} \cdot \partial y^{l+1} / \partial y^l` is the chain rule of single numbers. The
  second factor is a Jacobian, diag(f'(z)) W, and the gradient is a row vector on its left: neuron j's share is a
  *sum* over all the neurons i that it feeds, :math:`\sum_i \partial L / \partial z_i^{l+1} \, w_{i,j}^{l+1}`.
- :math:`\partial y_i^l / \partial w_{i,j}^l` is never written out. It is :math:`f'(z_i^l) \, y_j^{l-1}`: the slope of
  the activation belongs to it, and the matrix of all (i, j) is an outer product, hence the transpose above.
- What its step 4 accumulates are the contributions of the examples of a batch. The losses here are means over the
  batch, so the 1/batch is in :math:`\partial L / \partial Y^L` already and the sums above need no other factor.
- Every gradient is computed before any weight moves.
"""
# ruff: noqa: E741 (l is the layer, as in the equations)

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from dlcompare.models.mlp import MLP, Activation

__all__ = ["Layers", "Loss", "Trace", "backpropagate", "feed_forward", "gradient_step"]

Loss = Literal["cross_entropy", "squared_error"]

#: f, by name.
_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
#: f'(z), by name, written with y = f(z). ReLU has no slope at 0; torch's convention is 0.
_SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": lambda y: (y > 0).to(y.dtype),
    "tanh": lambda y: 1 - y**2,
    "sigmoid": lambda y: y * (1 - y),
}


@dataclass(frozen=True)
class Layers:
    """The weights of a feed-forward network, as plain tensors that nothing here ever writes to.

    Parameters
    ----------
    weights
        W^1 … W^L, each (n_l, n_{l-1}).
    biases
        b^1 … b^L, each (n_l,).
    activation
        the function f after each layer but the last: "relu", "tanh" or "sigmoid".

    Raises
    ------
    ValueError
        when the shapes do not fit each other, or ``activation`` is none of these.
    """

    weights: Sequence[Tensor]
    biases: Sequence[Tensor]
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        if self.activation not in get_args(Activation):
            allowed = ", ".join(map(repr, get_args(Activation)))
            raise ValueError(f"activation is {self.activation!r}; allowed are {allowed}")
        if not self.weights:
            raise ValueError("weights is empty; allowed is one matrix per layer, at least one")
        if len(self.biases) != len(self.weights):
            raise ValueError(f"biases holds {len(self.biases)} tensors; allowed is one per matrix: {len(self.weights)}")
        for l, (w, b) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            if w.ndim != 2:
                raise ValueError(f"weights of layer {l} have shape {tuple(w.shape)}; allowed is (n_{l}, n_{l - 1})")
            if l > 1 and w.shape[1] != self.weights[l - 2].shape[0]:
                below = self.weights[l - 2].shape[0]
                raise ValueError(f"weights of layer {l} have shape {tuple(w.shape)}; allowed is (n_{l}, {below})")
            if b.shape != w.shape[:1]:
                raise ValueError(f"biases of layer {l} have shape {tuple(b.shape)}; allowed is ({w.shape[0]},)")

    @classmethod
    def of(cls, network: MLP) -> Layers:
        """Return a copy of an MLP's weights, which later training of the MLP does not change."""
        linear = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
        return cls(
            weights=[layer.weight.detach().clone() for layer in linear],
            biases=[layer.bias.detach().clone() for layer in linear],
            activation=network.config.activation,
        )

    @property
    def w(self) -> dict[int, Tensor]:
        """W^l by its l = 1 … L."""
        return dict(enumerate(self.weights, start=1))

    @property
    def b(self) -> dict[int, Tensor]:
        """b^l by its l = 1 … L."""
        return dict(enumerate(self.biases, start=1))


@dataclass(frozen=True)
class Trace:
    """Everything that one pass forward and one back compute, each by its layer l as in the equations.

    Parameters
    ----------
    y
        outputs Y^l (batch, n_l), l = 0 … L; ``y[0]`` is the input.
    z
        sums before the activation Z^l (batch, n_l), l = 1 … L.
    loss
        the loss, a scalar: the mean over the batch.
    dy
        ∂L/∂Y^l (batch, n_l), l = 0 … L; ``dy[0]`` is the gradient with respect to the input.
    dz
        ∂L/∂Z^l (batch, n_l), l = 1 … L.
    dw
        ∂L/∂W^l (n_l, n_{l-1}), l = 1 … L.
    db
        ∂L/∂b^l (n_l,), l = 1 … L.
    """

    y: Mapping[int, Tensor]
    z: Mapping[int, Tensor]
    loss: Tensor
    dy: Mapping[int, Tensor]
    dz: Mapping[int, Tensor]
    dw: Mapping[int, Tensor]
    db: Mapping[int, Tensor]

    @property
    def gradients(self) -> list[Tensor]:
        """∂L/∂W^1, ∂L/∂b^1, ∂L/∂W^2, …: the order of an MLP's ``parameters()``."""
        return [gradient[l] for l in self.dw for gradient in (self.dw, self.db)]


@torch.no_grad()
def feed_forward(layers: Layers, x: Tensor) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
    """Return every layer's outputs Y^0 … Y^L and its sums before the activation Z^1 … Z^L, by l.

    ``x`` is (batch, …); the dimensions after the first are laid out in one row, as :class:`~dlcompare.models.MLP`
    does. Raises ValueError unless that row has n_0 numbers.
    """
    w, b, L = layers.w, layers.b, len(layers.weights)
    f = _FUNCTIONS[layers.activation]
    if x.ndim < 2 or not len(x) or x[0].numel() != w[1].shape[1]:
        raise ValueError(
            f"x has shape {tuple(x.shape)}; allowed is (batch, …) with n_0 = {w[1].shape[1]} numbers per example"
        )
    z: dict[int, Tensor] = {}
    y = {0: x.flatten(1)}  # (batch, n_0)
    for l in range(1, L + 1):
        z[l] = y[l - 1] @ w[l].T + b[l]  # (batch, n_l)
        y[l] = f(z[l]) if l < L else z[l]  # (batch, n_l)
    return y, z


@torch.no_grad()
def backpropagate(layers: Layers, x: Tensor, target: Tensor, loss: Loss = "cross_entropy") -> Trace:
    r"""Go forward through the layers and back: the equations of this module, line by line.

    Parameters
    ----------
    layers
        the weights; they stay as they are.
    x
        input (batch, …).
    target
        the right answers: labels (batch,) for "cross_entropy", numbers (batch, n_L) for "squared_error".
    loss
        "cross_entropy", :math:`-\log \operatorname{softmax}(y^L)_\text{label}`, or "squared_error",
        :math:`\frac12 \lVert y^L - \text{target} \rVert^2` (Rumelhart et al. 1986, equation 3), the mean of it over
        the batch. (``torch.nn.functional.mse_loss`` also averages over the n_L outputs and has no ½.)

    Raises
    ------
    ValueError
        for an unknown loss, and for an input or a target whose shape, type or labels do not fit.
    """
    if loss not in _LOSSES:
        raise ValueError(f"loss is {loss!r}; allowed are {', '.join(map(repr, _LOSSES))}")
    w, L = layers.w, len(layers.weights)
    slope = _SLOPES[layers.activation]
    y, z = feed_forward(layers, x)

    value, dy_L = _LOSSES[loss](y[L], target)  # (), (batch, n_L)
    dy, dz, dw, db = {L: dy_L}, {}, {}, {}
    for l in range(L, 0, -1):
        dz[l] = dy[l] * slope(y[l]) if l < L else dy[l]  # (batch, n_l)
        dw[l] = dz[l].T @ y[l - 1]  # (n_l, n_{l-1})
        db[l] = dz[l].sum(0)  # (n_l,)
        dy[l - 1] = dz[l] @ w[l]  # (batch, n_{l-1})
    return Trace(y, z, value, *(dict(sorted(gradients.items())) for gradients in (dy, dz, dw, db)))


@torch.no_grad()
def gradient_step(layers: Layers, trace: Trace, learning_rate: float) -> Layers:
    """Return the layers one step further down, w - η ∂L/∂w and b - η ∂L/∂b; the ones handed in stay as they are.

    Raises ValueError for a learning rate η that is not a positive number, and for a trace of other layers.
    """
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise ValueError(f"learning_rate is {learning_rate!r}; allowed are positive numbers")
    w, b, dw, db = layers.w, layers.b, trace.dw, trace.db
    theirs, ours = [tuple(dw[l].shape) for l in sorted(dw)], [tuple(m.shape) for m in layers.weights]
    if theirs != ours:
        raise ValueError(f"trace is of layers with weights {theirs}; allowed are the layers' own: {ours}")
    return Layers(
        weights=[w[l] - learning_rate * dw[l] for l in w],
        biases=[b[l] - learning_rate * db[l] for l in b],
        activation=layers.activation,
    )


def _cross_entropy(y: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of -log softmax(y)_label, and its gradient (p - e_label) / batch, where e_label has a single 1."""
    batch, classes = y.shape
    if labels.shape != (batch,) or labels.dtype != torch.int64:
        raise ValueError(
            f"target has shape {tuple(labels.shape)} and dtype {labels.dtype}; "
            f"allowed are labels of shape ({batch},) and dtype torch.int64"
        )
    if labels.device.type == "cpu" and not torch.compiler.is_compiling():
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= classes:
            raise ValueError(f"target contains {low if low < 0 else high}; allowed are 0 to {classes - 1}")
    log_p = y - y.logsumexp(1, keepdim=True)  # (batch, classes)
    e = torch.zeros_like(y).scatter(1, labels[:, None], 1)  # (batch, classes)
    return -(e * log_p).sum() / batch, (log_p.exp() - e) / batch


def _squared_error(y: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of ½‖y - target‖², and its gradient (y - target) / batch."""
    if target.shape != y.shape:
        raise ValueError(f"target has shape {tuple(target.shape)}; allowed is that of the output: {tuple(y.shape)}")
    error = y - target  # (batch, n_L)
    return error.square().sum() / 2 / len(y), error / len(y)


#: A loss and its gradient with respect to the output, by name.
_LOSSES: dict[str, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "cross_entropy": _cross_entropy,
    "squared_error": _squared_error,
}
