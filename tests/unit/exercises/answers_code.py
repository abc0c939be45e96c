"""Answers to the exercises of part 4: right ones, and wrong ones with a piece of what is said of them."""

import torch

ANSWERS = {
    "4.1.1-a": (
        [64 * 11 * 11],
        [
            (64 * 12 * 12, "whole number of rows"),
            (64 * 11.25**2, "whole number of rows"),
            (11 * 11, "how many maps"),
            (64 * 45 * 45, "without any pooling"),
            (64 * 6 * 6, "Too small."),
        ],
    ),
    "4.1.1-b": (
        [[36, 72, 108, 144], range(36, 145, 36), torch.tensor([144, 36, 72, 108])],
        [
            ([36, 64, 72, 108, 144], "64 is among them"),
            ([36, 144], "some are missing"),
            ([0, 36, 72, 108, 144], "from 1 to 144"),
            (36, "of the type int"),
        ],
    ),
    "4.1.2-a": (
        [64 * 68 + 64 * 64 + 2 * 64 + 14 * 64 + 14],
        [
            (64 * 68 + 64 * 64 + 64 + 14 * 64 + 14, "how many biases"),
            (64 * 68 + 64 * 64 + 14 * 64, "without biases"),
            (64 * 68 + 64 * 64 + 2 * 64, "what turns it into languages"),
            (64 * 64, "Too small."),
        ],
    ),
    "4.1.2-c": (
        [
            lambda outputs, lengths: outputs[torch.arange(len(outputs)), lengths - 1],
            lambda outputs, lengths: torch.stack([o[n - 1] for o, n in zip(outputs, lengths.tolist(), strict=True)]),
        ],
        [
            (lambda outputs, lengths: outputs[:, -1], "end of the tensor"),
            (lambda outputs, lengths: outputs[torch.arange(len(outputs)), lengths], "one step too late"),
            (lambda outputs, lengths: outputs[:, lengths - 1], "shape"),
        ],
    ),
    "4.2.1-a": (
        [354_823_168],
        [
            (354_823_168 + 50257 * 1024, "shares its weights"),
            (354_823_168 - 1024 * 1024, "Each place"),
            (354_823_168 - 2 * 1024, "after the last block"),
            (354_823_168 - (50257 + 1024) * 1024, "blocks alone"),
            (124_439_808, "Too small."),
        ],
    ),
    "4.2.1-b": (
        [lambda seq: torch.ones(seq, seq, dtype=torch.bool).triu(1)],
        [
            (lambda seq: torch.ones(seq, seq, dtype=torch.bool).tril(), "the other way round"),
            (lambda seq: torch.ones(seq, seq, dtype=torch.bool).tril(-1), "the past"),
            (lambda seq: torch.ones(seq, seq, dtype=torch.bool).triu(), "itself"),
            (lambda seq: torch.ones(seq, seq).triu(1), "float32"),
            (lambda seq: torch.zeros(seq, seq, dtype=torch.bool), "numbers are not"),
        ],
    ),
}
