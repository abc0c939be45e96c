"""The objectives of pre-training as graphs: against the package's losses, torch's, and gradients got in another way."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcompare.graphs import causal_objective, encoder_objective
from dlcompare.models import BERT, GPT, BERTConfig, GPTConfig
from dlcompare.training import IGNORED, causal_lm_loss, pretraining_loss

close = torch.testing.assert_close


def random_weights(model: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model.eval()


def gpt() -> GPT:
    return random_weights(GPT(GPTConfig(vocab_size=30, block_size=16, n_layer=2, n_head=2, d_model=8)))


def bert() -> BERT:
    return random_weights(BERT(BERTConfig(vocab_size=30, block_size=16, n_layer=2, n_head=2, d_model=8)))


def by_rows(model: nn.Module, head: nn.Linear, loss: Tensor) -> Tensor:
    """Norms of the gradient by the rows of the token embedding, from which ``head`` was parted before."""
    (gradient,) = torch.autograd.grad(loss, model.token_embedding.weight, retain_graph=True)
    assert head.weight is not model.token_embedding.weight
    return gradient.norm(dim=-1)


def test_the_causal_loss_and_its_parts() -> None:
    model = gpt()
    ids = torch.tensor([[3, 1, 4, 15, 9, 2, 6]])
    graph = causal_objective(model)
    outputs = graph(ids=ids.int(), place=torch.tensor(2, dtype=torch.int32))
    logits = model(ids)[0]
    close(outputs["losses"][:-1], F.cross_entropy(logits[:-1], ids[0, 1:], reduction="none"))
    assert outputs["losses"][-1] == 0
    assert outputs["given"][-1] == 0
    close(outputs["loss"], causal_lm_loss(model, (ids[:, :-1], ids[:, 1:])))
    close(outputs["given"][:-1], outputs["losses"][:-1].neg().exp())
    close(outputs["probabilities"], logits[2].softmax(-1))
    assert torch.equal(outputs["sees"], torch.ones(7, 7, dtype=torch.bool).tril())


def test_one_token_has_no_target() -> None:
    outputs = causal_objective(gpt())(
        ids=torch.tensor([[7]], dtype=torch.int32), place=torch.tensor(0, dtype=torch.int32)
    )
    assert outputs["loss"] == 0
    assert outputs["losses"].tolist() == [0]
    assert all(value.isfinite().all() for value in outputs.values())


@pytest.mark.parametrize("place", [0, 3, 6])
def test_what_comes_later_cannot_move_the_causal_loss(place: int) -> None:
    model = gpt()
    ids = torch.tensor([[3, 1, 4, 15, 9, 2, 6]])
    influence = causal_objective(model)(ids=ids.int(), place=torch.tensor(place, dtype=torch.int32))["influence"]
    assert (influence[place + 1 :] == 0).all()
    assert (influence[: place + 1] > 0).all()
    model.head.weight = nn.Parameter(model.head.weight.detach().clone())
    log_p = model(ids)[0, place].log_softmax(-1)
    asked = ids[0, place + 1] if place < 6 else log_p.argmax()
    close(influence, by_rows(model, model.head, -log_p[asked])[ids[0]])


def asked(ids: list[int], hidden: dict[int, int]) -> dict[str, Tensor]:
    targets = [hidden.get(place, IGNORED) for place in range(len(ids))]
    return {
        "ids": torch.tensor([ids], dtype=torch.int32),
        "segments": torch.tensor([[0, 0, 0, 0, 1, 1, 1]], dtype=torch.int32),
        "targets": torch.tensor(targets, dtype=torch.int32),
        "place": torch.tensor(2, dtype=torch.int32),
        "label": torch.tensor(1, dtype=torch.int32),
    }


def test_the_losses_of_an_encoder_and_their_parts() -> None:
    model = bert()
    inputs = asked([20, 3, 22, 21, 4, 23, 5], {2: 7, 5: 11})
    outputs = encoder_objective(model)(**inputs)
    ids, segments, targets = (inputs[name].long() for name in ("ids", "segments", "targets"))
    close(
        outputs["loss"] + outputs["next_loss"],
        pretraining_loss(model, (ids, segments, targets[None], torch.tensor([1]))),
    )
    logits = model(ids, segments)
    wanted = F.cross_entropy(logits.masked_lm[0], targets, reduction="none", ignore_index=IGNORED)
    close(outputs["losses"], wanted)
    close(outputs["given"][[2, 5]], wanted[[2, 5]].neg().exp())
    close(outputs["probabilities"], logits.masked_lm[0, 2].softmax(-1))
    close(outputs["next"], logits.next_sentence[0].softmax(-1))
    assert outputs["sees"].all()
    assert outputs["sees"].shape == (7, 7)
    model.masked_lm.weight = nn.Parameter(model.masked_lm.weight.detach().clone())
    logits = model(ids, segments)
    surprise = F.cross_entropy(logits.masked_lm[0, 2:3], targets[2:3])
    close(outputs["influence"], by_rows(model, model.masked_lm, surprise)[ids[0]])
    of_pair = F.cross_entropy(logits.next_sentence, torch.tensor([1]))
    close(outputs["next_influence"], by_rows(model, model.masked_lm, of_pair)[ids[0]])


def test_nothing_hidden_is_no_loss() -> None:
    outputs = encoder_objective(bert())(**asked([20, 3, 22, 21, 4, 23, 5], {}))
    assert outputs["loss"] == 0
    assert not outputs["losses"].any()
    assert not outputs["given"].any()
    assert all(value.isfinite().all() for value in outputs.values())
    assert outputs["influence"].min() > 0, "of the likeliest token, then"
    assert math.isclose(outputs["next"].sum().item(), 1, rel_tol=1e-6)


@pytest.mark.parametrize("make", [causal_objective, encoder_objective])
def test_a_model_that_drops_values_is_refused_and_left_as_it_was(make) -> None:
    kind, config = (GPT, GPTConfig) if make is causal_objective else (BERT, BERTConfig)
    model = kind(config(vocab_size=30, block_size=16, n_layer=1, n_head=1, d_model=4, dropout=0.5))
    with pytest.raises(ValueError, match="model is in training mode, with dropout"):
        make(model)
    graph = make(model.eval())
    graph(**graph.example)
    assert not model.token_embedding._forward_hooks
    assert all(parameter.grad is None for parameter in model.parameters())
