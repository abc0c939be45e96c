"""The encoder classifier and the encoder-decoder, held against torch's own Transformer in float64 (1e-10)."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlcompare.models.encoder import EncoderBlock, EncoderConfig, TransformerEncoder, sinusoidal_positions
from dlcompare.models.transformer import (
    TRANSFORMER_BASE,
    TRANSFORMER_BIG,
    DecoderBlock,
    Transformer,
    TransformerConfig,
)
from dlcompare.recording import record
from dlcompare.training import n_parameters

ENCODER = EncoderConfig(vocab_size=9, block_size=6, n_layer=2, n_head=2, d_model=8, classes=3)
TINY = TransformerConfig(vocab_size=11, block_size=7, n_layer=2, n_head=2, d_model=8, d_ff=20)

#: Our names of a block's parameters, and torch's.
ENCODER_NAMES = {
    "attention.query_key_value.weight": "self_attn.in_proj_weight",
    "attention.query_key_value.bias": "self_attn.in_proj_bias",
    "attention.project.weight": "self_attn.out_proj.weight",
    "attention.project.bias": "self_attn.out_proj.bias",
    "norm1.weight": "norm1.weight",
    "norm1.bias": "norm1.bias",
    "mlp.0.weight": "linear1.weight",
    "mlp.0.bias": "linear1.bias",
    "mlp.2.weight": "linear2.weight",
    "mlp.2.bias": "linear2.bias",
    "norm2.weight": "norm2.weight",
    "norm2.bias": "norm2.bias",
}
#: The cross-attention's queries are a layer of their own here; torch stacks them on keys and values.
DECODER_NAMES = {
    **{f"self_{ours}" if ours.startswith("attention") else ours: theirs for ours, theirs in ENCODER_NAMES.items()},
    "cross_attention.project.weight": "multihead_attn.out_proj.weight",
    "cross_attention.project.bias": "multihead_attn.out_proj.bias",
    "norm3.weight": "norm3.weight",
    "norm3.bias": "norm3.bias",
}


def randomised(module: nn.Module, seed: int) -> nn.Module:
    """Give every parameter, norms and biases too, its own random values; float64."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.5)
    return module


def as_torch(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Rename a block's parameters, or their gradients, as torch has them."""
    tensors = dict(tensors)
    names = DECODER_NAMES if "norm3.weight" in tensors else ENCODER_NAMES
    renamed = {theirs: tensors.pop(ours) for ours, theirs in names.items()}
    for kind in ("weight", "bias") if names is DECODER_NAMES else ():
        query = tensors.pop(f"cross_attention.to_query.{kind}")
        key_value = tensors.pop(f"cross_attention.to_key_value.{kind}")
        renamed[f"multihead_attn.in_proj_{kind}"] = torch.cat([query, key_value])
    assert not tensors, f"left over: {', '.join(tensors)}"
    return renamed


def gradients(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.grad for name, parameter in module.named_parameters()}


def assert_same(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert set(ours) == set(theirs)
    for name, expected in theirs.items():
        torch.testing.assert_close(ours[name], expected, atol=1e-10, rtol=0, msg=lambda m, name=name: f"{name}: {m}")


def assert_same_outputs_and_gradients(block, reference, output, expected, *inputs) -> None:
    """Compare outputs, then propagate the same random gradient through both and compare all of theirs."""
    torch.testing.assert_close(output, expected, atol=1e-10, rtol=0)
    sent = torch.randn(output.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    output.backward(sent)
    ours = [x.grad for x in inputs]
    for x in inputs:
        x.grad = None
    expected.backward(sent)
    torch.testing.assert_close(ours, [x.grad for x in inputs], atol=1e-10, rtol=0)
    assert_same(as_torch(gradients(block)), gradients(reference))


def test_encoder_block_equals_torchs_own():
    block = randomised(EncoderBlock(8, 2, 20), seed=0)
    reference = nn.TransformerEncoderLayer(8, 2, 20, dropout=0.0, batch_first=True).double().eval()
    reference.load_state_dict(as_torch(block.state_dict()))
    torch.manual_seed(1)
    x = torch.randn(2, 5, 8, dtype=torch.float64, requires_grad=True)
    visible = torch.tensor([[True] * 5, [True, True, True, False, False]])
    expected = reference(x, src_key_padding_mask=~visible)
    assert_same_outputs_and_gradients(block, reference, block(x, visible), expected, x)


def test_decoder_block_equals_torchs_own():
    block = randomised(DecoderBlock(8, 2, 20), seed=2)
    reference = nn.TransformerDecoderLayer(8, 2, 20, dropout=0.0, batch_first=True).double().eval()
    reference.load_state_dict(as_torch(block.state_dict()))
    torch.manual_seed(3)
    x = torch.randn(2, 4, 8, dtype=torch.float64, requires_grad=True)
    memory = torch.randn(2, 5, 8, dtype=torch.float64, requires_grad=True)
    visible = torch.tensor([[True] * 4, [True, True, True, False]])
    memory_visible = torch.tensor([[True, True, True, False, False], [True] * 5])
    expected = reference(
        x,
        memory,
        tgt_mask=torch.ones(4, 4, dtype=torch.bool).triu(1),
        tgt_key_padding_mask=~visible,
        memory_key_padding_mask=~memory_visible,
    )
    output = block(x, memory, visible, memory_visible)
    assert_same_outputs_and_gradients(block, reference, output, expected, x, memory)


@pytest.mark.parametrize("learned_positions", [False, True])
def test_transformer_equals_torchs_own(learned_positions):
    """The paper's stacks end without a norm of their own, which ``nn.Transformer`` has: it takes stacks without."""
    model = randomised(Transformer(replace(TINY, learned_positions=learned_positions)), seed=4)
    c = model.config
    sizes = {"dropout": 0.0, "batch_first": True}
    reference = nn.Transformer(
        c.d_model,
        c.n_head,
        custom_encoder=nn.TransformerEncoder(
            nn.TransformerEncoderLayer(c.d_model, c.n_head, c.d_ff, **sizes), c.n_layer, enable_nested_tensor=False
        ),
        custom_decoder=nn.TransformerDecoder(
            nn.TransformerDecoderLayer(c.d_model, c.n_head, c.d_ff, **sizes), c.n_layer
        ),
        batch_first=True,
    )
    reference = reference.double().eval()
    for ours, theirs in ((model.encoder, reference.encoder.layers), (model.decoder, reference.decoder.layers)):
        for block, layer in zip(ours, theirs, strict=True):
            layer.load_state_dict(as_torch(block.state_dict()))

    source = torch.tensor([[1, 5, 3, 7, 2, 9], [4, 4, 10, 6, 0, 0]])
    target = torch.tensor([[1, 8, 2, 5], [1, 3, 0, 0]])
    source_visible, target_visible = source != 0, target != 0
    E = model.token_embedding.weight.detach().clone().requires_grad_()
    P = model.positions.detach().clone().requires_grad_()
    x, y = F.embedding(source, E) * math.sqrt(8) + P[:6], F.embedding(target, E) * math.sqrt(8) + P[:4]
    expected = F.linear(
        reference(
            x,
            y,
            tgt_mask=torch.ones(4, 4, dtype=torch.bool).triu(1),
            src_key_padding_mask=~source_visible,
            tgt_key_padding_mask=~target_visible,
            memory_key_padding_mask=~source_visible,
        ),
        E,
    )
    output = model(source, target, source_visible, target_visible)
    assert output.shape == (2, 4, 11)
    torch.testing.assert_close(output, expected, atol=1e-10, rtol=0)

    sent = torch.randn(output.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    output.backward(sent)
    expected.backward(sent)
    for ours, theirs in ((model.encoder, reference.encoder.layers), (model.decoder, reference.decoder.layers)):
        for block, layer in zip(ours, theirs, strict=True):
            assert_same(as_torch(gradients(block)), gradients(layer))
    assert_same({"E": model.token_embedding.weight.grad}, {"E": E.grad})
    if learned_positions:
        assert_same({"P": model.positions.grad}, {"P": P.grad})


def test_one_matrix_embeds_both_sides_and_makes_the_logits():
    model = Transformer(TINY)
    assert model.head.weight is model.token_embedding.weight
    assert "positions" not in model.state_dict()  # computed, not stored
    assert "positions" in Transformer(replace(TINY, learned_positions=True)).state_dict()


def test_initial_weights_are_glorots():
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(50, 8, n_layer=1, n_head=2, d_model=64, d_ff=128, learned_positions=True))
    weight = model.decoder[0].mlp[0].weight
    assert weight.abs().max() <= math.sqrt(6 / (64 + 128))
    assert weight.std().item() == pytest.approx(math.sqrt(2 / (64 + 128)), rel=0.05)
    assert not model.decoder[0].cross_attention.to_query.bias.any()
    assert (model.token_embedding.weight * 8).std().item() == pytest.approx(1, rel=0.05)
    assert model.positions.std().item() == pytest.approx(1, rel=0.1)


def test_the_memory_is_read_once_and_used_often():
    model = randomised(Transformer(TINY), seed=6)
    source, target = torch.tensor([[3, 1, 4]]), torch.tensor([[1, 5, 9, 2]])
    memory = model.encode(source)
    assert memory.shape == (1, 3, 8)
    whole = model(source, target)
    for seq in (1, 2, 4):
        torch.testing.assert_close(model.decode(target[:, :seq], memory), whole[:, :seq], atol=1e-10, rtol=0)


def test_padding_at_a_targets_end_needs_no_mask():
    model = randomised(Transformer(TINY), seed=6)
    source, target = torch.tensor([[3, 1, 4]]), torch.tensor([[1, 5, 0, 0]])
    torch.testing.assert_close(
        model(source, target)[:, :2], model(source, target, target_visible=target != 0)[:, :2], atol=1e-10, rtol=0
    )


def test_a_recording_shows_three_kinds_of_attention():
    model = randomised(Transformer(TINY), seed=7)
    source, target = torch.tensor([[3, 1, 4, 1, 0]]), torch.tensor([[1, 5, 9]])
    names = (
        "encoder.0.attention.softmax",
        "decoder.0.self_attention.softmax",
        "decoder.0.cross_attention.softmax",
        "decoder.0.cross_attention.query",
    )
    with record(model, *names) as seen:
        model(source, target, source != 0).square().sum().backward()
    assert [tuple(seen[name].shape) for name in names] == [(1, 2, 5, 5), (1, 2, 3, 3), (1, 2, 3, 5), (1, 2, 3, 4)]
    assert not seen[names[0]][..., 4].any()  # padding of the source, seen by no encoder position
    assert not seen[names[2]][..., 4].any()  # and by no decoder position
    assert not seen[names[1]].triu(1).any()  # what is not written yet
    assert all(seen.gradient(name).any() for name in names)


TOKENS = st.lists(st.integers(0, 10), min_size=1, max_size=7)


@given(TOKENS, TOKENS, st.data())
@settings(deadline=None, max_examples=25)
def test_changing_a_target_token_changes_nothing_before_it(source, target, data):
    model = randomised(Transformer(TINY), seed=8)
    t = data.draw(st.integers(0, len(target) - 1))
    changed = [*target[:t], (target[t] + 1) % 11, *target[t + 1 :]]
    with torch.no_grad():
        before = model(torch.tensor([source]), torch.tensor([target]))
        after = model(torch.tensor([source]), torch.tensor([changed]))
    assert torch.allclose(before[:, :t], after[:, :t], atol=1e-10, rtol=0)
    assert not torch.allclose(before[:, t], after[:, t], atol=1e-6)


@given(TOKENS, TOKENS, st.data())
@settings(deadline=None, max_examples=25)
def test_changing_a_source_token_changes_every_position(source, target, data):
    model = randomised(Transformer(TINY), seed=8)
    s = data.draw(st.integers(0, len(source) - 1))
    changed = [*source[:s], (source[s] + 1) % 11, *source[s + 1 :]]
    with torch.no_grad():
        memory, other = model.encode(torch.tensor([source])), model.encode(torch.tensor([changed]))
        before = model.decode(torch.tensor([target]), memory)
        after = model.decode(torch.tensor([target]), other)
    assert ((memory - other).abs().amax(-1) > 1e-9).all()
    assert ((before - after).abs().amax(-1) > 1e-9).all()


@pytest.mark.parametrize(
    ("config", "count", "published"), [(TRANSFORMER_BASE, 63_082_496, 65e6), (TRANSFORMER_BIG, 214_245_376, 213e6)]
)
def test_the_papers_sizes(config, count, published):
    with torch.device("meta"):
        model = Transformer(config)
    assert n_parameters(model) == config.n_parameters == count
    assert abs(count - published) / published < 0.03  # no one vocabulary gives both of table 3's figures


def test_the_vocabularies_that_would_give_the_papers_figures():
    without = {c: c.n_parameters - c.vocab_size * c.d_model for c in (TRANSFORMER_BASE, TRANSFORMER_BIG)}
    assert list(without.values()) == [44_138_496, 176_357_376]
    fitting = [round((p - without[c]) / c.d_model) for c, p in zip(without, (65e6, 213e6), strict=True)]
    assert fitting == [40_745, 35_784]


@given(
    st.integers(1, 30),
    st.integers(1, 12),
    st.integers(1, 3),
    st.sampled_from([(1, 4), (2, 6), (3, 12)]),
    st.integers(1, 30),
    st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_formulas_count_the_parameters_of_any_size(vocab_size, block_size, n_layer, heads, d_ff, learned_positions):
    config = TransformerConfig(vocab_size, block_size, n_layer, *heads, d_ff, learned_positions=learned_positions)
    encoder = EncoderConfig(vocab_size, block_size, n_layer, *heads, classes=d_ff)
    with torch.device("meta"):
        assert n_parameters(Transformer(config)) == config.n_parameters
        assert n_parameters(TransformerEncoder(encoder)) == encoder.n_parameters


def test_encoder_ignores_padding():
    torch.manual_seed(0)
    model = TransformerEncoder(ENCODER).double().eval()
    ids = torch.tensor([[1, 2, 3, 0, 0]])
    visible = torch.tensor([[True, True, True, False, False]])
    assert torch.allclose(model(ids, visible), model(ids[:, :3]), atol=1e-12)


def test_encoder_sees_both_ways():
    torch.manual_seed(0)
    model = TransformerEncoder(ENCODER).double().eval()
    first, second = model.encode(torch.tensor([[1, 2, 3]])), model.encode(torch.tensor([[1, 2, 4]]))
    assert not torch.allclose(first[:, 0], second[:, 0], atol=1e-6)


def test_positions_are_the_papers_sines_and_cosines():
    positions = sinusoidal_positions(50, 16)
    for t in (0, 1, 49):
        for i in (0, 3, 7):
            angle = t / 10000 ** (2 * i / 16)
            assert positions[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert positions[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_encoder_names_bad_arguments():
    with pytest.raises(ValueError, match="d_model is 7; allowed are even multiples of n_head = 1"):
        EncoderConfig(vocab_size=9, block_size=6, n_layer=2, n_head=1, d_model=7, classes=3)
    with pytest.raises(ValueError, match="at most block_size = 6"):
        TransformerEncoder(ENCODER)(torch.zeros(1, 7, dtype=torch.long))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d_model": 9, "n_head": 3}, "d_model is 9; allowed are even multiples of n_head = 3"),
        ({"n_head": 3}, "d_model is 8; allowed are even multiples of n_head = 3"),
        ({"d_ff": 0}, "d_ff is 0; allowed are integers of at least 1"),
        ({"dropout": -0.1}, "dropout is -0.1; allowed is 0 ≤ dropout < 1"),
    ],
)
def test_bad_configurations_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)


def test_bad_ids_are_named():
    model, good = Transformer(TINY), torch.zeros(1, 2, dtype=torch.long)
    with pytest.raises(ValueError, match="source is 8 tokens long; allowed are at most block_size = 7"):
        model(torch.zeros(1, 8, dtype=torch.long), good)
    with pytest.raises(ValueError, match="target contains 11; allowed are 0 to 10"):
        model(good, torch.tensor([[11]]))
