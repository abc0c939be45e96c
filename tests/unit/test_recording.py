import pytest
import torch

from dlcompare.models import CNN, GPT, CNNConfig, GPTConfig, Recurrent, RecurrentConfig, unrolled
from dlcompare.recording import RecordingError, record


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


@pytest.mark.parametrize(
    ("kind", "gates"),
    [
        ("rnn", []),
        ("lstm", ["input_gate", "forget_gate", "candidate", "output_gate", "cell"]),
        ("gru", ["reset_gate", "update_gate", "candidate"]),
    ],
)
def test_gates_and_their_gradients_are_recorded_at_every_time_step(kind, gates):
    torch.manual_seed(0)
    model = Recurrent(RecurrentConfig(kind, 3, 4, 2, n_layer=2)).double()
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    names = [f"recurrence.layers.{layer}.{gate}" for layer in (0, 1) for gate in (*gates, "hidden")]
    looking = unrolled(model)
    with record(looking, *names) as seen:
        y = looking(x)
    torch.testing.assert_close(y, model(x), rtol=0, atol=1e-12)
    for name in names:
        assert [value.shape for value in seen.all(name)] == [(2, 4)] * 5  # five steps of (batch, hidden_size)
    above = torch.stack(seen.all("recurrence.layers.1.hidden"), dim=1)
    torch.testing.assert_close(model.output(above), y, rtol=0, atol=1e-12)
    y.square().sum().backward()

    def loss_at(name: str, step: float, directions: list[torch.Tensor]) -> float:
        later = iter(directions)
        handle = looking.get_submodule(name).register_forward_hook(lambda m, i, output: output + step * next(later))
        with torch.no_grad():
            loss = looking(x).square().sum().item()
        handle.remove()
        return loss

    for name in names:
        gradients = [value.grad for value in seen.all(name)]
        directions = [torch.randn_like(gradient) for gradient in gradients]
        slope = (loss_at(name, 1e-6, directions) - loss_at(name, -1e-6, directions)) / 2e-6
        along = sum((g * d).sum().item() for g, d in zip(gradients, directions, strict=True))
        assert along == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_fused_gates_are_refused_with_the_way_to_see_them():
    model = Recurrent(RecurrentConfig("lstm", 3, 4, 2))
    message = r"no module 'recurrence\.forget_gate'.*torch's LSTM, which hides its gates; record dlcompare.*unrolled"
    with pytest.raises(ValueError, match=message), record(model, "recurrence.forget_gate"):
        pass


def test_feature_maps_are_recorded():
    torch.manual_seed(0)
    model = CNN(CNNConfig(image_size=8, channels=(2, 3), hidden=4))
    x = torch.randn(1, 1, 8, 8)
    with record(model, "levels.*.0", "levels.*.2") as seen:
        model(x).sum().backward()
    assert {name: tuple(value.shape) for name, value in seen.items()} == {
        "levels.0.0": (1, 2, 8, 8),
        "levels.0.2": (1, 2, 4, 4),
        "levels.1.0": (1, 3, 4, 4),
        "levels.1.2": (1, 3, 2, 2),
    }
    convolution = model.levels[0][0]
    torch.testing.assert_close(
        seen["levels.0.0"], torch.nn.functional.conv2d(x, convolution.weight, convolution.bias, padding=1)
    )
    # Max pooling hands its gradient to one number in four, and ReLU only where it is open.
    assert (seen.gradient("levels.1.0") != 0).sum() <= (seen.gradient("levels.1.2") != 0).sum()


def test_nothing_stays_behind():
    model = gpt()
    with record(model, "norm"):
        model(torch.tensor([[0]]))
    assert not any(module._forward_hooks for module in model.modules())
    with pytest.raises(ZeroDivisionError), record(model, "norm"):
        raise ZeroDivisionError  # an error of the block itself is what is seen, and the hooks are gone all the same
    assert not any(module._forward_hooks for module in model.modules())


def test_queries_keys_values_and_scores_make_the_output_of_attention():
    model = gpt().double()
    with record(model, "blocks.1.attention*") as seen:
        model(torch.tensor([[0, 1, 2, 3], [4, 3, 2, 1]]))
    at = "blocks.1.attention."
    Q, K, V = (seen[at + part] for part in ("query", "key", "value"))
    assert Q.shape == K.shape == V.shape == (2, 2, 4, 4)  # (batch, n_head, seq, d_head)
    mixed = torch.nn.functional.scaled_dot_product_attention(Q, K, V, is_causal=True)
    torch.testing.assert_close(seen[at + "mixed"], mixed, rtol=0, atol=1e-12)
    torch.testing.assert_close(seen[at + "scores"].softmax(-1), seen[at + "softmax"], rtol=0, atol=0)
    out = model.blocks[1].attention.project(mixed.transpose(1, 2).flatten(2))
    torch.testing.assert_close(seen["blocks.1.attention"], out, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["query", "key", "value", "scores", "softmax", "mixed"])
def test_the_gradient_of_every_step_of_attention_equals_finite_differences(name):
    model = gpt().double()
    with torch.no_grad():  # far from the small first weights, where the gradients would be tiny
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter))
    ids = torch.tensor([[0, 1, 2]])
    module = f"blocks.0.attention.{name}"
    with record(model, module) as seen:
        model(ids)[0, -1, 2].backward()
    gradient = seen.gradient(module)

    direction = torch.randn_like(gradient)

    def loss_at(step: float) -> float:
        handle = model.get_submodule(module).register_forward_hook(lambda m, i, output: output + step * direction)
        with torch.no_grad():
            loss = model(ids)[0, -1, 2].item()
        handle.remove()
        return loss

    slope = (loss_at(1e-6) - loss_at(-1e-6)) / 2e-6
    assert (gradient * direction).nansum().item() == pytest.approx(slope, rel=1e-5)


def test_patterns_name_many_modules_in_the_order_in_which_they_run():
    model = gpt()
    with record(model, "blocks.*.mlp", "norm") as seen:
        model(torch.tensor([[0, 1]]))
    assert list(seen) == ["blocks.0.mlp", "blocks.1.mlp", "norm"]
    assert len(seen) == 3
    assert "norm" in seen
    assert "head" not in seen


def test_the_star_records_every_module_that_ran():
    model = gpt()
    with record(model, "*") as seen:
        logits = model(torch.tensor([[0, 1]]))
    assert torch.equal(seen["head"], logits)
    assert "blocks" not in seen  # a list of modules is not called itself


def test_a_module_that_ran_twice_has_two_outputs_and_no_single_one():
    model = gpt()
    with record(model, "norm") as seen:
        first, second = model(torch.tensor([[0]])), model(torch.tensor([[1]]))
    assert [torch.equal(model.head(x), y) for x, y in zip(seen.all("norm"), (first, second), strict=True)] == [True] * 2
    with pytest.raises(RecordingError, match=r"module 'norm' ran 2 times; all\('norm'\) gives all"):
        seen["norm"]


def test_names_that_no_module_has_are_refused():
    model = gpt()
    with (
        pytest.raises(ValueError, match=r"no module 'attention\.softmax'; close are: blocks\.0\.attention\.softmax"),
        record(model, "attention.softmax"),
    ):
        pass
    misspelt = r"no module 'blocks\.0\.attn'; close are: .*blocks\.0\.attention"
    with pytest.raises(ValueError, match=misspelt), record(model, "blocks.0.attn"):
        pass
    with pytest.raises(ValueError, match=r"no module 'layers\.\*'"), record(model, "layers.*"):
        pass
    with pytest.raises(ValueError, match="names is empty"), record(model):
        pass


def test_what_was_not_recorded_is_refused():
    model = gpt()
    with record(model, "norm", "head") as seen:
        with pytest.raises(RecordingError, match="module 'norm' is not recorded; it has not run yet"):
            seen["norm"]
        with torch.no_grad():
            model(torch.tensor([[0]]))
    with pytest.raises(RecordingError, match="module 'dropout' is not recorded; only these are: norm, head"):
        seen["dropout"]
    with pytest.raises(RecordingError, match="its output was computed without a graph"):
        seen.gradient("norm")
    with record(model, "norm") as seen:
        model(torch.tensor([[0]]))
    with pytest.raises(RecordingError, match=r"call backward\(\) on a loss that depends on it"):
        seen.gradient("norm")


def test_parts_that_a_fused_layer_does_not_run_are_an_error():
    """torch's own attention takes the weights of its ``out_proj`` and never calls it."""
    attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.randn(1, 3, 8)
    with pytest.raises(RecordingError, match="no module 'out_proj' ran while recording"), record(attention, "out_proj"):
        attention(x, x, x)
    with pytest.raises(RecordingError, match="no module 'norm' ran"), record(gpt(), "norm"):
        pass


def test_torchs_encoder_layer_takes_the_long_way_while_it_is_recorded():
    """In evaluation it computes everything in one go, unless hooks are there."""
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    with torch.inference_mode(), record(layer, "linear1", "self_attn") as seen:
        layer(torch.randn(1, 3, 8))
    assert seen["linear1"].shape == (1, 3, 16)


def test_a_value_that_was_overwritten_is_an_error():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(inplace=True))
    with record(model, "0", "1") as seen:
        model(torch.randn(3, 2))
    with pytest.raises(RecordingError, match="what module '0' put out was overwritten by an operation in place"):
        seen["0"]
    assert (seen["1"] >= 0).all()


def test_only_tensors_are_recorded():
    class Words(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> str:
            return "words"

    model = torch.nn.Sequential(Words())
    with pytest.raises(RecordingError, match="module '0' puts out a str"), record(model, "0"):
        model(torch.zeros(1))


def test_inference_mode_can_be_recorded():
    model = gpt()
    with torch.inference_mode(), record(model, "norm") as seen:
        logits = model(torch.tensor([[0, 1]]))
        assert torch.equal(model.head(seen["norm"]), logits)
