import pytest
import torch

from dlcompare.models.attention import MultiHeadCrossAttention, MultiHeadSelfAttention


def reference_of(attention: MultiHeadSelfAttention, d_model: int, n_head: int) -> torch.nn.MultiheadAttention:
    reference = torch.nn.MultiheadAttention(d_model, n_head, batch_first=True, dtype=torch.float64)
    reference.load_state_dict(
        {
            "in_proj_weight": attention.query_key_value.weight,
            "in_proj_bias": attention.query_key_value.bias,
            "out_proj.weight": attention.project.weight,
            "out_proj.bias": attention.project.bias,
        }
    )
    return reference


@pytest.mark.parametrize("causal", [False, True])
def test_equals_torchs_multihead_attention(causal):
    torch.manual_seed(1)
    attention = MultiHeadSelfAttention(12, 3, causal=causal).double().eval()
    reference = reference_of(attention, 12, 3)
    x = torch.randn(2, 6, 12, dtype=torch.float64)
    weights = {}
    attention.softmax.register_forward_hook(lambda module, inputs, output: weights.update(ours=output))
    mask = torch.ones(6, 6, dtype=torch.bool).triu(1) if causal else None
    expected, expected_weights = reference(x, x, x, attn_mask=mask, average_attn_weights=False)
    assert torch.allclose(attention(x), expected, atol=1e-12)
    assert torch.allclose(weights["ours"], expected_weights, atol=1e-12)


def test_padding_is_seen_by_no_position():
    torch.manual_seed(2)
    attention = MultiHeadSelfAttention(8, 2, causal=False).double().eval()
    reference = reference_of(attention, 8, 2)
    x = torch.randn(2, 5, 8, dtype=torch.float64)
    visible = torch.tensor([[True] * 5, [True, True, True, False, False]])
    expected, _ = reference(x, x, x, key_padding_mask=~visible)
    assert torch.allclose(attention(x, visible), expected, atol=1e-12)


def test_cross_attention_equals_torchs_multihead_attention():
    torch.manual_seed(3)
    attention = MultiHeadCrossAttention(8, 2).double().eval()
    reference = torch.nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    reference.load_state_dict(
        {
            "in_proj_weight": torch.cat([attention.to_query.weight, attention.to_key_value.weight]),
            "in_proj_bias": torch.cat([attention.to_query.bias, attention.to_key_value.bias]),
            "out_proj.weight": attention.project.weight,
            "out_proj.bias": attention.project.bias,
        }
    )
    x, memory = torch.randn(2, 3, 8, dtype=torch.float64), torch.randn(2, 5, 8, dtype=torch.float64)
    visible = torch.tensor([[True] * 5, [True, True, False, False, False]])
    expected, _ = reference(x, memory, memory, key_padding_mask=~visible)
    assert torch.allclose(attention(x, memory, visible), expected, atol=1e-12)
    assert torch.allclose(attention(x, memory), reference(x, memory, memory)[0], atol=1e-12)


def test_heads_may_be_wider_than_their_share():
    """GPT-3's table 2.1 prints 24 heads of 128 beside a width of 2,048; torch's function takes any width of heads."""
    torch.manual_seed(4)
    attention = MultiHeadSelfAttention(10, 3, causal=True, d_head=4).double().eval()
    x = torch.randn(2, 5, 10, dtype=torch.float64)
    Q, K, V = attention.query_key_value(x).view(2, 5, 3, 3, 4).permute(2, 0, 3, 1, 4)
    mixed = torch.nn.functional.scaled_dot_product_attention(Q, K, V, is_causal=True)
    assert torch.allclose(attention(x), attention.project(mixed.transpose(1, 2).reshape(2, 5, 12)), atol=1e-12)


def test_a_head_count_that_does_not_divide_is_named():
    with pytest.raises(ValueError, match="n_head is 5, which does not divide d_model = 12"):
        MultiHeadSelfAttention(12, 5, causal=True)
