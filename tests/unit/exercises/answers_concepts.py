"""Answers to the exercises of part 2: right ones, and wrong ones with a piece of what is said of them."""

import math

import torch


def _top(logits, k):
    return logits.masked_fill(logits < logits.topk(k).values[-1], -math.inf)


ANSWERS = {
    "2.1-a": (
        [((3 * 32 * 32 + 1) * 128, (3 * 9 + 1) * 32), torch.tensor([393_344, 896])],
        [
            ((3 * 32 * 32 * 128, 3 * 9 * 32), "each neuron and each kernel"),
            (((32 * 32 + 1) * 128, (9 + 1) * 32), "three numbers"),
            ((393_344, 896 * 32 * 32), "1 of 2 numbers are not"),
            (393_344, "The shape is ()"),
        ],
    ),
    "2.1-b": (
        [lambda Q, K, V: (Q @ K.T / math.sqrt(K.shape[1])).softmax(1) @ V],
        [
            (lambda Q, K, V: (Q @ K.T).softmax(1) @ V, "not divided"),
            (lambda Q, K, V: (Q @ K.T / math.sqrt(K.shape[1])).softmax(0) @ V, "Each query's"),
            (lambda Q, K, V: (Q @ K.T / math.sqrt(V.shape[1])).softmax(1) @ V, "Tried with example 2"),
            (lambda Q, K, V: (Q @ K.T / math.sqrt(K.shape[1])) @ V, "numbers are not"),
        ],
    ),
    "2.2-a": (
        [1, 1.0, torch.tensor(1.0)],
        [
            (2, "per token"),
            (6, "the whole text"),
            (math.log(2), "nats"),
            (1 / 64, "the text's probability"),
            (3, "Too large"),
        ],
    ),
    "2.2-b": (
        [
            lambda logits, temperature, top_k: _top(logits / temperature, top_k).softmax(-1),
            lambda logits, temperature, top_k: (_top(logits, top_k) / temperature).softmax(-1),
        ],
        [
            (lambda logits, temperature, top_k: (logits / temperature).softmax(-1), "more than `top_k`"),
            (
                lambda logits, temperature, top_k: (
                    (logits / temperature).softmax(-1).where(logits >= logits.topk(top_k).values[-1], 0)
                ),
                "no longer sum to 1",
            ),
            (lambda logits, temperature, top_k: _top(logits * temperature, top_k).softmax(-1), "the other way"),
            (lambda logits, temperature, top_k: _top(logits, top_k).softmax(-1), "leaves the"),
            (lambda logits, temperature, top_k: _top(logits, top_k).softmax(-1) / temperature, "numbers are not"),
        ],
    ),
}
