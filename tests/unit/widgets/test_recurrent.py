"""The recurrent networks' explorable: its state, its numbers, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dlcompare.graphs.recurrent import LONGEST, PARTS
from dlcompare.models import RecurrentLM, RecurrentLMConfig
from dlcompare.models.recurrent import Kind
from dlcompare.tokenization import BPETokenizer, CharTokenizer
from dlcompare.widgets import RecurrentStepper

TOKENIZER = CharTokenizer(" abcdef\n")
KINDS: tuple[Kind, ...] = ("rnn", "lstm", "gru")


def model(kind: Kind, **sizes: Any) -> RecurrentLM:
    torch.manual_seed(2)
    return RecurrentLM(RecurrentLMConfig(kind, **{"vocab_size": TOKENIZER.vocab_size, "d_model": 5, **sizes})).eval()


def explorable(prompt: str = "fade\nbead", **traits: Any) -> RecurrentStepper:
    return RecurrentStepper({kind: model(kind) for kind in KINDS}, TOKENIZER, prompt, **traits)


@pytest.mark.parametrize("kind", KINDS)
def test_it_begins_at_the_last_character_with_the_models_own_numbers(kind: Kind) -> None:
    widget = explorable(kind=kind)
    assert (widget.step, widget.part, widget.unit) == (8, "hidden", 0)
    ids = torch.tensor([TOKENIZER.encode(widget.prompt)])
    expected = model(kind)(ids)[0].softmax(-1)
    torch.testing.assert_close(widget.answers["probabilities"], expected)
    first, probability = widget.expected[0]
    assert probability == pytest.approx(expected[-1].max().item())
    assert [row[0] for row in widget.table().rows] == ["f", "a", "d", "e", "⏎", "b", "e", "a", "d"]
    assert [row[1] for row in widget.table().rows] == widget.values[:, 0].tolist()
    assert widget.table().rows[-1][3] == pytest.approx(probability)
    assert f"“{first}”, with {probability:.3g}" in widget.alternative_text()
    assert len(widget.figure().axes) == 3


def test_every_part_of_every_kind_can_be_chosen_and_another_kind_keeps_what_it_has() -> None:
    widget = explorable()
    for kind, parts in PARTS.items():
        widget.kind = kind
        for part in parts:
            widget.part = part
            assert widget.values.shape == (9, 5)
    assert (widget.kind, widget.part) == ("gru", "hidden")
    widget.part = "candidate"
    widget.kind = "lstm"
    assert widget.part == "candidate"
    widget.kind = "rnn"
    assert widget.part == "hidden"
    with pytest.raises(ValueError, match="part is 'cell'; allowed are, for 'rnn', hidden"):
        widget.part = "cell"


def test_a_shorter_text_keeps_the_step_inside_and_what_fills_it_up_is_not_shown() -> None:
    widget = explorable(step=7)
    widget.prompt = "bad"
    assert widget.step == 2
    assert widget.answers["hidden"].shape == (3, 5)
    ((_, inputs),) = widget.questions()
    assert inputs["ids"].tolist() == [*TOKENIZER.encode("bad"), *[0] * (LONGEST - 3)]


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"prompt": ""}, "prompt is ''; allowed is a text of 1 to 32 characters"),
        ({"prompt": "a" * 33}, "allowed is a text of 1 to 32 characters"),
        ({"prompt": "x"}, "prompt cannot be read: text contains 'x'"),
        ({"prompt": 3}, "prompt is 3"),
        ({"kind": "gpt"}, "kind is 'gpt'; allowed are 'rnn', 'lstm', 'gru'"),
        ({"kind": "gru", "part": "cell"}, "part is 'cell'; allowed are, for 'gru', reset_gate"),
        ({"part": "bias"}, "part is 'bias'; allowed are 'hidden', 'forget_gate'"),
        ({"unit": 5}, "unit is 5; allowed is a whole number from 0 to 4"),
        ({"step": 9}, "step is 9; allowed are 0 to 8"),
        ({"step": True}, "step is True"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        explorable(**traits)


def test_models_that_do_not_fit_are_refused() -> None:
    lstm = model("lstm")
    for models, tokenizer, message in (
        ({}, TOKENIZER, r"models has \[\]; allowed are 'rnn', 'lstm', 'gru'"),
        ({"gpt": lstm}, TOKENIZER, r"models has \['gpt'\]"),
        ({"gru": lstm}, TOKENIZER, r"models\['gru'\] is .*; allowed is a RecurrentLM of that kind with one layer"),
        ({"lstm": model("lstm", n_layer=2)}, TOKENIZER, "with one layer"),
        ({"lstm": lstm, "gru": model("gru", d_model=6)}, TOKENIZER, "for all models the same units"),
        ({"lstm": model("lstm", vocab_size=9)}, TOKENIZER, "has 9 tokens and 5 units; allowed are the tokenizer's 8"),
        ({"lstm": model("lstm", dropout=0.5).train()}, TOKENIZER, "is in training mode, with dropout"),
        ({"lstm": lstm}, BPETokenizer.train("abc", 270), "tokenizer is a BPETokenizer; allowed is a CharTokenizer"),
    ):
        with pytest.raises(ValueError, match=message):
            RecurrentStepper(models, tokenizer, "a")  # type: ignore[arg-type]
