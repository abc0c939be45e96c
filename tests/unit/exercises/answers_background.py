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
}
