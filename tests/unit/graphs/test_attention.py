"""The attention graphs against the model's own forward pass, and against the equation written out."""

from __future__ import annotations

import copy
import gzip
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dlcompare.export import GraphError, export
from dlcompare.export.parity import difference, run
from dlcompare.graphs import attention_pass, attention_terms
from dlcompare.models import GPT, GPTConfig
from dlcompare.recording import record

CONFIG = GPTConfig(vocab_size=50, block_size=40, n_layer=2, n_head=2, d_model=12)


@pytest.fixture(scope="module")
def gpt() -> GPT:
    torch.manual_seed(5)
    model = GPT(CONFIG).eval()
    with torch.no_grad():  # the first weights are so small that every head would look everywhere alike
        for name, parameter in model.named_parameters():
            if "query_key_value" in name or "embedding" in name:
                parameter.mul_(25)
    return model


def asked(seq: int, layer: int = 1, head: int = 1, keep: Tensor | None = None) -> dict[str, Tensor]:
    return {
        "ids": torch.randint(CONFIG.vocab_size, (1, seq), dtype=torch.int32),
        "keep": torch.ones(CONFIG.n_layer, CONFIG.n_head) if keep is None else keep,
        "layer": torch.tensor(layer, dtype=torch.int32),
        "head": torch.tensor(head, dtype=torch.int32),
    }


@pytest.mark.parametrize("seq", [1, 2, 17, 40])
def test_with_the_mask_and_all_heads_it_is_the_model_itself(gpt: GPT, seq: int) -> None:
    inputs = asked(seq)
    numbers = attention_pass(gpt, causal=True)(**inputs)
    ids = inputs["ids"].long()
    softmaxes = [f"blocks.{i}.attention.softmax" for i in range(CONFIG.n_layer)]
    with torch.no_grad():
        logits = gpt(ids)[0]
        with record(gpt, *softmaxes) as seen:
            gpt(ids)
    torch.testing.assert_close(numbers["probabilities"], logits[-1].softmax(-1))
    torch.testing.assert_close(numbers["attention"], torch.cat([seen[name] for name in softmaxes]))
    bits = F.cross_entropy(logits[:-1], ids[0, 1:]).item() / math.log(2) if seq > 1 else 0.0
    assert numbers["surprise"].item() == pytest.approx(bits, rel=1e-5)
    assert math.copysign(1, numbers["surprise"].item()) == 1, "nothing is written as −0"


@pytest.mark.parametrize("causal", [True, False])
def test_every_step_of_a_head_is_the_equations(gpt: GPT, causal: bool) -> None:
    """Layer 0, from the weights by hand: its input depends on no mask."""
    inputs = asked(11, layer=0, head=1)
    numbers = attention_pass(gpt, causal=causal)(**inputs)
    block, ids = gpt.blocks[0], inputs["ids"].long()[0]
    with torch.no_grad():
        z = block.norm1(gpt.token_embedding(ids) + gpt.position_embedding(torch.arange(len(ids))))
        stacked = block.attention.query_key_value(z)
    d_head = CONFIG.d_model // CONFIG.n_head
    q, k, v = (stacked[:, part * CONFIG.d_model + d_head :][:, :d_head] for part in range(3))
    for name, expected in (("query", q), ("key", k), ("value", v)):
        torch.testing.assert_close(numbers[name], expected)
    for i in range(len(ids)):
        for j in range(len(ids)):
            dot = sum(q[i, n].item() * k[j, n].item() for n in range(d_head))
            assert numbers["dots"][i, j].item() == pytest.approx(dot, rel=1e-4, abs=1e-4)
            assert numbers["scaled"][i, j].item() == pytest.approx(dot / math.sqrt(d_head), rel=1e-4, abs=1e-4)
            hidden = causal and j > i
            assert numbers["masked"][i, j].item() == (
                -math.inf if hidden else pytest.approx(dot / d_head**0.5, abs=1e-4)
            )
    assert numbers["root"].item() == pytest.approx(math.sqrt(d_head))
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    torch.testing.assert_close(numbers["mixed"], mixed)
    torch.testing.assert_close(numbers["attention"][0, 1] @ v, mixed)
    if causal:
        assert torch.equal(numbers["attention"].triu(1), torch.zeros_like(numbers["attention"]))
    else:
        assert (numbers["attention"] > 0).all()


@pytest.mark.parametrize("causal", [True, False])
def test_a_head_that_is_switched_off_is_one_that_the_projection_ignores(gpt: GPT, causal: bool) -> None:
    keep = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    inputs = asked(9, layer=1, head=0, keep=keep)
    numbers = attention_pass(gpt, causal=causal)(**inputs)
    other = copy.deepcopy(gpt)
    d_head = CONFIG.d_model // CONFIG.n_head
    with torch.no_grad():
        for block, kept in zip(other.blocks, keep, strict=True):
            block.attention.causal = causal
            for head in range(CONFIG.n_head):
                block.attention.project.weight[:, head * d_head : (head + 1) * d_head] *= kept[head]
        expected = other(inputs["ids"].long())[0, -1].softmax(-1)
        whole = gpt(inputs["ids"].long())[0, -1].softmax(-1)
    torch.testing.assert_close(numbers["probabilities"], expected)
    assert (expected - whole).abs().max() > 1e-3, "the heads matter here"
    assert numbers["mixed"].abs().max() > 1e-3, "what the head itself puts out is still to be seen"


def test_the_model_stays_as_it_is(gpt: GPT) -> None:
    graph = attention_pass(gpt, causal=False)
    before = {name: value.clone() for name, value in gpt.state_dict().items()}
    graph(**asked(4, keep=torch.zeros(CONFIG.n_layer, CONFIG.n_head)))
    with pytest.raises(ValueError, match="ids contains 99"):
        graph(**{**asked(4), "ids": torch.tensor([[99]], dtype=torch.int32)})
    assert all(block.attention.causal for block in gpt.blocks)
    assert not any(module._forward_hooks for module in gpt.modules())
    assert all(torch.equal(value, before[name]) for name, value in gpt.state_dict().items())


def test_what_it_takes_is_said() -> None:
    gpt = GPT(GPTConfig(vocab_size=9, block_size=4, n_layer=1, n_head=1, d_model=4, dropout=0.1))
    with pytest.raises(ValueError, match=r"model is in training mode.*call model.eval\(\)"):
        attention_pass(gpt, causal=True)
    graph = attention_pass(gpt.eval(), causal=True)
    assert graph.name == "attention-causal"
    assert graph.example["ids"].shape[1] <= 4, "no text is longer than the model reads"
    with pytest.raises(GraphError, match=r"input 'keep' of attention-causal has shape \[2, 1\]; allowed is \[1, 1\]"):
        graph(**{**graph.example, "keep": torch.ones(2, 1)})


def test_the_terms_add_up_to_what_the_pass_gives(gpt: GPT) -> None:
    for causal, query in ((True, 3), (True, 0), (False, 5)):
        numbers = attention_pass(gpt, causal=causal)(**asked(9, layer=1, head=0))
        weights = numbers["attention"][1, 0, query]
        terms = attention_terms(CONFIG.d_model // CONFIG.n_head)(
            query=numbers["query"][query],
            key=numbers["key"],
            masked=numbers["masked"][query],
            weights=weights,
            value=numbers["value"],
        )
        torch.testing.assert_close(terms["products"].sum(-1), numbers["dots"][query], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(terms["exponentials"] / terms["total"], weights)
        assert terms["exponentials"].max() == 1
        torch.testing.assert_close(terms["terms"].sum(0), numbers["mixed"][query], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("causal", [True, False])
def test_exported_it_gives_the_same_at_every_length(gpt: GPT, causal: bool, tmp_path) -> None:
    graph = attention_pass(gpt, causal=causal)
    files = export(graph, tmp_path)
    written, weights = (
        gzip.decompress((tmp_path / name).read_bytes()) if name else b"" for name in (files.graph, files.weights)
    )
    for seq in (1, 2, 32):
        inputs = asked(seq, layer=1, head=0, keep=torch.randint(2, (CONFIG.n_layer, CONFIG.n_head)).float())
        expected, got = graph(**inputs), run(written, weights, inputs)
        assert list(got) == list(expected)
        apart = {name: difference(value, got[name]) for name, value in expected.items()}
        assert max(apart.values()) < 1e-4, apart


def test_exported_the_terms_are_the_same(tmp_path) -> None:
    assert max(export(attention_terms(6), tmp_path).parity.values()) < 1e-5
