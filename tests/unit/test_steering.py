"""Steering: what is added is what arrives, and nothing of it stays."""

import pytest
import torch

from dlcompare.models import GPT, GPTConfig
from dlcompare.recording import record
from dlcompare.steering import mean_activation, steered

IDS = torch.tensor([[0, 1, 2, 3]])


def gpt() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=5, block_size=6, n_layer=2, n_head=2, d_model=8)).eval()


def test_the_direction_arrives_at_every_place_and_is_gone_afterwards():
    model, direction = gpt(), torch.arange(8.0)
    with torch.no_grad():
        plain = model(IDS)
        with steered(model, "blocks.1", direction) as same:
            assert same is model
            moved = model(IDS)
        with record(model, "blocks.1") as seen:
            model(IDS)
        by_hand = model.head(model.norm(seen["blocks.1"] + direction))
        torch.testing.assert_close(moved, by_hand)
        assert not torch.allclose(moved, plain)
        assert torch.equal(model(IDS), plain)


def test_two_directions_add_up_and_opposite_ones_cancel():
    model, direction = gpt(), torch.arange(8.0)
    with torch.no_grad():
        plain = model(IDS)
        with steered(model, "blocks.0", direction), steered(model, "blocks.0", -direction):
            torch.testing.assert_close(model(IDS), plain)


def test_the_hook_is_gone_after_an_error():
    model = gpt()
    with (
        pytest.raises(ValueError, match=r"direction has shape \(3,\); allowed is \(8,\)"),
        steered(model, "blocks.0", torch.zeros(3)),
    ):
        model(IDS)
    model(IDS)
    with (
        pytest.raises(ValueError, match=r"name is 'blocks.9'; allowed are the names"),
        steered(model, "blocks.9", torch.zeros(8)),
    ):
        pass


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_the_mean_is_over_tokens_and_leaves_padding_and_first_tokens_out(batch_size):
    model = gpt()
    texts = [[0, 1, 2, 3, 4], [2, 1], [3, 3, 0]]
    found = mean_activation(model, "blocks.1", texts, batch_size)
    rows = []
    for text in texts:
        with torch.no_grad(), record(model, "blocks.1") as seen:
            model(torch.tensor([text]))
        rows.append(seen["blocks.1"][0, 1:])
    torch.testing.assert_close(found, torch.cat(rows).mean(0))


@pytest.mark.parametrize("texts", [[], [[1, 2], [1]]])
def test_texts_without_a_second_token_have_no_mean(texts):
    with pytest.raises(ValueError, match="two or more in each"):
        mean_activation(gpt(), "blocks.0", texts)
