"""LoRA against its equation: h = W0 x + (α / r) B A x."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlcompare.models import BERT, GPT, BERTConfig, GPTConfig
from dlcompare.models.classifier import BERTClassifier, BERTClassifierConfig, GPTClassifier, GPTClassifierConfig
from dlcompare.training import LoRALinear, add_lora, causal_lm_loss, classification_loss, fit, merge_lora, n_parameters

TINY = GPTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, d_model=12)
IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 10]])
NAMES = ("query_key_value", "project")


def randomised(model: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return model


@given(st.integers(1, 9), st.integers(1, 9), st.data())
@settings(deadline=None, max_examples=25)
def test_a_layer_is_the_papers_equation_and_so_is_the_merged_one(k, d, data):
    rank, alpha = data.draw(st.integers(1, min(k, d))), data.draw(st.floats(0.5, 16))
    bias = data.draw(st.booleans())
    layer = randomised(LoRALinear(nn.Linear(k, d, bias=bias), rank, alpha)).double()
    x = torch.randn(3, 2, k, dtype=torch.float64)
    W0, A, B = layer.linear.weight, layer.A.weight, layer.B.weight
    assert (A.shape, B.shape) == ((rank, k), (d, rank))
    h = x @ W0.T + alpha / rank * (x @ (B @ A).T) + (layer.linear.bias if bias else 0)
    torch.testing.assert_close(layer(x), h, atol=1e-12, rtol=0)
    merged = layer.float().merged()
    assert type(merged) is nn.Linear
    torch.testing.assert_close(merged.double()(x), h, atol=1e-5, rtol=0)


def test_gradients_are_the_finite_differences_and_reach_both_factors_alone():
    layer = randomised(LoRALinear(nn.Linear(3, 4), 2, 8)).double()
    x = torch.randn(5, 3, dtype=torch.float64)
    parameters = (layer.A.weight, layer.B.weight)

    def h(A: torch.Tensor, B: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"A.weight": A, "B.weight": B}, (x,))

    assert torch.autograd.gradcheck(h, parameters)
    layer(x).sum().backward()
    assert {name for name, p in layer.named_parameters() if p.grad is not None} == {"A.weight", "B.weight"}


@pytest.mark.parametrize("names", [NAMES, ("query_key_value", "project", "mlp.0", "mlp.2")])
def test_a_gpt_starts_unchanged_trains_the_formulas_number_and_merges(names):
    gpt = randomised(GPT(TINY)).eval()
    before = gpt(IDS)
    frozen = {name: p.clone() for name, p in gpt.named_parameters()}
    rank = 3
    add_lora(gpt, rank, 6, names)
    assert torch.equal(gpt(IDS), before)

    d, widths = TINY.d_model, {"query_key_value": (1, 3), "project": (1, 1), "mlp.0": (1, 4), "mlp.2": (4, 1)}
    expected = TINY.n_layer * sum(rank * d * sum(widths[name]) for name in names)
    trainable = {name: p for name, p in gpt.named_parameters() if p.requires_grad}
    assert sum(p.numel() for p in trainable.values()) == expected
    assert all(name.split(".")[-2] in "AB" for name in trainable)

    fit(gpt, causal_lm_loss, iter([(IDS[:, :-1], IDS[:, 1:])] * 20), steps=20, learning_rate=1e-2)
    after = gpt(IDS)
    assert (after - before).abs().max() > 0.1
    assert all(p.grad is not None for p in trainable.values())
    for name, p in gpt.named_parameters():
        original = name.replace(".linear.", ".")
        assert original not in frozen or torch.equal(p, frozen[original])

    assert merge_lora(gpt) is gpt
    torch.testing.assert_close(gpt(IDS), after, atol=1e-6, rtol=1e-6)
    assert n_parameters(gpt) == TINY.n_parameters
    assert not any(isinstance(module, LoRALinear) for module in gpt.modules())


@pytest.mark.parametrize(
    "make",
    [
        lambda: GPTClassifier(GPTClassifierConfig(TINY, 2)),
        lambda: BERTClassifier(BERTClassifierConfig(BERTConfig(11, 8, 2, 2, 12), 2)),
    ],
)
def test_every_trainable_parameter_of_a_classifier_gets_a_gradient(make):
    """So that data-parallel training, which waits for each of them, does not hang."""
    for lora in (False, True):
        model = randomised(make())
        if lora:
            add_lora(model.base, 2, 4, NAMES)
        classification_loss(model, (IDS, torch.tensor([0, 1]))).backward()
        for name, p in model.named_parameters():
            assert (p.grad is not None) == p.requires_grad, name
        assert model.classifier.weight.requires_grad


def test_one_factor_starts_with_unit_gain_and_the_other_with_zeros():
    torch.manual_seed(0)
    layer = LoRALinear(nn.Linear(400, 300), 50, 1)
    assert layer.A.weight.std().item() == pytest.approx(1 / math.sqrt(400), rel=0.02)
    assert not layer.B.weight.any()


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="rank is 0; allowed are 1 to 3, the smaller side"):
        LoRALinear(nn.Linear(5, 3), 0, 1)
    with pytest.raises(ValueError, match="rank is 4; allowed are 1 to 3"):
        LoRALinear(nn.Linear(5, 3), 4, 1)
    gpt = GPT(TINY)
    with pytest.raises(
        ValueError, match=r"names contains 'value', which no linear layer is called; there are blocks\.0"
    ):
        add_lora(gpt, 2, 4, ("project", "value"))
    assert all(p.requires_grad for p in gpt.parameters())


def test_bert_has_the_layers_that_the_recipes_name():
    bert = add_lora(BERT(BERTConfig(11, 8, 2, 2, 12)), 2, 4, NAMES)
    assert sum(isinstance(module, LoRALinear) for module in bert.modules()) == 4
