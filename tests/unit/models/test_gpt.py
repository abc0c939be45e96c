import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.models import GPT, GPT2_SMALL, GPTConfig
from dlcompare.training import n_parameters

TINY = GPTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, d_model=12)


def tiny() -> GPT:
    torch.manual_seed(0)
    return GPT(TINY).eval()


def test_formula_and_module_count_agree_with_the_released_gpt2():
    with torch.device("meta"):
        model = GPT(GPT2_SMALL)
    assert n_parameters(model) == GPT2_SMALL.n_parameters == 124_439_808


@given(
    st.integers(1, 40),
    st.integers(1, 20),
    st.integers(1, 3),
    st.sampled_from([(1, 4), (2, 6), (3, 12), (4, 8)]),
)
@settings(deadline=None, max_examples=25)
def test_formula_counts_the_parameters_of_any_size(vocab_size, block_size, n_layer, head_and_width):
    n_head, d_model = head_and_width
    config = GPTConfig(vocab_size, block_size, n_layer, n_head, d_model)
    with torch.device("meta"):
        assert n_parameters(GPT(config)) == config.n_parameters


@given(st.lists(st.integers(0, 10), min_size=2, max_size=8), st.data())
@settings(deadline=None, max_examples=30)
def test_changing_a_token_changes_nothing_before_it(ids, data):
    model = tiny()
    position = data.draw(st.integers(0, len(ids) - 1))
    changed = list(ids)
    changed[position] = (ids[position] + 1) % TINY.vocab_size
    before, after = model(torch.tensor([ids])), model(torch.tensor([changed]))
    assert torch.allclose(before[:, :position], after[:, :position], atol=1e-6)
    assert not torch.allclose(before[:, position], after[:, position], atol=1e-6)


def test_a_block_equals_torchs_own_encoder_layer_with_a_causal_mask():
    """torch's pre-norm TransformerEncoderLayer is the independent reference for attention, norms and MLP."""
    model = tiny().double()
    block = model.blocks[0]
    reference = torch.nn.TransformerEncoderLayer(
        12,
        2,
        48,
        dropout=0.0,
        activation=torch.nn.GELU(approximate="tanh"),
        batch_first=True,
        norm_first=True,
    ).double()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.normal_()
    reference.load_state_dict(
        {
            "self_attn.in_proj_weight": block.attention.query_key_value.weight,
            "self_attn.in_proj_bias": block.attention.query_key_value.bias,
            "self_attn.out_proj.weight": block.attention.project.weight,
            "self_attn.out_proj.bias": block.attention.project.bias,
            "linear1.weight": block.mlp[0].weight,
            "linear1.bias": block.mlp[0].bias,
            "linear2.weight": block.mlp[2].weight,
            "linear2.bias": block.mlp[2].bias,
            "norm1.weight": block.norm1.weight,
            "norm1.bias": block.norm1.bias,
            "norm2.weight": block.norm2.weight,
            "norm2.bias": block.norm2.bias,
        }
    )
    x = torch.randn(3, 7, 12, dtype=torch.float64)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(7, dtype=torch.float64)
    assert torch.allclose(block(x), reference(x, src_mask=mask, is_causal=True), atol=1e-12)


def test_the_output_layer_is_the_token_embedding():
    model = tiny()
    assert model.head.weight is model.token_embedding.weight


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (torch.zeros(3, dtype=torch.long), r"ids has shape \(3,\); allowed is \(batch, seq\)"),
        (torch.zeros(1, 9, dtype=torch.long), "ids is 9 tokens long; allowed are at most block_size = 8"),
        (torch.tensor([[0, 11]]), "ids contains 11; allowed are 0 to 10"),
        (torch.tensor([[-1, 3]]), "ids contains -1; allowed are 0 to 10"),
        (torch.zeros(1, 3), "ids has dtype torch.float32"),
    ],
)
def test_bad_ids_are_named(ids, message):
    with pytest.raises(ValueError, match=message):
        tiny()(ids)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_head": 5}, "n_head is 5, which does not divide d_model = 12"),
        ({"n_layer": 0}, "n_layer is 0; allowed are integers of at least 1"),
        ({"dropout": 1.0}, "dropout is 1.0; allowed is 0 ≤ dropout < 1"),
        ({"vocab_size": 2.5}, "vocab_size is 2.5"),
    ],
)
def test_bad_configurations_are_named(change, message):
    fields = {"vocab_size": 11, "block_size": 8, "n_layer": 2, "n_head": 2, "d_model": 12}
    with pytest.raises(ValueError, match=message):
        GPTConfig(**{**fields, **change})
