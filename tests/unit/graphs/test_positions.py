"""Positions as a graph: against the package, torch's attention, transformers, and what the papers promise."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from dlcompare.graphs import position_pass
from dlcompare.graphs.positions import KINDS, POSITIONS
from dlcompare.models.gpt import GPT, GPTConfig

close = torch.testing.assert_close
CONFIG = GPTConfig(vocab_size=50, block_size=64, n_layer=1, n_head=2, d_model=16)


@pytest.fixture(scope="module")
def model() -> GPT:
    torch.manual_seed(0)
    model = GPT(CONFIG).eval()
    for parameter in model.parameters():  # small first weights would hide differences
        nn.init.normal_(parameter, std=0.5)
    return model


def asked(model: GPT, **given: int | list[int]) -> dict[str, Tensor]:
    first = {
        "ids": [3, 1, 4, 1, 5], "order": [4, 0, 3, 1, 2], "kind": 0, "causal": 0, "token": 2, "position": 9,
        "distance": 4, "pair": 1,
    }  # fmt: skip
    inputs = {name: torch.tensor(value, dtype=torch.int32) for name, value in {**first, **given}.items()}
    return position_pass(model)(**inputs)


def test_without_positions_and_mask_a_shuffle_only_shuffles(model: GPT) -> None:
    free = asked(model)
    close(free["shuffled"], free["in_order"][[4, 0, 3, 1, 2]])
    assert free["largest"] < 1e-5
    for kind in range(len(KINDS)):
        for causal in (0, 1):
            got = asked(model, kind=kind, causal=causal)
            assert (got["largest"] > 0.01) == bool(kind or causal), (KINDS[kind], causal)
            close(got["moved"], got["in_order"][[4, 0, 3, 1, 2]])
            close(got["apart"], torch.linalg.norm(got["shuffled"] - got["moved"], dim=-1))
            close(got["sizes"], torch.linalg.norm(got["moved"], dim=-1))
            assert got["largest"] == got["apart"].max()


def test_with_the_mask_the_first_token_of_an_unmoved_beginning_stays(model: GPT) -> None:
    got = asked(model, causal=1, order=[0, 1, 4, 3, 2])
    close(got["apart"][:2], torch.zeros(2), atol=1e-5, rtol=0)
    assert (got["apart"][2:] > 0.01).all()


def test_learned_positions_give_what_the_model_itself_computes(model: GPT) -> None:
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    x = model.token_embedding(ids) + model.position_embedding(torch.arange(5))
    block = model.blocks[0]
    with torch.no_grad():
        close(asked(model, kind=2, causal=1)["in_order"], block.attention(block.norm1(x))[0])


def test_rotations_are_those_of_transformers(model: GPT) -> None:
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    got = asked(model, kind=3)
    d_head = CONFIG.d_model // CONFIG.n_head
    block = model.blocks[0]
    stacked = block.attention.query_key_value(block.norm1(model.token_embedding(torch.tensor([4]))))
    query, key = (stacked[0, part * CONFIG.d_model :][:d_head].detach() for part in (0, 1))
    # Their pairs are i and i + d/2; ours are neighbours.
    theirs = torch.cat([torch.arange(0, d_head, 2), torch.arange(1, d_head, 2)])
    frequency = 10_000 ** (-torch.arange(0, d_head, 2) / d_head)

    def turned(x: Tensor, place: int) -> Tensor:
        angles = (place * frequency).repeat(2)[None, None]
        both = apply_rotary_pos_emb(
            x[theirs][None, None, None], x[theirs][None, None, None], angles.cos(), angles.sin()
        )
        return both[0].flatten()

    products = torch.stack([turned(query, 9) @ turned(key, place) for place in range(POSITIONS)])
    close(got["dots_rotary"], products, rtol=1e-4, atol=1e-4)
    close(got["query"], query[2:4])
    close(got["turned_query"], turned(query, 9)[[1, 1 + d_head // 2]])
    close(got["turned_key"], turned(key, 5)[[1, 1 + d_head // 2]])
    close(got["angles"], torch.tensor([9.0, 5.0]) * frequency[1])
    close(got["dot_plain"], got["query"] @ got["key"])
    close(got["dot_turned"], got["turned_query"] @ got["turned_key"])
    angle = torch.arange(POSITIONS)[:, None] * frequency
    close(got["rotary"], torch.stack([angle.cos(), angle.sin()], -1).flatten(1), rtol=1e-4, atol=1e-5)


def test_products_of_sinusoids_and_rotations_depend_on_the_distance_alone_and_learned_ones_do_not(model: GPT) -> None:
    one, other = asked(model, position=9), asked(model, position=30)
    for kind in ("sinusoidal", "rotary"):
        close(one[f"dots_{kind}"][:40], other[f"dots_{kind}"][21:61], rtol=1e-4, atol=1e-4)
    assert (one["dots_learned"][:40] - other["dots_learned"][21:61]).abs().max() > 0.1
    close(one["dot_turned"], other["dot_turned"], rtol=1e-4, atol=1e-5)
    close(one["learned"], model.position_embedding.weight.detach())
    for name in ("sinusoidal", "learned"):
        close(one[f"dots_{name}"], one[name] @ one[name][9])


def test_sinusoids_are_scaled_as_in_the_paper(model: GPT) -> None:
    got = asked(model, kind=1)
    block = model.blocks[0]
    x = model.token_embedding(torch.tensor([3, 1, 4, 1, 5])) * math.sqrt(CONFIG.d_model) + got["sinusoidal"][:5]
    attention = nn.MultiheadAttention(CONFIG.d_model, CONFIG.n_head, batch_first=True)
    with torch.no_grad():
        attention.in_proj_weight.copy_(block.attention.query_key_value.weight)
        attention.in_proj_bias.copy_(block.attention.query_key_value.bias)
        attention.out_proj.load_state_dict(block.attention.project.state_dict())
        z = block.norm1(x)[None]
        close(got["in_order"], attention(z, z, z)[0][0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (GPTConfig(50, 32, 1, 2, 16), "block_size = 32"),
        (GPTConfig(50, 64, 1, 2, 6), "heads of 3"),
    ],
)
def test_a_model_that_does_not_fit_is_named(config: GPTConfig, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        position_pass(GPT(config))
    dropping = GPT(GPTConfig(50, 64, 1, 2, 16, dropout=0.1))
    with pytest.raises(ValueError, match="training mode"):
        position_pass(dropping)
