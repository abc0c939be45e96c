"""The checkers of part 1, the background."""

from __future__ import annotations

import functools
import math

import torch

from dlcompare.catalogue import text
from dlcompare.exercises.checking import exercise, read_tensor, slip, wrong_number
from dlcompare.models import CNN, GPT2, GPT3, CNNConfig, GPTConfig, MLPConfig
from dlcompare.models.costs import costs

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
    weights = read_tensor(answer, (4,))
    if isinstance(weights, str):
        return weights
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


@exercise("1.2-a")
def _small_gpt(answer: object) -> str | None:
    config = GPTConfig(vocab_size=50_257, block_size=256, n_layer=6, n_head=6, d_model=384)
    count, width = config.n_parameters, config.d_model
    wrong = wrong_number(answer, count)
    near = {
        "blocks": 12 * config.n_layer * width**2,
        "output": count + config.vocab_size * width,
        "positions": count - config.block_size * width,
        "norm": count - 2 * width,
        "biases": count - 13 * config.n_layer * width,
    }
    name = wrong and slip(near, lambda value: wrong_number(answer, value))
    return text(f"exercise-1-2-a.{name}") if name else wrong


@functools.cache
def _nearest_width(parameters: float, n_layer: int) -> int:
    """Return the width at which a GPT with GPT-2's vocabulary and context has about so many parameters."""
    gpt2 = GPT2["gpt2-xl"]

    def off(width: int) -> float:
        return abs(GPTConfig(gpt2.vocab_size, gpt2.block_size, n_layer, 1, width).n_parameters - parameters)

    return min(range(1, math.isqrt(int(parameters / n_layer / 12)) + 2), key=off)


@exercise("1.2-b")
def _width_of_the_article(answer: object) -> str | None:
    layers, parameters = GPT2["gpt2-xl"].n_layer, 175e8
    wrong = wrong_number(answer, _nearest_width(parameters, layers), rel=1e-3)
    if wrong and not wrong_number(answer, math.sqrt(parameters / layers / 12), rel=1e-3):
        return text("exercise-1-2-b.blocks")
    if wrong and not wrong_number(answer, math.sqrt(10 * parameters / layers / 12), rel=0.02):
        return text("exercise-1-2-b.unit")
    return wrong


@exercise("1.2-d")
def _context_as_dear_as_the_weights(answer: object) -> str | None:
    gpt3 = GPT3["175B"]
    context = 2 * gpt3.n_parameters / (4 * gpt3.n_layer * gpt3.d_model)
    wrong = wrong_number(answer, context, rel=0.01)
    slips = {"half": 0.5, "twice": 2.0, "layers": float(gpt3.n_layer)}
    name = wrong and slip(slips, lambda factor: wrong_number(answer, factor * context, rel=0.01))
    return text(f"exercise-1-2-d.{name}") if name else wrong


@exercise("1.3-a")
def _uses_of_a_kernel(answer: object) -> str | None:
    model = CNN(CNNConfig(channels=(8, 16), hidden=32))
    spent = costs(model, torch.zeros(1, 1, 28, 28))
    convolutions = [level[0] for level in model.levels.children() if isinstance(level, torch.nn.Sequential)]
    kernels = [sum(p.numel() for p in module.parameters() if p.ndim > 1) for module in convolutions]
    first, second = (spent[f"levels.{i}.0"].multiply_adds // kernels[i] for i in range(2))
    wrong = wrong_number(answer, second)
    near = {"first": first, "pooled": second // 4, "multiply_adds": second * kernels[1]}
    name = wrong and slip(near, lambda value: wrong_number(answer, value))
    return text(f"exercise-1-3-a.{name}") if name else wrong


@exercise("1.3-b")
def _twice_the_text(answer: object) -> str | None:
    def count(block_size: int) -> int:
        return GPTConfig(vocab_size=75, block_size=block_size, n_layer=2, n_head=4, d_model=64).n_parameters

    wrong = wrong_number(answer, count(128) - count(64))
    if wrong and not wrong_number(answer, count(64)):
        return text("exercise-1-3-b.doubled")
    if wrong and not wrong_number(answer, count(128)):
        return text("exercise-1-3-b.all")
    if wrong and not wrong_number(answer, 128 - 64):
        return text("exercise-1-3-b.positions")
    return wrong
