"""Generation with and without memory, against the definition and against transformers."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.generation import beam_search, generate, generate_many, generate_text, steps, trace
from dlcompare.models import GPT, GPTConfig, Llama, LlamaConfig, RecurrentLM, RecurrentLMConfig
from dlcompare.sampling import GREEDY, Sampler
from dlcompare.tokenization import CharTokenizer

from .models.test_gpt_reference import copy_weights, reference


def gpt(block_size: int = 6, **sizes) -> GPT:
    torch.manual_seed(0)
    config = {"vocab_size": 5, "n_layer": 2, "n_head": 2, "d_model": 8, **sizes}
    model = GPT(GPTConfig(block_size=block_size, **config)).eval()
    with torch.no_grad():  # far from the small first weights, with which all tokens are about as probable
        for parameter in model.parameters():
            parameter.copy_(0.4 * torch.randn_like(parameter))
    return model


def llama(block_size: int = 6) -> Llama:
    torch.manual_seed(0)
    model = Llama(LlamaConfig(5, block_size, n_layer=2, n_head=4, n_kv_head=2, d_model=16, d_hidden=12)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.4 * torch.randn_like(parameter))
    return model


def lstm() -> RecurrentLM:
    torch.manual_seed(0)
    return RecurrentLM(RecurrentLMConfig("lstm", vocab_size=5, d_model=8)).eval()


def gru() -> RecurrentLM:
    torch.manual_seed(0)
    return RecurrentLM(RecurrentLMConfig("gru", vocab_size=5, d_model=8, n_layer=2)).eval()


MODELS = pytest.mark.parametrize("make", [gpt, llama, lstm, gru])


@MODELS
def test_greedy_generation_takes_the_most_probable_token_each_time(make):
    model = make()
    ids = torch.tensor([[1, 2], [3, 4]])
    generated = generate(model, ids, 4, GREEDY)
    for t in range(2, 6):
        assert torch.equal(generated[:, t], model(generated[:, :t])[:, -1].argmax(-1))


@MODELS
def test_same_seed_same_tokens_and_another_seed_others(make):
    def run(seed: int) -> list[int]:
        return generate(make(), torch.tensor([[1]]), 30, generator=torch.Generator().manual_seed(seed))[0].tolist()

    assert run(1) == run(1)
    assert run(1) != run(2)


@given(
    st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=5), min_size=1, max_size=5),
    st.sampled_from([gpt, lambda block_size: gpt(block_size, post_norm=True), llama]),
)
@settings(deadline=None, max_examples=40)
def test_cached_logits_equal_uncached_ones_however_the_text_is_cut(pieces, make):
    """Read piece by piece up to the full context, the last layer is that of the text read at once."""
    ids = torch.tensor([[token for piece in pieces for token in piece]])
    model = make(block_size=ids.shape[1]).double()
    cache = model.new_cache(batch=1)
    read, start = [], 0
    with torch.inference_mode():
        for piece in pieces:
            read.append(model.hidden(ids[:, start : start + len(piece)], cache))
            start += len(piece)
            assert cache.length == start
        whole = model.hidden(ids)
    torch.testing.assert_close(torch.cat(read, dim=1), whole, rtol=0, atol=1e-12)


def test_the_cache_is_full_at_the_block_size():
    model = gpt(block_size=4)
    cache = model.new_cache(batch=2)
    with torch.inference_mode():
        model.hidden(torch.zeros(2, 3, dtype=torch.long), cache)
        assert cache.bytes == 2 * 2 * 2 * 3 * 8 * 4  # keys and values, layers, batch, tokens, d_model, 4 bytes
        with pytest.raises(ValueError, match="ids has 2 tokens after the 3 in the cache; allowed are at most 4 in all"):
            model.hidden(torch.zeros(2, 2, dtype=torch.long), cache)
        assert cache.length == 3  # and nothing is lost


@pytest.mark.parametrize("sampler", [GREEDY, Sampler(temperature=0.9, top_k=4, repetition_penalty=1.3)])
@pytest.mark.parametrize("make", [gpt, llama])
def test_with_and_without_a_cache_the_text_is_the_same_also_past_the_block_size(make, sampler):
    model = make().double()
    ids = torch.tensor([[0, 1, 2, 3], [4, 0, 1, 2]])
    with_cache, without = (
        generate(model, ids, 9, sampler, generator=torch.Generator().manual_seed(5), use_cache=cached)
        for cached in (True, False)
    )
    assert torch.equal(with_cache, without)
    for t in range(4, 13) if sampler is GREEDY else ():  # what slides out of the window is forgotten
        assert torch.equal(without[:, t], model(without[:, max(t - 6, 0) : t])[:, -1].argmax(-1))


def test_a_prompt_longer_than_the_block_size_is_read_from_its_end():
    model = gpt()
    ids = torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2]])
    assert generate(model, ids, 1, GREEDY)[0, -1] == model(ids[:, -6:])[0, -1].argmax()


def test_it_writes_what_transformers_writes():
    """Greedily and by beams, up to the full context, with both caches on."""
    config = GPTConfig(vocab_size=31, block_size=24, n_layer=3, n_head=4, d_model=24)
    theirs = reference(config)
    ours = GPT(config).eval()
    copy_weights(theirs, ours)
    how = {"do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    for prompt in ([[3, 1, 4]], [[1, 5, 9, 2, 6]]):
        ids = torch.tensor(prompt)
        mask = torch.ones_like(ids)
        n = 24 - ids.shape[1]
        expected = theirs.generate(ids, attention_mask=mask, max_new_tokens=n, use_cache=True, **how)
        assert torch.equal(generate(ours, ids, n, GREEDY), expected)
        for n_beam in (2, 4):
            expected = theirs.generate(ids, attention_mask=mask, max_new_tokens=8, num_beams=n_beam, **how)
            assert torch.equal(beam_search(ours, ids, 8, n_beam)[0], expected)


def test_generation_stops_when_every_row_has_met_a_stop_token():
    model = lstm()
    ids = torch.tensor([[1], [2], [4]])
    new = generate(model, ids, 400, generator=torch.Generator().manual_seed(0), stop={3})[:, 1:]
    first = [row.index(3) for row in new.tolist()]  # each row has met it
    assert new.shape[1] == max(first) + 1 < 400


@MODELS
def test_prompts_of_unequal_lengths_are_continued_as_each_would_be_alone(make):
    model = make().double()
    prompts = [[1, 2, 3, 4], [2], [0, 0, 1], [3, 1]]
    together = generate_many(model, prompts, 5, GREEDY, stop={0})
    for prompt, ids in zip(prompts, together, strict=True):
        alone = generate(model, torch.tensor([prompt]), 5, GREEDY, stop={0})[0].tolist()
        assert ids == alone


def test_with_no_room_for_new_tokens_the_prompts_come_back():
    assert generate_many(gpt(), [[1], [2, 3]], 0) == [[1], [2, 3]]
    assert generate(gpt(), torch.tensor([[1, 2]]), 0).tolist() == [[1, 2]]
    assert trace(gpt(), torch.tensor([[1, 2]]), 0).ids.tolist() == [[1, 2]]


def test_a_trace_tells_everything_that_decided_the_text():
    model = gpt().double()
    sampler = Sampler(temperature=0.8, top_k=3)
    ids = torch.tensor([[0, 1], [2, 3]])
    told = trace(model, ids, 6, sampler, generator=torch.Generator().manual_seed(1))
    assert torch.equal(told.ids, generate(model, ids, 6, sampler, generator=torch.Generator().manual_seed(1)))
    assert told.before.shape == told.after.shape == (2, 6, 5)
    assert told.cached == [2, 3, 4, 5, 6, 0]  # the seventh token slides the window, and the cache is given up
    for t in range(6):
        text = told.ids[:, : 2 + t]
        logits = model(text[:, -6:])[:, -1]
        torch.testing.assert_close(told.before[:, t], logits.softmax(-1), rtol=0, atol=1e-12)
        torch.testing.assert_close(told.after[:, t], sampler.probabilities(logits, text), rtol=0, atol=1e-12)
        chosen = told.ids[:, 2 + t]
        torch.testing.assert_close(told.probability[:, t], told.after[[0, 1], t, chosen])
    assert (told.probability > 0).all()


def test_steps_come_one_by_one():
    model = gpt()
    running = steps(model, torch.tensor([[1]]), 3, GREEDY)
    first = next(running)
    assert first.text.tolist() == [[1]]
    assert first.token == model(torch.tensor([[1]]))[0, -1].argmax()


@torch.no_grad()
def score_of(model, ids: torch.Tensor, start: int) -> float:
    log_p = model(ids[:, :-1]).log_softmax(-1)
    return log_p[0].gather(-1, ids[0, 1:, None])[start - 1 :].sum().item()


@MODELS
def test_beams_find_the_most_probable_text_when_they_are_wide_enough(make):
    """With as many beams as there are texts nothing is pruned: the search is exhaustive."""
    model = make().double()
    ids = torch.tensor([[1, 3]])
    best, score = beam_search(model, ids, 3, n_beam=125)
    assert score == pytest.approx(score_of(model, best, 2), abs=1e-9)
    every = torch.cartesian_prod(*[torch.arange(5)] * 3)
    scores = [score_of(model, torch.cat([ids, text[None]], dim=1), 2) for text in every]
    assert score == pytest.approx(max(scores), abs=1e-9)
    assert torch.equal(beam_search(model, ids, 4, n_beam=1)[0], generate(model, ids, 4, GREEDY))


def test_a_finished_beam_competes_by_its_length():
    model = gpt().double()
    ids = torch.tensor([[1]])
    stop = {int(model(ids)[0, -1].argmax())}  # the most probable first token ends the text
    short, score = beam_search(model, ids, 4, n_beam=3, stop=stop, power=0)
    assert short.shape == (1, 2)
    assert score == pytest.approx(model(ids)[0, -1].log_softmax(-1).max().item(), abs=1e-9)
    assert math.isfinite(beam_search(model, ids, 4, n_beam=3, stop=stop, power=5)[1])


def test_text_starts_with_its_prompt():
    tokenizer = CharTokenizer("abcde")
    text = generate_text(gpt(), tokenizer, "abc", 10, seed=4)
    assert text.startswith("abc")
    assert len(text) == 13
    assert text == generate_text(gpt(), tokenizer, "abc", 10, seed=4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generate(gpt(), torch.tensor([[1]]), -1), "max_new_tokens is -1"),
        (lambda: generate(gpt(), torch.zeros(1, 0, dtype=torch.long), 2), r"ids has shape \(1, 0\)"),
        (lambda: generate(gpt(), torch.tensor([1]), 2), r"ids has shape \(1,\); allowed is \(batch, seq\)"),
        (lambda: generate_many(gpt(), [], 2), "prompts is empty or has an empty prompt"),
        (lambda: generate_many(gpt(), [[1], []], 2), "prompts is empty or has an empty prompt"),
        (lambda: beam_search(gpt(), torch.tensor([[1], [2]]), 2, 2), "ids has 2 rows; allowed is one prompt"),
        (lambda: beam_search(gpt(), torch.tensor([[1]]), 2, 0), "n_beam is 0; allowed are integers of at least 1"),
        (lambda: generate_text(gpt(), CharTokenizer("abcde"), "", 3), "prompt is empty"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
