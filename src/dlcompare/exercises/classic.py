"""The checkers of 3.1, the algorithms of classic deep learning."""

from __future__ import annotations

import torch
from torch import Tensor

from dlcompare.catalogue import text
from dlcompare.exercises.checking import exercise, wrong_function, wrong_number, wrong_tensor
from dlcompare.models import GPT, GPTConfig, MLPConfig
from dlcompare.training import n_parameters

__all__: list[str] = []


@exercise("3.1.1-a")
def _count(answer: object) -> str | None:
    config = MLPConfig((784, 300, 100, 10))
    wrong = wrong_number(answer, config.n_parameters)
    if wrong and not wrong_number(answer, config.n_parameters - sum(config.sizes[1:])):
        return text("exercise-3-1-1-a.weights")
    return wrong


@exercise("3.1.1-b")
def _probabilities(answer: object) -> str | None:
    def wrong(got: object, expected: Tensor) -> str | None:
        if isinstance(got, Tensor) and got.shape == expected.shape:
            if not bool(got.isfinite().all()):
                return text("exercise-3-1-1-b.overflow")
            columns, rows = got.sum(0), got.sum(1)
            if torch.allclose(columns, torch.ones_like(columns)) and not torch.allclose(rows, torch.ones_like(rows)):
                return text("exercise-3-1-1-b.columns")
        return wrong_tensor(got, expected)

    generator = torch.Generator().manual_seed(311)
    cases = [(size * torch.randn(shape, generator=generator),) for size, shape in ((1, (3, 5)), (3000, (4, 10)))]
    # The largest logits of these two rows are so far apart that one number cannot serve both.
    cases.append((torch.tensor([[3000.0, 2999.0], [-3000.0, -2999.0]]),))
    return wrong_function(answer, lambda logits: logits.softmax(-1), cases, wrong)


@exercise("3.1.1-c")
def _mlp_parameters(answer: object) -> str | None:
    def mlp(d_model: int) -> torch.nn.Module:
        with torch.device("meta"):  # shapes, no numbers
            gpt = GPT(GPTConfig(vocab_size=2, block_size=2, n_layer=1, n_head=1, d_model=d_model))
        return gpt.get_submodule("blocks.0.mlp")

    def wrong(got: object, expected: tuple[int, int]) -> str | None:
        d_model, count = expected
        found = wrong_number(got, count)
        if found and not wrong_number(got, sum(p.numel() for p in mlp(d_model).parameters() if p.ndim == 2)):
            return text("exercise-3-1-1-c.weights")
        if found and not wrong_number(got, MLPConfig((d_model, d_model, d_model)).n_parameters):
            return text("exercise-3-1-1-c.narrow")
        return found

    return wrong_function(answer, lambda d: (d, n_parameters(mlp(d))), [(192,), (768,), (8,)], wrong)


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
