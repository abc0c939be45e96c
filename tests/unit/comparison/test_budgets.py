import math
import re

import pytest
import torch
from torch import nn

from dlcompare.comparison import BUDGETS, Budget, BudgetError, Search
from dlcompare.comparison.budgets import flops_per_step, matched_width, steps_within
from dlcompare.models import MLP, GPTConfig, MLPConfig
from dlcompare.models.gpt import GPT
from dlcompare.training import causal_lm_loss, classification_loss, n_parameters, plan


def mlp(width):
    return MLP(MLPConfig((10, width, 3)))


@pytest.mark.parametrize("target", [40, 1_000, 14_000, 1_000_000])
def test_the_width_has_the_nearest_number_of_parameters(target):
    widths = range(1, 100_000)
    width = matched_width(mlp, widths, target, 0.2)
    distance = abs(n_parameters(mlp(width)) - target)
    assert distance <= 0.05 * target or target == 40
    for other in (width - 1, width + 1):
        if other in widths:
            assert distance <= abs(n_parameters(mlp(other)) - target)


def test_no_network_of_the_search_takes_memory():
    built = []

    def build(width):
        built.append(mlp(width))
        return built[-1]

    matched_width(build, range(1, 1000), 5000)
    assert all(p.is_meta for model in built for p in model.parameters())
    assert len(built) < 15


@pytest.mark.parametrize(
    ("widths", "target", "message"),
    [
        ((1, 2, 3), 1000, "parameters is 1,000 ± 5%; the nearest are 45 at width 3"),
        ((100, 200), 500, "the nearest are 1,403 at width 100"),
        ((10, 20), 200, "the nearest are 143 at width 10 and 283 at width 20"),
    ],
)
def test_what_cannot_be_matched_is_refused(widths, target, message):
    with pytest.raises(BudgetError, match=re.escape(message)):
        matched_width(mlp, widths, target)


def test_operations_are_three_forward_passes_and_near_what_torch_counts():
    gpt = GPT(GPTConfig(20, 16, 2, 2, 16))
    ids = torch.zeros(4, 16, dtype=torch.int64)
    ours = flops_per_step(gpt, causal_lm_loss, [(ids, ids)])
    theirs = plan(gpt, causal_lm_loss, (ids, ids), lambda _: [], steps=1).flops_per_step
    assert ours == pytest.approx(theirs, rel=0.01)
    short = ids[:, :8]
    assert flops_per_step(gpt, causal_lm_loss, [(ids, ids), (short, short)]) < ours
    by_hand = 3 * 2 * 5 * (10 * 7 + 7 * 3)
    batch = (torch.zeros(5, 10), torch.zeros(5, dtype=torch.int64))
    assert flops_per_step(mlp(7), classification_loss, [batch]) == by_hand


def test_a_layer_without_a_formula_is_counted_by_torch():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(10, 3))

        def forward(self, x):
            return x @ self.weight

    batch = (torch.zeros(5, 10), torch.zeros(5, dtype=torch.int64))
    assert flops_per_step(Own(), classification_loss, [batch]) == 2 * (2 * 5 * 10 * 3)  # forward, and to the weights


def test_steps_fit_or_are_refused():
    assert steps_within(100, 3, "seconds", most=50) == 33
    assert steps_within(1e12, 1, "operations", most=50) == 50
    assert steps_within(1, 0, "seconds", most=7_000) == 7_000
    with pytest.raises(BudgetError, match="30 seconds allow 15 steps of 2 seconds each; at least 20 are needed"):
        steps_within(30, 2, "seconds", most=50)


def test_bad_budgets_are_named():
    with pytest.raises(ValueError, match="parameters is 0; allowed is > 0"):
        Budget("b", "b", parameters=0)
    with pytest.raises(ValueError, match="flops is 1e\\+06 and seconds is 2; allowed is one"):
        Budget("b", "b", 1, flops=1e6, seconds=2)
    assert len({str(budget.identity) for budget in BUDGETS.values()}) == len(BUDGETS) == 3


GRID = (0.01, 0.03, 0.1, 0.3, 1.0)


@pytest.mark.parametrize(
    ("best_at", "asked", "edge"),
    [
        (0.1, [0.03, 0.1, 0.3], False),
        (0.3, [0.03, 0.1, 0.3, 1.0], False),  # beyond the highest that was tried, another
        (0.01, [0.03, 0.1, 0.3, 0.01], True),  # and below the lowest, until there is none
    ],
)
def test_the_rate_with_the_lowest_validation_loss_is_chosen(best_at, asked, edge):
    tried = []

    def trained(rate):
        tried.append(rate)
        if rate > 0.5:
            raise FloatingPointError("too high")
        return f"model at {rate}", abs(rate - best_at)

    rate, model, told = Search(GRID, seed=3).best(trained)
    assert (rate, model) == (best_at, f"model at {best_at}")
    assert tried == asked
    assert told["tried"] == sorted(asked)
    assert told["validation"] == [None if r > 0.5 else pytest.approx(abs(r - best_at)) for r in sorted(asked)]
    assert (told["seed"], told["at_the_edge"], told["grid"]) == (3, edge, list(GRID))


def test_where_all_rates_are_too_high_lower_ones_are_tried():
    def trained(rate):
        return rate, math.nan if rate > 0.02 else 5.0

    rate, _, told = Search(GRID).best(trained)
    assert (rate, told["tried"], told["validation"]) == (0.01, [0.01, 0.03, 0.1, 0.3], [5.0, None, None, None])
    assert not Search((0.3,)).best(lambda rate: (rate, 1.0))[2]["at_the_edge"]


@pytest.mark.parametrize(("lower", "asked"), [(0, [0.03, 0.1, 0.3]), (1, [0.01, 0.03, 0.1]), (9, [0.01, 0.03, 0.1])])
def test_a_search_may_begin_lower(lower, asked):
    tried = []

    def trained(rate):
        tried.append(rate)
        return rate, abs(rate - asked[1])

    rate, _, told = Search(GRID, lower=lower).best(trained)
    assert (rate, tried) == (asked[1], asked)
    assert ("lower" in told) is (lower > 0), "the keys of records that know nothing of it stay"
    with pytest.raises(ValueError, match="lower is -1"):
        Search(GRID, lower=-1)


def test_a_search_without_an_answer_says_so():
    def diverging(rate):
        raise FloatingPointError

    with pytest.raises(FloatingPointError, match=r"no learning rate of \(1, 2\) leads to a finite loss"):
        Search((1, 2)).best(diverging)
    for grid in ((), (0.0, 1.0), (2.0, 1.0), (1.0, 1.0)):
        with pytest.raises(ValueError, match="grid is"):
            Search(grid)
