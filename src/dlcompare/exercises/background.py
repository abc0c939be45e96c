"""The checkers of part 1, the background."""

from __future__ import annotations

import torch

from dlcompare.catalogue import text
from dlcompare.exercises.checking import exercise, wrong_number
from dlcompare.models import MLPConfig

__all__: list[str] = []


@exercise("1.1-a")
def _deep_mlp(answer: object) -> str | None:
    def counts(hidden: int) -> tuple[int, int]:
        """Return the parameters with so many hidden layers, and the weights among them."""
        config = MLPConfig((784, *[64] * hidden, 10))
        return config.n_parameters, config.n_parameters - sum(config.sizes[1:])

    parameters, weights = counts(12)
    wrong = wrong_number(answer, parameters)
    if wrong and not wrong_number(answer, weights):
        return text("exercise-1-1-a.biases")
    if wrong and any(not wrong_number(answer, count) for hidden in (11, 13) for count in counts(hidden)):
        return text("exercise-1-1-a.matrices")
    return wrong


@exercise("1.1-b")
def _xor_with_product(answer: object) -> str | None:
    try:
        weights = torch.as_tensor(answer, dtype=torch.float64).detach()
    except (TypeError, ValueError, RuntimeError):
        return text("exercises.no_tensor", found=type(answer).__name__)
    if weights.shape != (4,):
        return text("exercises.shape", found=tuple(weights.shape), wanted=(4,))
    if not bool(weights.isfinite().all()):
        return text("exercises.not_finite", found="NaN, ∞")
    bits = torch.cartesian_prod(torch.arange(2), torch.arange(2))  # (4, 2)
    features = torch.cat([bits, bits.prod(1, keepdim=True)], 1).to(weights.dtype)
    sums = features @ weights[:3] + weights[3]
    off = (sums > 0) != torch.logical_xor(bits[:, 0], bits[:, 1])
    if not bool(off.any()):
        return None
    if bool(off.all()):
        return text("exercise-1-1-b.opposite")
    inputs = ", ".join(str(tuple(pair)) for pair in bits[off].tolist())
    if bool((sums[off] == 0).all()):
        return text("exercise-1-1-b.zero", inputs=inputs)
    return text("exercise-1-1-b.inputs", inputs=inputs)
