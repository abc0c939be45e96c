"""The scaling curve: its points, its words, the law it finds in records that follow one, and what it refuses."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from dlcompare.comparison import Record, series
from dlcompare.comparison.scaling import REFERENCES, SERIES
from dlcompare.graphs.scaling import GRID
from dlcompare.widgets import ScalingCurve
from tests.unit.comparison.made_up import ALPHA, BETA, SIZES, records


@pytest.fixture
def widget() -> ScalingCurve:
    return ScalingCurve(records())


def test_it_shows_the_series(widget: ScalingCurve) -> None:
    made = series(records())
    assert widget.overs == list(SERIES)
    for over in SERIES:
        told = [point for point in widget.points if point["over"] == over]
        assert [point["bits"] for point in told] == [point.bits for point in made[over]]
        assert [point["x"] for point in told] == [point.along(over) for point in made[over]]
        assert [len(point["seeds"]) for point in told] == [2] * len(told)
        grid = widget.grids[over]
        assert len(grid) == GRID
        assert grid[0] < min(point["x"] for point in told)
        assert grid[-1] == pytest.approx(10 * max(point["x"] for point in told))
    assert widget.references == REFERENCES
    assert widget.point == 4, "the largest of the first family"
    assert len(widget.others["compute"]) == 8
    assert widget.others["data"] == []


def test_the_known_exponents_lie_within_the_intervals(widget: ScalingCurve) -> None:
    for over, known in (("parameters", ALPHA), ("data", BETA)):
        widget.over = over
        assert list(widget.fits) == ["gpt", "lstm"]
        for fit in widget.fits.values():
            assert fit["alpha_low"] < known < fit["alpha_high"]
            assert fit["alpha_high"] - fit["alpha_low"] < 0.02


def test_a_point_left_out_is_foreseen(widget: ScalingCurve) -> None:
    widget.left_out = [4, 9]
    for family, fit in widget.fits.items():
        (measured,) = [p.bits for p in series(records())["parameters"] if p.parameters == SIZES[family][4]]
        assert fit["point_new_low"][4] < measured < fit["point_new_high"][4]
    rows = widget.table().rows
    assert [row[-1] for row in rows] == [*["counts"] * 4, "left out"] * 2
    assert rows[4][:4] == ["GPT", "301,121", "4,552,577", "1,000"]
    widget.over = "data"
    assert {row[-1] for row in widget.table().rows} == {"counts"}, "each series has its own"


def test_with_too_few_points_there_is_no_line(widget: ScalingCurve) -> None:
    widget.left_out = [0, 1, 2]
    assert "GPT: fewer than 3 points count" in widget.alternative_text()
    assert "LSTM: α = 0.12" in widget.alternative_text()
    assert [row[6:8] for row in widget.table().rows[:5]] == [["–", "–"]] * 5
    widget.figure()


@pytest.mark.parametrize("over", SERIES)
@pytest.mark.parametrize("scale", ["log", "linear"])
def test_the_figure_has_every_point_and_the_axes_that_were_chosen(over: str, scale: str) -> None:
    widget = ScalingCurve(records(), over=over, scale=scale, left_out=[4])
    (axes,) = widget.figure().axes
    assert (axes.get_xscale(), axes.get_yscale()) == (scale, scale)
    marks = [(x, y) for line in axes.lines if line.get_markersize() == 6.5 for x, y in line.get_xydata().tolist()]
    there = [widget.points[i] for of in widget.shown().values() for i in of]
    assert marks == [(point["x"], pytest.approx(point["bits"])) for point in there]
    (low, high), (left, right) = axes.get_ylim(), axes.get_xlim()
    assert all(low < point["bits"] < high and left < point["x"] < right for point in there)
    assert f"against {'operations' if over == 'compute' else ''}" in widget.alternative_text()


def test_the_chosen_point_goes_with_what_is_shown(widget: ScalingCurve) -> None:
    widget.family = "lstm"
    assert widget.point == 9
    widget.over = "compute"
    assert widget.points[widget.point]["over"] == "compute"
    assert widget.points[widget.point]["family"] == "lstm"
    chosen = widget.point
    widget.family = "both"
    assert widget.point == chosen, "what is still shown stays chosen"


def test_the_first_picture_asks_what_the_front_end_asks(widget: ScalingCurve) -> None:
    widget.left_out = [3]
    questions = widget.questions()
    assert [name for name, _ in questions] == ["power-law", "power-law"]
    first = questions[0][1]
    assert first["keep"].tolist() == [1, 1, 1, 0, 1]
    assert first["x"].tolist() == [float(n) for n in SIZES["gpt"]]
    assert first["reference"].item() == pytest.approx(0.076)
    torch.testing.assert_close(first["grid"], torch.tensor(widget.grids["parameters"]))


def test_series_that_are_not_whole_are_not_offered() -> None:
    some = [one for one in records() if one.task == "scaling" or one.family == "gpt"]
    assert ScalingCurve(some).overs == ["parameters", "compute"]
    alone = ScalingCurve([one for one in records() if one.family == "lstm"])
    assert (alone.choices, alone.family, alone.overs) == (["lstm"], "lstm", list(SERIES))
    with pytest.raises(ValueError, match="family is 'gpt'; allowed are 'lstm'"):
        ScalingCurve([one for one in records() if one.family == "lstm"], family="gpt")
    with pytest.raises(ValueError, match="records has 1 entries, of which no series can be made"):
        ScalingCurve([Record("a", "digits", "gpt", "parameters", 0)])


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"over": "time"}, "over is 'time'; allowed are 'parameters', 'data', 'compute'"),
        ({"family": "mlp"}, "family is 'mlp'; allowed are 'both', 'gpt', 'lstm'"),
        ({"scale": None}, "scale is None; allowed are 'log', 'linear'"),
        ({"left_out": 3}, "left_out is 3; allowed is a list of whole numbers from 0 to 5"),
        ({"left_out": [99]}, "an entry of left_out is 99; allowed is a whole number from 0 to 5"),
        ({"left_out": [True]}, "an entry of left_out is True"),
        ({"point": 99}, "point is 99; allowed is a whole number from 0 to 5"),
        ({"point": 12}, "point is 12; allowed are those of 'parameters' and 'both', 0, 1, 2"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScalingCurve(records(), **traits)


def test_a_seed_more_changes_the_mean_alone() -> None:
    made = records()
    more = [dataclasses.replace(one, key=f"{one.key} more", seed=2) for one in made if one.seed == 0]
    widget = ScalingCurve([*made, *more])
    assert len(widget.points) == len(ScalingCurve(made).points)
    assert {len(point["seeds"]) for point in widget.points} == {3}
