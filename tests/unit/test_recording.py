import pytest
import torch

from dlcompare.models import GPT, GPTConfig, Recurrent, RecurrentConfig
from dlcompare.recording import record


def gpt() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=5, block_size=6, n_layer=2, n_head=2, d_model=8)).eval()


def test_attention_weights_are_causal_and_sum_to_one():
    model = gpt()
    with record(model, "blocks.0.attention.softmax", "blocks.1.attention.softmax") as seen:
        model(torch.tensor([[0, 1, 2, 3]]))
    for A in seen.values():
        assert A.shape == (1, 2, 4, 4)
        assert torch.allclose(A.sum(-1), torch.ones(1, 2, 4))
        assert (A.triu(1) == 0).all()


def test_gradients_of_activations_equal_finite_differences():
    model = gpt().double()
    ids = torch.tensor([[0, 1, 2]])

    def loss_with(change: torch.Tensor) -> torch.Tensor:
        handle = model.blocks[0].mlp.register_forward_hook(lambda module, inputs, output: output + change)
        loss = model(ids)[0, -1, 2]
        handle.remove()
        return loss

    with record(model, "blocks.0.mlp") as seen:
        model(ids)[0, -1, 2].backward()
    small = torch.zeros(1, 3, 8, dtype=torch.float64)
    small[0, 1, 4] = 1e-6
    slope = (loss_with(small) - loss_with(-small)) / 2e-6
    assert seen["blocks.0.mlp"].grad[0, 1, 4].item() == pytest.approx(slope.item(), rel=1e-6)


def test_a_recurrent_layer_leaves_its_hidden_states():
    model = Recurrent(RecurrentConfig("lstm", 3, 4, 2))
    with record(model, "recurrence") as seen:
        y = model(torch.randn(2, 5, 3))
    assert torch.equal(model.output(seen["recurrence"]), y)


def test_nothing_stays_behind():
    model = gpt()
    with record(model, "norm"):
        model(torch.tensor([[0]]))
    assert not any(module._forward_hooks for module in model.modules())


def test_mistakes_are_named():
    model = gpt()
    unknown = r"no module 'attention.softmax'; close are: blocks.0.attention.softmax"
    with pytest.raises(ValueError, match=unknown), record(model, "attention.softmax"):
        pass
    with pytest.raises(ValueError, match="names is empty"), record(model):
        pass
    with pytest.raises(RuntimeError, match="these modules never ran while recording: norm"), record(model, "norm"):
        pass
    assert not any(module._forward_hooks for module in model.modules())
