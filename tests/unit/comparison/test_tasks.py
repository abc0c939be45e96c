"""The tasks' own rules, on made-up data; the real sets are in tests/real."""

import random
import string

import numpy as np
import pytest
import torch

from dlcompare import checkpoints, data
from dlcompare.comparison import TASKS, task_named
from dlcompare.comparison.task import Part
from dlcompare.comparison.tasks import digits, few_labels, sentiment, shakespeare, surnames, temperatures
from dlcompare.comparison.tasks.memory import adding, copying, recall
from dlcompare.data import Corpus, Document, Images, Names, Sentences, Series, Splits
from dlcompare.tokenization import END, BPETokenizer
from dlcompare.training import IGNORED


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_recall_asks_for_the_values_of_keys():
    part = recall(200, generator(), distances=(2, 5), pairs=3, keys=4, questions=6)
    assert part.inputs.shape == part.targets.shape == (200, 3 + 5 + 6)
    assert set(part.groups.tolist()) == {2, 5}
    asked = set()
    for row, targets, distance in zip(part.inputs.tolist(), part.targets.tolist(), part.groups.tolist(), strict=True):
        begin = 5 - distance
        value_of = {pair // 4: pair % 4 for pair in row[begin : begin + 3]}
        assert len(value_of) == 3
        assert row[:begin] + row[begin + 3 : 8] == [24] * 5  # blanks
        assert [20 + value_of[token - 16] for token in row[8:]] == targets[8:]
        assert targets[:8] == [IGNORED] * 8
        asked.update(token - 16 for token in row[8:])
    assert asked == {0, 1, 2, 3}
    with pytest.raises(ValueError, match="pairs is 9; allowed are at most keys = 8"):
        recall(1, generator(), pairs=9)


def test_copying_asks_for_the_string_again():
    part = copying(100, generator(), lengths=(2, 4), symbols=5)
    assert part.inputs.shape == part.targets.shape == (100, 8)
    for row, targets, length in zip(part.inputs.tolist(), part.targets.tolist(), part.groups.tolist(), strict=True):
        begin = 8 - 2 * length
        string = row[begin : begin + length]
        assert row[:begin] == [5] * begin  # blanks
        assert row[begin + length] == 6  # the mark
        assert targets == [IGNORED] * (begin + length) + string
        assert row[begin + length + 1 :] == string[:-1]  # what has been said so far


def test_adding_asks_for_the_sum_of_the_marked():
    part = adding(300, generator(), lengths=(4, 6))
    assert part.inputs.shape == (300, 6, 2)
    numbers, marks = part.inputs.unbind(2)
    assert torch.equal(marks.sum(1), torch.full((300,), 2.0))
    torch.testing.assert_close((numbers * marks).sum(1, keepdim=True), part.targets)
    begin = 6 - part.groups
    places = torch.arange(6)
    assert not numbers[places < begin[:, None]].any()
    halves = begin + part.groups // 2
    assert torch.equal((marks * (places < halves[:, None])).sum(1), torch.ones(300))  # one mark in each half
    assert ((part.targets - 1) ** 2).mean().item() == pytest.approx(1 / 6, abs=0.03)


@pytest.mark.parametrize("name", ["recall", "copying", "adding"])
def test_made_up_tasks_are_the_same_for_all_and_never_train_on_what_they_measure(name):
    first, second = (TASKS[name].load(seed) for seed in (0, 1))
    for a, b in zip(list(first.splits)[1:], list(second.splits)[1:], strict=True):
        assert torch.equal(a.inputs, b.inputs)
    held_out = {tuple(row.flatten().tolist()) for part in list(first.splits)[1:] for row in part.inputs}
    drawn = next(TASKS[name].batches(first, generator(0)))[0]
    assert not held_out & {tuple(row.flatten().tolist()) for row in (*drawn, *first.splits.train.inputs)}
    assert drawn.shape[1] == first.form.length


def test_a_sample_has_as_many_of_each_class_and_grows():
    labels = torch.tensor([0] * 50 + [1] * 30 + [2] * 2)
    part = Part(torch.arange(82.0)[:, None], labels, raw=[str(i) for i in range(82)])
    ten, twenty = (few_labels.sample(part, n, seed=3) for n in (10, 20))
    assert torch.bincount(ten.targets).tolist() == [4, 4, 2]
    assert torch.bincount(twenty.targets).tolist() == [9, 9, 2]
    assert set(ten.raw) < set(twenty.raw)
    assert ten.raw == [str(int(x)) for x in ten.inputs[:, 0]]
    assert set(few_labels.sample(part, 10, seed=4).raw) != set(ten.raw)
    texts = few_labels.sample(Part([([i],) for i in range(82)], labels), 5, seed=0)
    assert [labels[i] for ((i,),) in texts.inputs] == texts.targets.tolist()
    for n in (0, 83):
        with pytest.raises(ValueError, match=f"n is {n}; allowed are 1 to 82"):
            few_labels.sample(part, n, seed=0)


def test_surnames_are_characters_and_those_unknown_are_one(monkeypatch):
    names = Splits(Names(("Ab", "ba"), ("Dutch", "Zulu")), Names(("Az",), ("Dutch",)), Names(("bcd",), ("Irish",)))
    monkeypatch.setattr(data, "load_surnames", lambda: names)
    examples = surnames.load(0)
    form = examples.form
    assert (form.size_in, form.length, form.size_out, form.end) == (5, 4, 14, 4)  # unknown, A, a, b, and the end
    assert examples.splits.train.inputs == [([1, 3],), ([3, 2],)]
    assert examples.splits.validation.inputs == [([1, 0],)]
    assert examples.splits.test.raw == ("bcd",)


def test_sentences_are_the_tokens_of_the_pretrained_model(monkeypatch, tmp_path):
    tokenizer = BPETokenizer.train("a fine film a dull film", 265)
    loaded = checkpoints.Checkpoint(torch.nn.Identity(), tokenizer, {})
    monkeypatch.setattr(checkpoints, "load", lambda name: loaded if name == "shakespeare-gpt" else None)
    part = Sentences(("a fine film", "dull"), torch.tensor([1, 0]), torch.tensor([2.0, -2.0]))
    monkeypatch.setattr(data, "load_sentiment", lambda: Splits(part, part, part))
    examples = sentiment.load(0)
    assert examples.splits.train.inputs == [(tokenizer.encode(text),) for text in part.texts]
    assert examples.form.length == len(tokenizer.encode("a fine film")) + 1
    assert examples.form.end == tokenizer.id_of(END)
    monkeypatch.setattr(checkpoints, "load", lambda name: checkpoints.Checkpoint(torch.nn.Identity(), None, {}))
    with pytest.raises(TypeError, match="no byte-pair tokenizer"):
        sentiment.load(0)


def test_digits_are_images(monkeypatch):
    part = Images(torch.rand(3, 1, 28, 28), torch.tensor([1, 2, 3]))
    monkeypatch.setattr(data, "load_digits", lambda: Splits(part, part, part))
    train = digits.load(0).splits.train
    assert train.inputs is part.images
    assert train.targets is part.labels


def test_shakespeare_is_watched_in_part_and_tested_whole(monkeypatch):
    def corpus(text):
        return Corpus((Document("t", text),))

    texts = Splits(corpus("abc\n"), corpus("ab" * 30_000 + "\n"), corpus("ca" * 30_000 + "\n"))
    monkeypatch.setattr(data, "load_shakespeare", lambda: texts)
    examples = shakespeare.load(0)
    assert [len(part) for part in examples.splits] == [4, 40_000, 60_001]
    assert examples.form.size_in == examples.form.size_out == 4
    assert examples.splits.validation.raw[0] == "ab" * 20_000


def test_temperatures_are_windows_of_one_part_each(monkeypatch):
    def series(first, n):
        return Series(np.arange(first, first + n).astype("datetime64[h]"), torch.arange(float(first), first + n))

    parts = Splits(series(0, 200), series(200, 80), series(280, 72))
    monkeypatch.setattr(data, "load_temperatures", lambda name: parts)
    examples = temperatures.load(0)
    assert [len(part) for part in examples.splits] == [129, 9, 1]
    mean, deviation = parts.train.values.mean(), parts.train.values.std()
    test = examples.splits.test
    torch.testing.assert_close(test.inputs[0, :, 0] * deviation + mean, parts.test.values[:48])
    torch.testing.assert_close(test.targets[0] * deviation + mean, parts.test.values[48:])
    assert examples.form.scale == pytest.approx(deviation.item())


def test_tasks_have_names():
    assert task_named("adding") is TASKS["adding"]
    with pytest.raises(ValueError, match="task is 'sums'; allowed are digits, sentiment"):
        task_named("sums")
    assert all(name == task.name for name, task in TASKS.items())
    assert TASKS["sentiment-10"].of == "sentiment"
    assert TASKS["sentiment-10"].identity != TASKS["sentiment-100"].identity


def test_a_piece_of_shakespeare_begins_where_the_seed_says_and_keeps_the_vocabulary(monkeypatch):
    text = "".join(random.Random(0).choices(string.ascii_letters, k=1000)) + "!"
    documents = [Corpus((Document("play", part),)) for part in (text, text[:300], text[:200])]
    monkeypatch.setattr(data, "load_shakespeare", lambda: Splits(*documents))
    whole, first, again, second = (shakespeare.load(*arguments) for arguments in ((0,), (0, 100), (0, 100), (1, 100)))
    assert len(whole.splits.train) == 1001
    assert first.form == whole.form
    piece = first.splits.train.raw[0]
    assert len(piece) == 100
    assert piece in text
    assert piece == again.splits.train.raw[0] != second.splits.train.raw[0]
    assert first.splits.test.raw == whole.splits.test.raw
    for n in (0, 1002):
        with pytest.raises(ValueError, match=f"characters is {n}; allowed are 1 to 1001"):
            shakespeare.load(0, n)
