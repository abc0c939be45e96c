"""The sampler against transformers' logits processors, and its properties on any logits."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LogitsProcessorList
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from dlcompare.sampling import AS_IS, GREEDY, Sampler

LOGITS = st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=30)
SAMPLERS = st.builds(
    Sampler,
    temperature=st.floats(0.05, 5),
    top_k=st.none() | st.integers(1, 40),
    top_p=st.none() | st.floats(0.001, 1),
    min_p=st.none() | st.floats(0, 1),
    repetition_penalty=st.floats(0.5, 2),
)


@given(LOGITS, SAMPLERS, st.lists(st.integers(0, 1), max_size=4))
def test_probabilities_sum_to_one_and_keep_the_most_probable(logits, sampler, text):
    values = torch.tensor([logits])
    p = sampler.probabilities(values, torch.tensor([text], dtype=torch.long))
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    assert (p >= 0).all()
    if not text:
        assert p[0, values.argmax()] == p.max() > 0


@given(LOGITS, SAMPLERS, st.integers(0, 2**31))
@settings(max_examples=50)
def test_only_what_has_a_probability_is_chosen_and_the_same_seed_chooses_the_same(logits, sampler, seed):
    values = torch.tensor([logits])
    chosen = [sampler.choose(values, generator=torch.Generator().manual_seed(seed)) for _ in range(2)]
    assert torch.equal(*chosen)
    assert sampler.probabilities(values)[0, chosen[0]] > 0


@pytest.mark.parametrize(
    ("sampler", "warpers"),
    [
        (Sampler(temperature=0.7), [TemperatureLogitsWarper(0.7)]),
        (Sampler(top_k=5), [TopKLogitsWarper(5)]),
        (Sampler(top_p=0.6), [TopPLogitsWarper(0.6)]),
        (Sampler(min_p=0.2), [MinPLogitsWarper(0.2)]),
        (Sampler(repetition_penalty=1.7), [RepetitionPenaltyLogitsProcessor(1.7)]),
        (
            Sampler(temperature=1.3, top_k=9, top_p=0.8, min_p=0.1, repetition_penalty=1.2),
            [
                RepetitionPenaltyLogitsProcessor(1.2),
                TemperatureLogitsWarper(1.3),
                TopKLogitsWarper(9),
                TopPLogitsWarper(0.8),
                MinPLogitsWarper(0.1),
            ],
        ),
    ],
)
def test_it_equals_transformers(sampler, warpers):
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        logits = 3 * torch.randn(4, 23, generator=generator)
        text = torch.randint(23, (4, 6), generator=generator)
        expected = LogitsProcessorList(warpers)(text, logits.clone()).softmax(-1)
        torch.testing.assert_close(sampler.probabilities(logits, text), expected, rtol=0, atol=1e-6)


def test_temperature_top_k_top_p_and_min_p_by_hand():
    p = torch.tensor([0.5, 0.3, 0.15, 0.05])
    logits = p.log()
    assert torch.allclose(AS_IS.probabilities(logits), p)
    assert torch.allclose(Sampler(temperature=0.5).probabilities(logits), p**2 / (p**2).sum())
    assert torch.allclose(Sampler(top_k=2).probabilities(logits), torch.tensor([0.625, 0.375, 0, 0]))
    assert torch.allclose(Sampler(top_p=0.79).probabilities(logits), torch.tensor([0.625, 0.375, 0, 0]))
    assert torch.allclose(Sampler(top_p=0.81).probabilities(logits), torch.tensor([0.5, 0.3, 0.15, 0]) / 0.95)
    assert torch.allclose(Sampler(top_p=1.0).probabilities(logits), p)
    assert torch.allclose(Sampler(min_p=0.5).probabilities(logits), torch.tensor([0.625, 0.375, 0, 0]))
    assert GREEDY.probabilities(logits).tolist() == [1, 0, 0, 0]


def test_a_penalty_can_turn_the_greedy_choice():
    logits, text = torch.tensor([[2.0, 1.9, -1.0]]), torch.tensor([[0, 2]])
    assert GREEDY.choose(logits, text) == 0
    penalised = Sampler(greedy=True, repetition_penalty=1.5)
    assert penalised.choose(logits, text) == 1
    assert penalised.probabilities(logits, text).tolist() == [[0, 1, 0]]


def test_drawn_tokens_follow_the_probabilities():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().expand(20_000, 4)
    sampler = Sampler(temperature=1.5, top_k=3)
    drawn = sampler.choose(logits, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.bincount(minlength=4) / 20_000, sampler.probabilities(logits[0]), atol=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0.0}, r"temperature is 0\.0; allowed is > 0"),
        ({"temperature": -1.0}, r"temperature is -1\.0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": float("inf")}, "temperature is inf"),
        ({"top_k": 0}, "top_k is 0; allowed are integers of at least 1"),
        ({"top_k": 2.5}, r"top_k is 2\.5"),
        ({"top_p": 0.0}, r"top_p is 0\.0; allowed is 0 < top_p ≤ 1"),
        ({"top_p": 1.1}, r"top_p is 1\.1"),
        ({"min_p": -0.1}, r"min_p is -0\.1; allowed is 0 ≤ min_p ≤ 1"),
        ({"repetition_penalty": 0.0}, r"repetition_penalty is 0\.0; allowed is > 0"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Sampler(**arguments)
