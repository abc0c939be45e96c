import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.generation import generate, generate_text, next_token_probabilities
from dlcompare.models import GPT, GPTConfig, RecurrentLM, RecurrentLMConfig
from dlcompare.tokenization import CharTokenizer

LOGITS = st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=30)


def gpt() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=5, block_size=6, n_layer=1, n_head=1, d_model=8)).eval()


def lstm() -> RecurrentLM:
    torch.manual_seed(0)
    return RecurrentLM(RecurrentLMConfig("lstm", vocab_size=5, d_model=8)).eval()


@given(LOGITS, st.floats(0.05, 5), st.none() | st.integers(1, 40), st.none() | st.floats(0.01, 1))
@settings(deadline=None)
def test_probabilities_sum_to_one_and_keep_the_most_probable(logits, temperature, top_k, top_p):
    p = next_token_probabilities(torch.tensor(logits), temperature=temperature, top_k=top_k, top_p=top_p)
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    assert (p >= 0).all()
    assert p[torch.tensor(logits).argmax()] == p.max() > 0


def test_temperature_top_k_and_top_p_by_hand():
    p = torch.tensor([0.5, 0.3, 0.15, 0.05])
    logits = p.log()
    assert torch.allclose(next_token_probabilities(logits), p)
    assert torch.allclose(next_token_probabilities(logits, temperature=0.5), p**2 / (p**2).sum())
    assert torch.allclose(next_token_probabilities(logits, top_k=2), torch.tensor([0.625, 0.375, 0, 0]))
    assert torch.allclose(next_token_probabilities(logits, top_p=0.79), torch.tensor([0.625, 0.375, 0, 0]))
    assert torch.allclose(next_token_probabilities(logits, top_p=0.81), torch.tensor([0.5, 0.3, 0.15, 0]) / 0.95)
    assert torch.allclose(next_token_probabilities(logits, top_p=1.0), p)


@pytest.mark.parametrize("make", [gpt, lstm])
def test_greedy_generation_takes_the_most_probable_token_each_time(make):
    model = make()
    ids = torch.tensor([[1, 2], [3, 4]])
    generated = generate(model, ids, 4, greedy=True)
    for t in range(2, 6):
        assert torch.equal(generated[:, t], model(generated[:, :t])[:, -1].argmax(-1))


@pytest.mark.parametrize("make", [gpt, lstm])
def test_same_seed_same_tokens_and_another_seed_others(make):
    def run(seed: int) -> list[int]:
        generator = torch.Generator().manual_seed(seed)
        return generate(make(), torch.tensor([[1]]), 30, generator=generator)[0].tolist()

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_past_the_block_size_the_window_slides():
    model = gpt()
    ids = torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2]])
    assert generate(model, ids, 1, greedy=True)[0, -1] == model(ids[:, -6:])[0, -1].argmax()


def test_generation_stops_when_every_row_has_met_a_stop_token():
    model = lstm()
    ids = torch.tensor([[1], [2], [4]])
    generator = torch.Generator().manual_seed(0)
    new = generate(model, ids, 400, generator=generator, stop={3})[:, 1:]
    first = [row.index(3) for row in new.tolist()]  # each row has met it
    assert new.shape[1] == max(first) + 1 < 400


def test_drawn_tokens_follow_the_probabilities():
    model = gpt()
    ids = torch.tensor([[1, 2]]).expand(20_000, 2)
    drawn = generate(model, ids, 1, temperature=0.02, generator=torch.Generator().manual_seed(0))[:, -1]
    expected = next_token_probabilities(model(ids[:1])[0, -1], temperature=0.02)
    assert expected.max() < 0.95
    assert torch.allclose(drawn.bincount(minlength=5) / 20_000, expected, atol=0.02)


def test_text_starts_with_its_prompt():
    tokenizer = CharTokenizer("abcde")
    text = generate_text(gpt(), tokenizer, "abc", 10, seed=4)
    assert text.startswith("abc")
    assert len(text) == 13
    assert text == generate_text(gpt(), tokenizer, "abc", 10, seed=4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0.0}, "temperature is 0.0; allowed is > 0"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0; allowed are integers of at least 1"),
        ({"top_p": 0.0}, "top_p is 0.0; allowed is 0 < top_p ≤ 1"),
        ({"top_p": 1.1}, "top_p is 1.1"),
        ({"max_new_tokens": -1}, "max_new_tokens is -1"),
        ({"ids": torch.zeros(1, 0, dtype=torch.long)}, r"ids has shape \(1, 0\)"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        generate(gpt(), **{"ids": torch.tensor([[1]]), "max_new_tokens": 2, **arguments})


def test_an_empty_prompt_is_named():
    with pytest.raises(ValueError, match="prompt is empty"):
        generate_text(gpt(), CharTokenizer("abcde"), "", 3)
