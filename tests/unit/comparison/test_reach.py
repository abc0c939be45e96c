"""How far a gradient reaches, held against closed forms and against finite differences."""

import pytest
import torch
from torch import nn

from dlcompare.comparison import gradient_reach
from dlcompare.models import (
    GPT,
    MLP,
    GPTConfig,
    MLPConfig,
    RecurrentLM,
    RecurrentLMConfig,
    SequenceConfig,
    SequenceModel,
)
from dlcompare.training import IGNORED, reply_loss, set_seed


def asked_last(ids):
    """What comes at the last place is asked, and nothing else."""
    targets = torch.full_like(ids, IGNORED)
    targets[:, -1] = 1
    return ids, targets


def test_of_a_linear_layer_it_is_the_weights_norm():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.output = nn.Embedding(5, 3), nn.Linear(3, 1)

        def forward(self, ids):
            return (self.output(self.embedding(ids)) * torch.tensor([0.0, 2.0, -1.0])[:, None]).sum((1, 2))

    set_seed(0)
    model = Last()
    model.output.weight.grad = before = torch.ones(1, 3)
    reached = gradient_reach(model, lambda m, batch: m(batch[0]).sum(), (torch.tensor([[1, 2, 3], [4, 4, 0]]),))
    torch.testing.assert_close(reached, model.output.weight.norm().detach() * torch.tensor([0.0, 2.0, 1.0]))
    assert model.output.weight.grad is before
    assert torch.equal(before, torch.ones(1, 3))
    assert model.embedding.weight.grad is None


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gpt"])
def test_it_is_what_finite_differences_find(kind):
    set_seed(0)
    gpt = GPT(GPTConfig(7, 6, 2, 2, 8))
    model = (gpt if kind == "gpt" else RecurrentLM(RecurrentLMConfig(kind, 7, 8))).double()
    batch = asked_last(torch.tensor([[3, 1, 4, 1, 5, 2]]))
    reached = gradient_reach(model, reply_loss, batch)
    embedding = next(m for m in model.modules() if isinstance(m, nn.Embedding))
    by_differences = torch.zeros(6, 8)
    for place in range(6):
        for i in range(8):
            either = []
            for step in (1e-5, -1e-5):
                moved = torch.zeros(1, 6, 8, dtype=torch.double)
                moved[0, place, i] = step
                hook = embedding.register_forward_hook(lambda _, __, out, moved=moved: out + moved)
                either.append(reply_loss(model, batch).item())
                hook.remove()
            by_differences[place, i] = (either[0] - either[1]) / 2e-5
    torch.testing.assert_close(reached.float(), by_differences.norm(dim=1), rtol=1e-4, atol=1e-8)


def test_beyond_a_window_nothing_arrives():
    model = SequenceModel(SequenceConfig("window", "each", 4, 5, 9, vocab_size=5, kernel_size=3))
    reached = gradient_reach(model, reply_loss, asked_last(torch.randint(5, (4, 9))))
    assert (reached[:6] == 0).all()
    assert (reached[6:] > 0).all()


def test_what_reads_no_tokens_is_refused():
    with pytest.raises(ValueError, match="MLP without an embedding"):
        gradient_reach(MLP(MLPConfig((2, 3, 1))), reply_loss, (torch.zeros(1, 2), torch.zeros(1)))
