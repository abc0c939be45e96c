import math

import pytest

from dlcompare.comparison import Interval, Metric, Record, contradictions, interval, table
from dlcompare.comparison.tables import student_t

ACCURACY = Metric("accuracy", "share", higher_is_better=True)
ERROR = Metric("error", "°C", higher_is_better=False)

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


def records(name, **families):
    return [
        Record(
            f"{family} {seed} {name}",
            "digits",
            family,
            "none" if family == "fixed" else "parameters",
            seed,
            parameters=10 * seed,
            examples=100 * seed,
            cpu_seconds=2.5 * seed,
            configuration={"seeded": family != "fixed"},
            test={name: value},
        )
        for family, values in families.items()
        for seed, value in enumerate(values)
    ]


MEASURED = {"poor": [0.50, 0.51, 0.52], "good": [0.90, 0.91, 0.92], "alike": [0.91, 0.92, 0.93], "fixed": [0.6]}


def test_what_overlaps_is_tied():
    rows = table(records("accuracy", **MEASURED), "digits", "parameters", ACCURACY)
    assert [(row.family, row.rank) for row in rows] == [("alike", 1), ("good", 1), ("fixed", 3), ("poor", 4)]
    assert rows[0].value.mean == pytest.approx(0.92)
    assert rows[0].parameters == 10
    assert rows[0].peak_memory is None
    assert [row.better for row in rows] == [(), (), ("alike", "good"), ("alike", "good", "fixed")]
    assert [record.seed for record in rows[3].records] == [0, 1, 2]
    assert rows[3].examples == pytest.approx((0 + 100 + 200) / 3)
    assert rows[3].cpu_seconds == pytest.approx(2.5 * 1)
    rows = table(records("error", **MEASURED), "digits", "parameters", ERROR)
    assert [(row.family, row.rank) for row in rows] == [("poor", 1), ("fixed", 2), ("good", 3), ("alike", 3)]


def test_a_single_run_is_surely_nothing():
    rows = table(records("accuracy", one=[0.1], **MEASURED), "digits", "parameters", ACCURACY)
    assert {row.family: row.rank for row in rows}["one"] == 1


def test_errors_other_tasks_and_earlier_tries_are_left_out():
    right = records("accuracy", good=[0.9, 0.8])
    others = [
        Record(right[0].key, "digits", "good", "parameters", 0, test={"accuracy": 0.0}),
        Record("a", "digits", "failed", "parameters", 0, error="no"),
        Record("b", "surnames", "other", "parameters", 0, test={"accuracy": 0.0}),
        Record("c", "digits", "timed", "time", 0, test={"accuracy": 0.0}),
    ]
    (row,) = table([*others, *right], "digits", "parameters", ACCURACY)
    assert (row.family, row.value.n, row.value.mean) == ("good", 2, pytest.approx(0.85))
    with pytest.raises(ValueError, match="metric is 'error'; the record good 0 accuracy of 'good' has accuracy"):
        table(right, "digits", "parameters", ERROR)


def test_a_contradiction_is_one_where_both_are_sure():
    def ranking(**families):
        return table(records("accuracy", **families), "digits", "parameters", ACCURACY)

    first = ranking(a=[0.9, 0.91], b=[0.5, 0.51], c=[0.7, 0.9])
    assert contradictions(first, ranking(a=[0.5, 0.51], b=[0.9, 0.91], d=[0.1, 0.1]), ACCURACY) == [("a", "b")]
    assert contradictions(first, ranking(a=[0.5, 0.9], b=[0.6, 0.91]), ACCURACY) == []
    assert contradictions(first, first, ACCURACY) == []
