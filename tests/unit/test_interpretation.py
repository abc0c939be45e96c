"""The logit lens, linear probes and rank correlation, against what they must agree with."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from dlcompare.interpretation import LinearProbe, logit_lens, rank_correlation, residual_stream
from dlcompare.models import GPT, GPTConfig

IDS = torch.tensor([[0, 1, 2, 3], [4, 3, 2, 1]])


def gpt() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=5, block_size=6, n_layer=3, n_head=2, d_model=8)).eval()


def test_the_lens_on_the_last_layer_is_the_model():
    model = gpt()
    stream = residual_stream(model, IDS)
    assert stream.shape == (4, 2, 4, 8)
    torch.testing.assert_close(logit_lens(model, stream[-1]), model(IDS).detach())
    assert not stream.requires_grad


def test_the_lens_on_an_earlier_layer_is_a_model_without_the_later_blocks():
    model = gpt()
    stream = residual_stream(model, IDS)
    torch.testing.assert_close(
        stream[0], (model.token_embedding(IDS) + model.position_embedding(torch.arange(4))).detach()
    )
    shorter = gpt()
    shorter.blocks = shorter.blocks[:1]
    torch.testing.assert_close(logit_lens(model, stream[1]), shorter(IDS).detach())


def test_what_does_not_fit_the_model_is_refused():
    model = gpt()
    with pytest.raises(ValueError, match="contains 7; allowed are 0 to 4"):
        residual_stream(model, torch.tensor([[7]]))
    with pytest.raises(ValueError, match=r"stream has shape \(2, 3\); allowed is \(…, 8\)"):
        logit_lens(model, torch.zeros(2, 3))


def test_a_probe_finds_a_direction_and_is_a_logistic_regression():
    torch.manual_seed(1)
    x = torch.randn(400, 6, dtype=torch.float64) * torch.tensor([1, 2, 3, 1, 1, 1]) + 5
    truth = x @ torch.tensor([1.0, -1, 0, 0, 0, 0], dtype=torch.float64) + torch.randn(400, dtype=torch.float64) > 1
    probe = LinearProbe.fit(x, truth, penalty=1e-3)
    assert probe.balanced_accuracy(x, truth) > 0.85
    scaled = ((x - x.mean(0)) / x.std(0)).numpy()
    # The penalty counts once for the mean of the examples; scikit-learn has C for their sum.
    theirs = LogisticRegression(C=1 / (2 * 1e-3 * 400), class_weight="balanced", tol=1e-8).fit(scaled, truth.numpy())
    assert probe.evidence(x).numpy() == pytest.approx(theirs.decision_function(scaled), abs=1e-3)


def test_a_rare_answer_counts_as_much_as_a_frequent_one():
    x = torch.tensor([[0.0], [0], [0], [0], [0], [0], [0], [0], [0], [1]])
    truth = x[:, 0] > 0
    probe = LinearProbe.fit(x, truth, penalty=1e-2)
    assert probe.evidence(torch.tensor([[0.5]])).item() == pytest.approx(0, abs=0.05)
    assert probe.balanced_accuracy(x, truth) == 1
    assert LinearProbe(torch.zeros(1), torch.tensor(-1.0)).balanced_accuracy(x, truth) == 0.5


@pytest.mark.parametrize(
    ("x", "truth", "penalty", "message"),
    [
        (torch.zeros(3), torch.tensor([True, False, True]), 0, r"x has shape \(3,\)"),
        (torch.zeros(3, 1), torch.tensor([True, False]), 0, r"truth \(2,\)"),
        (torch.zeros(2, 1), torch.tensor([1, 0]), 0, "torch.int64"),
        (torch.zeros(2, 1), torch.tensor([True, False]), -1, "penalty is -1"),
        (torch.zeros(2, 1), torch.tensor([True, True]), 0, "a share of 1.0; allowed are both answers"),
    ],
)
def test_a_probe_refuses_what_it_cannot_learn_from(x, truth, penalty, message):
    with pytest.raises(ValueError, match=message):
        LinearProbe.fit(x, truth, penalty)


def test_accuracy_of_one_answer_alone_is_refused():
    with pytest.raises(ValueError, match="one of the two answers alone"):
        LinearProbe(torch.zeros(1), torch.tensor(0.0)).balanced_accuracy(torch.zeros(2, 1), torch.tensor([True, True]))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=20))
@settings(deadline=None)
def test_rank_correlation_is_spearmans(pairs):
    a, b = (torch.tensor(values, dtype=torch.float32) for values in zip(*pairs, strict=True))
    if len(set(a.tolist())) == 1 or len(set(b.tolist())) == 1:
        with pytest.raises(ValueError, match="equal numbers alone"):
            rank_correlation(a, b)
    else:
        assert rank_correlation(a, b) == pytest.approx(spearmanr(a.numpy(), b.numpy()).statistic, abs=1e-9)


def test_lists_of_different_lengths_have_no_rank_correlation():
    with pytest.raises(ValueError, match=r"a has shape \(2,\), b \(3,\)"):
        rank_correlation(torch.zeros(2), torch.zeros(3))
