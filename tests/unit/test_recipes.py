import dataclasses
import hashlib
import itertools
import json
import math

import pytest
import torch

from dlcompare import checkpoints, data, recipes
from dlcompare.dialogue import examples, reply_bits_per_character
from dlcompare.models import BERT, GPT, MLP, BERTConfig, GPTConfig, MLPConfig, NGram
from dlcompare.models.classifier import BERTClassifier
from dlcompare.recipes import RECIPES
from dlcompare.recipes.baselines import TfidfClassifier
from dlcompare.recipes.finetuning import as_bert_reads, as_gpt_reads
from dlcompare.recipes.shakespeare import training_budget
from dlcompare.tokenization import ENCODER_TOKENS, BPETokenizer, CharTokenizer
from dlcompare.training import (
    Marks,
    Run,
    classification_loss,
    classify,
    mixed_batches,
    pretraining_examples,
    pretraining_loss,
    pretraining_measures,
)


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


@pytest.mark.parametrize("name", ["digits-cnn", "digits-lstm", "digits-vit"])
def test_a_recipe_is_reproducible_to_the_bit(tmp_path, tiny_digits, monkeypatch, name):
    monkeypatch.setitem(RECIPES, name, shortened(name, steps=4, evaluate_every=2))
    weights = []
    for run in ("a", "b"):
        recipes.train(name, tmp_path / run)
        weights.append((tmp_path / run / name / "model.safetensors").read_bytes())
        torch.rand(3)  # something else used the global generator in between
    assert weights[0] == weights[1]


def test_digits_recipes_keep_the_weights_of_the_lowest_validation_loss(tmp_path, monkeypatch):
    labels = list(range(10)) * 8
    # Some labels are wrong: the surer the model becomes, the more they cost, while its accuracy stays.
    validation = stripes(labels[:20])
    validation.labels[:4] = torch.tensor([5, 6, 7, 8])
    monkeypatch.setattr(data, "load_digits", lambda: data.Splits(stripes(labels), validation, stripes(labels[:30])))
    monkeypatch.setitem(RECIPES, "digits-mlp", shortened("digits-mlp", steps=120, evaluate_every=10))
    recipes.train("digits-mlp", tmp_path)
    loaded = checkpoints.load("digits-mlp", tmp_path)
    measured = [tuple(pair) for pair in loaded.card["training"]["validation"]]
    step, lowest = min(measured, key=lambda pair: pair[1])
    assert step == loaded.card["training"]["best_step"] < 120
    assert measured[-1][1] > 1.2 * lowest
    loss = classification_loss(loaded.model, (validation.images, validation.labels)).item()
    assert loss == pytest.approx(lowest, rel=1e-2)  # the weights were rounded to float16
    assert loaded.card["metrics"]["validation_accuracy"] == 0.8


WORDS = ("Good morrow, cousin.", "Is the day so young?", "But new struck nine.", "Ay me! Sad hours seem long.")


@pytest.fixture
def tiny_dialogue(tmp_path, monkeypatch):
    """Return a tiny language model's checkpoint to start from, beside conversations of four turns."""
    torch.manual_seed(0)
    tokenizer = BPETokenizer.train(" ".join(WORDS), 270)
    gpt = GPT(GPTConfig(vocab_size=tokenizer.vocab_size, block_size=64, n_layer=1, n_head=1, d_model=8))
    checkpoints.save("tiny-gpt", gpt, {"recipe": {"name": "tiny"}}, tokenizer, tmp_path)
    checkpoints.save("tiny-mlp", MLP(MLPConfig((2, 2))), {"recipe": {"name": "tiny"}}, folder=tmp_path)
    monkeypatch.setattr(checkpoints, "directory", lambda: tmp_path)
    turns = tuple(data.Turn(i % 2, words) for i, words in enumerate(WORDS))
    monkeypatch.setattr(data, "load_dialogue", lambda: data.Splits(*[(data.Conversation(turns),) * 3] * 3))
    monkeypatch.setattr(data, "load_questions_and_answers", lambda: data.Splits(*[(WORDS[:2], WORDS[2:])] * 3))
    settings = {"start": "tiny-gpt", "questions_batch_size": 2, "chats_batch_size": 2, "steps": 4}
    settings |= {"warmup": 1, "watched": 1, "evaluate_every": 2}
    monkeypatch.setitem(RECIPES, "dialogue-gpt", shortened("dialogue-gpt", **settings))
    return checkpoints.load("tiny-gpt")


def test_the_dialogue_recipe_fine_tunes_and_measures_the_replies_before_and_after(tmp_path, tiny_dialogue):
    recipes.train("dialogue-gpt", tmp_path / "out")
    loaded = checkpoints.load("dialogue-gpt", tmp_path / "out")
    metrics = loaded.card["metrics"]
    pools = {"questions": [WORDS[:2], WORDS[2:]], "chats": [WORDS] * 3}
    for name, conversations in pools.items():
        pool = examples(tiny_dialogue.tokenizer, conversations, 64)
        key = f"{name}_validation_reply"
        assert metrics[f"{key}_characters"] == sum(example.n_characters for example in pool)
        for model, when in ((tiny_dialogue.model, "_before"), (loaded.model, "")):
            expected = reply_bits_per_character(model, pool)
            assert metrics[f"{key}_bits_per_character{when}"] == pytest.approx(expected, rel=1e-5)
        assert metrics[f"{key}_bits_per_character"] < metrics[f"{key}_bits_per_character_before"]
    assert metrics["train_questions"] == 2
    # Each chat is read from its first turn on and from its second.
    assert metrics["train_chat_pieces"] == len(examples(tiny_dialogue.tokenizer, [WORDS, WORDS[1:]] * 3, 64))
    assert loaded.card["sources_sha256"]["checkpoint tiny-gpt"] == tiny_dialogue.card["sha256"]
    assert loaded.tokenizer.to_json() == tiny_dialogue.tokenizer.to_json()


def test_the_dialogue_recipe_starts_from_a_language_model(tmp_path, tiny_dialogue, monkeypatch):
    monkeypatch.setitem(RECIPES, "dialogue-gpt", shortened("dialogue-gpt", start="tiny-mlp"))
    with pytest.raises(checkpoints.CheckpointError, match="checkpoint 'tiny-mlp' is a MLP; asked for was a GPT"):
        recipes.train("dialogue-gpt", tmp_path / "out")


def test_lora_on_dialogue_keeps_the_adapter_alone(tmp_path, tiny_dialogue, monkeypatch):
    lora = {"rank": 2, "alpha": 4, "names": ("project",)}
    settings = {**RECIPES["dialogue-gpt"].settings, "lora": lora, "from_scratch_learning_rate": 1e-3}
    monkeypatch.setitem(RECIPES, "dialogue-gpt-lora", shortened("dialogue-gpt-lora", **settings))
    recipes.train("dialogue-gpt-lora", tmp_path / "out")
    loaded = checkpoints.load("dialogue-gpt-lora", tmp_path / "out")
    metrics = loaded.card["metrics"]
    assert metrics["trainable_parameters"] == 2 * (8 + 8)
    assert loaded.card["bytes"] < 1000
    pool = examples(tiny_dialogue.tokenizer, [WORDS] * 3, 64)
    bits = reply_bits_per_character(loaded.model, pool)
    assert metrics["chats_validation_reply_bits_per_character"] == pytest.approx(bits, rel=1e-5)
    assert metrics["chats_validation_reply_bits_per_character_from_scratch"] > 0
    assert torch.equal(loaded.model.head.weight, tiny_dialogue.model.head.weight)


VERSE = "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer\n"


def test_the_bert_recipe_reads_short_rows_then_long_ones(tmp_path, monkeypatch):
    corpus = data.Splits(*(data.Corpus((data.Document("verse", VERSE * n),)) for n in (40, 4, 4)))
    monkeypatch.setattr(data, "load_shakespeare", lambda: corpus)
    settings = {"vocab_size": 270, "steps": 3, "short_steps": 2, "evaluate_every": 2, "warmup": 1}
    sizes = {"block_size": 16, "n_layer": 1, "n_head": 1, "d_model": 8}
    recipe = shortened("shakespeare-bert", **settings, seq=16, short_seq=8, batch_size=2, model=sizes)
    monkeypatch.setitem(RECIPES, "shakespeare-bert", recipe)
    shapes = []

    def loss(model, batch):
        shapes.append(tuple(batch[0].shape))
        return pretraining_loss(model, batch)

    monkeypatch.setattr("dlcompare.recipes.bert.pretraining_loss", loss)
    recipes.train("shakespeare-bert", tmp_path)
    assert shapes == [(4, 8), (4, 8), (2, 16)]
    loaded = checkpoints.load("shakespeare-bert", tmp_path, expected=BERT)
    card, tokenizer = loaded.card, loaded.tokenizer
    assert loaded.model.config.vocab_size == tokenizer.vocab_size == 270 + 4
    assert BPETokenizer.train(VERSE * 40, 270).encode(VERSE) == tokenizer.encode(VERSE)
    assert card["metrics"]["training_tokens"] == 3 * 32
    measured = measured_again(loaded, VERSE * 4, seq=16)
    for name, value in measured.items():
        assert card["metrics"][f"validation_{name}"] == pytest.approx(value, rel=1e-5)
    assert card["metrics"]["validation_baseline_next_sentence_accuracy"] == pytest.approx(0.5, abs=0.05)


def measured_again(loaded, text, seq):
    ids = torch.tensor(loaded.tokenizer.encode(text))
    batch = pretraining_examples(ids, seq, torch.Generator().manual_seed(1), Marks.of(loaded.tokenizer))
    return pretraining_measures(loaded.model, batch)


def test_the_budget_counts_tokens_and_three_forward_passes():
    model = GPT(GPTConfig(vocab_size=10, block_size=8, n_layer=1, n_head=1, d_model=4))
    budget = training_budget(model, 5, torch.zeros(2, 8, dtype=torch.int64))
    products = 2 * 8 * (12 * 4 * 4 + 4 * 10) + 2 * (2 * 8 * 8 * 4)  # matrices and head, attention
    assert budget == {"training_tokens": 5 * 16, "training_flops": 5 * 3 * 2 * products}


@pytest.fixture
def tiny_bases(tmp_path, monkeypatch):
    """Return the folder of a tiny GPT and a tiny BERT, beside reviews and conversations."""
    torch.manual_seed(0)
    reviews = tuple(f"{'good' if i % 2 else 'bad'} film {i}" for i in range(40))
    part = data.Sentences(reviews, torch.arange(40) % 2, torch.zeros(40))
    monkeypatch.setattr(data, "load_sentiment", lambda: data.Splits(part, part, part))
    chats = tuple(data.Conversation(tuple(data.Turn(i % 2, f"{c} {i}") for i in range(4))) for c in "abcde")
    monkeypatch.setattr(data, "load_dialogue", lambda: data.Splits(chats, chats, chats))
    tokenizer = BPETokenizer.train(" ".join(reviews), 270)
    sizes = {"block_size": 64, "n_layer": 1, "n_head": 1, "d_model": 8}
    gpt = GPT(GPTConfig(vocab_size=tokenizer.vocab_size, **sizes))
    checkpoints.save("shakespeare-gpt", gpt, {"recipe": {"name": "tiny"}}, tokenizer, tmp_path)
    tokenizer = tokenizer.with_tokens(*ENCODER_TOKENS)
    bert = BERT(BERTConfig(vocab_size=tokenizer.vocab_size, **sizes))
    checkpoints.save("shakespeare-bert", bert, {"recipe": {"name": "tiny"}}, tokenizer, tmp_path)
    monkeypatch.setattr(checkpoints, "directory", lambda: tmp_path)
    return tmp_path


SHORT = {"batch_size": 4, "steps": 4, "warmup": 1, "evaluate_every": 2}


@pytest.mark.parametrize("name", ["sentiment-gpt", "sentiment-gpt-lora", "sentiment-bert", "sentiment-bert-lora"])
def test_sentiment_recipes_measure_what_they_saved(tmp_path, tiny_bases, monkeypatch, name):
    monkeypatch.setitem(RECIPES, name, shortened(name, **SHORT))
    recipes.train(name, tmp_path / "out")
    loaded = checkpoints.load(name, tmp_path / "out")
    test = data.load_sentiment().test
    texts = [(loaded.tokenizer.encode(text),) for text in test.texts]
    collate = as_gpt_reads(loaded.tokenizer) if "gpt" in name else as_bert_reads(loaded.tokenizer)
    right = classify(loaded.model, texts, collate).argmax(-1) == test.labels
    metrics = loaded.card["metrics"]
    assert metrics["test_accuracy"] == metrics["validation_accuracy"] == right.double().mean().item()
    assert 0 <= metrics["from_scratch_test_accuracy"] <= 1
    assert metrics["tfidf_test_accuracy"] == 1.0
    head, adapters = (8 + 1) * 2, 4 * ((8 + 3 * 8) + (8 + 8) + 2 * (8 + 4 * 8))
    expected = head + adapters if "lora" in name else loaded.model.config.n_parameters
    assert metrics["trainable_parameters"] == expected
    assert list(loaded.card["sources_sha256"]) == [f"checkpoint shakespeare-{name.split('-')[1]}"]


def test_tfidf_weighs_terms_by_hand_and_minimises_its_loss():
    texts, labels = ["Good film, good", "bad film", "A bad plot"], torch.tensor([1, 0, 0])
    model = TfidfClassifier(texts, labels)
    idf = {1: 1 + math.log(4 / 2), 2: 1 + math.log(4 / 3)}  # of terms in one text of three, and in two
    ones, twos = ("good", "good film", "film good", "bad film", "plot", "bad plot"), ("film", "bad")
    expected = dict.fromkeys(ones, idf[1]) | dict.fromkeys(twos, idf[2])
    assert model.idf == pytest.approx(expected)  # "a" is no word of two letters
    terms = list(model.idf)
    x = torch.zeros(3, len(terms))
    for row, counts in enumerate(
        (
            {"good": 2, "film": 1, "good film": 1, "film good": 1},
            {"bad": 1, "film": 1, "bad film": 1},
            {"bad": 1, "plot": 1, "bad plot": 1},
        )
    ):
        for term, count in counts.items():
            x[row, terms.index(term)] = count * model.idf[term]
    x = x / x.norm(dim=1, keepdim=True)
    scores = model.scores(texts)
    torch.testing.assert_close(scores, x @ model.weight + model.bias)
    # where the gradient of the loss is zero
    torch.testing.assert_close(model.weight.detach(), x.T @ (labels - scores.sigmoid()), atol=1e-3, rtol=0)
    assert (labels - scores.sigmoid()).sum().abs() < 1e-3
    assert model.scores(["unheard", "of"]).tolist() == [model.bias.item()] * 2


@pytest.mark.parametrize("name", ["replies-bert", "replies-bert-lora"])
def test_reply_recipes_rank_before_and_after(tmp_path, tiny_bases, monkeypatch, name):
    short = {**SHORT, "watched": 6, "questions": 8, "candidates": 3}
    monkeypatch.setitem(RECIPES, name, shortened(name, **short))
    recipes.train(name, tmp_path / "out")
    loaded = checkpoints.load(name, tmp_path / "out", expected=BERTClassifier)
    metrics = loaded.card["metrics"]
    assert metrics["chance_ranking_accuracy"] == 1 / 3
    assert metrics["test_questions"] == 8
    assert metrics["train_pairs"] == 5 * 3 * 2
    for when in ("before_", "", "from_scratch_"):
        assert (metrics[f"{when}test_ranking_accuracy"] * 8).is_integer()
    assert ("lora" in loaded.card) == name.endswith("lora")


def test_fine_tuning_starts_from_the_kind_of_model_that_the_recipe_needs(tiny_bases, monkeypatch):
    monkeypatch.setitem(RECIPES, "sentiment-gpt", shortened("sentiment-gpt", start="shakespeare-bert"))
    with pytest.raises(checkpoints.CheckpointError, match="'shakespeare-bert' is a BERT; asked for was a GPT"):
        recipes.train("sentiment-gpt")
    (tiny_bases / "shakespeare-bert" / "tokenizer.json").unlink()
    with pytest.raises(TypeError, match="start is 'shakespeare-bert', which has no BPE tokenizer"):
        recipes.train("sentiment-bert")


def test_two_kinds_of_batches_are_mixed_by_their_share():
    kinds = mixed_batches(itertools.repeat("a"), itertools.repeat("b"), 0.3, torch.Generator().manual_seed(0))
    assert list(itertools.islice(kinds, 2000)).count("a") / 2000 == pytest.approx(0.3, abs=0.03)


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


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_character_recipes_read_every_character_and_differ_by_their_cell_alone(tmp_path, monkeypatch, kind):
    verse = "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer\n"
    corpus = data.Splits(*(data.Corpus((data.Document("verse", verse * n),)) for n in (40, 4, 4)))
    monkeypatch.setattr(data, "load_shakespeare", lambda: corpus)
    name = f"shakespeare-char-{kind}"
    others = [RECIPES[f"shakespeare-char-{other}"] for other in ("rnn", "lstm", "gru")]
    assert len({json.dumps({**r.settings, "model": r.settings["model"]["d_model"]}) for r in others}) == 1
    recipe = shortened(name, steps=3, evaluate_every=2, seq=16, batch_size=2, warmup=1)
    monkeypatch.setitem(RECIPES, name, recipe)
    recipes.train(name, tmp_path)
    loaded = checkpoints.load(name, tmp_path)
    assert isinstance(loaded.tokenizer, CharTokenizer)
    assert loaded.tokenizer.characters == "".join(sorted(set(verse)))
    assert loaded.model.config.kind == kind
    assert loaded.card["metrics"]["validation_tokens"] == len(verse) * 4


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


def test_gpt2_trains_on_a_text_of_ones_own(tmp_path, monkeypatch):
    small = {"vocab_size": 300, "block_size": 16, "n_layer": 1, "n_head": 1, "d_model": 8}
    settings = {"model": small, "seq": 16, "batch_size": 4, "steps": 3, "warmup": 1, "evaluate_every": 3}
    monkeypatch.setitem(RECIPES, "gpt2-124m", shortened("gpt2-124m", **settings))
    text = tmp_path / "own.txt"
    text.write_text("To be, or not to be, that is the question.\n" * 200)
    recipes.train("gpt2-124m", tmp_path, changes={"text": str(text)})
    card = checkpoints.load("gpt2-124m", tmp_path).card
    assert card["sources_sha256"]["text"] == hashlib.sha256(text.read_bytes()).hexdigest()
    assert card["metrics"]["train_characters"] + card["metrics"]["validation_characters"] == len(text.read_text())
    assert 0 < card["metrics"]["validation_characters"] <= len(text.read_text()) // 50
    text.write_bytes(b"\xff")
    for path, reason in (("nowhere.txt", "can't be read as UTF-8 text"), (str(text), "can't be read as UTF-8 text")):
        with pytest.raises(ValueError, match=reason):
            recipes.train("gpt2-124m", tmp_path, changes={"text": path})
    text.write_text("one line")
    with pytest.raises(ValueError, match="too few lines to hold some back"):
        recipes.train("gpt2-124m", tmp_path, changes={"text": str(text)})


def test_a_setting_that_a_recipe_does_not_have_is_named():
    with pytest.raises(ValueError, match="changes names 'stpes'; recipe 'digits-mlp' has batch_size, "):
        recipes.changed("digits-mlp", {"stpes": 3})
    with pytest.raises(ValueError, match=r"run.dry_run is 0; allowed is the number of processes to plan for"):
        recipes.plan("digits-mlp", run=Run())
