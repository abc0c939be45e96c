"""The committed checkpoints are what their cards say, measured again here on the real data."""

import re
from pathlib import Path

import pytest
import torch

from dlcompare import checkpoints, data
from dlcompare.dialogue import examples, ranking_accuracy, reply_bits_per_character, reply_candidates, turns_of
from dlcompare.generation import generate_text
from dlcompare.models import BERT, NGram
from dlcompare.models.classifier import BERTClassifier
from dlcompare.recipes import RECIPES
from dlcompare.recipes.baselines import TfidfClassifier
from dlcompare.recipes.bert import frequency_baseline
from dlcompare.recipes.finetuning import as_bert_reads, as_gpt_reads
from dlcompare.sampling import Sampler
from dlcompare.training import (
    Marks,
    accuracy,
    bits_per_character,
    classify,
    n_parameters,
    pretraining_examples,
    pretraining_measures,
)

ROOT = Path(__file__).parents[2]
LANGUAGE_MODELS = ["shakespeare-gpt", "shakespeare-lstm"]
CHARACTER_MODELS = ["shakespeare-char-rnn", "shakespeare-char-lstm", "shakespeare-char-gru"]
SENTIMENT = ["sentiment-gpt", "sentiment-gpt-lora", "sentiment-bert", "sentiment-bert-lora"]
REPLIES = ["replies-bert", "replies-bert-lora"]
ADAPTERS = [name for name in checkpoints.names() if name.endswith("-lora")]


def test_every_recipe_has_its_checkpoint_and_every_checkpoint_its_recipe():
    assert checkpoints.names() == sorted(name for name, recipe in RECIPES.items() if recipe.committed)


@pytest.mark.parametrize("name", checkpoints.names())
def test_the_card_fits_recipe_data_and_weights(name):
    loaded = checkpoints.load(name)
    card, recipe = loaded.card, RECIPES[name]
    assert card["recipe"]["settings"] == _as_json(recipe.settings)
    assert (card["recipe"]["seed"], card["recipe"]["threads"]) == (recipe.seed, recipe.threads)
    assert card["data_sha256"] == data.sha256(recipe.data)
    assert card["parameters"] == n_parameters(loaded.model)
    files = list((checkpoints.directory() / name).iterdir())
    assert sum(file.stat().st_size for file in files) <= 5_000_000


def _as_json(value):
    if isinstance(value, dict):
        return {k: _as_json(v) for k, v in value.items()}
    return [_as_json(v) for v in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(
    ("name", "least"), [("digits-mlp", 0.90), ("digits-cnn", 0.96), ("digits-lstm", 0.95), ("digits-vit", 0.93)]
)
def test_digit_accuracies_are_those_on_the_card(name, least):
    loaded = checkpoints.load(name)
    digits = data.load_digits()
    for part in ("validation", "test"):
        images = getattr(digits, part)
        measured = accuracy(loaded.model, images.images, images.labels)
        # One image in a thousand may tip over on another processor.
        assert measured == pytest.approx(loaded.card["metrics"][f"{part}_accuracy"], abs=2 / len(images.labels))
    assert loaded.card["metrics"]["test_accuracy"] >= least


@pytest.mark.parametrize("name", LANGUAGE_MODELS + CHARACTER_MODELS)
def test_bits_per_character_on_the_whole_validation_split_are_those_on_the_card(name):
    loaded = checkpoints.load(name)
    text = data.load_shakespeare().validation.text
    assert loaded.card["metrics"]["validation_characters"] == len(text)
    measured = bits_per_character(loaded.model, torch.tensor(loaded.tokenizer.encode(text)), len(text))
    assert measured == pytest.approx(loaded.card["metrics"]["validation_bits_per_character"], abs=1e-3)


def test_the_ngram_baseline_is_the_one_on_the_cards():
    corpus = data.load_shakespeare()
    for name in LANGUAGE_MODELS:
        metrics = checkpoints.card(name)["metrics"]
        model = NGram(metrics["ngram_order"]).fit(corpus.train.text)
        measured = model.bits_per_character(corpus.validation.text)
        assert measured == pytest.approx(metrics["ngram_validation_bits_per_character"])


def test_the_gpt_beats_the_ngram_model_and_an_lstm_of_its_size_that_had_no_less_time():
    gpt, lstm = (checkpoints.card(name) for name in LANGUAGE_MODELS)
    assert gpt["data_sha256"] == lstm["data_sha256"]
    assert gpt["metrics"]["train_tokens"] == lstm["metrics"]["train_tokens"]
    assert lstm["parameters"] == pytest.approx(gpt["parameters"], rel=0.02)
    assert lstm["training"]["cpu_seconds"] >= gpt["training"]["cpu_seconds"]
    bits = gpt["metrics"]["validation_bits_per_character"]
    assert bits < gpt["metrics"]["ngram_validation_bits_per_character"]
    assert bits < lstm["metrics"]["validation_bits_per_character"]


def test_the_encoder_guesses_on_the_whole_validation_split_as_well_as_its_card_says():
    loaded = checkpoints.load("shakespeare-bert", expected=BERT)
    metrics, recipe = loaded.card["metrics"], RECIPES["shakespeare-bert"]
    corpus = data.load_shakespeare()
    train, validation = (torch.tensor(loaded.tokenizer.encode(part.text)) for part in (corpus.train, corpus.validation))
    generator = torch.Generator().manual_seed(recipe.seed)
    batch = pretraining_examples(validation, recipe.settings["seq"], generator, Marks.of(loaded.tokenizer))
    measured = pretraining_measures(loaded.model, batch)
    measured |= frequency_baseline(train, batch, loaded.tokenizer.vocab_size)
    for name, value in measured.items():
        assert value == pytest.approx(metrics[f"validation_{name}"], abs=3e-3), name
    assert measured["masked_token_accuracy"] > 2 * measured["baseline_masked_token_accuracy"]
    assert measured["bits_per_masked_token"] < measured["baseline_bits_per_masked_token"]


def test_encoder_and_gpt_had_the_same_budget():
    gpt, bert = checkpoints.card("shakespeare-gpt"), checkpoints.card("shakespeare-bert")
    for name in ("train_tokens", "validation_tokens", "training_tokens"):
        assert gpt["metrics"][name] == bert["metrics"][name], name
    assert bert["training"]["steps"] == gpt["training"]["steps"]
    assert bert["parameters"] == pytest.approx(gpt["parameters"], rel=0.04)  # it has two heads more
    assert bert["metrics"]["training_flops"] == pytest.approx(gpt["metrics"]["training_flops"], rel=0.1)
    same = checkpoints.load("shakespeare-gpt").tokenizer
    text = data.load_shakespeare().validation.text[:10_000]
    assert checkpoints.load("shakespeare-bert").tokenizer.encode(text) == same.encode(text)


@pytest.mark.parametrize("name", SENTIMENT)
def test_accuracies_on_reviews_are_those_on_the_card(name):
    loaded = checkpoints.load(name)
    test = data.load_sentiment().test
    collate = (as_bert_reads if "bert" in name else as_gpt_reads)(loaded.tokenizer)
    logits = classify(loaded.model, [(loaded.tokenizer.encode(text),) for text in test.texts], collate)
    measured = (logits.argmax(-1) == test.labels).double().mean().item()
    assert measured == pytest.approx(loaded.card["metrics"]["test_accuracy"], abs=3 / len(test))
    assert measured > 0.6


def test_the_tfidf_baseline_is_the_one_on_the_cards():
    reviews = data.load_sentiment()
    model = TfidfClassifier(reviews.train.texts, reviews.train.labels)
    right = (model.scores(reviews.test.texts) > 0) == reviews.test.labels.bool()
    for name in SENTIMENT:
        measured = checkpoints.card(name)["metrics"]["tfidf_test_accuracy"]
        assert measured == pytest.approx(right.double().mean().item(), abs=3 / len(reviews.test))
        assert f"{measured:.1%} of the test part" in (ROOT / "data" / "sentiment.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", REPLIES)
def test_replies_are_found_as_often_as_the_card_says(name):
    loaded = checkpoints.load(name, expected=BERTClassifier)
    s, metrics = RECIPES[name].settings, loaded.card["metrics"]
    pairs = reply_candidates(
        loaded.tokenizer,
        turns_of(data.load_dialogue().test),
        s["longest"],
        torch.Generator().manual_seed(RECIPES[name].seed),
        n_questions=s["questions"],
        n_candidates=s["candidates"],
    )
    measured = ranking_accuracy(loaded.model, pairs, as_bert_reads(loaded.tokenizer), s["candidates"])
    assert measured == pytest.approx(metrics["test_ranking_accuracy"], abs=3 / s["questions"])


def test_an_adapter_replies_as_its_card_says():
    loaded = checkpoints.load("dialogue-gpt-lora")
    pool = examples(loaded.tokenizer, data.load_questions_and_answers().validation, loaded.model.config.block_size)
    measured = reply_bits_per_character(loaded.model, pool)
    metrics = loaded.card["metrics"]
    assert measured == pytest.approx(metrics["questions_validation_reply_bits_per_character"], abs=1e-3)
    assert measured < metrics["questions_validation_reply_bits_per_character_before"]


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_is_a_hundredth_of_its_model(name):
    card = checkpoints.card(name)
    assert card["bytes"] < 150_000
    assert card["metrics"]["trainable_parameters"] < 0.04 * card["parameters"]
    assert (
        card["sources_sha256"][f"checkpoint {card['lora']['base']}"] == checkpoints.card(card["lora"]["base"])["sha256"]
    )


def test_the_gpt_writes_in_the_form_of_a_play():
    """A speaker's name on a line of its own, then speech; and words that Shakespeare used."""
    loaded = checkpoints.load("shakespeare-gpt")
    text = generate_text(loaded.model, loaded.tokenizer, "ROMEO.\n", 400, Sampler(temperature=0.8), seed=1)
    speakers = re.findall(r"^[A-Z][A-Za-z ]{2,20}\.$", text, flags=re.MULTILINE)
    assert len(speakers) >= 3
    known = set(re.findall(r"[a-z']+", data.load_shakespeare().train.text.lower()))
    words = re.findall(r"[a-z']+", text.lower())
    assert sum(word in known for word in words) / len(words) > 0.9


def test_the_readme_tells_the_recipes_times():
    """One core, as on the cards; the table is checked, so that it cannot grow stale."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \|.*\| +([\d,]+) \|$", readme, flags=re.MULTILINE))
    expected = {name: f"{checkpoints.card(name)['training']['cpu_seconds']:,.0f}" for name in checkpoints.names()}
    assert rows == expected
