"""A character n-gram model with interpolated Witten-Bell smoothing: the baseline that a network has to beat.

Shannon (1951) measured English this way. The smoothing is Witten & Bell's (1991), method C: after a context h that
was seen n(h) times and followed by t(h) different characters,

    p(c | h) = (n(h c) + t(h) · p(c | h without its first character)) / (n(h) + t(h)).
"""

from __future__ import annotations

import math
from collections import Counter

__all__ = ["NGram"]


class NGram:
    """Predict a character from the ``order - 1`` characters before it.

    Parameters
    ----------
    order
        length of the longest sequence that is counted, ≥ 1.

    Raises
    ------
    ValueError
        when ``order`` is less than 1.
    """

    def __init__(self, order: int):
        if order < 1:
            raise ValueError(f"order is {order}; allowed are integers of at least 1")
        self.order = order
        self._followers: list[dict[str, tuple[int, int]]] = []  # by context length: context -> (n(h), t(h))
        self._counts: list[Counter[str]] = []  # by context length: context + character -> n(h c)
        self._vocabulary = 0

    def fit(self, text: str) -> NGram:
        """Count every sequence of up to ``order`` characters of ``text``; returns the model itself.

        Raises
        ------
        ValueError
            when ``text`` is empty.
        """
        if not text:
            raise ValueError("text is empty; there is nothing to count")
        self._vocabulary = len(set(text))
        for length in range(1, self.order + 1):
            counts = Counter(text[i : i + length] for i in range(len(text) - length + 1))
            followers: dict[str, tuple[int, int]] = {}
            for sequence, n in counts.items():
                total, types = followers.get(sequence[:-1], (0, 0))
                followers[sequence[:-1]] = (total + n, types + 1)
            self._counts.append(counts)
            self._followers.append(followers)
        return self

    def probability(self, character: str, context: str) -> float:
        """Return p(character | context); only the last ``order - 1`` characters of ``context`` count.

        Below the shortest context stands a uniform distribution over the characters of the training text and one
        more for all that it never contained, so that no probability is 0.
        """
        p = 1 / (self._vocabulary + 1)
        for length in range(min(self.order - 1, len(context)) + 1):
            seen = context[len(context) - length :]
            found = self._followers[length].get(seen)
            if found is None:
                break  # a longer context cannot have been seen either
            total, types = found
            p = (self._counts[length][seen + character] + types * p) / (total + types)
        return p

    def bits_per_character(self, text: str) -> float:
        """Return the mean of -log2 p over the whole ``text``, each character predicted from those before it."""
        width = self.order - 1
        bits = sum(
            -math.log2(self.probability(character, text[max(0, i - width) : i])) for i, character in enumerate(text)
        )
        return bits / len(text)
