"""The checkers of 3.2, the algorithms of GPT."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from dlcompare import checkpoints
from dlcompare.catalogue import text
from dlcompare.exercises.checking import exercise, wrong_function, wrong_number, wrong_tensor
from dlcompare.models import GPT
from dlcompare.models.attention import Attention, causal_mask

__all__: list[str] = []

Function = Callable[..., Any]


def _as_one_of(
    answer: object,
    mistakes: Mapping[str, Function],
    cases: Iterable[tuple[Any, ...]],
    wrong: Callable[[object, Any], str | None],
) -> str | None:
    """Return what is said of the mistake that ``answer`` makes in all cases, by its key in the catalogue; or None."""
    cases = list(cases)
    for key, mistake in mistakes.items():
        if wrong_function(answer, mistake, cases, wrong) is None:
            return text(key)
    return None


# --- 3.2.1 The Transformer's forward pass ---------------------------------------------------------------------------


@exercise("3.2.1-a")
def _weights_above_zero(answer: object) -> str | None:
    checkpoint = checkpoints.load("shakespeare-gpt", expected=GPT)
    assert checkpoint.tokenizer is not None
    config = checkpoint.model.config
    seq = len(checkpoint.tokenizer.encode("MACBETH.\nI dare do all that may become a man;"))
    heads = config.n_layer * config.n_head
    one = int(causal_mask(seq).sum())
    wrong = wrong_number(answer, heads * one)
    for key, mistake in {
        "exercise-3-2-1-a.one": one,
        "exercise-3-2-1-a.unmasked": heads * seq**2,
        "exercise-3-2-1-a.diagonal": heads * (one - seq),  # as many as are hidden
    }.items():
        if wrong and not wrong_number(answer, mistake):
            return text(key)
    return wrong


def _attend(Q: Tensor, K: Tensor, V: Tensor) -> Tensor:
    mean = Attention().eval().attend(Q[None, None], K[None, None], V[None, None], causal=True)
    return mean[0, 0]  # (seq, d_v)


def _masked(scores: Tensor) -> Tensor:
    return scores.masked_fill(~causal_mask(len(scores)), -torch.inf)


@exercise("3.2.1-b")
def _a_head(answer: object) -> str | None:
    generator = torch.Generator().manual_seed(321)
    cases = [
        tuple(torch.randn(seq, width, generator=generator) for width in (d_k, d_k, d_v))
        for seq, d_k, d_v in ((5, 4, 4), (7, 9, 3))
    ]
    wide = tuple(100 * matrix for matrix in cases[0])
    wrong = wrong_function(answer, _attend, [*cases, wide], wrong_tensor)
    mistakes: dict[str, Function] = {
        "exercise-3-2-1-b.scale": lambda Q, K, V: _masked(Q @ K.T).softmax(-1) @ V,
        "exercise-3-2-1-b.root": lambda Q, K, V: _masked(Q @ K.T / Q.shape[1]).softmax(-1) @ V,
        "exercise-3-2-1-b.mask": lambda Q, K, V: (Q @ K.T / Q.shape[1] ** 0.5).softmax(-1) @ V,
        "exercise-3-2-1-b.axis": lambda Q, K, V: _masked(Q @ K.T / Q.shape[1] ** 0.5).softmax(0) @ V,
        "exercise-3-2-1-b.late": lambda Q, K, V: (Q @ K.T / Q.shape[1] ** 0.5).softmax(-1).tril() @ V,
    }
    return wrong and (_as_one_of(answer, mistakes, cases, wrong_tensor) or wrong)
