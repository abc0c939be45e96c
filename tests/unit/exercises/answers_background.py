"""Answers to the exercises of part 1: right ones, and wrong ones with a piece of what is said of them."""

import math

import torch

ANSWERS: dict[str, tuple[list, list]] = {
    "1.1-a": (
        [(784 + 1) * 64 + 11 * (64 + 1) * 64 + (64 + 1) * 10],
        [
            (784 * 64 + 11 * 64 * 64 + 64 * 10, "a bias as well"),
            ((784 + 1) * 64 + 12 * (64 + 1) * 64 + (64 + 1) * 10, "between twelve layers"),
            (784 * 64 + 10 * 64 * 64 + 64 * 10, "between twelve layers"),
            (100_000, "Too large."),
            ("96,650", "of the type str"),
        ],
    ),
    "1.1-b": (
        [[1, 1, -2, -0.5], torch.tensor([3.0, 3.0, -5.5, -1.0]), (2, 2, -4, -1)],
        [
            ([1, 1, -2, 0.5], "Wrong at (0, 0), (1, 1)."),
            ([1, 1, -1, 0], "Wrong at (1, 1)."),
            ([1, 1, 0, -1], "Wrong at (0, 1), (1, 0), (1, 1)."),
            ([1, 1, -2, -1], "exactly 0 there"),
            ([-1, -1, 2, 0.5], "exactly where it should say 0"),
            ([1, 1, -0.5], "The shape is (3,); asked for is (4,)"),
            ([1, 1, math.nan, -0.5], "NaN"),
            ("1, 1, -2, -0.5", "of the type str"),
        ],
    ),
    "1.2-a": (
        [(50_257 + 256) * 384 + 6 * (12 * 384**2 + 13 * 384) + 2 * 384],
        [
            (12 * 6 * 384**2, "matrices of the blocks"),
            ((2 * 50_257 + 256) * 384 + 6 * (12 * 384**2 + 13 * 384) + 2 * 384, "no matrix of its own"),
            (50_257 * 384 + 6 * (12 * 384**2 + 13 * 384) + 2 * 384, "positions"),
            ((50_257 + 256) * 384 + 6 * (12 * 384**2 + 13 * 384), "one more norm"),
            ((50_257 + 256) * 384 + 6 * 12 * 384**2 + 2 * 384, "biases and two norms"),
            (30e6, "Too small."),
        ],
    ),
    "1.2-b": (
        [5467, 5470.0],
        [
            (math.sqrt(175e8 / 48 / 12), "leave room"),
            (math.sqrt(175e9 / 48 / 12), "ten times"),
            (1600, "Too small."),
        ],
    ),
    "1.2-d": (
        [174_604_259_328 / (2 * 96 * 12_288), 74_000],
        [
            (174_604_259_328 / (4 * 96 * 12_288), "Half of it."),
            (174_604_259_328 / (96 * 12_288), "Twice of it."),
            (174_604_259_328 / (2 * 12_288), "for one layer"),
            (2048, "Too small, by more than ten times."),
        ],
    ),
    "1.3-a": (
        [14 * 14],
        [
            (28 * 28, "first convolution"),
            (7 * 7, "before its own pooling"),
            (14 * 14 * 16 * 8 * 9, "How many fall to one weight?"),
            (1, "Too small, by more than ten times."),
        ],
    ),
    "1.3-b": (
        [64 * 64],
        [
            (64, "Each has a vector."),
            (108_992, "double the whole model"),
            (108_992 + 64 * 64, "how many more"),
        ],
    ),
}
