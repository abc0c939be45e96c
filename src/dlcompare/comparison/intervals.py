"""What a figure from a few runs, or from a sample, says of all: Student's interval of a mean, Wilson's of a share."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Interval", "interval", "student_t", "wilson"]


@dataclass(frozen=True)
class Interval:
    """The mean of a figure over runs, and the interval that holds its expectation with the confidence asked for.

    Parameters
    ----------
    mean, low, high
        in the figure's unit. From a single run nothing is known of other seeds: the interval then reaches from minus to
        plus infinity.
    n
        how many runs.
    """

    mean: float
    low: float
    high: float
    n: int

    def overlaps(self, other: Interval) -> bool:
        """Return whether the two have a value in common."""
        return self.low <= other.high and other.low <= self.high


def student_t(confidence: float, degrees: int) -> float:
    """Return the t for which Student's distribution holds ``confidence`` between -t and t.

    From the distribution's closed form for whole degrees of freedom (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4), by
    bisection.

    Raises
    ------
    ValueError
        for a confidence outside 0 < confidence < 1, or less than one degree of freedom.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence!r}; allowed is 0 < confidence < 1")
    if degrees < 1:
        raise ValueError(f"degrees is {degrees}; allowed are integers of at least 1")
    low, high = 0.0, 1.0
    while _within(high, degrees) < confidence:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return high


def _within(t: float, degrees: int) -> float:
    """Return the probability of -t to t."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine, sine = math.cos(angle), math.sin(angle)
    if degrees % 2:
        total, term = 0.0, cosine
        for k in range(1, (degrees - 1) // 2 + 1):
            total += term
            term *= cosine**2 * 2 * k / (2 * k + 1)
        return 2 / math.pi * (angle + sine * total)
    total, term = 0.0, 1.0
    for k in range(1, degrees // 2 + 1):
        total += term
        term *= cosine**2 * (2 * k - 1) / (2 * k)
    return sine * total


def interval(values: Sequence[float], *, fixed: bool = False, confidence: float = 0.95) -> Interval:
    r"""Return the mean :math:`\bar x` of n values and the interval :math:`\bar x \pm t \, s / \sqrt n`.

    Parameters
    ----------
    values
        one per seed.
    fixed
        whether no seed changes the value: one value is then all there is to know.
    confidence
        of the interval, by Student's t with n - 1 degrees of freedom.

    Raises
    ------
    ValueError
        for no values.
    """
    if not values:
        raise ValueError("values is empty; at least one is needed")
    mean, n = statistics.fmean(values), len(values)
    if fixed:
        return Interval(mean, mean, mean, n)
    if n == 1:
        return Interval(mean, -math.inf, math.inf, n)
    half = student_t(confidence, n - 1) * statistics.stdev(values) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def wilson(share: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    r"""Return the ends of the interval for a share that was found in a sample of n (Wilson 1927).

    .. math::

        \frac{\hat p + \frac{z^2}{2n} \pm z \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4 n^2}}}
        {1 + \frac{z^2}{n}}

    Parameters
    ----------
    share
        :math:`\hat p`, from 0 to 1.
    n
        how many were looked at.
    confidence
        of the interval; z is the normal distribution's.

    Raises
    ------
    ValueError
        for an argument out of range.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share!r}; allowed is 0 <= share <= 1")
    if n < 1:
        raise ValueError(f"n is {n}; allowed are integers of at least 1")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence!r}; allowed is 0 < confidence < 1")
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)
