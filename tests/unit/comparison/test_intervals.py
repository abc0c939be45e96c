"""The intervals, held against textbooks and scipy."""

import math

import pytest
from scipy.stats import binomtest

from dlcompare.comparison import Interval, interval, student_t, wilson

#: The table that stands in every textbook: two-sided 95 %, and 99 % in the last two.
STUDENT = [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042), (120, 1.980)]


@pytest.mark.parametrize(("degrees", "t"), STUDENT)
def test_t_is_that_of_the_textbooks(degrees, t):
    assert student_t(0.95, degrees) == pytest.approx(t, abs=6e-4)


def test_t_of_other_confidences():
    assert student_t(0.5, 1) == pytest.approx(1.0)  # a Cauchy distribution's quartile
    assert student_t(0.99, 5) == pytest.approx(4.032, abs=6e-4)
    for confidence, degrees in ((0, 1), (1, 1), (0.9, 0)):
        with pytest.raises(ValueError, match="allowed"):
            student_t(confidence, degrees)


def test_an_interval_is_its_equation():
    found = interval([1.0, 2.0, 4.0])
    half = 4.302653 * math.sqrt(7 / 3) / math.sqrt(3)  # t of 2 degrees, the deviation, the root of n
    assert found == Interval(pytest.approx(7 / 3), pytest.approx(7 / 3 - half), pytest.approx(7 / 3 + half), 3)
    assert interval([0.5], fixed=True) == Interval(0.5, 0.5, 0.5, 1)
    assert interval([0.5]) == Interval(0.5, -math.inf, math.inf, 1)
    assert interval([1.0, 2.0], confidence=0.5).high == pytest.approx(2.0)
    with pytest.raises(ValueError, match="values is empty"):
        interval([])


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (142, 200), (93, 200), (200, 200), (965, 1000)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_a_sampled_share_has_wilsons_interval(right, n, confidence):
    theirs = binomtest(right, n).proportion_ci(confidence, method="wilson")
    assert wilson(right / n, n, confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilsons_interval_refuses_what_is_no_share():
    for wrong in ((1.1, 10), (-0.1, 10), (0.5, 0), (0.5, 10, 1)):
        with pytest.raises(ValueError, match="allowed"):
            wilson(*wrong)
