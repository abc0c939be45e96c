"""Answers to the exercises of 3.2: right ones, and wrong ones with a piece of what is said of them."""

import math

import torch
import torch.nn.functional as F


def attention(Q, K, V, *, divisor=math.sqrt, mask=True, axis=-1, stable=True):
    scores = Q @ K.T / divisor(Q.shape[-1])
    if mask:
        scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -math.inf)
    if not stable:
        e = scores.exp()
        return e / e.sum(axis, keepdim=True) @ V
    return scores.softmax(axis) @ V


def masked_late(Q, K, V):
    return (Q @ K.T / math.sqrt(Q.shape[-1])).softmax(-1).tril() @ V


def entropy(logits, targets, reduction="mean"):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction=reduction)


def replies(ids, is_reply, ignored=-100):
    return torch.where(is_reply, ids, ignored)[1:]


ANSWERS = {
    "3.2.1-a": (
        [16 * 210],
        [
            (210, "has one head"),
            (16 * 400, "as in an encoder"),
            (16 * 190, "the mask take away"),
            (4 * 210, "Too small."),
        ],
    ),
    "3.2.1-b": (
        [attention, lambda Q, K, V: F.scaled_dot_product_attention(Q, K, V, is_causal=True)],
        [
            (lambda Q, K, V: attention(Q, K, V, divisor=lambda d: 1), "without the scale"),
            (lambda Q, K, V: attention(Q, K, V, divisor=lambda d: d), "by too much"),
            (lambda Q, K, V: attention(Q, K, V, mask=False), "see the future"),
            (lambda Q, K, V: attention(Q, K, V, axis=0), "columns of the weights"),
            (lambda Q, K, V: attention(Q, K, V, stable=False), "example 3: This is NaN"),
            (masked_late, "comes too late"),
            (lambda Q, K, V: attention(Q, K, V).T, "rows and columns"),
            ("softmax", "of the type str"),
        ],
    ),
    "3.2.2-a": (
        [
            lambda logits, ids: entropy(logits[:, :-1], ids[:, 1:]),
            lambda logits, ids: -logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None]).mean().item(),
        ],
        [
            (entropy, "the token that it reads"),
            (lambda logits, ids: entropy(logits[:, 1:], ids[:, :-1]), "the other way"),
            (lambda logits, ids: entropy(logits[:, :-1], ids[:, 1:], "sum"), "a mean is asked for"),
            (lambda logits, ids: entropy(logits, ids.roll(-1, 1)), "in a circle"),
            (lambda logits, ids: -entropy(logits[:, :-1], ids[:, 1:]), "log p itself"),
            (lambda logits, ids: logits, "A number is asked for"),
        ],
    ),
    "3.2.2-b": (
        [lambda loss, n, n_characters: loss / math.log(2) * n / n_characters],
        [
            (lambda loss, n, n_characters: loss * n / n_characters, "nats per character"),
            (lambda loss, n, n_characters: loss * math.log(2) * n / n_characters, "or less"),
            (lambda loss, n, n_characters: loss / math.log(2), "bits per token"),
            (lambda loss, n, n_characters: loss / math.log(2) / n_characters, "together"),
            (lambda loss, n, n_characters: loss / math.log(2) * n_characters / n, "several characters"),
            (lambda loss, n, n_characters: 2 * loss, "Too"),
        ],
    ),
    "3.2.2-c": (
        [4 * 4 * (768 + 384 + 960 + 960)],
        [
            (4 * (768 + 384 + 960 + 960), "one block"),
            (4 * 12 * 192**2, "leaves as they are"),
            (16 * 2 * 4 * 192, "their shapes"),
            (4 * 4 * (192 + 192 + 192 + 768), "A alone"),
            (3, "Too small, by more"),
        ],
    ),
    "3.2.3-a": (
        [sum(range(50, 70))],
        [
            (69, "with a cache"),
            (70, "with a cache"),
            (1000, "as long as the question"),
            (sum(range(51, 71)), "about to choose"),
            (sum(range(51, 70)), "One step is missing"),
            (5000, "Too large."),
        ],
    ),
    "3.2.3-b": (
        [replies],
        [
            (lambda ids, is_reply: torch.where(is_reply, ids, -100)[:-1], "nothing is moved"),
            (lambda ids, is_reply: ids[1:], "Every token counts"),
            (lambda ids, is_reply: replies(ids, ~is_reply), "wrong side"),
            (lambda ids, is_reply: torch.where(is_reply[:-1], ids[1:], -100), "go together"),
            (lambda ids, is_reply: replies(ids, is_reply, 0), "Zero is a token"),
            (lambda ids, is_reply: torch.where(is_reply, ids, -100), "as many targets as tokens"),
            (lambda ids, is_reply: ids[is_reply], "The shape is"),
        ],
    ),
}
