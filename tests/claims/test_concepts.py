"""Evidence for the claims of the article's chapter 2: what networks are, and what GPT reads and says."""

import torch
from torch import nn

from dlcompare import checkpoints
from dlcompare.comparison import FAMILIES, TASKS
from dlcompare.models import GPT, MLP, GPTConfig, MLPConfig, ViT, ViTConfig
from dlcompare.training import fit


def test_the_way_back_uses_the_same_weights_as_the_way_forward():
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    x = torch.randn(3, requires_grad=True)
    up = torch.randn(2)
    layer(x).backward(up)
    torch.testing.assert_close(x.grad, layer.weight.T @ up)


def test_a_gpt_learns_sequences_that_are_no_language():
    task = TASKS["recall"]
    examples = task.load(0)
    torch.manual_seed(0)
    model = FAMILIES["gpt"].build(examples.form, 24)
    batches = task.batches(examples, torch.Generator().manual_seed(0))
    assert examples.form.kind == "tokens"
    assert not task.data  # made up, no text
    loss = task.loss(examples)
    history = fit(model, loss, batches, steps=120, learning_rate=1e-2, description="")
    assert history.loss[-1] < history.loss[0] - 1


def test_a_recurrent_network_is_named_for_its_state():
    torch.manual_seed(0)
    rnn = nn.RNN(2, 3, batch_first=True)
    x = torch.randn(1, 5, 2)
    whole, _ = rnn(x)
    state, parts = None, []
    for step in range(5):
        out, state = rnn(x[:, step : step + 1], state)  # the state that came out goes in again
        parts.append(out)
    torch.testing.assert_close(torch.cat(parts, 1), whole)
    forgetful = torch.cat([rnn(x[:, step : step + 1])[0] for step in range(5)], 1)
    assert not torch.allclose(forgetful, whole)


def test_a_weight_belongs_to_a_pair_and_a_bias_to_a_neuron():
    layer = MLP(MLPConfig((5, 3))).layers[0]
    assert layer.weight.shape == (3, 5)
    assert layer.bias.shape == (3,)


def test_backpropagation_changes_no_weight():
    torch.manual_seed(0)
    model = MLP(MLPConfig((2, 3, 1)))
    before = [p.clone() for p in model.parameters()]
    model(torch.randn(4, 2)).sum().backward()
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert not all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_a_transformer_reads_digits():
    assert isinstance(checkpoints.load("digits-vit").model, ViT)
    assert checkpoints.card("digits-vit")["metrics"]["test_accuracy"] > 0.9
    assert ViT(ViTConfig(28, 7, 1, 1, 2, 8, 10))(torch.zeros(1, 1, 28, 28)).shape == (1, 10)


def test_gpt_has_no_encoder_and_no_attention_to_one():
    def kinds(model: nn.Module) -> set[str]:
        return {type(module).__name__ for module in model.modules()}

    gpt = GPT(GPTConfig(7, 8, 2, 2, 8))
    assert not [name for name in kinds(gpt) if "Cross" in name or "Encoder" in name]
    whole = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    assert "TransformerEncoder" in kinds(whole)
    per_decoder_layer = [name for name, _ in whole.decoder.layers[0].named_children() if "attn" in name]
    assert per_decoder_layer == ["self_attn", "multihead_attn"]  # the second one looks at the encoder


def test_what_is_predicted_is_a_distribution_over_pieces_of_words():
    loaded = checkpoints.load("shakespeare-gpt", expected=GPT)
    ids = loaded.tokenizer.encode("Notwithstanding")
    assert len(ids) > 1  # a single word
    with torch.no_grad():
        p = loaded.model(torch.tensor([ids]))[0, -1].softmax(-1)
    assert p.shape == (loaded.tokenizer.vocab_size,)
    torch.testing.assert_close(p.sum(), torch.tensor(1.0))
    assert p.max() < 1
