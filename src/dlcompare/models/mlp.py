"""The multilayer perceptron, or feed-forward network: the article's equation 3.1.1, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor, nn

__all__ = ["MLP", "Activation", "MLPConfig"]

Activation = Literal["relu", "tanh", "sigmoid"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


@dataclass(frozen=True)
class MLPConfig:
    """Sizes of an MLP.

    Parameters
    ----------
    sizes
        width of each layer: input, hidden layers, output.
    activation
        the function f after each hidden layer: "relu", "tanh" or "sigmoid".

    Raises
    ------
    ValueError
        when ``sizes`` are not at least two positive integers, or ``activation`` is none of these.
    """

    sizes: tuple[int, ...]
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or any(not isinstance(n, int) or n < 1 for n in self.sizes):
            raise ValueError(f"sizes is {self.sizes!r}; allowed are at least two integers of at least 1")
        if self.activation not in get_args(Activation):
            allowed = ", ".join(map(repr, get_args(Activation)))
            raise ValueError(f"activation is {self.activation!r}; allowed are {allowed}")

    @property
    def n_parameters(self) -> int:
        """Number of parameters by formula: weights n_in · n_out and biases n_out per layer."""
        return sum((n_in + 1) * n_out for n_in, n_out in zip(self.sizes, self.sizes[1:], strict=False))


class MLP(nn.Module):
    """Linear layers with an activation between them, none after the last: its output are logits."""

    def __init__(self, config: MLPConfig):
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        for n_in, n_out in zip(config.sizes, config.sizes[1:], strict=False):
            layers += [nn.Linear(n_in, n_out), _ACTIVATIONS[config.activation]()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, …) to (batch, sizes[-1]); the dimensions after the first are laid out in one row.

        Raises
        ------
        ValueError
            when an example has another number of values than ``sizes[0]``.
        """
        x = x.flatten(1)
        if x.shape[1] != self.config.sizes[0]:
            raise ValueError(f"x has {x.shape[1]} numbers per example; allowed is sizes[0] = {self.config.sizes[0]}")
        logits: Tensor = self.layers(x)
        return logits
