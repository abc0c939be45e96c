import pytest

from dlcompare.comparison import Metric, Record, contradictions, table, wilson

ACCURACY = Metric("accuracy", "share", higher_is_better=True)
ERROR = Metric("error", "°C", higher_is_better=False)


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


def test_a_sample_of_the_test_part_is_not_exact():
    def prompted(share, asked, **more):
        told = {"seeded": False, "asked_of_test": asked}
        return Record(
            f"prompted {share}", "digits", "prompted", "none", 0, configuration=told, test=more or {"accuracy": share}
        )

    others = records("accuracy", good=[0.90, 0.91, 0.92], fixed=[0.6])
    for asked, rank in ((200, 2), (10, 1)):
        rows = table([*others, prompted(0.7, asked)], "digits", "parameters", ACCURACY)
        (row,) = [row for row in rows if row.family == "prompted"]
        assert (row.value.low, row.value.high) == wilson(0.7, asked)
        assert (row.rank, row.asked, row.value.n) == (rank, asked, 1)
        (exact,) = [row for row in rows if row.family == "fixed"]
        assert (exact.value.low, exact.asked) == (0.6, None)
        assert ("prompted" in exact.better) is (asked == 200)
    (row,) = table([prompted(0.7, 200, error=3.0)], "digits", "parameters", ERROR)
    assert (row.value.low, row.asked) == (3.0, None)  # no share: nothing is known of its spread


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
