"""The checkers of part 2, the core concepts."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.exercises.checking import exercise, wrong_function, wrong_tensor
from dlcompare.models import CNN, MLP, CNNConfig, MLPConfig
from dlcompare.models.attention import Attention
from dlcompare.training import n_parameters

__all__: list[str] = []


@exercise("2.1-a")
def _before_it_is_built(answer: object) -> str | None:
    def of(colours: int) -> list[Tensor]:
        """Return the weights, and all parameters, of the layer and of the convolution; each (2,)."""
        linear = MLP(MLPConfig((colours * 32 * 32, 128)))
        kernels = CNN(CNNConfig(in_channels=colours, image_size=32)).levels[0]
        weights = [sum(p.numel() for p in layer.parameters() if p.ndim > 1) for layer in (linear, kernels)]
        return [torch.tensor(weights), torch.tensor([n_parameters(linear), n_parameters(kernels)])]

    weights, expected = of(3)
    wrong = wrong_tensor(answer, expected, rel=0, atol=0.5)
    if wrong and not wrong_tensor(answer, weights, rel=0, atol=0.5):
        return text("exercise-2-1-a.biases")
    if wrong and not all(wrong_tensor(answer, grey, rel=0, atol=0.5) for grey in of(1)):
        return text("exercise-2-1-a.colours")
    return wrong


@exercise("2.1-b")
def _attention(answer: object) -> str | None:
    attention = Attention()

    def known(Q: Tensor, K: Tensor, V: Tensor) -> dict[str, Tensor]:
        """Return what is right, and what comes of two likely slips, by their hints."""

        def attend(Q: Tensor) -> Tensor:
            return attention.attend(Q[None, None], K[None, None], V[None, None])[0, 0]

        d_k = Q.shape[1]
        return {
            "right": attend(Q),
            "scale": attend(Q * math.sqrt(d_k)),
            "axis": (Q @ K.T / math.sqrt(d_k)).softmax(0) @ V,
        }

    def compare(got: object, known: dict[str, Tensor]) -> str | None:
        wrong = wrong_tensor(got, known["right"])
        for hint, slip in known.items():
            if wrong and hint != "right" and not wrong_tensor(got, slip):
                return text(f"exercise-2-1-b.{hint}")
        return wrong

    generator = torch.Generator().manual_seed(21)
    sizes = [(4, 4, 3, 3), (5, 5, 8, 2), (2, 6, 4, 5)]  # queries, keys, d_k, d_v
    cases = []
    for queries, keys, d_k, d_v in sizes:
        shapes = (queries, d_k), (keys, d_k), (keys, d_v)
        cases.append(tuple(torch.randn(shape, generator=generator).double() for shape in shapes))
    return wrong_function(answer, known, cases, compare)
