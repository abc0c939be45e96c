"""Made-up points: the same everywhere, balanced, of the shapes that their names say."""

from __future__ import annotations

import math

import pytest
import torch

from dlcompare import data


@pytest.mark.parametrize("name", data.PLANE_SETS)
def test_the_same_arguments_give_the_same_points_whatever_torchs_generator_does(name: str) -> None:
    torch.manual_seed(1)
    first = data.make_points(name, 100, seed=3)
    torch.rand(5)
    again, other = data.make_points(name, 100, seed=3), data.make_points(name, 100, seed=4)
    assert torch.equal(first.points, again.points)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.points, other.points)
    assert first.points.dtype == torch.float32
    assert first.labels.dtype == torch.int64
    # A smaller sample is the beginning of a larger one.
    assert torch.equal(data.make_points(name, 10, seed=3).points, first.points[:10])


@pytest.mark.parametrize("name", data.PLANE_SETS)
def test_classes_are_balanced_and_points_lie_where_they_can_be_seen(name: str) -> None:
    points = data.make_points(name, 2001, seed=5)
    assert points.labels.bincount().tolist() == [1001, 1000]
    assert points.points.abs().max() < 1.25
    assert points.points.abs().max() > 0.8
    assert points.points.mean(0).abs().max() < 0.1


def test_each_set_has_the_shape_that_its_name_says() -> None:
    sets = {name: data.make_points(name, 4000, seed=6) for name in data.PLANE_SETS}
    a, b = ({name: s.points[s.labels == label] for name, s in sets.items()} for label in (0, 1))
    noise = data.PLANE_SETS

    inner, outer = b["circles"].norm(dim=1), a["circles"].norm(dim=1)
    assert inner.quantile(0.99) < outer.quantile(0.01)
    assert outer.mean().item() == pytest.approx(0.8, abs=0.01)
    # Two clouds: their means apart, each as wide as its noise.
    torch.testing.assert_close(b["blobs"].mean(0) - a["blobs"].mean(0), torch.tensor([0.9, 0.9]), rtol=0, atol=0.03)
    assert a["blobs"].std(0).mean().item() == pytest.approx(noise["blobs"], rel=0.05)
    # Opposite quadrants have the same class; noise moves a few points across.
    for points, sign in ((a["squares"], 1), (b["squares"], -1)):
        assert (points.prod(1).sign() == sign).float().mean() > 0.99
        assert 0.45 < (points[:, 0] > 0).float().mean() < 0.55
    # The moons' tips reach into each other's opening.
    assert a["moons"][:, 0].max() > b["moons"][:, 0].min() + 0.5
    assert a["moons"][:, 1].mean() > b["moons"][:, 1].mean() + 0.3
    # Turned by half, one arm of the spirals lies on the other.
    nearest = torch.cdist(-a["spirals"], b["spirals"]).min(1).values
    assert nearest.max() < 8 * noise["spirals"]
    angles = torch.atan2(a["spirals"][:, 1], a["spirals"][:, 0])
    for quarter in range(4):
        start = -math.pi + quarter * math.pi / 2
        assert ((angles >= start) & (angles < start + math.pi / 2)).float().mean() > 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("iris", 10, 0), "^name is 'iris'; allowed are 'blobs', 'moons', 'circles', 'squares', 'spirals'$"),
        (("moons", 0, 0), "^n is 0; allowed are integers of at least 1$"),
        (("moons", 10, -1), "^seed is -1; allowed"),
    ],
)
def test_what_is_not_allowed_is_named(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        data.make_points(*arguments)


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match=r"points has the shape \(3, 3\); it must be \(n, 2\)"):
        data.Points(torch.zeros(3, 3), torch.zeros(3))
    with pytest.raises(ValueError, match=r"labels has the shape \(2,\); for 3 points it must be \(3,\)"):
        data.Points(torch.zeros(3, 2), torch.zeros(2))
    assert len(data.Points(torch.zeros(3, 2), torch.zeros(3))) == 3
