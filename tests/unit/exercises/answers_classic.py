"""Answers to the exercises of 3.1: right ones, and wrong ones with a piece of what is said of them."""

import math

import torch
from torch.nn import functional as F


def softmax(logits, over=-1, shift=-1):
    """A softmax over a dimension; ``shift`` is the dimension of the largest logit, or None for no shift at all."""
    if shift is not None:
        logits = logits - (logits.max() if shift == "all" else logits.amax(shift, keepdim=True))
    return logits.exp() / logits.exp().sum(over, keepdim=True)


def field(windows, own=False):
    """The receptive field; ``own``: a layer's stride widens its own window, too."""
    size, jump = 1, 1
    for kernel, stride in windows:
        size += (kernel - 1) * jump * (stride if own else 1)
        jump *= stride
    return size


def kernel_gradient(x, g):
    return F.conv2d(x[None, None], g[None, None])[0, 0]


def gru_step(x, h, W, U, b, c, mistake=None):
    W_r, W_z, W_n = (x @ W.T + b).chunk(3, -1)
    U_r, U_z, U_n = (h @ U.T + c).chunk(3, -1)
    r, z, c_n = torch.sigmoid(W_r + U_r), torch.sigmoid(W_z + U_z), c.chunk(3)[2]
    n = torch.tanh(W_n + r * U_n)
    if mistake == "reset":
        n = torch.tanh(W_n + (r * h) @ U.chunk(3)[2].T + c_n)
    if mistake == "biases":
        n = torch.tanh(W_n + c_n + r * (h @ U.chunk(3)[2].T))
    return z * n + (1 - z) * h if mistake == "exchanged" else z * h + (1 - z) * n


ANSWERS = {
    "3.1.1-a": (
        [785 * 300 + 301 * 100 + 101 * 10, torch.tensor(266_610)],
        [
            (784 * 300 + 300 * 100 + 100 * 10, "These are the weights"),
            (785 * 300 * 101 * 10, "by more than ten times"),
            ("many", "str"),
        ],
    ),
    "3.1.1-b": (
        [softmax, lambda logits: logits.softmax(1)],
        [
            (lambda logits: softmax(logits, shift=None), "overflow"),
            (lambda logits: softmax(logits, shift="all"), "overflow"),
            (lambda logits: softmax(logits, 0, 0), "columns add up to 1"),
            (lambda logits: logits / logits.sum(-1, keepdim=True), "numbers are not"),
            (lambda logits: logits.softmax(-1).T, "rows and columns are exchanged"),
        ],
    ),
    "3.1.1-c": (
        [lambda d: 8 * d**2 + 5 * d],
        [
            (lambda d: 8 * d * d, "weights alone"),
            (lambda d: 2 * d * d + 2 * d, "as wide as the input"),
            (lambda d: 8 * d**2 + 2 * d, "Too small"),
        ],
    ),
    "3.1.2-a": (
        [64 * (784 + 128 + 10)],
        [(784 + 128 + 10, "a batch has 64"), (101_770, "These are the parameters"), (64 * 784, "Too small.")],
    ),
    "3.1.2-b": (
        [lambda upstream, y: upstream * y * (1 - y)],
        [
            (lambda upstream, y: upstream * (1 - y**2), "numbers are not"),
            (lambda upstream, y: y * (1 - y), "numbers are not"),
            (lambda upstream, y: -upstream * y * (1 - y), "sign"),
        ],
    ),
    "3.1.3a-a": (
        [64 * (32 * 9 + 1)],
        [
            (64 * 32 * 9, "besides its weights"),
            (64 * (9 + 1), "square of weights for each"),
            ((32 * 14 * 14 + 1) * 64 * 14 * 14, "More than a convolution needs"),
            (32 * (64 * 9 + 1), "Too small"),
        ],
    ),
    "3.1.3a-b": (
        [(2, 1), [2, 1]],
        [
            ((2, 0), "13 × 13 pixels"),
            ((1, 1), "28 × 28 pixels"),
            ((3, 7), "nothing but padding"),
            ((0, 1), "at least 1"),
            ((2, -1), "at least 0"),
            (2, "A pair"),
            ((2.0, 1), "whole numbers"),
        ],
    ),
    "3.1.3a-d": (
        [field],
        [
            (lambda windows: 1 + sum(kernel - 1 for kernel, _ in windows), "the stride of no layer"),
            (lambda windows: field(windows, own=True), "own stride widened"),
            (lambda windows: sum(kernel for kernel, _ in windows), "Too small"),
        ],
    ),
    "3.1.3a-e": (
        [kernel_gradient],
        [
            (lambda x, g: kernel_gradient(x, g) / g.numel(), "mean over the places"),
            (lambda x, g: kernel_gradient(x, g).flip(0, 1), "half a turn"),
            (lambda x, g: kernel_gradient(x, g.T), "numbers are not"),
            (lambda x, g: x, "The shape is (5, 5)"),
        ],
    ),
    "3.1.3b-a": (
        [3 * (20 * 10 + 20 * 20 + 2 * 20)],
        [
            (3 * (20 * 10 + 20 * 20 + 20), "PyTorch keeps two"),
            (20 * 10 + 20 * 20 + 2 * 20, "an RNN"),
            (4 * (20 * 10 + 20 * 20 + 2 * 20), "an LSTM"),
            (3 * (20 * 10 + 20 * 20), "Too small"),
        ],
    ),
    "3.1.3b-b": (
        [gru_step],
        [
            (lambda *arguments: gru_step(*arguments, mistake="exchanged"), "Old and new are exchanged"),
            (lambda *arguments: gru_step(*arguments, mistake="reset"), "before the matrix"),
            (lambda *arguments: gru_step(*arguments, mistake="biases"), "inside of what"),
            (lambda x, h, W, U, b, c: gru_step(x, h, W, U, c, b), "numbers are not"),
            (lambda x, h, W, U, b, c: (x @ W.T + b).tanh(), "The shape is (1, 9)"),
        ],
    ),
    "3.1.3b-c": (
        [lambda steps: -math.log(2 ** (1 / steps) - 1)],
        [
            (lambda steps: 0.5 ** (1 / steps), "the gate's opening"),
            (lambda steps: -math.log(math.e ** (1 / steps) - 1), "36.8% of the cell is left after 2 steps"),
            (lambda steps: 4, "after 2 steps"),
            (lambda steps: "open", "of the type str"),
            (lambda steps: math.inf, "inf"),
        ],
    ),
}
