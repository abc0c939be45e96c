"""Classifiers on GPT and BERT against transformers' for sequences, with the same random weights; no download."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertForSequenceClassification, GPT2ForSequenceClassification

from dlcompare.models import BERT, GPT, BERTConfig, GPTConfig
from dlcompare.models.classifier import BERTClassifier, BERTClassifierConfig, GPTClassifier, GPTClassifierConfig
from dlcompare.training import n_parameters

from .test_bert import IDS, SEGMENTS, VISIBLE, twins
from .test_gpt_reference import TWINS, copy_weights, reference

TOLERANCE = 1e-5  # absolute, in float32


def new_layer(d_model: int, classes: int) -> torch.nn.Linear:
    generator = torch.Generator().manual_seed(5)
    layer = torch.nn.Linear(d_model, classes)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
        layer.bias.copy_(torch.randn(layer.bias.shape, generator=generator))
    return layer


def test_the_gpt_reads_the_last_token_as_transformers_does():
    theirs = reference(TWINS["GPT-2"])
    gpt = GPT(TWINS["GPT-2"])
    copy_weights(theirs, gpt)
    model = GPTClassifier.from_language_model(gpt, 3).eval()
    head = new_layer(24, 3)
    model.classifier.load_state_dict(head.state_dict())

    config = theirs.config
    config.num_labels, config.pad_token_id = 3, 0
    judge = GPT2ForSequenceClassification(config).eval()
    judge.transformer = theirs.transformer
    judge.score.weight = head.weight  # theirs has no bias
    ids = torch.tensor([[4, 8, 30, 7, 2], [9, 1, 5, 0, 0]])
    expected = judge(input_ids=ids, attention_mask=(ids != 0).long()).logits + head.bias
    torch.testing.assert_close(model(ids, ids != 0), expected, atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(model(ids[:1]), expected[:1], atol=TOLERANCE, rtol=0)


def test_bert_reads_what_is_pooled_as_transformers_does():
    bert, theirs = twins(torch.float32)
    model = BERTClassifier.from_encoder(bert, 3).eval()
    head = new_layer(12, 3)
    model.classifier.load_state_dict(head.state_dict())
    config = theirs.config
    config.num_labels, config.classifier_dropout = 3, 0.0
    judge = BertForSequenceClassification(config).eval()
    judge.bert, judge.classifier = theirs.bert, head
    expected = judge(input_ids=IDS, token_type_ids=SEGMENTS, attention_mask=VISIBLE.long()).logits
    torch.testing.assert_close(model(IDS, SEGMENTS, VISIBLE), expected, atol=TOLERANCE, rtol=0)


@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 3), st.sampled_from([(1, 3), (2, 6)]), st.integers(1, 5))
@settings(deadline=None, max_examples=25)
def test_formula_counts_the_parameters_of_any_size(vocab_size, block_size, n_layer, heads, classes):
    sizes = (vocab_size, block_size, n_layer, *heads)
    with torch.device("meta"):
        for config in (
            GPTClassifierConfig(GPTConfig(*sizes), classes),
            BERTClassifierConfig(BERTConfig(*sizes), classes),
        ):
            model = GPTClassifier(config) if isinstance(config, GPTClassifierConfig) else BERTClassifier(config)
            assert n_parameters(model) == config.n_parameters


@pytest.mark.parametrize("kind", ["gpt", "bert"])
def test_a_classifier_starts_from_a_copy_and_a_small_new_layer(kind):
    torch.manual_seed(0)
    sizes = {"vocab_size": 9, "block_size": 8, "n_layer": 1, "n_head": 1, "d_model": 16}
    if kind == "gpt":
        start = GPT(GPTConfig(**sizes))
        model = GPTClassifier.from_language_model(start, 100, dropout=0.25)
    else:
        start = BERT(BERTConfig(**sizes))
        model = BERTClassifier.from_encoder(start, 100, dropout=0.25)
    for name, parameter in model.base.named_parameters():
        assert torch.equal(parameter, dict(start.named_parameters())[name])
    before = start.token_embedding.weight.clone()
    with torch.no_grad():
        model.base.token_embedding.weight.zero_()
    assert torch.equal(start.token_embedding.weight, before)
    assert model.classifier.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert not model.classifier.bias.any()
    assert model.config.base == dataclasses.replace(start.config, dropout=0.25)
    assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {0.25}


def test_bad_classes_are_named():
    for config, base in (
        (GPTClassifierConfig, GPTConfig(9, 8, 1, 1, 16)),
        (BERTClassifierConfig, BERTConfig(9, 8, 1, 1, 16)),
    ):
        with pytest.raises(ValueError, match="classes is 0; allowed are integers of at least 1"):
            config(base, 0)
