import pytest
import torch

from dlcompare.models import (
    BERT,
    GPT,
    BERTConfig,
    EncoderConfig,
    GPTConfig,
    Llama,
    LlamaConfig,
    Transformer,
    TransformerConfig,
    TransformerEncoder,
    ViT,
    ViTConfig,
)
from dlcompare.models.attention import Attention, MultiHeadCrossAttention, MultiHeadSelfAttention
from dlcompare.models.tap import any_hooked
from dlcompare.recording import record


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


STEPS = ("query", "key", "value", "scores", "softmax", "dropout", "mixed")
SEEN_BY = {
    "all": None,
    "keys": torch.tensor([[[[True, True, False, True, True]]], [[[True, False, False, True, False]]]]),
    "one query sees nothing": torch.tensor([[True] * 5, [False] * 5, [True, False, True, False, True]]),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("visible", SEEN_BY)
def test_the_fused_kernel_gives_what_the_equation_gives(dtype, causal, visible):
    """Three queries, five keys: two are of the past. Values and gradients; NaN stands in the same places."""
    torch.manual_seed(5)
    attention = Attention()
    inputs = [torch.randn(2, 2, seq, 4, dtype=dtype, requires_grad=True) for seq in (3, 5, 5)]
    fused = attention.attend(*inputs, SEEN_BY[visible], causal)
    with record(attention, "softmax") as seen:
        written = attention.attend(*inputs, SEEN_BY[visible], causal)
    tolerance = {"rtol": 0, "atol": 1e-12 if dtype == torch.float64 else 1e-5}
    torch.testing.assert_close(fused, written, equal_nan=True, **tolerance)
    assert fused.isnan().any() == (visible == "one query sees nothing")
    assert seen["softmax"].shape == (2, 2, 3, 5)
    if visible != "one query sees nothing":
        direction = torch.randn_like(fused)
        gradients = [torch.autograd.grad(y, inputs, direction) for y in (fused, written)]
        for ours, theirs in zip(*gradients, strict=True):
            torch.testing.assert_close(ours, theirs, **tolerance)


IDS = torch.tensor([[3, 1, 4, 1, 5], [2, 6, 5, 3, 5]])
VISIBLE = torch.tensor([[True] * 5, [True, True, True, False, False]])
MODELS = {
    "GPT": lambda: (GPT(GPTConfig(9, 6, 2, 2, 8)), IDS),
    "GPT-1": lambda: (GPT(GPTConfig(9, 6, 2, 3, 8, d_head=5, post_norm=True)), IDS),
    "Llama": lambda: (Llama(LlamaConfig(9, 6, n_layer=2, n_head=4, n_kv_head=2, d_model=16, d_hidden=12)), IDS),
    "encoder": lambda: (TransformerEncoder(EncoderConfig(9, 6, 2, 2, 8, classes=3)), IDS),
    "encoder, padded": lambda: (TransformerEncoder(EncoderConfig(9, 6, 2, 2, 8, classes=3)), IDS, VISIBLE),
    "BERT, padded": lambda: (BERT(BERTConfig(9, 6, 2, 2, 8)), IDS, None, VISIBLE),
    "Transformer, padded": lambda: (Transformer(TransformerConfig(9, 6, 2, 2, 8, 16)), IDS, IDS, VISIBLE, VISIBLE),
    "ViT": lambda: (ViT(ViTConfig(8, 4, 1, 2, 2, 8, 3)), torch.randn(2, 1, 8, 8)),
}


@pytest.mark.parametrize("name", MODELS)
def test_looking_changes_neither_what_a_model_says_nor_its_gradients(name):
    torch.manual_seed(6)
    model, *inputs = MODELS[name]()
    model.double()
    inputs = [x.double() if isinstance(x, torch.Tensor) and x.is_floating_point() else x for x in inputs]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))

    def run() -> list[torch.Tensor]:
        model.zero_grad()
        outputs = model(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        sum(output.sin().sum() for output in outputs).backward()
        return [*outputs, *(p.grad.clone() for p in model.parameters() if p.grad is not None)]

    unseen = run()
    with record(model, "*scores") as seen:
        watched = run()
    assert len(seen) == sum(isinstance(module, Attention) for module in model.modules()) > 0
    for a, b in zip(unseen, watched, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["forward", "forward_pre", "full_backward", "full_backward_pre"])
def test_a_hook_of_any_kind_on_any_step_is_run(step, kind):
    attention = MultiHeadSelfAttention(8, 2, causal=True).eval()
    calls = []
    register = getattr(attention.get_submodule(step), f"register_{kind}_hook")
    handle = register(lambda *arguments: calls.append(step))
    attention(torch.randn(1, 3, 8, requires_grad=True)).sum().backward()
    assert calls == [step]
    handle.remove()
    attention(torch.randn(1, 3, 8, requires_grad=True)).sum().backward()
    assert calls == [step]


def test_a_hook_for_all_modules_counts_as_a_look():
    attention = MultiHeadSelfAttention(8, 2, causal=True).eval()
    assert not any_hooked(attention.modules())
    seen = []
    handle = torch.nn.modules.module.register_module_forward_hook(lambda module, inputs, output: seen.append(module))
    try:
        assert any_hooked([])
        attention(torch.randn(1, 3, 8))
    finally:
        handle.remove()
    assert attention.scores in seen


def test_a_hook_may_replace_a_step():
    attention = MultiHeadSelfAttention(8, 2, causal=False).eval()
    x = torch.randn(1, 4, 8)
    handle = attention.softmax.register_forward_hook(lambda module, inputs, A: torch.full_like(A, 0.25))
    even = attention(x)
    handle.remove()
    values = attention.query_key_value(x)[..., 16:].mean(1, keepdim=True).expand(1, 4, 8)
    torch.testing.assert_close(even, attention.project(values), rtol=0, atol=1e-6)


def test_dropped_weights_are_the_same_whether_watched_or_not():
    attention = MultiHeadSelfAttention(8, 2, causal=True, dropout=0.5).train()
    x = torch.randn(1, 4, 8)
    torch.manual_seed(7)
    unseen = attention(x)
    torch.manual_seed(7)
    with record(attention, "dropout"):
        assert torch.equal(attention(x), unseen)


@pytest.mark.parametrize("watched", [True, False])
def test_a_graph_of_any_length_is_exported_with_the_steps_only_where_they_are_asked_for(watched):
    torch.manual_seed(8)
    model = GPT(GPTConfig(9, 6, 2, 2, 8)).eval()
    if watched:
        model.blocks[0].attention.softmax.register_forward_hook(lambda module, inputs, A: None)
    seq = torch.export.Dim("seq", min=2, max=6)
    exported = torch.export.export(model, (IDS,), dynamic_shapes=({1: seq},))
    operations = [str(node.target) for node in exported.graph.nodes]
    assert operations.count("aten.softmax.int") == (1 if watched else 0)
    assert operations.count("aten.scaled_dot_product_attention.default") == (1 if watched else 2)
    for ids in (IDS[:, :2], IDS[:, :4]):
        torch.testing.assert_close(exported.module()(ids), model(ids), rtol=0, atol=1e-5)
