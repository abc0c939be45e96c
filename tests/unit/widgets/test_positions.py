"""The explorer of positions: its state, its numbers, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dlcompare.models.gpt import GPT, GPTConfig
from dlcompare.tokenization import CharTokenizer
from dlcompare.widgets import PositionExplorer

LETTERS = "abcdefgh"
CONFIG = GPTConfig(vocab_size=len(LETTERS), block_size=64, n_layer=1, n_head=2, d_model=16)


@pytest.fixture(scope="module")
def model() -> GPT:
    torch.manual_seed(0)
    model = GPT(CONFIG).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model


@pytest.fixture
def tokenizer() -> CharTokenizer:
    return CharTokenizer(LETTERS)


def test_it_begins_with_the_text_reversed(model: GPT, tokenizer: CharTokenizer) -> None:
    widget = PositionExplorer(model, tokenizer, "abcd")
    assert list(widget.order) == [3, 2, 1, 0]
    assert (widget.kind, widget.causal, widget.dimension) == ("sinusoidal", False, 7)
    rows = widget.table().rows
    assert [row[0] for row in rows] == ["d", "c", "b", "a"]
    assert [row[2] for row in rows] == widget.answers["apart"].tolist()
    assert widget.largest("none", causal=False) < 1e-5 < 0.01 < widget.largest("none", causal=True)
    assert f"{widget.largest('learned', causal=False):.2g} with learned" in widget.alternative_text()
    assert len(widget.figure().findobj(match=lambda artist: artist.__class__.__name__ == "AxesImage")) == 3


def test_the_order_follows_the_text(model: GPT, tokenizer: CharTokenizer) -> None:
    widget = PositionExplorer(model, tokenizer, "abcd", token=3)
    widget.prompt = "ab"
    assert (list(widget.order), widget.token) == ([1, 0], 1)
    widget.prompt = "abcdefgh"
    assert list(widget.order) == [1, 0, 2, 3, 4, 5, 6, 7]
    widget.prompt = "abcdefgh" * 5
    assert len(widget.order) == len(widget.ids) == 24


def test_the_other_position_is_no_further_than_the_first(model: GPT, tokenizer: CharTokenizer) -> None:
    widget = PositionExplorer(model, tokenizer, "ab", position=2, distance=9, kind="rotary", dimension=15)
    _, inputs = widget.question()
    assert inputs["distance"] == 2
    assert inputs["pair"] == 3  # of heads eight wide


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"prompt": ""}, "prompt has 0 characters; allowed are 1 to 500"),
        ({"prompt": "a" * 501}, "prompt has 501 characters; allowed are 1 to 500"),
        ({"prompt": "xyz"}, "prompt cannot be read"),
        ({"order": [0, 1]}, "order is .*; allowed are the places of the 4 tokens|allowed is each place of the 4"),
        ({"order": [0, 1, 2, 2]}, r"order is \[0, 1, 2, 2\]; allowed is each token's place once"),
        ({"order": "0123"}, "order is '0123'"),
        ({"kind": "relative"}, "kind is 'relative'; allowed are 'none', 'sinusoidal', 'learned', 'rotary'"),
        ({"causal": 1}, "causal is 1; allowed are True and False"),
        ({"token": 4}, "token is 4; allowed are"),
        ({"position": 64}, "position is 64; allowed is a whole number from 0 to 63"),
        ({"distance": -1}, "distance is -1"),
        ({"dimension": 16}, "dimension is 16; allowed is a whole number from 0 to 15"),
    ],
)
def test_what_is_not_allowed_is_named(
    model: GPT, tokenizer: CharTokenizer, traits: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        PositionExplorer(model, tokenizer, **{"prompt": "abcd", **traits})  # type: ignore[arg-type]


def test_models_and_tokenizers_that_do_not_fit_are_named(model: GPT, tokenizer: CharTokenizer) -> None:
    with pytest.raises(ValueError, match="model is a Linear; allowed is a GPT"):
        PositionExplorer(nn.Linear(2, 2), tokenizer, "ab")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tokenizer has 3 tokens; allowed are the 8 of the model"):
        PositionExplorer(model, CharTokenizer("abc"), "ab")
    with pytest.raises(ValueError, match="block_size = 8"):
        PositionExplorer(GPT(GPTConfig(8, 8, 1, 2, 16)).eval(), tokenizer, "ab")
