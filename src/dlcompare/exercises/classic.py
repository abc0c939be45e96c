"""The checkers of 3.1, the algorithms of classic deep learning."""

from __future__ import annotations

import torch
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.exercises.checking import exercise, wrong_function, wrong_number, wrong_tensor

__all__: list[str] = []


@exercise("3.1.2-a")
def _what_is_kept(answer: object) -> str | None:
    batch, (inputs, hidden, classes) = 64, (784, 128, 10)
    wrong = wrong_number(answer, batch * (inputs + hidden + classes))
    if wrong and not wrong_number(answer, inputs + hidden + classes):
        return text("exercise-3-1-2-a.one")
    if wrong and not wrong_number(answer, inputs * hidden + hidden * classes + hidden + classes):
        return text("exercise-3-1-2-a.parameters")
    return wrong


@exercise("3.1.2-b")
def _sigmoid_backward(answer: object) -> str | None:
    def autograd(upstream: Tensor, y: Tensor) -> Tensor:
        z = y.logit().detach().requires_grad_()
        (gradient,) = torch.autograd.grad(z.sigmoid(), z, upstream)
        return gradient

    generator = torch.Generator().manual_seed(312)
    shapes = [(5,), (4, 3), (2, 3, 4)]
    cases = [
        (torch.randn(shape, generator=generator).double(), torch.randn(shape, generator=generator).double().sigmoid())
        for shape in shapes
    ]
    return wrong_function(answer, autograd, cases, wrong_tensor)
