import dataclasses
import json

import pytest
import torch

from dlcompare import checkpoints, data, recipes
from dlcompare.models import NGram
from dlcompare.recipes import RECIPES


def stripes(labels: list[int]) -> data.Images:
    """Images of a bar at a place that tells the class: a tiny data set with the digits' shape."""
    images = torch.zeros(len(labels), 1, 28, 28)
    for image, label in zip(images, labels, strict=True):
        image[0, 5 : 5 + 2 * label + 1, 10:18] = 1.0
    return data.Images(images, torch.tensor(labels))


@pytest.fixture
def tiny_digits(monkeypatch):
    labels = list(range(10)) * 8
    splits = data.Splits(stripes(labels), stripes(labels[:20]), stripes(labels[:30]))
    monkeypatch.setattr(data, "load_digits", lambda: splits)


def shortened(name: str, **settings: object) -> recipes.Recipe:
    recipe = RECIPES[name]
    return dataclasses.replace(recipe, settings={**recipe.settings, **settings})


def test_training_a_recipe_writes_a_checkpoint_that_says_how_it_came_to_be(tmp_path, tiny_digits, monkeypatch):
    monkeypatch.setitem(RECIPES, "digits-mlp", shortened("digits-mlp", steps=60, evaluate_every=20))
    threads = torch.get_num_threads()
    place = recipes.train("digits-mlp", tmp_path)
    loaded = checkpoints.load("digits-mlp", tmp_path)
    assert place == tmp_path / "digits-mlp"
    assert torch.get_num_threads() == threads
    card = loaded.card
    assert card["metrics"]["test_accuracy"] == 1.0
    assert card["metrics"]["test_examples"] == 30
    assert card["recipe"]["name"] == "digits-mlp"
    assert card["recipe"]["settings"]["steps"] == card["training"]["steps"] == 60
    assert card["data_sha256"] == data.sha256("digits")
    test = data.load_digits().test
    assert (loaded.model(test.images).argmax(-1) == test.labels).all()


def test_a_recipe_is_reproducible_to_the_bit(tmp_path, tiny_digits, monkeypatch):
    monkeypatch.setitem(RECIPES, "digits-cnn", shortened("digits-cnn", steps=4, evaluate_every=2))
    weights = []
    for run in ("a", "b"):
        recipes.train("digits-cnn", tmp_path / run)
        weights.append((tmp_path / run / "digits-cnn" / "model.safetensors").read_bytes())
        torch.rand(3)  # something else used the global generator in between
    assert weights[0] == weights[1]


@pytest.mark.parametrize("name", ["shakespeare-gpt", "shakespeare-lstm"])
def test_language_model_recipes_run_and_measure_the_whole_validation_text(tmp_path, monkeypatch, name):
    verse = "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer\n"
    corpus = data.Splits(*(data.Corpus((data.Document("verse", verse * n),)) for n in (40, 4, 4)))
    monkeypatch.setattr(data, "load_shakespeare", lambda: corpus)
    recipe = shortened(name, vocab_size=270, steps=3, evaluate_every=2, seq=16, warmup=1)
    sizes = {"block_size": 16, "n_layer": 1, "n_head": 1} if name.endswith("gpt") else {"kind": "lstm", "n_layer": 1}
    recipe.settings["model"] = {**sizes, "d_model": 8}
    monkeypatch.setitem(RECIPES, name, recipe)
    recipes.train(name, tmp_path)
    loaded = checkpoints.load(name, tmp_path)
    metrics = loaded.card["metrics"]
    assert metrics["validation_characters"] == len(verse) * 4
    assert loaded.tokenizer is not None
    assert metrics["validation_tokens"] == len(loaded.tokenizer.encode(verse * 4))
    expected = NGram(metrics["ngram_order"]).fit(verse * 40).bits_per_character(verse * 4)
    assert metrics["ngram_validation_bits_per_character"] == pytest.approx(expected)


def test_shifted_images_are_moved_not_changed():
    image = torch.zeros(1, 1, 9, 9)
    image[0, 0, 4, 4] = 1.0
    images = image.repeat(200, 1, 1, 1)
    moved = recipes.shift(images, torch.Generator().manual_seed(0))
    assert moved.shape == images.shape
    assert torch.equal(moved.sum((1, 2, 3)), torch.ones(200))
    places = {tuple(map(int, (m[0] == 1).nonzero()[0])) for m in moved}
    assert places == {(y, x) for y in range(2, 7) for x in range(2, 7)}


def test_an_unknown_recipe_is_named():
    with pytest.raises(ValueError, match=r"recipe is 'digits'; allowed are .*digits-mlp"):
        recipes.train("digits")


def test_every_card_can_be_written_as_json():
    for recipe in RECIPES.values():
        described = {f.name: getattr(recipe, f.name) for f in dataclasses.fields(recipe) if f.name != "run"}
        assert json.loads(json.dumps(described))["name"] == recipe.name
