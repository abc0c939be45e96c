"""Answers to the exercises of part 2: right ones, and wrong ones with a piece of what is said of them."""

import math

import torch

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
}
