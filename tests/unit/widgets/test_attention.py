from __future__ import annotations

import contextlib
import json
import math

import pytest
import torch
import traitlets
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dlcompare import checkpoints, style
from dlcompare.models import GPT, MLP, GPTConfig, MLPConfig
from dlcompare.recording import record
from dlcompare.tokenization import CharTokenizer
from dlcompare.widgets import AttentionExplorer, attention
from dlcompare.widgets.base import StateError

LINE = "MACBETH.\nI dare do all that may become a man;"


@pytest.fixture(scope="module")
def shakespeare() -> checkpoints.Checkpoint[GPT]:
    return checkpoints.load("shakespeare-gpt", expected=GPT)


def tiny(**traits: object) -> AttentionExplorer:
    torch.manual_seed(3)
    model = GPT(GPTConfig(vocab_size=6, block_size=10, n_layer=3, n_head=2, d_model=8)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
    return AttentionExplorer(model, CharTokenizer("abcde "), **{"prompt": "abc de", **traits})


def test_it_shows_what_the_model_does(shakespeare) -> None:
    model, tokenizer = shakespeare.model, shakespeare.tokenizer
    widget = AttentionExplorer(model, tokenizer, LINE, layer=2, head=1)
    ids = torch.tensor([tokenizer.encode(LINE)])
    softmaxes = [f"blocks.{i}.attention.softmax" for i in range(4)]
    with torch.no_grad(), record(model, *softmaxes, "blocks.2.attention.mixed") as seen:
        probabilities = model(ids)[0, -1].softmax(-1)
    torch.testing.assert_close(widget.attention, torch.cat([seen[name] for name in softmaxes]))
    torch.testing.assert_close(widget.output, seen["blocks.2.attention.mixed"][0, 1])
    assert widget.query == len(widget.tokens) - 1, "without a query, the last token asks"
    assert "".join(widget.tokens) == LINE
    values, places = probabilities.topk(8)
    assert [token for token, _ in widget.expected] == [tokenizer.decode([place]) for place in places.tolist()]
    assert [value for _, value in widget.expected] == pytest.approx(values.tolist(), rel=1e-4)
    assert widget.expected_as_trained == widget.expected


def test_one_head_keeps_this_model_from_going_on(shakespeare) -> None:
    """What the chapter invites to find: without one of the heads the line does not end."""
    widget = AttentionExplorer(shakespeare.model, shakespeare.tokenizer, LINE, heads="without")
    first = {}
    for layer in range(4):
        for head in range(4):
            widget.layer, widget.head = layer, head
            first[layer, head] = widget.expected[0][0]
    assert first[1, 0] == " and"
    assert sum(token == "\n" for token in first.values()) >= 13
    widget.heads, widget.causal = "all", False
    assert widget.numbers["surprise"] > 1.3 * widget.numbers_as_trained["surprise"]


def test_the_prompt_is_read_up_to_a_limit(shakespeare) -> None:
    widget = AttentionExplorer(shakespeare.model, shakespeare.tokenizer, "to be " * 80)
    assert len(widget.ids) == 32
    assert widget.sizes == {"n_layer": 4, "n_head": 4, "d_head": 48, "longest": 32}
    assert tiny(prompt="a" * 400).sizes["longest"] == 10, "no more than the model reads"
    assert len(tiny(prompt="a" * 400).ids) == 10


@pytest.mark.parametrize(
    ("heads", "keep"),
    [
        ("all", [[1, 1], [1, 1], [1, 1]]),
        ("without", [[1, 1], [0, 1], [1, 1]]),
        ("layer", [[1, 1], [1, 0], [1, 1]]),
        ("only", [[0, 0], [1, 0], [0, 0]]),
    ],
)
def test_which_heads_are_at_work(heads: str, keep: list[list[int]]) -> None:
    widget = tiny(layer=1, head=0, heads=heads)
    assert widget.keep.tolist() == keep
    others = widget.expected_as_trained != widget.expected
    assert others == (heads != "all")


def test_the_query_stays_inside_when_the_text_gets_shorter() -> None:
    widget = tiny(query=5)
    widget.prompt = "ab"
    assert widget.query == 1
    widget.prompt = "abcde"
    assert widget.query == 1


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"prompt": ""}, "prompt has 0 characters; allowed are 1 to 500"),
        ({"prompt": "a" * 501}, "prompt has 501 characters; allowed are 1 to 500"),
        ({"prompt": 7}, "prompt is 7; allowed is a text of 1 to 500 characters"),
        ({"prompt": "abX"}, "prompt cannot be read: text contains 'X'"),
        ({"layer": 3}, "layer is 3; allowed is a whole number from 0 to 2"),
        ({"layer": -1}, "layer is -1; allowed"),
        ({"head": 1.0}, "head is 1.0; allowed is a whole number from 0 to 1"),
        ({"head": True}, "head is True; allowed"),
        ({"query": 10}, "query is 10; allowed is a whole number from 0 to 9"),
        ({"query": 6}, "query is 6; allowed are 0 to 5, the tokens that are read"),
        ({"causal": 1}, "causal is 1; allowed are True and False"),
        ({"heads": "none"}, "heads is 'none'; allowed are 'all', 'without', 'layer', 'only'"),
        ({"heads": ["all"]}, r"heads is \['all'\]; allowed"),
        ({"step": 7}, "step is 7; allowed is a whole number from 0 to 6"),
        ({"name": "A b"}, "name is 'A b'"),
    ],
)
def test_what_is_not_allowed_is_named(traits: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny(**traits)


def test_half_a_character_is_refused(shakespeare) -> None:
    with pytest.raises(StateError, match=r"prompt cannot be read: text contains .* half of a surrogate pair"):
        AttentionExplorer(shakespeare.model, shakespeare.tokenizer, "a\ud800")


def test_model_and_tokenizer_are_checked(shakespeare) -> None:
    with pytest.raises(StateError, match="model is a MLP; allowed is a GPT"):
        AttentionExplorer(MLP(MLPConfig((4, 3, 2))), shakespeare.tokenizer, "a")
    with pytest.raises(StateError, match="tokenizer has 3 tokens; allowed are the 1024 of the model"):
        AttentionExplorer(shakespeare.model, CharTokenizer("abc"), "a")
    model = GPT(GPTConfig(vocab_size=3, block_size=4, n_layer=1, n_head=1, d_model=4, dropout=0.1))
    with pytest.raises(StateError, match="model is in training mode"):
        AttentionExplorer(model, CharTokenizer("abc"), "a")


def test_a_refused_message_from_the_front_end_leaves_the_state_as_it_was() -> None:
    widget = tiny()
    before = widget.page_state()
    for message in [{"layer": 2, "head": 9}, {"prompt": "ab", "query": 4}, {"prompt": ""}, {"step": 0, "causal": None}]:
        with pytest.raises(StateError):
            widget.set_state(message)
        assert widget.page_state() == before
    widget.set_state({"prompt": "abcdea", "query": 5, "heads": "only"})
    assert (widget.prompt, widget.query, widget.heads) == ("abcdea", 5, "only")


VALUES = {
    "prompt": st.one_of(st.text("abcde ", min_size=1, max_size=30), st.text(max_size=5), st.none()),
    "layer": st.one_of(st.integers(-2, 5), st.none()),
    "head": st.one_of(st.integers(-2, 4), st.text(max_size=2)),
    "query": st.one_of(st.integers(-2, 12), st.floats(0, 3)),
    "causal": st.one_of(st.booleans(), st.integers(0, 2)),
    "heads": st.one_of(st.sampled_from(attention.HEADS), st.text(max_size=4)),
    "step": st.integers(-2, 9),
}


@given(
    st.lists(st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), VALUES[name])), max_size=12)
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_assigned_the_state_is_one_that_can_be_shown(assignments) -> None:
    widget = tiny()
    for name, value in assignments:
        with contextlib.suppress(traitlets.TraitError):
            setattr(widget, name, value)
    assert 0 <= widget.query < len(widget.ids) <= 10
    for graph, inputs in widget.questions():
        widget.graphs[graph].check(inputs)


def test_what_the_first_picture_asks_travels_with_the_page_and_is_small(shakespeare) -> None:
    longest = "O Romeo, Romeo! wherefore art thou Romeo?\nDeny thy father and refuse thy name; Or, if thou wilt not"
    for traits, questions in (({}, 2), ({"heads": "only"}, 3), ({"causal": False}, 3)):
        widget = AttentionExplorer(shakespeare.model, shakespeare.tokenizer, longest, **traits)
        assert len(widget.ids) == 32
        widget._remember()
        assert len(widget.remembered) == questions
        assert len({json.dumps([one["graph"], one["inputs"]]) for one in widget.remembered}) == questions
    widget = AttentionExplorer(shakespeare.model, shakespeare.tokenizer, longest)
    widget._remember()
    assert len(json.dumps(widget.page_state())) < 250_000


def test_the_words_and_the_table_say_what_the_figure_shows() -> None:
    widget = tiny(layer=2, head=1, query=3)
    row = widget.attention[2, 1, 3]
    place = int(row.argmax())
    words = widget.alternative_text()
    assert "3 layers with 2 heads each" in words
    assert f"“·” is outlined; it gives its largest weight, {row[place]:.3g}, to “{'abc·de'[place]}”" in words
    assert f"with {widget.expected[0][1]:.3g}" in words
    table = widget.table()
    assert [line[0] for line in table.rows] == ["a", "b", "c", "·", "d", "e"]
    weights = [line[-1] for line in table.rows]
    assert weights == pytest.approx(row.tolist())
    assert [line[3] for line in table.rows][4:] == [-math.inf] * 2
    assert "−∞" in table.to_html()
    exponentials = [line[4] for line in table.rows]
    assert [value / sum(exponentials) for value in exponentials] == pytest.approx(weights)


@pytest.mark.parametrize("traits", [{}, {"causal": False, "heads": "without"}, {"prompt": "a", "heads": "only"}])
def test_the_figure_has_every_head_and_marks_the_query(traits: dict[str, object]) -> None:
    widget = tiny(**{"layer": 1, "head": 1, **traits})
    figure = widget.figure()
    left, right = figure.subfigs
    thumbnails = left.subfigs[0].axes
    assert len(thumbnails) == 6
    for thumbnail, kept in zip(thumbnails, widget.keep.flatten().tolist(), strict=True):
        assert len(thumbnail.lines) == (not kept), "a head that is off is struck through"
    large = right.axes[0]
    drawn = torch.as_tensor(large.images[0].get_array().filled(0)).float()
    torch.testing.assert_close(drawn, widget.attention[1, 1])
    assert {patch.get_y() for patch in large.patches} == {widget.query - 0.5}


@given(st.lists(st.text(max_size=5), min_size=20, max_size=60))
@example([" man", "\n\t", "\x00\x7f", "\u202e", "\u0301e", "e\u0301", "\u00a0\u2028", "🎭", ""])
@settings(max_examples=8, deadline=None)
def test_tokens_are_written_alike_in_figures_and_in_the_page(run_node, tokens: list[str]) -> None:
    code = (
        'import { readable } from "./shared/token_text.js"; import { readFileSync } from "node:fs";'
        "console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(readable)));"
    )
    assert [style.readable(token) for token in tokens] == run_node(code, tokens)
