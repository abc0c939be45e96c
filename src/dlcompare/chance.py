"""Chance that can be repeated: the numbers that an explorable draws, the same with a kernel and in a page.

Both need the same draws from the same seed, and a step that is undone must be drawn again as it was. PyTorch's and
NumPy's generators have no counterpart in a browser; this one needs operations on 32-bit integers only, and
``js/src/shared/chance.js`` is its twin: the same seed or state gives the same numbers, bit by bit.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

__all__ = ["Chance", "State"]

#: The four words of 32 bits, each from 0 to 2³² − 1, that determine all further draws.
State = tuple[int, int, int, int]

WORD = 2**32 - 1
DOUBLE_WORD = 2**64 - 1
#: The largest integer up to which JavaScript's numbers hold every one.
LARGEST_SEED = 2**53 - 1


class Chance:
    """A sequence of random numbers that a seed determines.

    The generator is xoshiro128** 1.1 (Blackman & Vigna 2021), whose period is 2¹²⁸ − 1. As its authors advise, the seed
    is spread over the state by SplitMix64 (Steele et al. 2014): two numbers of 64 bits, the low half of each first.
    Different seeds give different states.

    It is meant for explorables, not for secrets: whoever sees a few draws can work out the rest.

    Parameters
    ----------
    seed
        an integer from 0 to 2⁵³ − 1.

    Raises
    ------
    ValueError
        for any other seed.
    """

    def __init__(self, seed: int):
        try:
            number = -1 if isinstance(seed, bool) else operator.index(seed)
        except TypeError:
            number = -1
        if not 0 <= number <= LARGEST_SEED:
            raise ValueError(f"seed is {seed!r}; allowed are the integers from 0 to {LARGEST_SEED}")
        first, second = _splitmix64(number)
        self._state: State = (first & WORD, first >> 32, second & WORD, second >> 32)

    @property
    def state(self) -> State:
        """The four words of 32 bits that determine all further draws; set them to go on from there.

        Raises
        ------
        ValueError
            when what is set is not four integers from 0 to 2³² − 1, or all are 0: the generator could never leave that.
        """
        return self._state

    @state.setter
    def state(self, words: Sequence[int]) -> None:
        try:
            a, b, c, d = map(operator.index, words)
        except (TypeError, ValueError):
            a = b = c = d = -1
        if not all(0 <= word <= WORD for word in (a, b, c, d)) or not a | b | c | d:
            raise ValueError(f"state is {words!r}; allowed are four integers from 0 to {WORD}, not all of them 0")
        self._state = (a, b, c, d)

    def uint32(self) -> int:
        """Draw an integer from 0 to 2³² − 1, each as probable as the others."""
        a, b, c, d = self._state
        c ^= a
        d ^= b
        self._state = (a ^ d, b ^ c, c ^ (b << 9 & WORD), (d << 11 | d >> 21) & WORD)
        b = b * 5 & WORD
        return (b << 7 | b >> 25) * 9 & WORD

    def uniform(self) -> float:
        """Draw a number at least 0 and below 1: one of the 2⁵³ multiples of 2⁻⁵³ there, each as probable as the others.

        It takes two draws: the upper 27 bits of the first, then the upper 26 of the second.
        """
        high, low = self.uint32() >> 5, self.uint32() >> 6
        return (high * 2**26 + low) / 2**53

    def permutation(self, n: int) -> list[int]:
        """Draw an order of the integers from 0 to n - 1, each as probable as the others, with n - 1 uniform numbers.

        It is the shuffle of Fisher and Yates, as Durstenfeld (1964) has it: from the last place to the second, each
        is exchanged with one of those up to it.

        Raises
        ------
        ValueError
            when ``n`` is no integer of at least 0.
        """
        if not isinstance(n, int) or isinstance(n, bool) or n < 0:
            raise ValueError(f"n is {n!r}; allowed are integers of at least 0")
        order = list(range(n))
        for last in range(n - 1, 0, -1):
            chosen = int(self.uniform() * (last + 1))
            order[last], order[chosen] = order[chosen], order[last]
        return order


def _splitmix64(state: int) -> list[int]:
    """Return the first two numbers of SplitMix64."""
    numbers = []
    for _ in range(2):
        state = state + 0x9E3779B97F4A7C15 & DOUBLE_WORD
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & DOUBLE_WORD
        z = (z ^ z >> 27) * 0x94D049BB133111EB & DOUBLE_WORD
        numbers.append(z ^ z >> 31)
    return numbers
