"""How far weights moved, against the difference itself."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from dlcompare.models import GPT, GPTConfig
from dlcompare.training import add_lora, merge_lora, weight_changes

CONFIG = GPTConfig(vocab_size=20, block_size=8, n_layer=2, n_head=2, d_model=8)


def moved(model: GPT) -> GPT:
    torch.manual_seed(5)
    other = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return other


def test_each_matrix_once_with_the_norm_of_its_difference() -> None:
    before = GPT(CONFIG)
    after = moved(before)
    changes = {change.name: change for change in weight_changes(before, after)}
    assert list(changes)[:3] == ["token_embedding", "position_embedding", "blocks.0.attention.query_key_value"]
    assert len(changes) == 2 + 2 * 4, "the head shares the embedding"
    for name, change in changes.items():
        old, new = before.get_submodule(name).weight, after.get_submodule(name).weight
        assert change.shape == tuple(old.shape)
        assert change.trained == old.numel()
        assert change.norm == pytest.approx(old.norm().item(), rel=1e-5)
        assert change.relative == pytest.approx(((new - old).norm() / old.norm()).item(), rel=1e-5)
        squares = torch.linalg.matrix_norm(new - old, ord=2).item() ** 2
        assert change.share(1) * change.change**2 == pytest.approx(squares, rel=1e-4)
        assert change.share(8) == pytest.approx(1)


def test_lora_moves_in_as_many_directions_as_its_rank() -> None:
    before = GPT(CONFIG)
    after = add_lora(copy.deepcopy(before), rank=2, alpha=6, names=["query_key_value", "mlp.0"])
    assert not any(change.trained for change in weight_changes(before, GPT(CONFIG)) if change.relative == 0)
    with torch.no_grad():
        for name, parameter in after.named_parameters():
            if name.endswith("B.weight"):
                parameter.normal_()
    merged = merge_lora(copy.deepcopy(after))
    for change in weight_changes(before, after):
        adapted = change.name.endswith(("query_key_value", "mlp.0"))
        difference = merged.get_submodule(change.name).weight - before.get_submodule(change.name).weight
        assert change.change == pytest.approx(difference.norm().item(), rel=1e-4, abs=1e-6)
        assert sum(value > 0 for value in change.singular_values) == (2 if adapted else 0)
        assert change.share(2) == pytest.approx(float(adapted))
        assert change.share(1) < 1
        assert change.trained == (2 * sum(change.shape) if adapted else 0)


def test_models_of_other_sizes_are_refused() -> None:
    before = nn.Sequential(nn.Linear(3, 4))
    with pytest.raises(ValueError, match=r"after has '0' with shape \(5, 3\); allowed is that of before, \(4, 3\)"):
        weight_changes(before, nn.Sequential(nn.Linear(3, 5)))
    with pytest.raises(ValueError, match="after has '0' with shape None"):
        weight_changes(before, nn.Linear(3, 4))
