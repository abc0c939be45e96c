"""What fine-tuning has changed: matrix by matrix, how far the weights moved, and in how many directions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlcompare.training.lora import LoRALinear

__all__ = ["WeightChange", "weight_changes"]

#: Singular values smaller than this, relative to the largest, are rounding.
ROUNDING = 1e-6


@dataclass(frozen=True)
class WeightChange:
    """How far one matrix moved.

    Parameters
    ----------
    name
        of the module whose weight it is.
    shape
        rows and columns.
    trained
        how many numbers were trained to move it: all of the matrix, or those of LoRA's two; 0 where it stayed.
    norm
        the Frobenius norm before, the root of the sum of squares.
    change
        that of the difference.
    singular_values
        of the difference, the largest first: how far it moved in each direction. Of LoRA, at most its rank are not 0.
    """

    name: str
    shape: tuple[int, int]
    trained: int
    norm: float
    change: float
    singular_values: tuple[float, ...]

    @property
    def relative(self) -> float:
        """The change's norm relative to the norm before."""
        return self.change / self.norm

    def share(self, directions: int) -> float:
        """Return which share of the change's squared norm its largest ``directions`` hold; 0 where nothing changed."""
        squares = [value**2 for value in self.singular_values]
        return sum(squares[:directions]) / sum(squares) if any(squares) else 0.0


def _difference(before: Tensor, module: nn.Module) -> tuple[Tensor, int]:
    if isinstance(module, LoRALinear):
        difference = module.alpha / module.rank * module.B.weight @ module.A.weight
        return difference, module.A.weight.numel() + module.B.weight.numel()
    difference = module.get_parameter("weight") - before
    return difference, before.numel() if bool(difference.any()) else 0


@torch.no_grad()
def weight_changes(before: nn.Module, after: nn.Module) -> list[WeightChange]:
    """Return how far each matrix of ``before`` moved: the weights of linear layers and embeddings, each once.

    Parameters
    ----------
    before
        a model.
    after
        the same, fine-tuned: all its weights, or some layers with LoRA (:func:`~dlcompare.training.add_lora`).

    Raises
    ------
    ValueError
        when ``after`` lacks a matrix of ``before``, or has it in another shape.
    """
    changes: list[WeightChange] = []
    seen: set[int] = set()
    others = dict(after.named_modules())
    for name, module in before.named_modules():
        if not isinstance(module, nn.Linear | nn.Embedding) or id(module.weight) in seen:
            continue
        seen.add(id(module.weight))
        weight, other = module.weight, others.get(name)
        moved = getattr(getattr(other, "linear", other), "weight", None)
        if other is None or not isinstance(moved, Tensor) or moved.shape != weight.shape:
            shape = None if moved is None else tuple(moved.shape)
            raise ValueError(f"after has {name!r} with shape {shape}; allowed is that of before, {tuple(weight.shape)}")
        difference, trained = _difference(weight, other)
        values = torch.linalg.svdvals(difference)
        values = torch.where(values > ROUNDING * values[0], values, 0.0)
        norms = weight.norm().item(), difference.norm().item()
        changes.append(WeightChange(name, (weight.shape[0], weight.shape[1]), trained, *norms, tuple(values.tolist())))
    return changes
