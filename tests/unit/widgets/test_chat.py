"""The chat stepper: its dialogue is the package's, its numbers are the graph's, and what it refuses."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from dlcompare import checkpoints
from dlcompare.chance import Chance
from dlcompare.chat import kept_turns
from dlcompare.models import GPT, GPTConfig
from dlcompare.sampling import GREEDY, Sampler
from dlcompare.tokenization import END, REPLY, SPECIAL_TOKENS, USER, BPETokenizer
from dlcompare.widgets import ChatStepper
from dlcompare.widgets import chat as module
from dlcompare.widgets.base import StateError
from dlcompare.widgets.chat_talk import LONGEST_REPLY, MOST_TURNS

TOKENIZER = BPETokenizer.train("who are you? I am the king, my lord. " * 9, 290)
TURNS = ("who are you?", "the king?", "are you?")


def tiny(**traits: object) -> ChatStepper:
    torch.manual_seed(4)
    model = GPT(GPTConfig(TOKENIZER.vocab_size, block_size=96, n_layer=2, n_head=2, d_model=16)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.4)
    return ChatStepper(model, TOKENIZER, **{"turns": TURNS, "longest": 9, **traits})


@dataclass(frozen=True)
class Seeded(Sampler):
    """Draws by the numbers of ``Chance``, over the ids in order, as an explorable does."""

    uniforms: list[float] = field(default_factory=list)

    def choose(self, logits: Tensor, text: Tensor | None = None, generator: object = None) -> Tensor:
        p = self.probabilities(logits)[0].double()
        return (p.cumsum(0) <= self.uniforms.pop(0) * p.sum()).sum()[None]


def uniforms(seed: int, turn: int) -> list[float]:
    chance = Chance(seed)
    return [chance.uniform() for _ in range((turn + 1) * LONGEST_REPLY)][turn * LONGEST_REPLY :]


@pytest.mark.parametrize("context", [64, 96])
@pytest.mark.parametrize("greedy", [True, False])
def test_its_replies_are_those_of_the_talker(context: int, greedy: bool) -> None:
    seed = random.randrange(1000)
    widget = tiny(context=context, longest=30, greedy=greedy, seed=seed, temperature=1.1, top_p=0.8)
    for way in ("whole", "turn"):
        history: list[str] = []
        for turn, (said, reply) in enumerate(zip(TURNS, widget.replies(way), strict=True)):
            history.append(said)
            sampler = GREEDY if greedy else Seeded(1.1, top_p=0.8, uniforms=uniforms(seed, turn))
            read = history if way == "whole" else [said]
            expected = widget._talker.reply(read, sampler=sampler, max_new_tokens=30, context=context)
            assert reply.text == expected
            history.append(expected)
    if context == 64:
        assert widget.replies()[-1].cut > 0, "something was cut off"


def test_the_articles_loop_reads_the_turn_for_the_first_token_and_then_the_last_one_alone() -> None:
    widget = tiny(greedy=False, temperature=1.5, top_p=1.0, seed=3)
    for turn, (said, reply) in enumerate(zip(TURNS, widget.replies("article"), strict=True)):
        numbers, read, tokens = uniforms(3, turn), widget._talker.write([said]), []
        for place in range(9):
            with torch.no_grad():
                p = (widget._model(torch.tensor([read]))[0, -1] / 1.5).softmax(-1).double()
            token = int((p.cumsum(0) <= numbers[place] * p.sum()).sum())
            tokens.append(token)
            if token in widget._talker.stop:
                break
            read = [token]
        assert reply.tokens == tokens
        assert reply.reads == (len(widget._talker.write([said])), *[1] * (len(tokens) - 1))


def test_each_way_reads_what_it_says() -> None:
    widget = tiny()
    write = widget._talker.write
    history: list[str] = []
    for whole, alone, said in zip(widget.replies(), widget.replies("turn"), TURNS, strict=True):
        history.append(said)
        kept = kept_turns(write, history, 96 - 9)
        assert list(whole.ids) == write(history)
        assert list(whole.ids[whole.cut :]) == write(kept)
        assert whole.turns_cut == len(history) - len(kept)
        assert list(alone.ids[alone.cut :]) == write([said])
        assert whole.reads == tuple(range(len(write(kept)), len(write(kept)) + len(whole.steps)))
        history.append(whole.text)


def test_a_chosen_token_is_taken_and_what_follows_reads_it() -> None:
    widget = tiny()
    before = widget.replies()
    token = int(before[0].steps[1]["best"][3])
    widget.choices = [(0, 1, token)]
    after = widget.replies()
    assert after[0].tokens[:2] == [before[0].tokens[0], token]
    ids = [*after[0].ids, *after[0].tokens]
    for place in range(2, len(after[0].steps)):
        with torch.no_grad():
            logits = widget._model(torch.tensor([ids[: len(after[0].ids) + place]]))[0, -1]
        assert after[0].tokens[place] == int(logits.argmax())
    assert widget.replies("turn")[0].tokens == before[0].tokens, "only the whole conversation has choices"
    widget.choices = [(0, 0, TOKENIZER.id_of(END))]
    assert (widget.replies()[0].text, widget.replies()[0].ended, len(widget.replies()[0].steps)) == ("", True, 1)


def test_a_reply_that_spells_a_mark_ends_the_conversation() -> None:
    letters = TOKENIZER.encode("<")[0], *[TOKENIZER.encode(letter)[0] for letter in "|end|>"]
    widget = tiny(choices=[(0, place, token) for place, token in enumerate(letters)])
    assert END in widget.replies()[0].text
    assert len(widget.replies()) == 1


def test_the_present_step_is_counted_over_the_longer_replies() -> None:
    widget = tiny()
    sides = [widget.replies(), widget.replies("article")]
    lengths = [max(len(reply.steps) for reply in both) for both in zip(*sides, strict=True)]
    assert widget.present(sides) == (2, lengths[2])
    for step, expected in ((0, (0, 0)), (lengths[0], (0, lengths[0])), (lengths[0] + 1, (1, 1))):
        widget.step = step
        assert widget.present(sides) == expected
    assert len(widget.table().rows) == 1
    widget.turns = ()
    assert (widget.replies(), widget.present([[], []]), widget.table().rows) == ([], (0, 0), [])
    assert len(widget.figure().axes) == 4


def test_the_chapters_dialogue() -> None:
    checkpoint = checkpoints.load("dialogue-gpt", expected=GPT)
    widget = ChatStepper(checkpoint.model, checkpoint.tokenizer)
    whole, alone = widget.replies()[1].text, widget.replies("turn")[1].text
    assert "capable" in whole, "it takes up what was said before"
    assert "capable" not in alone
    assert whole in widget.alternative_text()
    widget._remember()
    assert [entry["way"] for entry in widget.known["replies"]] == ["whole", "whole", "article", "article"]
    assert len(json.dumps(widget.page_state())) < 60_000
    rows = widget.table().rows
    assert [row[1] for row in rows][-1] == "" or len(rows[0]) == 7


REFUSED = [
    ({"turns": "who?"}, "turns is 'who\\?'; allowed are at most 24 texts of 1 to 200 characters"),
    ({"turns": [""]}, "allowed are at most 24 texts of 1 to 200 characters, without space around them"),
    ({"turns": [" who?"]}, "without space around them"),
    ({"turns": [3]}, r"turns is \[3\]"),
    ({"turns": ["a" * 201]}, "of 1 to 200 characters"),
    ({"turns": ["a"] * 25}, "turns has 25 entries"),
    ({"turns": [f"a{END}"]}, r"contains '<\|end\|>', a mark of the template"),
    ({"turns": ["\ud800"]}, "half of a surrogate pair"),
    ({"turns": ["xq" * 50]}, "takes 102 tokens with its marks; allowed are at most 87, a context of 96 less 9"),
    ({"context": 64, "longest": 60}, "allowed are at most 4, a context of 64 less 60 for the reply"),
    ({"context": 63}, "context is 63; allowed is a whole number from 64 to 96"),
    ({"context": 97}, "context is 97"),
    ({"longest": 7}, "longest is 7; allowed is a whole number from 8 to 60"),
    ({"choices": [[0, 0]]}, r"choices\[0\] is \[0, 0\]; allowed is a reply, a place in it, and a token"),
    ({"choices": [[0, 0, 1], [0, 0, 2]]}, "allowed are places in rising order"),
    ({"choices": [[0, 60, 1]]}, r"choices\[0\] is 60; allowed is a whole number from 0 to 59"),
    ({"choices": [[0, 0, 999]]}, f"allowed is a whole number from 0 to {TOKENIZER.vocab_size - 1}$"),
    ({"choices": 5}, r"choices\[0\] is None"),
    ({"seed": -1}, "seed is -1"),
    ({"greedy": 1}, "greedy is 1; allowed are True and False"),
    ({"step": 1441}, "step is 1441; allowed is a whole number from 0 to 1440"),
]


@pytest.mark.parametrize(("traits", "message"), REFUSED)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(StateError, match=message):
        tiny(**traits)


def test_what_is_refused_changes_nothing() -> None:
    widget = tiny()
    with pytest.raises(StateError, match="way is 'half'; allowed are whole, turn, article"):
        widget.replies("half")
    with pytest.raises(StateError):
        widget.turns = ["xq" * 50]
    assert widget.turns == TURNS
    with pytest.raises(StateError, match=f"tokenizer has {TOKENIZER.vocab_size} tokens; allowed are 10"):
        ChatStepper(GPT(GPTConfig(10, 96, 1, 1, 4)), TOKENIZER)


def test_the_front_end_knows_the_same_limits(run_node) -> None:
    limits = run_node('import { LIMITS } from "./explorables/chat/rules.js"; console.log(JSON.stringify(LIMITS));')
    assert limits == {
        "turns": MOST_TURNS,
        "characters": module.LONGEST_TURN,
        "context": module.SMALLEST_CONTEXT,
        "longest": [module.SHORTEST_REPLY, LONGEST_REPLY],
        "step": module.LAST_STEP,
        "besides": list(module.BESIDES),
    }


PIECES = [
    "who",
    " are",
    "\n",
    "\t",
    "\x1c",
    "\x85",
    "\ufeff",
    "\u2003",
    "\u200b",
    "é",
    "漢",
    "👩‍👩‍👧",
    "you?",
    " ",
    "\xa0",
    "",
]


def test_the_front_end_writes_cuts_and_strips_as_python_does(run_node) -> None:
    """One rule in two languages: the same turns, the same tokens, the same cut."""
    write = tiny()._talker.write
    conversations = []
    for _ in range(60):
        turns = ["".join(random.choices(PIECES, k=random.randrange(1, 9))) for _ in range(2 * random.randrange(6) + 1)]
        conversations.append({"turns": turns, "room": random.randrange(4, 80)})
    code = """
    import { readFileSync } from "node:fs";
    import { createTokenizer } from "./shared/tokenizer.js";
    import { createTemplate, keptTurns, markIn, strip } from "./explorables/chat/template.js";
    const { tokenizer, conversations, marks } = JSON.parse(readFileSync(0, "utf8"));
    const { write } = createTemplate(createTokenizer(tokenizer));
    const found = conversations.map(({ turns, room }) => {
      const [ids, reply] = [write(turns), write(turns.slice(0, -1))];
      return { ids, reply, kept: keptTurns(write, turns, room), strip: turns.map(strip) };
    });
    console.log(JSON.stringify({ found, marks: marks.map(markIn) }));
    """
    marks = [*SPECIAL_TOKENS, "<|end|", f"a{USER}b{END}", f"{REPLY}{END}"]
    given = {"tokenizer": TOKENIZER.to_page(), "conversations": conversations, "marks": marks}
    answer = run_node(code, given)
    for conversation, found in zip(conversations, answer["found"], strict=True):
        turns, room = conversation["turns"], conversation["room"]
        assert found["ids"] == write(turns)
        assert found["reply"] == (write(turns[:-1]) if turns[:-1] else [])
        assert found["strip"] == [turn.strip() for turn in turns]
        try:
            expected = kept_turns(write, turns, room)
        except ValueError:
            expected = None
        assert found["kept"] == expected
    assert [mark is not None for mark in answer["marks"]] == [True, True, True, False, True, True]


def test_every_text_that_the_front_end_asks_for_is_in_the_catalogue() -> None:
    from .conftest import ROOT

    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "js/src/explorables/chat").glob("*.js"))
    asked = set(re.findall(r'\btext\(\s*(?:\w+ \? )?"([a-z_]+)"', code)) | set(re.findall(r'key: "([a-z_]+)"', code))
    asked |= {f"{way}_{part}" for way in ("whole", "turn", "article") for part in ("title", "note", "short")}
    asked |= {f"{stem}_{role}" for stem in ("role", "legend") for role in ("mark", "user", "reply")}
    asked |= {"cache_most", "cache_none", "cache_all", "unread", "unread_cut", "read", "chip", "chip_unread", "article"}
    asked |= {"turn", "window", "window_cut", "window_unread", "came_chosen", "came_drawn", "bars_only", "bars_label"}
    asked |= {
        "ends_mark",
        "ends_longest",
        "silent",
        "silent_so_far",
        "legend_unread",
        "keys_chat",
        "tried",
        "drawn_next",
    }
    texts = tiny().strings
    assert asked <= set(texts)
