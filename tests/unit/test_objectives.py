"""What models are trained on: the batches of each objective, and their losses."""

import functools
import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.models import BERT, BERTConfig, GPTConfig, Recurrent, RecurrentConfig
from dlcompare.models.bert import PretrainingLogits
from dlcompare.models.classifier import BERTClassifier, BERTClassifierConfig, GPTClassifier, GPTClassifierConfig
from dlcompare.recipes.bert import frequency_baseline
from dlcompare.tokenization import ENCODER_TOKENS, BPETokenizer
from dlcompare.training import (
    IGNORED,
    Marks,
    classification_loss,
    classify,
    ended,
    example_batches,
    fit,
    forecast_batches,
    mask_tokens,
    masked_lm_loss,
    next_sentence_loss,
    packed,
    pretraining_batches,
    pretraining_examples,
    pretraining_loss,
    pretraining_measures,
    regression_loss,
    set_seed,
)

MARKS = Marks(cls=50, sep=51, mask=52, pad=53)


@given(st.integers(0, 2**31), st.integers(1, 4), st.integers(1, 40), st.data())
@settings(deadline=None, max_examples=25)
def test_masking_chooses_fifteen_per_cent_of_what_may_be_chosen(seed, batch, seq, data):
    ids = torch.tensor(data.draw(st.lists(st.integers(0, 22), min_size=batch * seq, max_size=batch * seq)))
    maskable = torch.tensor(data.draw(st.lists(st.booleans(), min_size=batch * seq, max_size=batch * seq)))
    ids, maskable = ids.view(batch, seq), maskable.view(batch, seq)
    sizes = {"mask_id": 4, "vocab_size": 23}
    read, targets = mask_tokens(ids, maskable, **sizes, generator=torch.Generator().manual_seed(seed))
    chosen = targets != IGNORED
    assert not (chosen & ~maskable).any()
    for n, of in zip(chosen.sum(1).tolist(), maskable.sum(1).tolist(), strict=True):
        assert n == (max(1, round(0.15 * of)) if of else 0)
    assert torch.equal(targets[chosen], ids[chosen])
    assert torch.equal(read[~chosen], ids[~chosen])
    again = mask_tokens(ids, maskable, **sizes, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(again[0], read)
    assert torch.equal(again[1], targets)


def test_masking_hides_eighty_swaps_ten_and_keeps_ten_per_cent():
    ids = torch.full((100, 1000), 7)
    read, targets = mask_tokens(
        ids, torch.ones_like(ids).bool(), mask_id=1, vocab_size=5000, generator=torch.Generator().manual_seed(0)
    )
    fate = read[targets != IGNORED]
    assert len(fate) == 15_000
    hidden, kept = (fate == 1).float().mean().item(), (fate == 7).float().mean().item()
    # standard errors: √(0.8 · 0.2 / 15000) = 0.0033 and √(0.1 · 0.9 / 15000) = 0.0024; bands of four
    assert hidden == pytest.approx(0.8, abs=0.013)
    assert kept == pytest.approx(0.1, abs=0.01)
    swapped = fate[(fate != 1) & (fate != 7)].double()
    assert swapped.mean().item() == pytest.approx(2499.5, rel=0.06)  # uniform over the vocabulary
    assert swapped.min() < 100
    assert swapped.max() > 4900


@pytest.mark.parametrize("share", [0, 1.5])
def test_a_bad_share_is_named(share):
    ids = torch.zeros(1, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match=f"share is {share}; allowed is 0 < share ≤ 1"):
        mask_tokens(ids, ids == 0, mask_id=1, vocab_size=2, generator=torch.Generator(), share=share)


class Says(torch.nn.Module):
    """A model that always says the same."""

    def __init__(self, says):
        super().__init__()
        self.says = says

    def forward(self, *inputs):
        return self.says


def test_the_pretraining_loss_is_the_sum_of_both_tasks_means():
    """By hand, and as Hugging Face's BERT computes it from the same logits."""
    torch.manual_seed(0)
    says = PretrainingLogits(torch.randn(2, 3, 8), torch.randn(2, 2))
    targets, is_random = torch.tensor([[IGNORED, 5, IGNORED], [7, IGNORED, 0]]), torch.tensor([1, 0])
    ids = torch.zeros(2, 3, dtype=torch.int64)
    batch = (ids, ids, targets, is_random)
    log_p = says.masked_lm.log_softmax(-1)
    masked = -(log_p[0, 1, 5] + log_p[1, 0, 7] + log_p[1, 2, 0]) / 3
    log_p = says.next_sentence.log_softmax(-1)
    following = -(log_p[0, 1] + log_p[1, 0]) / 2
    torch.testing.assert_close(masked_lm_loss(Says(says), batch), masked)
    torch.testing.assert_close(next_sentence_loss(Says(says), batch), following)
    torch.testing.assert_close(pretraining_loss(Says(says), batch), masked + following)
    nothing = (ids, ids, torch.full_like(ids, IGNORED), is_random)
    for loss in (pretraining_loss, masked_lm_loss):
        with pytest.raises(ValueError, match="every target is -100"):
            loss(Says(says), nothing)


def test_texts_are_packed_between_marks_and_filled_up():
    ids, segments, visible = packed([([1, 2],), ([3], [4, 5])], MARKS)
    assert ids.tolist() == [[50, 1, 2, 51, 53, 53], [50, 3, 51, 4, 5, 51]]
    assert segments.tolist() == [[0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1]]
    assert visible.tolist() == [[True] * 4 + [False] * 2, [True] * 6]
    # The mark of padding written out in a text is a token like any other.
    assert packed([([53],)], MARKS)[2].all()
    for texts in ([], [([1], [2], [3])], [()]):
        with pytest.raises(ValueError, match="allowed are 1 or 2, in at least one row"):
            packed(texts, MARKS)


def test_texts_end_with_the_token_that_is_asked():
    ids, visible = ended([([1, 2],), ([3],), ([4], [5, 6])], 9)
    assert ids.tolist() == [[1, 2, 9, 9], [3, 9, 9, 9], [4, 5, 6, 9]]
    assert visible.sum(1).tolist() == [3, 2, 4]
    with pytest.raises(ValueError, match="texts is empty"):
        ended([], 9)


def test_marks_come_from_the_tokenizer():
    tokenizer = BPETokenizer.train("to be or not to be", 270)
    with pytest.raises(ValueError, match=r"token is '\[CLS\]', which is not in the vocabulary"):
        Marks.of(tokenizer)
    n = tokenizer.vocab_size
    assert Marks.of(tokenizer.with_tokens(*ENCODER_TOKENS)) == (n, n + 1, n + 2, n + 3)


@given(st.integers(0, 2**31), st.integers(7, 40), st.integers(1, 5))
@settings(deadline=None, max_examples=25)
def test_pretraining_pairs_are_pieces_of_the_text(seed, seq, batch_size):
    text = torch.arange(50)  # each token says where it stood
    generator = torch.Generator().manual_seed(seed)
    for read, segments, targets, is_random in itertools.islice(
        pretraining_batches(text, seq, batch_size, generator, MARKS), 3
    ):
        assert read.shape == segments.shape == targets.shape == (batch_size, seq)
        n_chosen = (targets != IGNORED).sum(1)
        assert (n_chosen == max(1, round(0.15 * (seq - 3)))).all()  # the same in each row
        original = torch.where(targets == IGNORED, read, targets)
        for row, segment, drawn in zip(original.tolist(), segments.tolist(), is_random.tolist(), strict=True):
            end = row.index(MARKS.sep)
            assert row[0] == MARKS.cls
            assert row[-1] == MARKS.sep
            assert segment == [0] * (end + 1) + [1] * (seq - end - 1)
            first, second = row[1:end], row[end + 1 : -1]
            assert len(first) >= (seq - 3) // 4 <= len(second)
            for piece in (first, second):
                assert piece == list(range(piece[0], piece[0] + len(piece)))
            assert drawn or second[0] == first[-1] + 1


def test_half_of_the_second_pieces_are_from_elsewhere():
    batch = next(pretraining_batches(torch.arange(50), 9, 4000, set_seed(0), MARKS))
    assert batch[3].double().mean().item() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(4000))


def test_pretraining_examples_cover_the_text_and_are_the_same_again():
    text = torch.arange(50)
    batch = pretraining_examples(text, 11, set_seed(3), MARKS)
    again = pretraining_examples(text, 11, set_seed(3), MARKS)
    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
    read, _, targets, is_random = batch
    assert is_random.tolist() == [0, 1, 0, 1, 0, 1, 0]
    original = torch.where(targets == IGNORED, read, targets)
    starts = original[:, 1].tolist()
    assert starts == [0, 8, 16, 24, 32, 40, 42]
    for i, row in enumerate(original.tolist()):
        second = [token for token in row if token < 50][-1] - 7  # where its window began
        assert second == (starts[i] if i % 2 == 0 else starts[i - 3])


def test_pretraining_batches_name_bad_arguments():
    text = torch.arange(20)
    for seq in (6, 24):
        with pytest.raises(ValueError, match=f"seq is {seq}; allowed are 7 to 23"):
            next(pretraining_batches(text, seq, 2, set_seed(0), MARKS))
    with pytest.raises(ValueError, match="batch_size is 0; allowed are integers of at least 1"):
        next(pretraining_batches(text, 9, 0, set_seed(0), MARKS))
    with pytest.raises(ValueError, match="ids has 20 tokens; allowed are at least 22"):
        pretraining_examples(text, 14, set_seed(0), MARKS)


def test_measures_of_pretraining_are_those_of_all_rows_at_once():
    torch.manual_seed(0)
    batch = pretraining_examples(torch.randint(50, (200,)), 12, set_seed(0), MARKS)
    model = BERT(BERTConfig(54, 12, 1, 1, 8)).eval()
    ids, segments, targets, is_random = batch
    logits = model(ids, segments)
    hidden = targets != IGNORED
    measured = pretraining_measures(model, batch, batch_size=5)
    assert measured["bits_per_masked_token"] == pytest.approx(masked_lm_loss(model, batch).item() / math.log(2))
    assert measured["bits_per_next_sentence"] == pytest.approx(next_sentence_loss(model, batch).item() / math.log(2))
    right = (logits.masked_lm.argmax(-1) == targets)[hidden].double().mean().item()
    assert measured["masked_token_accuracy"] == pytest.approx(right)
    right = (logits.next_sentence.argmax(-1) == is_random).double().mean().item()
    assert measured["next_sentence_accuracy"] == pytest.approx(right)


def test_pretraining_gives_every_parameter_a_gradient():
    """So that data-parallel training, which waits for each of them, does not hang."""
    model = BERT(BERTConfig(54, 12, 1, 1, 8))
    pretraining_loss(model, next(pretraining_batches(torch.arange(50), 12, 2, set_seed(0), MARKS))).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_frequency_baseline_by_hand():
    targets = torch.tensor([[2, IGNORED], [1, 2]])
    batch = (targets, targets, targets, torch.tensor([1, 1]))
    measured = frequency_baseline(torch.tensor([2, 2, 2, 1]), batch, 4)  # with one more each: 1, 2, 4, 1 of 8
    assert measured == {
        "baseline_masked_token_accuracy": pytest.approx(2 / 3),
        "baseline_bits_per_masked_token": pytest.approx((1 + 1 + 2) / 3),
        "baseline_next_sentence_accuracy": 1.0,
    }


def test_examples_come_once_an_epoch_with_their_labels():
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 30, (100,), generator=generator).tolist()
    texts = [([i] * n,) for i, n in enumerate(lengths)]
    labels = torch.arange(100) * 2
    batches = example_batches(texts, labels, 5, set_seed(1), functools.partial(ended, end=100))
    again = example_batches(texts, labels, 5, set_seed(1), functools.partial(ended, end=100))
    seen, filled = [], []
    for ids, visible, labelled in itertools.islice(batches, 20):
        assert torch.equal(ids[:, 0] * 2, labelled)
        assert torch.equal(ids, next(again)[0])
        assert ids.shape[1] == int(visible.sum(1).max())
        seen += ids[:, 0].tolist()
        filled.append((~visible).double().mean().item())
    assert sorted(seen) == list(range(100))
    assert sum(filled) / len(filled) < 0.2  # of batches drawn without regard to length, about 0.45
    with pytest.raises(ValueError, match="labels has 99 entries; allowed is as many as texts has: 100"):
        next(example_batches(texts, labels[:99], 5, set_seed(1), lambda rows: ()))
    with pytest.raises(ValueError, match="batch_size is 101; allowed are 1 to 100"):
        next(example_batches(texts, labels, 101, set_seed(1), lambda rows: ()))


GPT_READS = functools.partial(ended, end=12)
BERT_READS = functools.partial(packed, marks=Marks(13, 14, 15, 12))
CLASSIFIERS = [
    (lambda: GPTClassifier(GPTClassifierConfig(GPTConfig(16, 24, 2, 2, 16), 2)), GPT_READS),
    (lambda: BERTClassifier(BERTClassifierConfig(BERTConfig(16, 24, 2, 2, 16), 2)), BERT_READS),
]


@pytest.mark.parametrize(("make", "collate"), CLASSIFIERS)
def test_classifiers_learn_and_classify_in_the_order_given(make, collate):
    """Is there a 7 in it?"""
    generator = set_seed(0)
    texts, labels = [], []
    for i in range(120):
        text = torch.randint(7, (int(torch.randint(2, 9, (), generator=generator)),), generator=generator).tolist()
        if i % 2:
            text[int(torch.randint(len(text), (), generator=generator))] = 7
        texts.append((text,))
        labels.append(i % 2)
    model = make()
    batches = example_batches(texts, torch.tensor(labels), 20, generator, collate)
    fit(model, classification_loss, batches, steps=120, learning_rate=1e-2)
    logits = classify(model, texts, collate, batch_size=7)
    assert (logits.argmax(-1) == torch.tensor(labels)).double().mean() > 0.95
    one_by_one = torch.cat([model(*collate([row])) for row in texts[:20]])
    torch.testing.assert_close(logits[:20], one_by_one, atol=1e-5, rtol=0)  # padding changes nothing


def test_each_value_of_a_window_comes_with_a_later_one():
    inputs, targets = next(forecast_batches(torch.arange(9.0), 3, 500, set_seed(0), ahead=2))
    assert inputs.shape == targets.shape == (500, 3, 1)
    assert torch.equal(targets, inputs + 2)
    assert torch.equal(inputs[:, 1:], inputs[:, :-1] + 1)
    assert set(inputs[:, 0, 0].tolist()) == {0, 1, 2, 3, 4}  # the last one's target is the series' last value
    with pytest.raises(ValueError, match=r"series has shape \(2, 3\); allowed is \(n,\)"):
        next(forecast_batches(torch.zeros(2, 3), 1, 1, set_seed(0)))
    for window, ahead in ((0, 1), (1, 0), (5, 2)):
        with pytest.raises(ValueError, match=f"window is {window} and ahead is {ahead}; .* and 6 in sum"):
            next(forecast_batches(torch.arange(6.0), window, 1, set_seed(0), ahead))


def test_a_recurrent_model_learns_to_forecast_a_wave():
    wave = torch.sin(torch.arange(200) * 0.3)
    generator = set_seed(0)
    batches = forecast_batches(wave, 12, 32, generator)
    model = Recurrent(RecurrentConfig("gru", 1, 12, 1))
    fit(model, regression_loss, batches, steps=150, learning_rate=1e-2)
    inputs, targets = next(batches)
    last = (model(inputs)[:, -1] - targets[:, -1]).square().mean()
    assert last.item() < 0.02 * wave.var().item()
