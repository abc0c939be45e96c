"""BERT against Hugging Face's ``BertForPreTraining`` with the same random weights; no download."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertForPreTraining

from dlcompare.models.bert import BERT, BERT_BASE, BERT_LARGE, BERTConfig
from dlcompare.recording import record
from dlcompare.training import n_parameters

TINY = BERTConfig(vocab_size=23, block_size=9, n_layer=2, n_head=3, d_model=12)

#: Our names and Hugging Face's outside the blocks.
NAMES = {
    "token_embedding.weight": "bert.embeddings.word_embeddings.weight",
    "position_embedding.weight": "bert.embeddings.position_embeddings.weight",
    "segment_embedding.weight": "bert.embeddings.token_type_embeddings.weight",
    "norm.weight": "bert.embeddings.LayerNorm.weight",
    "norm.bias": "bert.embeddings.LayerNorm.bias",
    "pooler.0.weight": "bert.pooler.dense.weight",
    "pooler.0.bias": "bert.pooler.dense.bias",
    "transform.0.weight": "cls.predictions.transform.dense.weight",
    "transform.0.bias": "cls.predictions.transform.dense.bias",
    "transform.2.weight": "cls.predictions.transform.LayerNorm.weight",
    "transform.2.bias": "cls.predictions.transform.LayerNorm.bias",
    "masked_lm.bias": "cls.predictions.bias",
    "next_sentence.weight": "cls.seq_relationship.weight",
    "next_sentence.bias": "cls.seq_relationship.bias",
}
#: Our names and Hugging Face's inside a block.
BLOCK_NAMES = {
    "attention.project": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "mlp.0": "intermediate.dense",
    "mlp.2": "output.dense",
    "norm2": "output.LayerNorm",
}


def as_ours(theirs: dict[str, torch.Tensor], n_layer: int) -> dict[str, torch.Tensor]:
    """Rename Hugging Face's parameters, or their gradients; every tensor is used exactly once."""
    theirs = dict(theirs)
    ours = {name: theirs.pop(other) for name, other in NAMES.items()}
    for i in range(n_layer):
        block, layer = f"blocks.{i}", f"bert.encoder.layer.{i}"
        for kind in ("weight", "bias"):
            parts = [theirs.pop(f"{layer}.attention.self.{part}.{kind}") for part in ("query", "key", "value")]
            ours[f"{block}.attention.query_key_value.{kind}"] = torch.cat(parts)
            for name, other in BLOCK_NAMES.items():
                ours[f"{block}.{name}.{kind}"] = theirs.pop(f"{layer}.{other}.{kind}")
    assert not theirs, f"left over: {', '.join(theirs)}"
    return ours


def twins(dtype: torch.dtype) -> tuple[BERT, BertForPreTraining]:
    """Return our model and Hugging Face's with the same random weights, norms and biases among them."""
    reference = BertForPreTraining(
        BertConfig(
            vocab_size=TINY.vocab_size,
            hidden_size=TINY.d_model,
            num_hidden_layers=TINY.n_layer,
            num_attention_heads=TINY.n_head,
            intermediate_size=4 * TINY.d_model,
            max_position_embeddings=TINY.block_size,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            attn_implementation="eager",
            pad_token_id=None,  # or the gradient of token 0's embedding is left out
        )
    )
    reference = reference.to(dtype).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.3)
    model = BERT(TINY).to(dtype).eval()
    state = as_ours(dict(reference.named_parameters()), TINY.n_layer)
    model.load_state_dict({**state, "masked_lm.weight": state["token_embedding.weight"]})
    return model, reference


IDS = torch.tensor([[2, 7, 22, 3, 9, 11, 3], [2, 5, 3, 8, 3, 0, 0]])
SEGMENTS = torch.tensor([[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0]])
VISIBLE = IDS != 0
TARGETS = torch.tensor([[-100, 6, -100, -100, 9, -100, -100], [-100, -100, -100, 8, -100, -100, -100]])
IS_RANDOM = torch.tensor([0, 1])


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_equals_hugging_faces_bert(dtype, atol):
    model, reference = twins(dtype)
    expected = reference(
        input_ids=IDS,
        token_type_ids=SEGMENTS,
        attention_mask=VISIBLE.long(),
        labels=TARGETS,
        next_sentence_label=IS_RANDOM,
        output_attentions=True,
    )
    with record(model, "blocks.*.attention.softmax") as seen:
        logits = model(IDS, SEGMENTS, VISIBLE)
    loss = F.cross_entropy(logits.masked_lm.flatten(0, 1), TARGETS.flatten())
    loss = loss + F.cross_entropy(logits.next_sentence, IS_RANDOM)
    torch.testing.assert_close(logits.masked_lm, expected.prediction_logits, atol=atol, rtol=0)
    torch.testing.assert_close(logits.next_sentence, expected.seq_relationship_logits, atol=atol, rtol=0)
    torch.testing.assert_close(loss, expected.loss, atol=atol, rtol=0)

    assert len(expected.attentions) == len(seen) == TINY.n_layer
    for attention in expected.attentions:
        attention.retain_grad()
    loss.backward()
    expected.loss.backward()
    for i, attention in enumerate(expected.attentions):
        name = f"blocks.{i}.attention.softmax"
        torch.testing.assert_close(seen[name], attention, atol=atol, rtol=0)
        torch.testing.assert_close(seen.gradient(name), attention.grad, atol=atol, rtol=0)
    gradients = as_ours({name: p.grad for name, p in reference.named_parameters()}, TINY.n_layer)
    assert set(gradients) == {name for name, _ in model.named_parameters()}
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], atol=atol, rtol=0)


def test_segments_are_zero_unless_given():
    model, reference = twins(torch.float64)
    expected = reference(input_ids=IDS)
    torch.testing.assert_close(model(IDS).masked_lm, expected.prediction_logits, atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    ("config", "encoder", "whole"),
    [(BERT_BASE, 109_482_240, 110_106_428), (BERT_LARGE, 335_141_888, 336_226_108)],
)
def test_the_papers_sizes(config, encoder, whole):
    with torch.device("meta"):
        model = BERT(config)
    heads = {p for m in (model.transform, model.masked_lm, model.next_sentence) for p in m.parameters()}
    own = sum(p.numel() for p in heads - {model.token_embedding.weight})
    assert n_parameters(model) == config.n_parameters == whole
    assert n_parameters(model) - own == config.n_encoder_parameters == encoder


@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 3), st.sampled_from([(1, 3), (2, 6), (3, 12)]))
@settings(deadline=None, max_examples=25)
def test_formula_counts_the_parameters_of_any_size(vocab_size, block_size, n_layer, heads):
    config = BERTConfig(vocab_size, block_size, n_layer, *heads)
    with torch.device("meta"):
        assert n_parameters(BERT(config)) == config.n_parameters


def test_initial_weights_are_the_released_codes():
    torch.manual_seed(0)
    model = BERT(BERTConfig(vocab_size=500, block_size=9, n_layer=1, n_head=1, d_model=64))
    weight = model.token_embedding.weight
    assert weight.abs().max() <= 0.04
    # cut off at two standard deviations, a normal distribution keeps 0.880 of its spread
    assert weight.std().item() == pytest.approx(0.0176, rel=0.02)
    assert not model.masked_lm.bias.any()
    assert model.masked_lm.weight is weight


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(1, 10, dtype=torch.long),), "ids is 10 tokens long; allowed are at most block_size = 9"),
        ((torch.tensor([[23]]),), "ids contains 23; allowed are 0 to 22"),
        ((torch.tensor([[1, 2]]), torch.tensor([[0, 2]])), "segments contains 2; allowed are 0 to 1"),
        (
            (torch.tensor([[1, 2]]), torch.tensor([[0]])),
            r"segments has shape \(1, 1\); allowed is that of ids, \(1, 2\)",
        ),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        BERT(TINY)(*arguments)


def test_bad_configurations_are_named():
    with pytest.raises(ValueError, match="n_head is 5, which does not divide d_model = 12"):
        BERTConfig(23, 9, 2, 5, 12)
    with pytest.raises(ValueError, match="n_layer is 0; allowed are integers of at least 1"):
        BERTConfig(23, 9, 0, 3, 12)
    with pytest.raises(ValueError, match="dropout is 1; allowed is 0 ≤ dropout < 1"):
        BERTConfig(23, 9, 2, 3, 12, dropout=1)
