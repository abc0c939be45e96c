import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig as HFConfig
from transformers import LlamaForCausalLM

from dlcompare.models.llama import LLAMA_7B, SMOLLM2_135M, Llama, LlamaConfig, RMSNorm, rotate
from dlcompare.recording import record
from dlcompare.training import n_parameters

TINY = LlamaConfig(vocab_size=13, block_size=16, n_layer=2, n_head=4, n_kv_head=2, d_model=24, d_hidden=20)
VARIANTS = [
    pytest.param(TINY, id="grouped"),
    pytest.param(dataclasses.replace(TINY, n_kv_head=4), id="one-each"),
    pytest.param(dataclasses.replace(TINY, n_kv_head=1, rope_theta=500.0, norm_eps=1e-3), id="one-for-all"),
    pytest.param(dataclasses.replace(TINY, tied=True), id="tied"),
]


def randomised(config: LlamaConfig) -> Llama:
    """A model with every weight random, the norms' too, and large enough that attention is far from even."""
    torch.manual_seed(0)
    model = Llama(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.4)
    return model


def paired_by_halves(rows: torch.Tensor, d_head: int) -> torch.Tensor:
    """Reorder the rows of a query or key weight from our pairs (2i, 2i + 1) to Hugging Face's (i, i + d_head/2)."""
    heads = rows.unflatten(0, (-1, d_head))  # (n_head, d_head, d_model)
    return torch.cat([heads[:, 0::2], heads[:, 1::2]], dim=1).flatten(0, 1)


def to_hugging_face(weights: dict[str, torch.Tensor], config: LlamaConfig) -> dict[str, torch.Tensor]:
    """Name and order our weights, or gradients, as Hugging Face's."""
    top = {"token_embedding": "model.embed_tokens", "norm": "model.norm", "head": "lm_head"}
    inner = {
        "norm1": "input_layernorm",
        "norm2": "post_attention_layernorm",
        "attention.to_query": "self_attn.q_proj",
        "attention.to_key": "self_attn.k_proj",
        "attention.to_value": "self_attn.v_proj",
        "attention.project": "self_attn.o_proj",
        "mlp.gate": "mlp.gate_proj",
        "mlp.up": "mlp.up_proj",
        "mlp.down": "mlp.down_proj",
    }
    converted = {f"{top[name]}.weight": weights[f"{name}.weight"] for name in top if f"{name}.weight" in weights}
    for i in range(config.n_layer):
        for ours, theirs in inner.items():
            weight = weights[f"blocks.{i}.{ours}.weight"]
            turned = ours in ("attention.to_query", "attention.to_key")
            converted[f"model.layers.{i}.{theirs}.weight"] = (
                paired_by_halves(weight, config.d_head) if turned else weight
            )
    assert len(converted) == len(weights)
    return converted


def reference_of(model: Llama, attention: str = "eager") -> LlamaForCausalLM:
    config = model.config
    reference = LlamaForCausalLM(
        HFConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.d_model,
            intermediate_size=config.d_hidden,
            num_hidden_layers=config.n_layer,
            num_attention_heads=config.n_head,
            num_key_value_heads=config.n_kv_head,
            max_position_embeddings=config.block_size,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            rms_norm_eps=config.norm_eps,
            tie_word_embeddings=config.tied,
            attn_implementation=attention,
        )
    ).eval()
    weights = to_hugging_face({name: p.detach() for name, p in model.named_parameters()}, config)
    missing, unexpected = reference.load_state_dict(weights, strict=False)
    assert unexpected == []
    assert missing == (["lm_head.weight"] if config.tied else [])
    return reference


def loss_of(logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())


def assert_gradients_agree(model: Llama, reference: LlamaForCausalLM, atol: float) -> None:
    ours = to_hugging_face({name: p.grad for name, p in model.named_parameters()}, model.config)
    theirs = {name: p.grad for name, p in reference.named_parameters()}
    assert set(ours) == set(theirs)
    for name, gradient in theirs.items():
        assert gradient.abs().max() > 1e-4, name
        torch.testing.assert_close(ours[name], gradient, atol=atol, rtol=0, msg=lambda m, name=name: f"{name}: {m}")


@pytest.mark.parametrize("config", VARIANTS)
def test_logits_and_gradients_equal_hugging_faces(config):
    model = randomised(config)
    reference = reference_of(model)
    ids = torch.randint(config.vocab_size, (2, config.block_size), generator=torch.Generator().manual_seed(1))
    ours, theirs = model(ids), reference(ids).logits
    assert theirs.std() > 0.5
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    loss_of(ours, ids).backward()
    loss_of(theirs, ids).backward()
    assert_gradients_agree(model, reference, atol=1e-5)


@pytest.mark.parametrize("config", VARIANTS)
def test_in_double_precision_they_agree_to_the_tenth_digit(config):
    """Hugging Face's norm and eager softmax round to float32; torch's RMSNorm and fused attention do not."""
    model = randomised(config)
    reference = reference_of(model, attention="sdpa").double()
    model.double()
    norms = {"model.norm": reference.model.norm}
    norms |= {name: module for name, module in reference.named_modules() if name.endswith("layernorm")}
    for name, norm in norms.items():
        exact = torch.nn.RMSNorm(config.d_model, config.norm_eps, dtype=torch.float64)
        exact.weight = norm.weight
        reference.set_submodule(name, exact)
    ids = torch.randint(config.vocab_size, (2, config.block_size), generator=torch.Generator().manual_seed(2))
    ours, theirs = model(ids), reference(ids).logits
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=0)
    loss_of(ours, ids).backward()
    loss_of(theirs, ids).backward()
    assert_gradients_agree(model, reference, atol=1e-10)


def test_attention_weights_equal_hugging_faces():
    model = randomised(TINY)
    ids = torch.randint(TINY.vocab_size, (2, 9), generator=torch.Generator().manual_seed(3))
    with record(model, "blocks.*.attention.softmax", "blocks.*.attention.key") as seen:
        model(ids)
    theirs = reference_of(model)(ids, output_attentions=True).attentions
    for i, attention in enumerate(theirs):
        torch.testing.assert_close(seen[f"blocks.{i}.attention.softmax"], attention, atol=1e-5, rtol=0)
        K = seen[f"blocks.{i}.attention.key"]  # (batch, n_head, seq, d_head)
        assert torch.equal(K[:, 0], K[:, 1])  # two heads of queries share one of keys
        assert not torch.equal(K[:, 1], K[:, 2])


# --- the parts


def test_rmsnorm_equals_torchs():
    torch.manual_seed(4)
    ours, theirs = RMSNorm(10, 1e-4).double(), torch.nn.RMSNorm(10, 1e-4).double()
    with torch.no_grad():
        theirs.weight.copy_(ours.weight.normal_())
    x = torch.randn(3, 5, 10, dtype=torch.float64, requires_grad=True)
    assert torch.allclose(ours(x), theirs(x), atol=1e-12)
    (mine,) = torch.autograd.grad(ours(x).pow(3).sum(), x)
    (reference,) = torch.autograd.grad(theirs(x).pow(3).sum(), x)
    assert torch.allclose(mine, reference, atol=1e-12)
    assert torch.equal(ours(torch.zeros(1, 10, dtype=torch.float64)), torch.zeros(1, 10, dtype=torch.float64))


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.sampled_from([100.0, 10_000.0]))
@settings(deadline=None, max_examples=25)
def test_a_score_depends_on_the_distance_alone(query_at, key_at, shift, theta):
    generator = torch.Generator().manual_seed(query_at)
    Q, K = torch.randn(2, 1, 1, 1, 8, generator=generator)

    def score(shift: int) -> torch.Tensor:
        turned = rotate(Q, torch.tensor([query_at + shift]), theta), rotate(K, torch.tensor([key_at + shift]), theta)
        return (turned[0] * turned[1]).sum()

    # The angles are float32: at a position of 1,000 they are exact to 1e-4.
    assert torch.allclose(score(0), score(shift), atol=5e-3)
    assert torch.allclose(rotate(Q, torch.tensor([query_at]), theta).norm(), Q.norm(), atol=1e-4)


def test_a_rotation_is_multiplication_by_a_complex_number():
    """As in Llama's own code: a pair of neighbours is a complex number, turned by t · theta^(-2i/d)."""
    torch.manual_seed(5)
    x = torch.randn(2, 3, 7, 8)
    angles = torch.tensor([[t * 10_000.0 ** (-2 * i / 8) for i in range(4)] for t in range(7)])
    expected = torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (4, 2))) * torch.exp(1j * angles)).flatten(-2)
    assert torch.allclose(rotate(x, torch.arange(7), 10_000.0), expected, atol=1e-6)
    assert torch.equal(rotate(x, torch.zeros(7), 10_000.0), x)
    quarter = rotate(torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([math.pi / 2]), 10_000.0)
    assert torch.allclose(quarter, torch.tensor([[[[0.0, 1.0]]]]), atol=1e-6)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=8), st.data())
@settings(deadline=None, max_examples=25)
def test_changing_a_token_changes_nothing_before_it(ids, data):
    model = randomised(TINY)
    position = data.draw(st.integers(0, len(ids) - 1))
    changed = list(ids)
    changed[position] = (ids[position] + 1) % TINY.vocab_size
    before, after = model(torch.tensor([ids])), model(torch.tensor([changed]))
    assert torch.allclose(before[:, :position], after[:, :position], atol=1e-6)
    assert not torch.allclose(before[:, position], after[:, position], atol=1e-6)


# --- sizes and errors


@pytest.mark.parametrize(
    ("config", "published"),
    [(SMOLLM2_135M, 134_515_008), (LLAMA_7B, 6_738_415_616)],
    ids=["smollm2", "llama"],
)
def test_formula_and_module_count_agree_with_the_released_models(config, published):
    with torch.device("meta"):
        model = Llama(config)
    assert n_parameters(model) == config.n_parameters == published


@given(
    st.integers(1, 40),
    st.integers(1, 3),
    st.sampled_from([(1, 1, 4), (2, 1, 8), (3, 3, 12), (4, 2, 8), (6, 2, 12)]),
    st.integers(1, 20),
    st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_formula_counts_the_parameters_of_any_size(vocab_size, n_layer, heads_and_width, d_hidden, tied):
    n_head, n_kv_head, d_model = heads_and_width
    config = LlamaConfig(vocab_size, 5, n_layer, n_head, n_kv_head, d_model, d_hidden, tied=tied)
    with torch.device("meta"):
        assert n_parameters(Llama(config)) == config.n_parameters


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_head": 5}, "n_head is 5, which does not divide d_model = 24 into heads of an even width"),
        ({"n_head": 8, "n_kv_head": 2}, "n_head is 8, which does not divide d_model = 24 into heads of an even width"),
        ({"n_kv_head": 3}, "n_kv_head is 3, which does not divide n_head = 4"),
        ({"d_hidden": 0}, "d_hidden is 0; allowed are integers of at least 1"),
        ({"rope_theta": 0.0}, "rope_theta is 0.0; allowed is > 0"),
        ({"norm_eps": -1.0}, "norm_eps is -1.0; allowed is > 0"),
    ],
)
def test_bad_configurations_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **change)


def test_bad_ids_are_named():
    model = randomised(TINY)
    with pytest.raises(ValueError, match="ids is 17 tokens long; allowed are at most block_size = 16"):
        model(torch.zeros(1, 17, dtype=torch.long))
    with pytest.raises(ValueError, match="ids contains 13; allowed are 0 to 12"):
        model(torch.tensor([[13]]))
