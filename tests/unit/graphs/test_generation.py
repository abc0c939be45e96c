"""A step of generation and its sampling, against the model without a cache and against the sampler."""

from __future__ import annotations

import gzip
import random

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlcompare import checkpoints
from dlcompare.export import Graph, GraphError, export
from dlcompare.export.parity import run
from dlcompare.graphs.generation import CUT_BY_GREEDY, CUT_BY_TOP_K, KEPT, generation_step, sampling
from dlcompare.models import GPT, GPTConfig
from dlcompare.sampling import GREEDY, Sampler

VOCAB_SIZE = 30
NOTHING = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "greedy": False, "uniform": 0.5}


def tiny() -> GPT:
    torch.manual_seed(1)
    model = GPT(GPTConfig(vocab_size=VOCAB_SIZE, block_size=20, n_layer=2, n_head=2, d_model=16, dropout=0.1))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def empty(model: GPT) -> Tensor:
    c = model.config
    return torch.zeros(0, c.n_layer, 2 * c.n_head, c.d_model // c.n_head)


def tokens(n: int, vocab_size: int = VOCAB_SIZE) -> Tensor:
    return torch.randint(vocab_size, (1, n), dtype=torch.int32)


def scalars(**settings: object) -> dict[str, Tensor]:
    types = {"top_k": torch.int32, "greedy": torch.bool}
    return {key: torch.tensor(value, dtype=types.get(key, torch.float32)) for key, value in settings.items()}


SAMPLING = sampling(VOCAB_SIZE)
SETTLED = scalars(**NOTHING)


def sample(logits: Tensor, **changed: object) -> dict[str, Tensor]:
    return SAMPLING(logits=logits, **scalars(**{**NOTHING, **changed}))


# One step


@pytest.mark.parametrize(
    "model", [tiny(), checkpoints.load("shakespeare-gpt", expected=GPT).model], ids=["tiny", "real"]
)
def test_cached_equals_uncached_up_to_the_full_context(model: GPT) -> None:
    c = model.config
    ids = tokens(c.block_size, c.vocab_size)
    with torch.no_grad():
        expected = model(ids.long())[0]  # (block_size, vocab_size)
    graph, past, read = generation_step(model), empty(model), 0
    while read < c.block_size:
        new = min(random.choice([1, 1, 1, 2, 7]), c.block_size - read)
        step = graph(ids=ids[:, read : read + new], past=past, **SETTLED)
        torch.testing.assert_close(step["logits"], expected[read : read + new], rtol=1e-4, atol=1e-4)
        past = torch.cat([past, step["new"]])
        read += new
    assert len(past) == c.block_size
    torch.testing.assert_close(past, graph(ids=ids, past=empty(model), **SETTLED)["new"], rtol=1e-4, atol=1e-4)


def test_a_branch_goes_on_from_the_rows_of_its_own_tokens() -> None:
    model, graph = tiny(), generation_step(tiny())
    stem, one, other = tokens(5), tokens(4), tokens(3)
    rows = graph(ids=stem, past=empty(model), **SETTLED)["new"]
    graph(ids=one, past=rows, **SETTLED)
    got = graph(ids=other, past=rows, **SETTLED)["logits"]
    with torch.no_grad():
        expected = model(torch.cat([stem, other], dim=1).long())[0, 5:]
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_given_is_the_probability_of_each_token_before_it_was_read() -> None:
    model, graph = tiny(), generation_step(tiny())
    ids = tokens(9)
    with torch.no_grad():
        p = model(ids.long())[0].softmax(-1)
    given = graph(ids=ids, past=empty(model), **SETTLED)["given"]
    expected = torch.stack([p[t, ids[0, t + 1]] for t in range(8)])
    torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-6)
    assert graph(ids=ids[:, :1], past=empty(model), **SETTLED)["given"].shape == (0,)


def test_attention_is_the_mean_over_the_heads_and_sees_nothing_later() -> None:
    from dlcompare.recording import record

    model, graph = tiny(), generation_step(tiny())
    ids = tokens(8)
    names = ["blocks.0.attention.softmax", "blocks.1.attention.softmax"]
    with torch.no_grad(), record(model, *names) as seen:
        model(ids.long())
    expected = torch.cat([seen[name] for name in names]).mean(1)  # (n_layer, seq, seq)
    rows = graph(ids=ids[:, :5], past=empty(model), **SETTLED)
    torch.testing.assert_close(rows["attention"], expected[:, :5, :5], rtol=1e-4, atol=1e-6)
    later = graph(ids=ids[:, 5:], past=rows["new"], **SETTLED)["attention"]
    torch.testing.assert_close(later, expected[:, 5:], rtol=1e-4, atol=1e-6)
    assert (later[:, 0, 6:] == 0).all()


def test_beyond_the_context_it_raises() -> None:
    model, graph = tiny(), generation_step(tiny())
    rows = graph(ids=tokens(20), past=empty(model), **SETTLED)["new"]
    with pytest.raises(IndexError):
        graph(ids=tokens(1), past=rows, **SETTLED)
    with pytest.raises(ValueError, match=r"ids is 21 tokens long; allowed are at most block_size = 20"):
        graph(ids=tokens(21), past=empty(model), **SETTLED)
    with pytest.raises(GraphError, match=r"input 'past' of generation has shape \[0, 2, 4, 7\]"):
        graph(ids=tokens(1), past=torch.zeros(0, 2, 4, 7), **SETTLED)
    with pytest.raises(ValueError, match="ids contains 30; allowed are 0 to 29"):
        graph(ids=torch.tensor([[30]], dtype=torch.int32), past=empty(model), **SETTLED)


def test_it_draws_after_the_last_token_as_sampling_does() -> None:
    model, graph = tiny(), generation_step(tiny())
    chosen = scalars(temperature=0.7, top_k=8, top_p=0.8, greedy=False, uniform=0.61)
    step = graph(ids=tokens(6), past=empty(model), **chosen)
    drawn = SAMPLING(logits=step["logits"][-1], **chosen)
    assert step["token"] == drawn["token"]
    token = int(step["token"])
    assert step["chances"].tolist() == [drawn["own"][token].item(), drawn["p"][token].item()]


# Sampling


def float32(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_subnormal=False).map(lambda x: torch.tensor(x).item())


LOGITS = st.lists(float32(-20, 20) | st.integers(-3, 3).map(float), min_size=VOCAB_SIZE, max_size=VOCAB_SIZE)
SETTINGS = st.fixed_dictionaries(
    {
        "temperature": float32(0.01, 100) | st.just(1.0),
        "top_k": st.integers(0, VOCAB_SIZE + 5),
        "top_p": float32(1e-30, 1) | st.just(1.0),
        "greedy": st.sampled_from([False, False, False, True]),
        "uniform": float32(0, 1),
    }
)


def sampler(*, temperature: float, top_k: int, top_p: float, greedy: bool, uniform: float) -> Sampler:
    return Sampler(temperature, top_k or None, top_p, greedy=greedy)


@given(LOGITS, SETTINGS)
@example([0.0] * VOCAB_SIZE, {**NOTHING, "top_k": 1})
@example([0.0] * VOCAB_SIZE, {**NOTHING, "top_p": 0.5})
@example([1.0] * 7 + [0.0] * 23, {**NOTHING, "top_p": 1e-30, "top_k": 3})
@example([20.0] + [-20.0] * 29, {**NOTHING, "temperature": 0.011, "uniform": 1.0})
@settings(max_examples=300)
def test_it_is_the_samplers_distribution(values: list[float], chosen: dict[str, object]) -> None:
    logits = torch.tensor(values)
    got = sample(logits, **chosen)
    expected = sampler(**chosen).probabilities(logits)
    torch.testing.assert_close(got["p"], expected, rtol=1e-5, atol=1e-7)
    assert torch.equal(got["p"] > 0, expected > 0)
    torch.testing.assert_close(got["own"], logits.softmax(-1))
    torch.testing.assert_close(got["tempered"], Sampler(chosen["temperature"]).probabilities(logits))
    torch.testing.assert_close(
        got["within_k"], Sampler(chosen["temperature"], chosen["top_k"] or None).probabilities(logits)
    )
    # What is cut has no probability, and what is not cut has lost none but to rounding.
    cut = got["cut"]
    assert (got["p"][cut != KEPT] == 0).all()
    if not chosen["greedy"]:
        assert ((cut == CUT_BY_TOP_K) <= (got["within_k"] == 0)).all()
        assert ((cut == KEPT) & (got["p"] == 0) <= (got["tempered"] < 1e-37)).all()
    assert (cut == KEPT).any()


@given(LOGITS, SETTINGS)
@settings(max_examples=300)
def test_the_draw_never_takes_what_has_no_probability(values: list[float], chosen: dict[str, object]) -> None:
    got = sample(torch.tensor(values), **chosen)
    p, token = got["p"].double(), int(got["token"])
    assert p[token] > 0
    # By the definition, with exact sums: the number lies within the token's part.
    mass = p.cumsum(0)
    u = chosen["uniform"] * mass[-1].item()
    assert mass[token] - p[token] <= u + 1e-12
    assert mass[token] > u or (mass[token] >= mass[-1] and chosen["uniform"] == 1)
    if chosen["greedy"]:
        assert token == torch.tensor(values).argmax()


def test_ties_at_the_nucleus_are_decided_by_the_ids_in_many_too() -> None:
    """With many equal numbers, a sort that is not stable picks among them as it likes."""
    logits = torch.zeros(1024)
    logits[torch.randperm(1024)[:700]] = 1.0
    graph = sampling(1024)
    for settings_ in ({"top_p": 0.3}, {"top_p": 0.9}, {"top_p": 0.5, "top_k": 100}):
        got = graph(logits=logits, **scalars(**{**NOTHING, **settings_}))
        expected = Sampler(top_k=settings_.get("top_k"), top_p=settings_["top_p"]).probabilities(logits)
        torch.testing.assert_close(got["p"], expected)
        torch.testing.assert_close(got["order"].long(), logits.sort(descending=True, stable=True).indices)


def test_many_draws_follow_the_distribution() -> None:
    torch.manual_seed(2)
    logits = 2 * torch.randn(VOCAB_SIZE)
    chosen = {"temperature": 0.8, "top_k": 12, "top_p": 0.9}
    p = sample(logits, **chosen)["p"]
    n = 1000
    # Evenly spaced numbers hit each token as often as its probability says, to one place.
    drawn = [int(sample(logits, **chosen, uniform=(i + 0.5) / n)["token"]) for i in range(n)]
    counts = torch.bincount(torch.tensor(drawn), minlength=VOCAB_SIZE)
    assert ((counts - n * p).abs() <= 1.01).all()


def test_the_numbers_beside_the_distribution() -> None:
    logits = torch.randn(VOCAB_SIZE)
    got = sample(logits, temperature=0.7, top_k=9)
    for key, which in (("own", 0), ("p", 1)):
        expected = torch.distributions.Categorical(got[key].double()).entropy() / torch.tensor(2.0).log()
        assert got["entropy"][which].item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(got["cumulative"], got["p"].cumsum(0), rtol=1e-5, atol=1e-6)
    assert sample(logits, greedy=True)["entropy"][1] == 0
    assert Sampler(greedy=True) == GREEDY
    assert sample(logits, greedy=True)["cut"].tolist().count(CUT_BY_GREEDY) == VOCAB_SIZE - 1


@pytest.mark.parametrize("vocab_size", [0, -1, 2**16 + 1])
def test_a_vocabulary_of_another_size_is_refused(vocab_size: int) -> None:
    with pytest.raises(ValueError, match=rf"vocab_size is {vocab_size}; allowed are integers from 1 to 65536"):
        sampling(vocab_size)


# The exported graphs


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("graphs")

    def make(graph: Graph):
        found = export(graph, folder)
        contents = [
            gzip.decompress((folder / name).read_bytes()) if name else b"" for name in (found.graph, found.weights)
        ]
        return lambda **inputs: run(*contents, inputs)

    return make


def test_the_exported_step_is_torchs_at_every_length(exported) -> None:
    model = tiny()
    graph = generation_step(model)
    page = exported(graph)
    ids = tokens(20)
    rows = graph(ids=ids, past=empty(model), **SETTLED)["new"]
    for past, new in ((0, 1), (0, 2), (0, 20), (1, 1), (1, 19), (19, 1), (7, 5)):
        inputs = {"ids": ids[:, past : past + new], "past": rows[:past], **scalars(**{**NOTHING, "top_k": 7})}
        expected, got = graph(**inputs), page(**inputs)
        assert list(got) == list(expected)
        for name, value in expected.items():
            torch.testing.assert_close(got[name], value, rtol=1e-4, atol=1e-4, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("past", [4, 8, 5])
def test_an_example_with_equal_sizes_exports_for_all_others_too(exported, past: int) -> None:
    """As many as there are heads, as a head is wide, or as there are new tokens: that means nothing."""
    graph = generation_step(tiny())
    graph.example = {"ids": tokens(5), "past": torch.randn(past, 2, 4, 8), **SETTLED}
    page = exported(graph)
    inputs = {"ids": tokens(6), "past": torch.randn(11, 2, 4, 8), **SETTLED}
    torch.testing.assert_close(page(**inputs)["logits"], graph(**inputs)["logits"], rtol=1e-4, atol=1e-4)


def test_the_exported_sampling_is_torchs(exported) -> None:
    page = exported(SAMPLING)

    @given(LOGITS, SETTINGS)
    @example([0.0] * VOCAB_SIZE, {**NOTHING, "top_p": 0.5, "uniform": 1.0})
    @settings(max_examples=100)
    def holds(values: list[float], chosen: dict[str, object]) -> None:
        inputs = {"logits": torch.tensor(values), **scalars(**chosen)}
        expected, got = SAMPLING(**inputs), page(**inputs)
        assert torch.equal(got["order"], expected["order"])
        if chosen["top_p"] < 1 and not chosen["greedy"]:
            # Where the mass reaches top_p but for rounding, either side of it is right.
            by_mass = expected["within_k"].sort(descending=True).values.double()
            if (by_mass.cumsum(0) - by_mass - chosen["top_p"]).abs().min() < 1e-6:
                return
        torch.testing.assert_close(got["p"], expected["p"], rtol=1e-4, atol=1e-6)
        assert torch.equal(got["cut"], expected["cut"])
        near = (expected["cumulative"] - chosen["uniform"]).abs().min() < 1e-6
        assert near or got["token"] == expected["token"]

    holds()
