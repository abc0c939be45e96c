import math

import pytest
import torch
from torch import nn

from dlcompare import data
from dlcompare.comparison import Examples, Form, Metric, Part, Task
from dlcompare.comparison.task import default_collate, judged
from dlcompare.training import IGNORED
from tests.unit.comparison.toys import ACCURACY, TOY, load

CLASSES = Form("image", "class", 2, 2, 3)


def test_classes_are_judged_by_accuracy_and_cross_entropy():
    logits = torch.tensor([[2.0, 0, 0], [0, 1, 0], [0, 0, 0.5], [1, 0, 0]])
    part = Part(torch.zeros(4, 1), torch.tensor([0, 1, 2, 1]), groups=torch.tensor([8, 8, 4, 4]))
    found = judged(logits, part, CLASSES)
    assert found["accuracy"] == 0.75
    assert (found["accuracy_at_4"], found["accuracy_at_8"]) == (0.5, 1.0)
    assert found["loss"] == pytest.approx(nn.CrossEntropyLoss()(logits, part.targets).item())


def test_places_are_judged_where_something_is_asked():
    logits = torch.zeros(2, 3, 4)
    logits[..., 1] = 1
    targets = torch.tensor([[1, IGNORED, 1], [IGNORED, IGNORED, 0]])
    part = Part(torch.zeros(2, 3), targets, groups=torch.tensor([2, 1]))
    found = judged(logits, part, Form("tokens", "places", 4, 3, 4))
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert (found["accuracy_at_1"], found["accuracy_at_2"]) == (0.0, 1.0)
    assert found["loss"] == pytest.approx((3 * math.log(math.e + 3) - 2) / 3)


def test_values_are_judged_in_the_metrics_unit():
    part = Part(torch.zeros(2, 1), torch.tensor([[0.0, 0.0], [1.0, 1.0]]), groups=torch.tensor([1, 2]))
    found = judged(torch.tensor([[1.0, 0.0], [0.0, 4.0]]), part, Form("series", "value", 1, 1, 2, scale=10.0))
    assert found["mean_absolute_error"] == pytest.approx(10 * (1 + 0 + 1 + 3) / 4)
    assert found["root_mean_squared_error"] == pytest.approx(10 * math.sqrt((1 + 0 + 1 + 9) / 4))
    assert found["loss"] == pytest.approx(11 / 4)
    assert found["mean_absolute_error_at_2"] == pytest.approx(20)


class Bigram(nn.Module):
    """Foretells each next token from the last alone."""

    def __init__(self, logits: torch.Tensor, block_size: int):
        super().__init__()
        self.table = nn.Parameter(logits)
        self.config = type("Config", (), {"block_size": block_size})

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.table[ids]


def test_a_text_is_judged_in_bits_per_character():
    text = "abab"
    ids = torch.tensor([0, 1, 0, 1])
    part = Part(ids, ids, raw=(text,))
    task = Task("t", "", load, Metric("bits_per_character", "bits", False), {"batch_size": 2, "steps": 1, "seq": 2})
    examples = Examples(Form("tokens", "next", 2, 2, 2), data.Splits(part, part, part))
    uniform = Bigram(torch.zeros(2, 2), 2)
    found = task.measure(uniform, examples, part)
    assert found["bits_per_character"] == pytest.approx(3 / 4)  # the first character is given
    assert found["loss"] == pytest.approx(math.log(2))
    assert task.validation_loss(uniform, examples) == pytest.approx(math.log(2))
    inputs, targets = next(task.batches(examples, torch.Generator().manual_seed(0)))
    assert inputs.shape == targets.shape == (2, 2)
    assert task.loss(examples)(uniform, (inputs, targets)).item() == pytest.approx(math.log(2))


def test_batches_are_those_of_the_form():
    generator = torch.Generator().manual_seed(0)
    examples = load(0)
    inputs, labels = next(TOY.batches(examples, generator))
    assert (inputs.shape, labels.shape) == ((20, 1, 2), (20,))
    assert not set(inputs.flatten().tolist()) - set(examples.splits.train.inputs.flatten().tolist())

    texts = Part([([1, 2],), ([1],), ([2, 2, 1],)], torch.tensor([0, 1, 0]))
    of_texts = Examples(Form("tokens", "class", 4, 4, 2, end=3), data.Splits(texts, texts, texts))
    ids, visible, labels = next(TOY.batches(of_texts, generator))  # fewer than a batch: all of them
    assert {tuple(row[seen].tolist()) for row, seen in zip(ids, visible, strict=True)} == {
        (1, 2, 3),
        (1, 3),
        (2, 2, 1, 3),
    }
    assert labels.shape == (3,)

    def draw(n: int, generator: torch.Generator) -> Part:
        return Part(torch.rand(n, 2, generator=generator), torch.zeros(n))

    drawn = TOY.batches(Examples(Form("series", "value", 1, 2, 1), data.Splits(texts, texts, texts), draw), generator)
    first, second = next(drawn), next(drawn)
    assert first[0].shape == (20, 2)
    assert not torch.equal(first[0], second[0])


def test_texts_are_measured_in_their_order():
    class Ends(nn.Module):
        """Says class 1 to a text that begins with token 1."""

        def forward(self, ids: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
            return nn.functional.one_hot((ids[:, 0] == 1).long(), 2).float()

    texts = Part([([1, 2],), ([2],), ([2, 2, 1],), ([1],)], torch.tensor([1, 0, 1, 1]))
    examples = Examples(Form("tokens", "class", 4, 4, 2, end=3), data.Splits(texts, texts, texts))
    assert TOY.measure(Ends(), examples, texts)["accuracy"] == 0.75


def test_bad_parts_and_settings_are_named():
    with pytest.raises(ValueError, match="targets has 2 entries; allowed is as many as inputs has: 3"):
        Part(torch.zeros(3), torch.zeros(2))
    with pytest.raises(ValueError, match=r"groups has shape \(2,\)"):
        Part(torch.zeros(3), torch.zeros(3), groups=torch.zeros(2))
    with pytest.raises(ValueError, match="settings has batch_size = None"):
        Task("t", "", load, ACCURACY, {"steps": 1})
    with pytest.raises(ValueError, match=r"form\.end is None"):
        default_collate(Form("tokens", "class", 4, 4, 2))


def test_the_identity_has_the_datas_hash():
    task = Task("t", "", load, ACCURACY, {"batch_size": 1, "steps": 1}, data=("digits",))
    assert task.identity["data"] == {"digits": data.sha256("digits")}
