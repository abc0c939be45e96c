"""A model before and after LoRA in one graph: against both models on their own."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F

from dlcompare.graphs import finetuning_step
from dlcompare.models import GPT, GPTConfig
from dlcompare.training import add_lora, merge_lora

close = torch.testing.assert_close


def pair() -> tuple[GPT, GPT]:
    """A model with random weights, and the same with LoRA's."""
    torch.manual_seed(6)
    before = GPT(GPTConfig(vocab_size=30, block_size=16, n_layer=2, n_head=2, d_model=8)).eval()
    with torch.no_grad():
        for parameter in before.parameters():
            parameter.normal_(std=0.3)
    after = add_lora(copy.deepcopy(before), rank=2, alpha=4, names=["query_key_value", "project", "mlp.0", "mlp.2"])
    with torch.no_grad():
        for name, parameter in after.named_parameters():
            if name.endswith("B.weight"):
                parameter.normal_(std=0.3)
    return before, after


IDS = torch.tensor([[3, 1, 4, 15, 9], [2, 6, 5, 3, 5]], dtype=torch.int32)


def strength(value: float) -> torch.Tensor:
    return torch.tensor(float(value))


def test_at_strength_1_it_is_the_one_model_and_the_other() -> None:
    before, after = pair()
    outputs = finetuning_step(after)(ids=IDS, strength=strength(1))
    for row, model in enumerate((before, merge_lora(copy.deepcopy(after)))):
        logits = model(IDS[row : row + 1].long())[0]
        close(outputs["surprise"][row], F.cross_entropy(logits[:-1], IDS[row, 1:].long()))
        p = logits[-1].softmax(-1)
        assert outputs["top"][row].tolist() == p.topk(6).indices.tolist()
        close(outputs["p"][row], p[outputs["top"].long()])


def test_the_strength_scales_the_change_and_0_undoes_it() -> None:
    before, after = pair()
    ids = IDS[:1].repeat(2, 1)
    none = finetuning_step(after)(ids=ids, strength=strength(0))
    assert none["moved"] == 0
    close(none["p"][0], none["p"][1])
    for value in (0.5, 1.5):
        outputs = finetuning_step(after)(ids=ids, strength=strength(value))
        scaled = copy.deepcopy(after)
        with torch.no_grad():
            for name, parameter in scaled.named_parameters():
                if name.endswith("B.weight"):
                    parameter.mul_(value)
        p, q = (model(ids[:1].long())[0, -1].softmax(-1) for model in (before, scaled))
        close(outputs["moved"], (p - q).clamp(min=0).sum())
        close(outputs["p"][1, 1], q.topk(6).values)


def test_one_token_surprises_nobody() -> None:
    outputs = finetuning_step(pair()[1])(ids=IDS[:, :1], strength=strength(1))
    assert outputs["surprise"].tolist() == [0, 0]


def test_what_is_refused() -> None:
    before, after = pair()
    with pytest.raises(ValueError, match="model has no LoRA"):
        finetuning_step(before)
    config = GPTConfig(vocab_size=30, block_size=16, n_layer=1, n_head=1, d_model=4, dropout=0.5)
    dropping = add_lora(GPT(config), rank=1, alpha=1, names=["project"])
    with pytest.raises(ValueError, match="model is in training mode, with dropout"):
        finetuning_step(dropping)
    graph = finetuning_step(after)
    graph(**graph.example)
    assert not any(module._forward_hooks for module in after.modules())
