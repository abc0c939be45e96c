"""The checkers of 3.2, the algorithms of GPT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare import checkpoints, training
from dlcompare.catalogue import text
from dlcompare.dialogue import Example, reply_batches
from dlcompare.exercises.checking import exercise, slip, wrong_function, wrong_number, wrong_tensor
from dlcompare.generation import steps
from dlcompare.models import GPT, GPTConfig
from dlcompare.models.attention import Attention, causal_mask
from dlcompare.training import IGNORED

__all__: list[str] = []

Function = Callable[..., Any]


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
    slips = {
        "one": one,
        "unmasked": heads * seq**2,
        "diagonal": heads * (one - seq),  # as many as are hidden
    }
    name = wrong and slip(slips, lambda mistake: wrong_number(answer, mistake))
    return text(f"exercise-3-2-1-a.{name}") if name else wrong


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
        "scale": lambda Q, K, V: _masked(Q @ K.T).softmax(-1) @ V,
        "root": lambda Q, K, V: _masked(Q @ K.T / Q.shape[1]).softmax(-1) @ V,
        "mask": lambda Q, K, V: (Q @ K.T / Q.shape[1] ** 0.5).softmax(-1) @ V,
        "axis": lambda Q, K, V: _masked(Q @ K.T / Q.shape[1] ** 0.5).softmax(0) @ V,
        "late": lambda Q, K, V: (Q @ K.T / Q.shape[1] ** 0.5).softmax(-1).tril() @ V,
    }
    name = wrong and slip(mistakes, lambda mistake: wrong_function(answer, mistake, cases, wrong_tensor))
    return text(f"exercise-3-2-1-b.{name}") if name else wrong


# --- 3.2.2 Pre-training and fine-tuning -----------------------------------------------------------------------------


class _Says(nn.Module):
    """A language model that has its logits ready, whatever it reads."""

    def __init__(self, logits: Tensor):
        super().__init__()
        self.logits = logits

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits (batch, seq, vocab_size)."""
        return self.logits[:, : ids.shape[1]]


@exercise("3.2.2-a")
def _causal_loss(answer: object) -> str | None:
    def reference(logits: Tensor, ids: Tensor) -> float:
        return training.causal_lm_loss(_Says(logits), (ids[:, :-1], ids[:, 1:])).item()

    def entropy(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction=reduction)

    generator = torch.Generator().manual_seed(3221)
    cases = [
        (
            torch.randn(batch, seq, vocab_size, generator=generator),
            torch.randint(vocab_size, (batch, seq), generator=generator),
        )
        for batch, seq, vocab_size in ((1, 6, 5), (3, 9, 11))
    ]

    def wrong_loss(value: object, expected: float) -> str | None:
        return wrong_number(value, expected, rel=1e-4)

    wrong = wrong_function(answer, reference, cases, wrong_loss)
    mistakes: dict[str, Function] = {
        "same": lambda logits, ids: entropy(logits, ids).item(),
        "back": lambda logits, ids: entropy(logits[:, 1:], ids[:, :-1]).item(),
        "sum": lambda logits, ids: entropy(logits[:, :-1], ids[:, 1:], "sum").item(),
        "rolled": lambda logits, ids: entropy(logits, ids.roll(-1, 1)).item(),
        "sign": lambda logits, ids: -entropy(logits[:, :-1], ids[:, 1:]).item(),
    }
    name = wrong and slip(mistakes, lambda mistake: wrong_function(answer, mistake, cases, wrong_loss))
    return text(f"exercise-3-2-2-a.{name}") if name else wrong


@exercise("3.2.2-b")
def _bits(answer: object) -> str | None:
    training.set_seed(3222)
    model = GPT(GPTConfig(vocab_size=20, block_size=16, n_layer=1, n_head=2, d_model=8)).eval()
    expected = {}
    for n, n_characters in ((6, 11), (15, 48)):
        ids = torch.randint(20, (n + 1,))
        with torch.no_grad():
            loss = training.causal_lm_loss(model, (ids[None, :-1], ids[None, 1:])).item()
        expected[loss, n, n_characters] = training.bits_per_character(model, ids, n_characters)

    def wrong_bits(value: object, wanted: float) -> str | None:
        return wrong_number(value, wanted, rel=1e-4)

    ln2 = torch.tensor(2.0).log().item()
    wrong = wrong_function(answer, lambda *case: expected[case], expected, wrong_bits)
    mistakes: dict[str, Function] = {
        "nats": lambda loss, n, n_characters: loss * n / n_characters,
        "times": lambda loss, n, n_characters: loss * ln2 * n / n_characters,
        "tokens": lambda loss, n, n_characters: loss / ln2,
        "sum": lambda loss, n, n_characters: loss / ln2 / n_characters,
        "turned": lambda loss, n, n_characters: loss / ln2 * n_characters / n,
    }
    name = wrong and slip(mistakes, lambda mistake: wrong_function(answer, mistake, expected, wrong_bits))
    return text(f"exercise-3-2-2-b.{name}") if name else wrong


@exercise("3.2.2-c")
def _trained_by_lora(answer: object) -> str | None:
    card = checkpoints.card("dialogue-gpt-lora")["lora"]
    config = GPTConfig(**checkpoints.card("shakespeare-gpt")["config"])
    with torch.device("meta"):
        model = training.add_lora(GPT(config), card["rank"], card["alpha"], card["names"])
    trained = [p for p in model.parameters() if p.requires_grad]
    expected = sum(p.numel() for p in trained)
    matrices = [layer for name, layer in GPT(config).named_modules() if name in card["names"]]
    wrong = wrong_number(answer, expected)
    slips = {
        "block": expected // config.n_layer,
        "whole": sum(layer.weight.numel() for layer in matrices),
        "square": len(matrices) * 2 * card["rank"] * config.d_model,
        "side": sum(card["rank"] * layer.in_features for layer in matrices),
    }
    name = wrong and slip(slips, lambda mistake: wrong_number(answer, mistake))
    return text(f"exercise-3-2-2-c.{name}") if name else wrong


# --- 3.2.3 Dialogue -------------------------------------------------------------------------------------------------


@exercise("3.2.3-a")
def _positions_computed(answer: object) -> str | None:
    prompt, new = 50, 20
    model = GPT(GPTConfig(vocab_size=8, block_size=prompt + new, n_layer=1, n_head=1, d_model=4))
    ids = torch.zeros(1, prompt, dtype=torch.long)
    expected = sum(step.text.shape[1] for step in steps(model, ids, new, use_cache=False))
    cached = [step.cached for step in steps(model, ids, new)]
    wrong = wrong_number(answer, expected)
    slips = {
        "cached": (cached[-1], cached[-1] + 1),
        "prompt": (prompt * new,),
        "late": (expected + new,),
        "early": (expected - prompt,),
    }
    for name, mistakes in slips.items():
        if wrong and any(not wrong_number(answer, mistake) for mistake in mistakes):
            return text(f"exercise-3-2-3-a.{name}")
    return wrong


@exercise("3.2.3-b")
def _reply_targets(answer: object) -> str | None:
    generator = torch.Generator().manual_seed(323)
    cases = []
    for lengths in ((3, 4), (2, 5, 4, 3)):  # of turns, with their marks
        is_reply = torch.tensor(
            [i % 2 == 1 and place > 0 for i, n in enumerate(lengths) for place in range(n)]
        )  # a turn begins with a mark that nobody has to say
        cases.append((torch.randint(100, (len(is_reply),), generator=generator), is_reply))

    def reference(ids: Tensor, is_reply: Tensor) -> Tensor:
        example = Example(tuple(ids.tolist()), tuple(is_reply.tolist()), 1)
        _, targets = next(reply_batches([example], 1, torch.Generator()))
        return targets[0]

    wrong = wrong_function(answer, reference, cases, wrong_tensor)
    mistakes: dict[str, Function] = {
        "still": lambda ids, is_reply: ids.where(is_reply, IGNORED)[:-1],
        "all": lambda ids, is_reply: ids[1:],
        "user": lambda ids, is_reply: ids.where(~is_reply, IGNORED)[1:],
        "mixed": lambda ids, is_reply: ids[1:].where(is_reply[:-1], IGNORED),
        "zero": lambda ids, is_reply: ids.where(is_reply, 0)[1:],
        "long": lambda ids, is_reply: ids.where(is_reply, IGNORED),
    }
    name = wrong and slip(mistakes, lambda mistake: wrong_function(answer, mistake, cases, wrong_tensor))
    return text(f"exercise-3-2-3-b.{name}") if name else wrong
