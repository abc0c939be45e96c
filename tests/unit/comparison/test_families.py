"""Every cell of tasks × families has a network or a reason; the networks fit; the simple methods are what they say."""

import dataclasses
import importlib

import pytest
import torch

from dlcompare import checkpoints
from dlcompare.comparison import (
    BUDGETS,
    FAMILIES,
    REASONS,
    TASKS,
    Examples,
    Family,
    FineTuned,
    Form,
    Metric,
    Part,
    Task,
    baselines,
    family_named,
    pretrained,
    reason,
)
from dlcompare.comparison.budgets import matched_width
from dlcompare.data import Splits
from dlcompare.models import BERT, GPT, BERTConfig, GPTConfig, NGram
from dlcompare.tokenization import ENCODER_TOKENS, BPETokenizer
from dlcompare.training import classify, n_parameters
from tests.unit.comparison.toys import ACCURACY, TOY

#: The forms of the tasks, those of real data as they are there.
FORMS = {
    "digits": Form("image", "class", 28, 28, 10),
    "sentiment": Form("tokens", "class", 1024, 120, 2, end=0),
    "surnames": Form("tokens", "class", 115, 41, 14, end=114),
    "shakespeare": Form("tokens", "next", 84, 128, 84),
    "temperatures": Form("series", "value", 1, 48, 24),
    **{name: TASKS[name].load(0).form for name in ("recall", "copying", "adding")},
}


def form_of(task: Task) -> Form:
    return FORMS[task.of or task.name]


def inputs(form: Form, n: int = 2) -> torch.Tensor:
    if form.kind == "image":
        return torch.rand(n, 1, form.length, form.size_in)
    if form.kind == "series":
        return torch.rand(n, form.length, form.size_in)
    return torch.randint(form.size_in, (n, form.length))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_every_cell_has_a_model_of_matched_size_or_a_reason(task, family):
    form, why = form_of(task), reason(task, family)
    if why is not None:
        assert why.endswith(".")
        assert len(why.split()) > 6
        return
    if not isinstance(family, Family):
        return  # what these need is tested below
    budget = BUDGETS["parameters"]
    width = matched_width(lambda w: family.build(form, w), family.widths, budget.parameters, budget.tolerance)
    model = family.build(form, width)
    assert abs(n_parameters(model) - budget.parameters) <= 0.05 * budget.parameters
    places = (form.length,) if form.answer in ("next", "places") else ()
    assert model.eval()(inputs(form)).shape == (2, *places, form.size_out)


def test_reasons_speak_of_what_there_is():
    assert {task for task, _ in REASONS} <= set(TASKS)
    assert {family for _, family in REASONS} <= set(FAMILIES)
    assert reason(TASKS["digits-10"], FAMILIES["gpt-finetuned"]) == reason(TASKS["digits"], FAMILIES["gpt-finetuned"])
    assert reason(TOY, FAMILIES["mlp"]) is None
    for family in FAMILIES.values():
        assert sum(reason(task, family) is None for task in TASKS.values()) > 0
    assert family_named("gpt") is FAMILIES["gpt"]
    with pytest.raises(ValueError, match="family is 'svm'; allowed are baseline, mlp"):
        family_named("svm")


@pytest.mark.parametrize("name", ["mlp", "cnn", "rnn", "lstm", "gru", "gpt"])
@pytest.mark.parametrize("task", ["shakespeare", "copying"])
def test_who_foretells_tokens_does_not_see_them(task, name):
    form = FORMS[task]
    torch.manual_seed(0)
    model = FAMILIES[name].build(form, 16).eval()
    ids = inputs(form)
    changed = ids.clone()
    changed[:, 40:] = (changed[:, 40:] + 1) % form.size_in
    torch.testing.assert_close(model(ids)[:, :40], model(changed)[:, :40])
    with pytest.raises(ValueError, match="an encoder would see"):
        FAMILIES["encoder"].build(form, 16)


@pytest.mark.parametrize("name", ["mlp", "cnn", "rnn", "lstm", "gru", "encoder", "gpt"])
@pytest.mark.parametrize("task", ["digits", "surnames", "sentiment", "temperatures", "adding"])
def test_every_model_can_see_all_that_comes_in(task, name):
    form = FORMS[task]
    torch.manual_seed(0)
    model = FAMILIES[name].build(form, 16).double().eval()
    x = inputs(form, 1)
    x = x.double() if x.is_floating_point() else x
    if form.end is not None or (form.kind != "image" and name in ("rnn", "lstm", "gru")):
        x = x[:, :6]  # with random weights, a recurrent network forgets a hundred steps, and a maximum one place
    first = x.clone()
    if form.kind == "image":
        first[0, 0, 1] = 1 - first[0, 0, 1]
    elif form.kind == "series":
        first[0, 0] += 100
    else:
        first[0, 0] = (first[0, 0] + 1) % form.size_in
    assert not torch.equal(model(x), model(first))


TEXTS = Part(
    [([0],)] * 8,
    torch.tensor([0, 1] * 4),
    raw=("a dull film", "a fine film", "so dull", "so fine", "dull, dull", "fine, fine", "very dull", "very fine"),
)
LONG = Form("tokens", "class", 10, 100, 2, end=0)


def texts(form: Form) -> Examples:
    return Examples(form, Splits(TEXTS, TEXTS, TEXTS))


@pytest.mark.parametrize(("form", "terms"), [(LONG, "words"), (dataclasses.replace(LONG, length=20), "runs")])
def test_tfidf_learns_words_or_runs_of_characters(form, terms):
    outcome = baselines.baseline(TOY, texts(form), 0)
    assert outcome.test["accuracy"] == outcome.validation["accuracy"] == 1
    assert outcome.configuration["terms"].startswith(terms)
    assert outcome.test["loss"] < 0.69
    assert outcome.parameters > 8


def test_a_class_that_was_never_seen_is_never_said():
    form = dataclasses.replace(LONG, size_out=4)
    train = Part([([0],)] * 8, 2 * torch.tensor([0, 1] * 4), raw=TEXTS.raw)
    outcome = baselines.tfidf(TOY, Examples(form, Splits(train, train, train)))
    assert outcome.test["accuracy"] == 1


def test_the_baseline_of_sentiment_is_the_books_own():
    from dlcompare.recipes.baselines import TfidfClassifier

    words, linear = (
        importlib.import_module("sklearn.feature_extraction.text"),
        importlib.import_module("sklearn.linear_model"),
    )
    vectors = (terms := words.TfidfVectorizer(ngram_range=(1, 2))).fit_transform(TEXTS.raw)
    theirs = linear.LogisticRegression(C=1.0, tol=1e-8).fit(vectors, TEXTS.targets.numpy())
    asked = ["a fine dull film", "so very fine"]
    ours = TfidfClassifier(TEXTS.raw, TEXTS.targets).scores(asked)
    torch.testing.assert_close(
        ours.double(), torch.from_numpy(theirs.decision_function(terms.transform(asked))), atol=1e-3, rtol=1e-3
    )


def test_nearest_neighbours_are_the_nearest():
    train = Part(torch.tensor([0.0, 0.1, 0.9, 1.0]).view(4, 1, 1, 1), torch.tensor([0, 0, 2, 2]))
    test = Part(torch.tensor([0.2, 0.8]).view(2, 1, 1, 1), torch.tensor([0, 2]))
    outcome = baselines.baseline(TOY, Examples(Form("image", "class", 1, 1, 3), Splits(train, test, test)), 0)
    assert outcome.test == {"accuracy": 1.0}
    assert outcome.configuration["k"] == 1
    assert outcome.configuration["chosen_from"] == [1, 3]  # there are only four


def test_character_ngrams_are_the_best_of_some_orders():
    def part(text):
        ids = torch.zeros(len(text))
        return Part(ids, ids, raw=(text,))

    train, held_out = "the cat sat on the mat. " * 8, "the mat sat on the cat. "
    examples = Examples(Form("tokens", "next", 9, 8, 9), Splits(part(train), part(held_out), part(held_out)))
    outcome = baselines.baseline(TOY, examples, 0)
    bits = {n: NGram(n).fit(train).bits_per_character(held_out) for n in range(4, 8)}
    assert outcome.test["bits_per_character"] == min(bits.values())
    assert outcome.configuration["order"] == min(bits, key=bits.get)


def test_seasonal_naive_says_what_was_a_season_ago():
    x = torch.tensor([[1.0, 2, 3], [4, 5, 6]])[..., None]
    part = Part(x, torch.tensor([[2.0, 3], [5, 8]]))
    outcome = baselines.baseline(
        TOY, Examples(Form("series", "value", 1, 3, 2, scale=2.0), Splits(part, part, part)), 0
    )
    assert outcome.test["mean_absolute_error"] == pytest.approx(2 * 2 / 4)
    with pytest.raises(ValueError, match=r"form\.length is 3; allowed is at least the forecast's length, 4"):
        baselines.seasonal_naive(TOY, Examples(Form("series", "value", 1, 3, 4), Splits(part, part, part)))


def test_the_best_constant_is_the_commonest_or_the_mean():
    adding = baselines.baseline(TASKS["adding"], TASKS["adding"].load(0), 0)
    assert adding.test["root_mean_squared_error"] == pytest.approx((1 / 6) ** 0.5, abs=0.02)
    copying = baselines.baseline(TASKS["copying"], TASKS["copying"].load(0), 0)
    assert copying.test["accuracy"] == pytest.approx(1 / 16, abs=0.01)
    part = Part(torch.zeros(4, 2, 2), torch.tensor([1, 1, 1, 0]))
    of_classes = Examples(Form("series", "class", 2, 2, 3), Splits(part, part, part))
    assert baselines.baseline(TOY, of_classes, 0).test["accuracy"] == 0.75


def test_without_scikit_learn_the_message_says_what_to_install(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'dlcompare\[comparison\]'"):
        baselines.tfidf(TOY, texts(LONG))


@pytest.fixture
def starts(tmp_path, monkeypatch):
    """Two tiny checkpoints that can be fine-tuned, and one without a tokenizer."""
    tokenizer = BPETokenizer.train(" ".join(TEXTS.raw), 270)
    torch.manual_seed(0)
    details = {"recipe": {"name": "tiny"}, "metrics": {}}
    size = tokenizer.vocab_size
    checkpoints.save("gpt", GPT(GPTConfig(size, 12, 1, 2, 8)), details, tokenizer, folder=tmp_path)
    checkpoints.save("bare", GPT(GPTConfig(size, 12, 1, 2, 8)), details, folder=tmp_path)
    monkeypatch.setattr(checkpoints, "directory", lambda: tmp_path)
    return tmp_path


def test_a_start_keeps_what_was_learned_and_reads_its_own_tokens(starts):
    start = pretrained.gpt_classifier("gpt", texts(LONG))
    loaded = checkpoints.load("gpt", expected=GPT)
    for name, tensor in loaded.model.state_dict().items():
        assert torch.equal(start.model.base.state_dict()[name], tensor)
    train = start.examples.splits.train
    assert train.inputs[0] == (loaded.tokenizer.encode("a dull film")[:11],)
    assert start.sha256 == checkpoints.card("gpt")["sha256"]
    assert classify(start.model, train.inputs, start.collate).shape == (8, 2)
    with pytest.raises(TypeError, match="checkpoint is 'bare', which has no byte-pair tokenizer"):
        pretrained.gpt_classifier("bare", texts(LONG))
    numbers = Part(torch.zeros(2, 1, 2), torch.zeros(2))
    with pytest.raises(ValueError, match="form is of kind 'series' with the answer 'class'"):
        pretrained.gpt_classifier("gpt", Examples(Form("series", "class", 2, 1, 2), Splits(numbers, numbers, numbers)))


def test_an_encoder_starts_from_what_it_learned(tmp_path, monkeypatch):
    tokenizer = BPETokenizer.train(" ".join(TEXTS.raw), 270).with_tokens(*ENCODER_TOKENS)
    torch.manual_seed(0)
    bert = BERT(BERTConfig(tokenizer.vocab_size, 16, 1, 2, 8))
    checkpoints.save("bert", bert, {"recipe": {"name": "tiny"}, "metrics": {}}, tokenizer, folder=tmp_path)
    monkeypatch.setattr(checkpoints, "directory", lambda: tmp_path)
    start = pretrained.bert_classifier("bert", texts(LONG))
    kept = checkpoints.load("bert", expected=BERT).model.state_dict()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in start.model.base.state_dict().items())
    assert classify(start.model, start.examples.splits.test.inputs, start.collate).shape == (8, 2)


def test_what_is_fine_tuned_says_from_where():
    tuned = [family for family in FAMILIES.values() if isinstance(family, FineTuned)]
    assert {family.checkpoint for family in tuned} == {"shakespeare-gpt", "shakespeare-bert"}
    assert all(family.checkpoint in checkpoints.names() for family in tuned)
    assert Metric("accuracy", "share", True) == ACCURACY
