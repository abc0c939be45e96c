"""The three series out of records: what belongs to each, means over seeds, and the frontier of compute."""

from __future__ import annotations

import dataclasses
import math
import random
import statistics

import pytest

from dlcompare.comparison import Record, ScalingPoint, ScalingRun, frontier, series
from dlcompare.comparison.scaling import ALL_CHARACTERS, SCALED, SERIES, beaten
from dlcompare.comparison.scaling_runs import CHARACTERS, PARAMETERS, SCALING

from .made_up import AMOUNTS, SIZES, STEPS, USUAL, record, records


def test_each_series_has_what_varies_and_nothing_else() -> None:
    made = series(records())
    assert list(made) == list(SERIES)
    sizes = made["parameters"]
    assert [(p.family, p.parameters) for p in sizes] == [(family, n) for family in SCALED for n in SIZES[family]]
    assert {(p.characters, p.steps) for p in sizes} == {(ALL_CHARACTERS, USUAL)}
    amounts = made["data"]
    assert [(p.family, p.characters) for p in amounts] == [
        (family, n) for family in SCALED for n in (*AMOUNTS, ALL_CHARACTERS)
    ]
    assert {p.parameters for p in amounts} == {SIZES[family][3] for family in SCALED}
    assert {p.steps for p in amounts} == {USUAL}
    assert {p.characters for p in made["compute"]} == {ALL_CHARACTERS}
    assert len({p.steps for p in made["compute"]}) > 1
    for name, points in made.items():
        for family in SCALED:
            along = [p.along(name) for p in points if p.family == family]
            assert along == sorted(along)


def test_the_order_of_the_records_does_not_matter() -> None:
    shuffled = records()
    random.Random(3).shuffle(shuffled)
    assert series(shuffled) == series(records())


def test_a_point_is_the_mean_of_its_seeds() -> None:
    of = [
        record for record in records() if (record.family, record.parameters, record.task) == ("gpt", 10_265, "scaling")
    ]
    (point,) = [p for p in series(records())["parameters"] if p.parameters == 10_265]
    assert [run.seed for run in point.runs] == [0, 1]
    assert point.bits == statistics.fmean(one.test["bits_per_character"] for one in of)
    assert point.nats == pytest.approx(point.bits * math.log(2))
    assert (point.flops, point.tokens) == (of[0].flops, of[0].tokens)


def test_the_frontier_is_what_nothing_cheaper_beats() -> None:
    chance = random.Random(5)
    points = [
        ScalingPoint(
            "gpt", 1, ALL_CHARACTERS, i, 1, chance.randrange(1, 12), (ScalingRun(0, chance.random(), 0.0, 0.1),)
        )
        for i in range(40)
    ]
    best = frontier(points)
    for point in points:
        cheaper = [one for one in points if one.flops <= point.flops and one is not point]
        assert (point in best) == all(one.bits > point.bits for one in cheaper)
    assert frontier([]) == []


def test_what_is_off_the_frontier_is_told_apart() -> None:
    made = series(records())["compute"]
    off = beaten(records())
    assert len(made) + len(off) == 2 * len(SIZES["gpt"]) * len(STEPS)
    for point in off:
        assert any(one.family == point.family and one.flops <= point.flops and one.bits <= point.bits for one in made)


def test_errors_other_families_and_other_tasks_are_left_out() -> None:
    others = [
        Record("a", "scaling", "gpt", "parameters", 0, error="no"),
        Record("b", "scaling", "mlp", "parameters", 0),
        Record("c", "shakespeare", "gpt", "parameters", 0),
        Record("d", "scalingup", "gpt", "parameters", 0),
    ]
    assert series([*others, *records()]) == series(records())
    assert series([]) == {name: [] for name in SERIES}


def test_a_later_try_counts() -> None:
    made = records()
    worse = dataclasses.replace(made[0], test={"bits_per_character": 9.0, "loss": 6.0})
    found = series([worse, *made])
    assert found == series(made)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flops": None}, "lacks parameters, flops, tokens or learning_rate"),
        ({"learning_rate": None}, "lacks parameters, flops, tokens or learning_rate"),
        ({"test": {"loss": 1.0}}, "lacks bits_per_character on the test part"),
    ],
)
def test_a_record_without_its_numbers_is_named(changes: dict[str, object], message: str) -> None:
    broken = dataclasses.replace(record("gpt", 3_000, ALL_CHARACTERS, USUAL, 0, 2.0), **changes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"the record gpt 3000 .* {message}"):
        series([broken])


def test_a_point_knows_what_it_is_drawn_against() -> None:
    point = ScalingPoint("gpt", 1, 2, 3, 4, 5, ())
    assert [point.along(name) for name in SERIES] == [1, 2, 5]
    with pytest.raises(ValueError, match="over is 'time'; allowed are 'parameters', 'data', 'compute'"):
        point.along("time")


def test_the_runs_that_are_measured_make_all_three_series() -> None:
    made = []
    for job in SCALING.jobs():
        steps, parameters = job.task.settings["steps"], job.budget.parameters
        assert parameters
        made.append(
            Record(
                job.key,
                job.task.name,
                job.family.name,
                job.budget.name,
                job.seed,
                configuration={"task": dict(job.task.settings)},
                learning_rate=0.01,
                parameters=parameters,
                flops=parameters * steps,
                steps=steps,
                tokens=steps,
                test={"bits_per_character": 3 - 1e-9 * parameters * steps, "loss": 2.0},
            )
        )
    found = series(made)
    for family in SCALED:
        along = {name: [p.along(name) for p in points if p.family == family] for name, points in found.items()}
        assert along["parameters"] == sorted(PARAMETERS)
        assert along["data"] == [*CHARACTERS, ALL_CHARACTERS]
        assert len(along["compute"]) > len(PARAMETERS)
    assert {len(p.runs) for points in found.values() for p in points} == {3}
