"""The power law as a graph: against numpy, scikit-learn, closed forms, and laws that are known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from dlcompare.comparison.intervals import student_t
from dlcompare.graphs import power_law
from dlcompare.graphs.scaling import FEWEST, GRID, MOST


def asked(x: Tensor, loss: Tensor, keep: Tensor | None = None, reference: float = 0.076) -> dict[str, Tensor]:
    grid = torch.logspace(math.log10(x.min()), math.log10(x.max()) + 1, GRID)
    keep = torch.ones_like(x) if keep is None else keep
    return power_law()(x=x, loss=loss, keep=keep, grid=grid, reference=torch.tensor(reference))


def drawn(n: int, seed: int, alpha: float = 0.1, noise: float = 0.02) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.logspace(3.5, 6, n)
    return x, torch.exp(1.5 - alpha * x.log() + noise * torch.randn(n, generator=generator))


@pytest.mark.parametrize("n", [3, 5, 20])
def test_slope_error_and_residuals_are_numpys(n: int) -> None:
    x, loss = drawn(n, n)
    fit = asked(x, loss)
    u, v = np.log(x.double().numpy()), np.log(loss.double().numpy())
    (slope, intercept), residual, *_ = np.polyfit(u, v, 1, full=True)
    assert fit["alpha"].item() == pytest.approx(-slope, rel=1e-5)
    assert fit["intercept"].item() == pytest.approx(intercept, rel=1e-5)
    assert fit["deviation"].item() == pytest.approx(math.sqrt(residual[0] / (n - 2)), rel=1e-4)
    np.testing.assert_allclose(fit["residuals"].numpy(), v - slope * u - intercept, atol=1e-6)
    np.testing.assert_allclose(fit["apart"].numpy(), 100 * (np.exp(v - slope * u - intercept) - 1), atol=1e-4)
    if n > 3:
        _, covariance = np.polyfit(u, v, 1, cov=True)
        assert fit["error"].item() == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-4)
    half = student_t(0.95, n - 2) * fit["error"].item()
    assert fit["alpha_low"].item() == pytest.approx(-slope - half, rel=1e-4, abs=1e-6)
    assert fit["alpha_high"].item() == pytest.approx(-slope + half, rel=1e-4, abs=1e-6)
    assert fit["tenfold"].item() == pytest.approx(10**slope, rel=1e-5)


def test_lines_and_bands_are_those_of_the_textbook() -> None:
    from sklearn.linear_model import LinearRegression

    x, loss = drawn(7, 1)
    fit = asked(x, loss)
    grid = np.logspace(math.log10(x.min()), math.log10(x.max()) + 1, GRID)
    u, v, places = np.log(x.double().numpy())[:, None], np.log(loss.double().numpy()), np.log(grid)[:, None]
    line = LinearRegression().fit(u, v)
    np.testing.assert_allclose(fit["line"].numpy(), np.exp(line.predict(places)), rtol=1e-5)
    # The variance of a prediction by the design matrix: s² x (XᵀX)⁻¹ xᵀ.
    design, wanted = (np.hstack([np.ones_like(one), one]) for one in (u, places))
    s2 = np.square(v - line.predict(u)).sum() / 5
    variance = s2 * np.einsum("ij,jk,ik->i", wanted, np.linalg.inv(design.T @ design), wanted)
    t = student_t(0.95, 5)
    for name, spread in (("line", variance), ("new", variance + s2)):
        half = t * np.sqrt(spread)
        np.testing.assert_allclose(fit[f"{name}_low"].numpy(), np.exp(line.predict(places) - half), rtol=1e-5)
        np.testing.assert_allclose(fit[f"{name}_high"].numpy(), np.exp(line.predict(places) + half), rtol=1e-5)
    np.testing.assert_allclose(fit["point_line"].numpy(), np.exp(line.predict(u)), rtol=1e-5)


def test_what_is_left_out_is_not_seen_by_the_fit_but_foreseen_by_it() -> None:
    x, loss = drawn(8, 2)
    keep = torch.tensor([1.0, 0, 1, 1, 0, 1, 1, 0])
    some, alone = asked(x, loss, keep), asked(x[keep > 0], loss[keep > 0])
    for name in ("alpha", "error", "alpha_low", "alpha_high", "intercept", "deviation", "tenfold"):
        torch.testing.assert_close(some[name], alone[name])
    for name in ("point_line", "point_new_low", "point_new_high", "residuals", "apart"):
        torch.testing.assert_close(some[name][keep > 0], alone[name])
    other = loss.clone()
    other[keep == 0] *= 7
    torch.testing.assert_close(asked(x, other, keep)["point_line"], some["point_line"])


def test_the_intervals_hold_what_they_are_to_hold_as_often_as_they_say() -> None:
    held = new = 0
    law = power_law()
    generator, x = torch.Generator().manual_seed(0), torch.logspace(3.5, 6, 6)
    grid, keep = torch.logspace(4, 7, GRID), torch.ones(6)
    for _ in range(1000):
        loss = torch.exp(1.5 - 0.1 * x.log() + 0.02 * torch.randn(6, generator=generator))
        fit = law(x=x, loss=loss, keep=keep, grid=grid, reference=torch.tensor(0.1))
        held += int(fit["alpha_low"] <= 0.1 <= fit["alpha_high"])
        seen = torch.exp(1.5 - 0.1 * grid[-1].log() + 0.02 * torch.randn((), generator=generator))
        new += int(fit["new_low"][-1] <= seen <= fit["new_high"][-1])
    # Binomial: 95 % of 1,000, and three and a half standard deviations.
    assert abs(held - 950) < 25
    assert abs(new - 950) < 25


def test_an_exponent_does_not_depend_on_the_units() -> None:
    x, loss = drawn(6, 4)
    bits, nats = asked(x, loss), asked(x / 1000, loss * math.log(2))
    for name in ("alpha", "error", "tenfold"):
        torch.testing.assert_close(bits[name], nats[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_too_few_points_give_no_numbers_at_all(kept: int) -> None:
    x, loss = drawn(5, 6)
    fit = asked(x, loss, (torch.arange(5) < kept).float())
    for name, value in fit.items():
        assert value.isnan().all() != (name == "reference_line"), name
    assert not asked(x, loss, (torch.arange(5) < FEWEST).float())["alpha"].isnan()


def test_all_in_one_place_have_no_slope() -> None:
    fit = asked(torch.full((4,), 1000.0), torch.tensor([2.0, 2.1, 1.9, 2.0]))
    assert fit["alpha"].item() == pytest.approx(0, abs=1e-6)


def test_the_other_exponent_goes_through_the_first_point() -> None:
    x, loss = drawn(5, 7)
    keep = torch.tensor([0.0, 1, 1, 1, 1])
    line = asked(x, loss, keep, reference=0.3)["reference_line"]
    grid = torch.logspace(math.log10(x.min()), math.log10(x.max()) + 1, GRID)
    torch.testing.assert_close(line, loss[0] * (grid / x[0]) ** -0.3, rtol=1e-4, atol=1e-6)


def test_there_are_quantiles_for_many_points() -> None:
    x, loss = drawn(MOST, 8)
    fit = asked(x, loss)
    half = (fit["alpha_high"] - fit["alpha"]) / fit["error"]
    assert half.item() == pytest.approx(student_t(0.95, MOST - 2), rel=1e-4)
    x, loss = drawn(MOST + 9, 8)
    fit = asked(x, loss)
    half = (fit["alpha_high"] - fit["alpha"]) / fit["error"]
    assert half.item() == pytest.approx(student_t(0.95, MOST - 2), rel=1e-4)
