"""The checkers of part 2, the core concepts."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from dlcompare.catalogue import text
from dlcompare.exercises.checking import exercise, slip, wrong_function, wrong_number, wrong_tensor
from dlcompare.models import CNN, MLP, CNNConfig, GPTConfig, MLPConfig
from dlcompare.models.attention import Attention
from dlcompare.sampling import Sampler
from dlcompare.training import bits_per_character, n_parameters

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
        name = wrong and slip(known, lambda slip: wrong_tensor(got, slip))
        return text(f"exercise-2-1-b.{name}") if name else wrong

    generator = torch.Generator().manual_seed(21)
    sizes = [(4, 4, 3, 3), (5, 5, 8, 2), (2, 6, 4, 5)]  # queries, keys, d_k, d_v
    cases = []
    for queries, keys, d_k, d_v in sizes:
        shapes = (queries, d_k), (keys, d_k), (keys, d_v)
        cases.append(tuple(torch.randn(shape, generator=generator).double() for shape in shapes))
    return wrong_function(answer, known, cases, compare)


class _Told(nn.Module):
    """A language model that says what it is told: of each token of a text that comes, its probability."""

    def __init__(self, probabilities: list[float]):
        super().__init__()
        self.config = GPTConfig(vocab_size=2, block_size=len(probabilities), n_layer=1, n_head=1, d_model=1)
        p = torch.tensor(probabilities)
        self.register_buffer("log_p", torch.stack([p, 1 - p], dim=1).log())  # (seq, 2), token 0 is what comes

    def forward(self, ids: Tensor) -> Tensor:
        log_p: Any = self.log_p
        logits: Tensor = log_p[None, : ids.shape[1]]
        return logits


@exercise("2.2-a")
def _bits_per_character(answer: object) -> str | None:
    probabilities, characters = [1 / 2, 1 / 8, 1 / 4], 6
    model, ids = _Told(probabilities), torch.zeros(len(probabilities) + 1, dtype=torch.int64)
    wrong = wrong_number(answer, bits_per_character(model, ids, characters))
    slips = {
        "token": bits_per_character(model, ids, len(probabilities)),
        "whole": bits_per_character(model, ids, 1),
        "nats": bits_per_character(model, ids, characters) * math.log(2),
        "product": math.prod(probabilities),
    }
    name = wrong and slip(slips, lambda slip: wrong_number(answer, slip))
    return text(f"exercise-2-2-a.{name}") if name else wrong


@exercise("2.2-b")
def _temperature_and_cut(answer: object) -> str | None:
    def known(logits: Tensor, temperature: float, top_k: int) -> dict[str, Tensor]:
        """Return what is right, and what comes of likely slips, by their hints."""
        right = Sampler(temperature=temperature, top_k=top_k).probabilities(logits)
        whole = Sampler(temperature=temperature).probabilities(logits)
        return {
            "right": right,
            "cut": whole,
            "sum": whole.where(right > 0, 0),
            "inverse": Sampler(temperature=1 / temperature, top_k=top_k).probabilities(logits),
            "temperature": Sampler(top_k=top_k).probabilities(logits),
        }

    def compare(got: object, known: dict[str, Tensor]) -> str | None:
        wrong = wrong_tensor(got, known["right"])
        name = wrong and slip(known, lambda slip: wrong_tensor(got, slip))
        return text(f"exercise-2-2-b.{name}") if name else wrong

    generator = torch.Generator().manual_seed(22)
    cases = [
        (2 * torch.randn(size, generator=generator).double(), temperature, top_k)
        for size, temperature, top_k in ((6, 0.5, 3), (50, 1.7, 8), (4, 0.8, 1))
    ]
    return wrong_function(answer, known, cases, compare)
