"""The digit pad: its state, its numbers, what it refuses, and images as texts on both sides."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dlcompare.models import CNN, MLP, CNNConfig, MLPConfig
from dlcompare.widgets import DigitPad
from dlcompare.widgets.pixel_text import from_text, to_text


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    cnn, mlp = CNN(CNNConfig(channels=(2,), hidden=4)), MLP(MLPConfig((784, 6, 10)))
    return {"cnn": cnn.eval(), "mlp": mlp.eval()}


def images(n: int) -> torch.Tensor:
    """Images as a pad holds them: 256 levels, most pixels blank."""
    levels = torch.randint(0, 256, (n, 1, 28, 28)) * (torch.rand(n, 1, 28, 28) < 0.2)
    return levels.float() / 255


def test_each_network_reads_what_stands_on_the_pad() -> None:
    models, digits = networks(), images(3)
    widget = DigitPad(models, digits, [7, 1, 7])
    assert [entry["kind"] for entry in widget.models] == ["mlp", "cnn"], "in one order everywhere"
    assert widget.models[0]["parameters"] == sum(p.numel() for p in models["mlp"].parameters())
    assert widget.models[0]["multiply_adds"] == 784 * 6 + 6 * 10
    assert torch.equal(widget.pixels, digits[0, 0])
    widget.image = digits[2]
    for kind, p in widget.probabilities.items():
        torch.testing.assert_close(p, models[kind](digits[2:])[0].softmax(-1).detach())
    table = widget.table()
    assert list(table.columns) == ["digit", "MLP", "CNN"]
    assert [row[0] for row in table.rows] == list("0123456789")
    best = widget.probabilities["cnn"]
    assert f"The CNN reads {int(best.argmax())} with probability {best.max():.3g}" in widget.alternative_text()
    assert len(widget.figure().axes) == 3
    assert [example["label"] for example in widget.examples] == [7, 1, 7]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": {}}, r"models has \[\]; allowed are one or more of mlp, cnn, lstm, vit"),
        ({"models": {"gpt": nn.Identity()}}, r"models has \['gpt'\]"),
        ({"models": {"mlp": MLP(MLPConfig((784, 3))).eval()}}, r"models\['mlp'\] gives \(1, 3\) for one"),
        ({"labels": [1]}, "labels has 1 entries; allowed is one for each of 2 images"),
        ({"images": torch.zeros(2, 1, 20, 20)}, r"image has the shape \(1, 20, 20\); allowed is \(28, 28\)"),
        ({"images": torch.full((2, 28, 28), 255.0)}, "values from 0 to 1"),
        ({"image": "zz"}, "image is 'zz'; allowed is a tensor"),
        ({"image": 3}, "image is 3; allowed"),
        ({"tool": "brush"}, "tool is 'brush'; allowed are 'pen', 'eraser'"),
        ({"image": torch.full((28, 28), float("nan"))}, "values from 0 to 1"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DigitPad(**{"models": networks(), "images": images(2), "labels": [3, 4], **change})


def test_an_image_as_a_text_comes_back_bit_by_bit() -> None:
    for image in (*images(20)[:, 0], torch.zeros(28, 28), torch.ones(28, 28)):
        assert torch.equal(from_text(to_text(image)), image)
    assert to_text(torch.zeros(28, 28)) == 39 * "z" + "j"


@pytest.mark.parametrize(
    "text", ["", "z", "ff" * 783, "00" + 39 * "z" + "i", "gg" + 39 * "z" + "h", "FF" * 784, "ff" * 785]
)
def test_a_text_that_is_no_image_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no image"):
        from_text(text)


def test_the_front_end_writes_and_reads_the_same_texts(run_node) -> None:
    code = """
        import { fromText, toText } from "./shared/pixel_text.js";
        import { readFileSync } from "node:fs";
        const texts = JSON.parse(readFileSync(0, "utf8"));
        console.log(JSON.stringify(texts.map(text => {
          const levels = fromText(text);
          return levels && [[...levels], toText(levels)];
        })));
    """
    pictures = [*images(8)[:, 0], torch.zeros(28, 28), torch.ones(28, 28)]
    texts = [to_text(picture) for picture in pictures]
    refused = ["", "z", "ff" * 783, "00" + 39 * "z" + "i", "gg" + 39 * "z" + "h", "FF" * 784]
    (*got,) = run_node(code, [*texts, *refused])
    for answer, picture, text in zip(got, pictures, texts, strict=False):
        levels, written = answer
        assert torch.equal(torch.tensor(levels) / 255, picture.flatten())
        assert written == text
    assert got[len(texts) :] == [None] * len(refused)
