"""Before and after fine-tuning: the explorable's state, its numbers, and what it refuses."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from dlcompare import checkpoints
from dlcompare.checkpoints import Checkpoint
from dlcompare.models import BERT, GPT
from dlcompare.widgets import FineTuning
from dlcompare.widgets.base import StateError

PROMPT = "What did you do last weekend?"


@pytest.fixture(scope="module")
def models() -> list[Checkpoint[GPT]]:
    return [checkpoints.load(name, expected=GPT) for name in ("shakespeare-gpt", "dialogue-gpt-lora", "dialogue-gpt")]


@pytest.fixture
def make(models):
    return lambda prompt=PROMPT, **traits: FineTuning(*models, prompt, **traits)


def test_both_go_on_as_they_do_on_their_own(make, models) -> None:
    widget = make()
    tokenizer = models[0].tokenizer
    for place, checkpoint in enumerate(models[:2]):
        ids = tokenizer.encode(PROMPT)
        for _ in range(12):
            with torch.no_grad():
                ids.append(int(checkpoint.model(torch.tensor([ids]))[0, -1].argmax()))
        assert widget.written[place] == tokenizer.decode(ids[len(tokenizer.encode(PROMPT)) :])
    assert widget.written[0].startswith("\n\n")
    widget.strength = 0.0
    assert widget.written[0] == widget.written[1]
    assert widget.answers[0]["moved"] == 0


def test_what_was_learned_and_what_was_forgotten(make) -> None:
    """What the chapter invites to find."""
    widget = make()
    for widget.prompt, forgets in ((PROMPT, False), ("Good morrow, my noble lord.", True)):
        before, after = widget.answers[0]["surprise"].tolist()
        assert (after > before + 0.5) if forgets else (after < before - 0.5)


def test_lora_moves_in_few_directions_and_all_weights_in_many(make) -> None:
    changes = make().changes
    adapted = [change for change in changes if change["layer"] is not None]
    assert len(adapted) == 16
    for change in adapted:
        assert change["lora"]["share"] == pytest.approx(1, abs=1e-6)
        assert change["full"]["share"] < 0.52
        assert change["lora"]["trained"] == 4 * sum(change["shape"])
        assert 0.2 < change["lora"]["relative"] < 0.6
    outside = [change for change in changes if change["layer"] is None]
    assert [change["kind"] for change in outside] == ["token_embedding", "position_embedding"]
    assert all(change["lora"]["trained"] == 0 < change["full"]["trained"] for change in outside)
    assert sum(change["lora"]["trained"] for change in changes) == 49_152


def test_what_was_recorded_stands_on_the_cards(make, models) -> None:
    recorded = make().recorded
    _, lora, full = models
    assert recorded["curves"] == {
        "lora": lora.card["training"]["validation"],
        "full": full.card["training"]["validation"],
    }
    assert [row["of"] for row in recorded["results"]] == ["questions", "chats"]
    for row in recorded["results"]:
        assert row["before"] > row["scratch"] > row["lora"] > row["full"]
    silent = [dataclasses.replace(checkpoint, card={}) for checkpoint in models]
    assert FineTuning(*silent, PROMPT).recorded["curves"] == {"full": [], "lora": []}


def test_the_template_of_a_dialogue(make) -> None:
    widget = make("Hi", chat=True)
    assert widget._tokenizer.decode(widget.ids) == "<|user|>Hi<|reply|>"
    assert make("to be " * 50).ids == make("to be " * 60).ids, "the first tokens are read"


def test_the_figure_and_its_words(make) -> None:
    widget = make(step=3, strength=0.5)
    assert len(widget.figure().axes) == 3
    assert f"“{PROMPT}”" in widget.alternative_text()
    rows = widget.table().rows
    assert [row[0] for row in rows] == ["before"] * 6 + ["after"] * 6
    assert rows[0][2] == max(row[2] for row in rows[:6])
    assert rows[6][3] == max(row[3] for row in rows[6:])
    moved = [change["full"]["relative"] for change in widget.changes]
    assert widget.matrix == moved.index(max(moved)), "it looks at the one that moved most"
    widget._remember()
    assert len(str(widget.page_state())) < 90_000


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"prompt": ""}, "prompt has 0 characters; allowed are 1 to 500"),
        ({"chat": 1}, "chat is 1; allowed are True and False"),
        ({"strength": 1.6}, "strength is 1.6; allowed is a number from 0 to 1.5"),
        ({"strength": float("nan")}, "strength is nan; allowed"),
        ({"matrix": 18}, "matrix is 18; allowed is a whole number from 0 to 17"),
        ({"step": 13}, "step is 13; allowed is a whole number from 0 to 12"),
    ],
)
def test_what_is_not_allowed_is_named(make, traits: dict[str, object], message: str) -> None:
    with pytest.raises(StateError, match=message):
        make(**traits)


def test_models_that_do_not_go_together_are_refused(models) -> None:
    before, lora, full = models
    bert = checkpoints.load("shakespeare-bert", expected=BERT)
    with pytest.raises(StateError, match="full is of a BERT; allowed is a GPT"):
        FineTuning(before, lora, bert, PROMPT)
    with pytest.raises(StateError, match="before has no BPE tokenizer"):
        FineTuning(dataclasses.replace(before, tokenizer=None), lora, full, PROMPT)
    with pytest.raises(StateError, match="lora has no LoRA"):
        FineTuning(before, full, full, PROMPT)
