"""One model before and after fine-tuning with LoRA: what each expects next, and how a text surprises it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

from dlcompare.export import Graph
from dlcompare.graphs.objectives import following_tokens
from dlcompare.models import GPT
from dlcompare.training import LoRALinear

__all__ = ["TOP", "finetuning_step"]

#: How many of the likeliest next tokens are told.
TOP = 6
#: Tokens of the longest text that the graph is drawn for.
LONGEST = 40
#: How far apart two of the likeliest are in the inputs that are drawn, so that rounding does not change their order.
MARGIN = 1e-4


@contextlib.contextmanager
def _scaled(model: GPT, strengths: Tensor) -> Iterator[None]:
    """While the block runs, multiply what LoRA adds by ``strengths`` (batch,), a number for each row."""
    handles = [
        module.B.register_forward_hook(lambda _module, _inputs, added: added * strengths[:, None, None])
        for module in model.modules()
        if isinstance(module, LoRALinear)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def finetuning_step(model: GPT) -> Graph:
    r"""Return the graph ``finetuning``: a text for the model before, one for that after, and what each expects next.

    Both are one: a frozen model with LoRA's change, :math:`W_0 + s \frac{\alpha}{r} B A` (Hu et al. 2021, equation 3),
    with s = 0 before and s = ``strength`` after.

    Inputs: ``ids`` (2, seq) int32, the text for the model before and that for the model after; ``strength``, a float32
    number: 0 undoes the fine-tuning, 1 is what was trained. Outputs:

    - ``top`` (2, 6) int32: of each model, the likeliest next tokens, the likeliest first,
    - ``p`` (2, 2, 6): the probability that each model (first axis) gives to each of the likeliest of the model before
      and of the model after (second axis),
    - ``moved``, a number from 0 to 1: half the sum of the differences of both models' probabilities, which is the share
      that moved from some tokens to others,
    - ``surprise`` (2,): by how many nats each token but the first surprises each model, on average; 0 of a text of one
      token.

    Raises
    ------
    ValueError
        when ``model`` has no LoRA, or is in training mode and drops values at random.
    """
    if not any(isinstance(module, LoRALinear) for module in model.modules()):
        raise ValueError("model has no LoRA; allowed is one that dlcompare.training.add_lora has changed")
    if model.training and model.config.dropout:
        raise ValueError("model is in training mode, with dropout; allowed is evaluation mode: call model.eval()")
    vocab_size, longest = model.config.vocab_size, min(LONGEST, model.config.block_size)
    top = min(TOP, vocab_size)

    def function(ids: Tensor, strength: Tensor) -> dict[str, Tensor]:
        with torch.no_grad(), _scaled(model, torch.stack([torch.zeros_like(strength), strength])):
            log_p = model(ids.long()).log_softmax(-1)  # (2, seq, vocab_size)
        following, has_next = following_tokens(ids)
        losses = -log_p.gather(-1, following[..., None])[..., 0] * has_next  # (2, seq)
        p = log_p[:, -1].exp()  # (2, vocab_size)
        likeliest = p.topk(top).indices  # (2, top)
        return {
            "top": likeliest.int(),
            "p": torch.stack([row.gather(0, likeliest.flatten()) for row in p]).reshape(2, 2, top),
            "moved": (p[0] - p[1]).abs().sum() / 2,
            "surprise": losses.sum(-1) / has_next.sum().clamp(min=1),
        }

    def draw(generator: torch.Generator) -> dict[str, Tensor]:
        inputs: dict[str, Tensor] = {}
        for _ in range(50):
            seq = 2 + int(torch.randint(longest - 1, (), generator=generator))
            ids = torch.randint(vocab_size, (2, seq), generator=generator, dtype=torch.int32)
            inputs = {"ids": ids, "strength": 1.5 * torch.rand((), generator=generator)}
            with torch.no_grad(), _scaled(model, torch.stack([torch.zeros(()), inputs["strength"]])):
                p = model(ids.long())[:, -1].log_softmax(-1).topk(min(top + 1, vocab_size)).values
            if bool((p[:, :-1] - p[:, 1:] > MARGIN).all()):
                break
        return inputs

    return Graph("finetuning", function, draw, varying={"ids": (1,)})
