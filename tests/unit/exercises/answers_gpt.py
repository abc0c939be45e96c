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
}
