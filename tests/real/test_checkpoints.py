"""The committed checkpoints are what their cards say, measured again here on the real data."""

import re
from pathlib import Path

import pytest
import torch

from dlcompare import checkpoints, data
from dlcompare.generation import generate_text
from dlcompare.models import NGram
from dlcompare.recipes import RECIPES
from dlcompare.sampling import Sampler
from dlcompare.training import accuracy, bits_per_character, n_parameters

ROOT = Path(__file__).parents[2]
LANGUAGE_MODELS = ["shakespeare-gpt", "shakespeare-lstm"]


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


@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn"])
def test_digit_accuracies_are_those_on_the_card(name):
    loaded = checkpoints.load(name)
    digits = data.load_digits()
    for part in ("validation", "test"):
        images = getattr(digits, part)
        measured = accuracy(loaded.model, images.images, images.labels)
        # One image in a thousand may tip over on another processor.
        assert measured == pytest.approx(loaded.card["metrics"][f"{part}_accuracy"], abs=2 / len(images.labels))
    assert loaded.card["metrics"]["test_accuracy"] >= (0.96 if name == "digits-cnn" else 0.90)


@pytest.mark.parametrize("name", LANGUAGE_MODELS)
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
    expected = {name: f"{checkpoints.card(name)['training']['cpu_seconds']:,.0f}" for name in RECIPES}
    assert rows == expected
