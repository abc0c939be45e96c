"""The tokenizer explorer: its state, what it counts, and what it refuses."""

from __future__ import annotations

import random

import matplotlib
import pytest

from dlcompare.tokenization import BPETokenizer, CharTokenizer, WordTokenizer
from dlcompare.widgets import TokenizerExplorer

PLAY = "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer\n" * 5
BPE = BPETokenizer.train(PLAY, 300)


def explorer(text: str = "to be 名", **traits: object) -> TokenizerExplorer:
    return TokenizerExplorer(BPE, CharTokenizer.train(PLAY), WordTokenizer.train(PLAY, 20), text, **traits)


def test_it_counts_what_each_tokenizer_makes_of_the_text() -> None:
    widget = explorer()
    counts = {count.row: count for count in widget.counts}
    assert [counts[row].tokens for row in ("characters", "words", "bytes")] == [7, 3, 9]
    assert counts["bpe"].tokens == len(BPE.encode("to be 名")) < 9
    assert [count.unknown for count in widget.counts] == [1, 2, 0, 0], "“to” stands in the play after a space alone"
    assert [count.vocabulary for count in widget.counts] == [len(set(PLAY)), 20, 256, 300]
    assert [row[1:] for row in widget.table().rows][1] == ["3", "20", "2"]
    assert "7 characters, 3 words (2 of them unknown), 9 bytes" in widget.alternative_text()


def test_its_tokens_are_those_of_the_chosen_cut_and_step() -> None:
    widget = explorer()
    assert widget.step == len(widget.merges)
    assert widget.ids == BPE.encode(widget.text)
    for step, merge in enumerate(widget.merges, start=1):
        widget.step = step
        assert len(widget.ids) == merge.count
    widget.step = 0
    assert widget.ids == BPE.first_merges(0).encode(widget.text)
    widget.cut = "words"
    assert widget.ids == WordTokenizer.train(PLAY, 20).encode(widget.text)
    widget.cut = "characters"
    assert widget.ids[:6] == CharTokenizer.train(PLAY).encode("to be ")
    assert widget.ids[6] is None


def test_who_has_merged_all_goes_on_to_merge_all() -> None:
    widget = explorer(at=8)
    widget.text = "the mind to suffer, to be"
    assert widget.step == len(widget.merges) > 5
    widget.step = 2
    widget.text = "the"
    assert (widget.step, widget.at) == (min(2, len(widget.merges)), 2)
    with widget.hold_trait_notifications():
        widget.text, widget.step = "to suffer the mind", 1
    assert widget.step == 1


def test_the_figure_draws_any_text_without_a_warning(recwarn) -> None:
    with matplotlib.rc_context({"figure.constrained_layout.use": True}):  # as in the book's chapters
        for text in ("q", "名字 🌹" * 40, "$x_1^2$ & \x00\t\n", "e\u0301 مرحبا", "a" * 200):
            explorer(text).figure().canvas.draw()
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"text": ""}, "text has 0 characters; allowed are 1 to 200"),
        ({"text": "a" * 201}, "text has 201 characters"),
        ({"text": 7}, "text is 7; allowed is a text of 1 to 200 characters"),
        ({"text": "a\ud800"}, "with half a surrogate pair; allowed is Unicode text"),
        ({"examples": ["good", ""]}, "examples has 0 characters"),
        ({"cut": "bytes"}, "cut is 'bytes'; allowed are 'characters', 'words', 'bpe'"),
        ({"step": -1}, "step is -1; allowed is a whole number from 0"),
        ({"step": 99}, r"step is 99; allowed are 0 to \d+, the merges in the text"),
        ({"at": 9}, "at is 9; allowed are 0 to 8, the bytes of the text, and None"),
        ({"at": 1.5}, "at is 1.5; allowed is a whole number"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        explorer(**traits)


READ = """
import { readFileSync } from "node:fs";
import { createReader } from "./explorables/tokenizer/reading.js";
const { tokenizers, texts } = JSON.parse(readFileSync(0, "utf8"));
const read = createReader({ get: () => tokenizers });
const reduced = (tokens) => tokens.map(({ id, first, after, known, whole }) => [id, first, after, known, whole]);
console.log(JSON.stringify(texts.map((text) => {
  const reading = read(text);
  return ["characters", "words", ...reading.merges.keys(), reading.merges.length].map((cut) =>
    reduced(typeof cut === "number" ? reading.tokens("bpe", cut) : reading.tokens(cut, 0)));
})));
"""


def test_the_page_reads_as_python_does(run_node) -> None:
    """At every step of fresh random texts: the same ids, at the same bytes."""
    source = random.Random()
    pieces = [
        "to be",
        " the",
        "名",
        "字",
        "🌹",
        "é",
        "<|end|>",
        "'",
        "\n",
        " ",
        "question",
        "q",
        "e\u0301",
        "\ufffd",
        "\x00",
    ]
    texts = ["".join(source.choices(pieces, k=source.randint(1, 12))) for _ in range(40)]
    widget = explorer()
    sent = {"tokenizers": widget.tokenizers, "texts": texts}
    for text, cuts in zip(texts, run_node(READ, sent), strict=True):
        widget.text = text
        boundaries = {len(text[:n].encode()) for n in range(len(text) + 1)}
        states = [("characters", 0), ("words", 0), *(("bpe", step) for step in range(len(widget.merges) + 1))]
        assert len(cuts) == len(states)
        for (cut, step), tokens in zip(states, cuts, strict=True):
            widget.cut, widget.step = cut, step
            assert [token[0] for token in tokens] == widget.ids, text
            assert [token[1] for token in tokens] == [0, *(token[2] for token in tokens[:-1])], text
            assert tokens[-1][2] == len(text.encode()), text
            unknown = {"characters": None, "words": 0}.get(cut, -1)
            for i, first, after, known, whole in tokens:
                assert known == (i != unknown), text
                assert whole == ({first, after} <= boundaries), text
