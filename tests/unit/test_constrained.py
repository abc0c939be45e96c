"""Constrained decoding: the grammar against other readers of the same languages, and what comes out of a model."""

import itertools
import json
import re

import pytest
import torch

from dlcompare.constrained import Grammar, GrammarError, constrain, word_probabilities
from dlcompare.models import GPT, GPTConfig
from dlcompare.sampling import GREEDY
from dlcompare.tokenization import BPETokenizer, CharTokenizer

LISTS = {"start": ["[]", "[<items>]"], "items": ["<item>", "<item>,<items>"], "item": ["1", "<start>"]}


def texts(alphabet: str, longest: int) -> list[str]:
    return ["".join(t) for n in range(longest + 1) for t in itertools.product(alphabet, repeat=n)]


def is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


def test_nested_lists_are_those_that_json_reads():
    grammar = Grammar(LISTS)
    found = {text for text in texts("[],1", 7) if grammar.accepts(text)}
    # A number of two digits is JSON's, not the grammar's.
    assert found == {text for text in texts("[],1", 7) if is_list(text) and "11" not in text}
    assert len(found) == 14


@pytest.mark.parametrize(
    ("rules", "pattern"),
    [
        ({"start": ["<start>a", "b"]}, "ba*"),  # begins with itself
        ({"start": ["a<start>", ""]}, "a*"),  # may be empty
        ({"start": ["<x><x>"], "x": ["", "a", "b<x>"]}, "(b*a?){2}"),  # ambiguous
        ({"start": ["<x>c"], "x": ["<y>"], "y": ["<x>a", ""]}, "a*c"),  # by way of another
        ({"start": ["<e><e>a<e>"], "e": [""]}, "a"),
    ],
)
def test_a_grammar_of_a_regular_language_agrees_with_the_expression(rules, pattern):
    grammar = Grammar(rules)
    for text in texts("abc", 5):
        assert grammar.accepts(text) == bool(re.fullmatch(pattern, text)), text


def test_reading_stops_where_no_text_goes_on():
    parse = Grammar(LISTS).begin()
    assert not parse.complete
    assert parse.read("[1,[") is not None
    assert parse.read("[1,,") is None
    assert parse.read("") is parse
    assert parse.read("[[]]").complete
    assert parse.read("[[]]").read("]") is None


def test_words_are_taken_as_they_stand():
    grammar = Grammar.words(["<a>", "ab"])
    assert [text for text in texts("ab<>", 3) if grammar.accepts(text)] == ["ab", "<a>"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"a": ["b"]}, "start is 'start'; allowed are the rules' names: a"),
        ({"start": []}, r"rule 'start' is \[\]; allowed is a list"),
        ({"start": "ab"}, "rule 'start' is 'ab'; allowed is a list"),
        ({"start": ["a<b>"]}, "rule 'start' names <b>; allowed are start"),
    ],
)
def test_what_is_no_grammar_is_refused(rules, message):
    with pytest.raises(GrammarError, match=message):
        Grammar(rules)
    with pytest.raises(GrammarError):
        Grammar.words([])


def small(tokenizer) -> GPT:
    torch.manual_seed(3)
    model = GPT(GPTConfig(tokenizer.vocab_size, 32, n_layer=1, n_head=2, d_model=8)).eval()
    model.token_embedding.weight.data *= 40  # far from an even distribution
    return model


def test_tokens_that_may_come_next_are_those_that_the_grammar_reads():
    tokenizer = BPETokenizer.train("[1,1],[1,1],[[],[]]" * 20, 264)
    spelled = [tokenizer.decode([i]) for i in range(tokenizer.vocab_size)]
    parse = Grammar(LISTS).begin().read("[1")
    states = parse.after_tokens(spelled)
    assert set(states) == {i for i, t in enumerate(spelled) if t and parse.read(t) is not None}
    assert {spelled[i] for i in states} >= {",", "]"}
    for token, state in states.items():
        assert state.chart == parse.read(spelled[token]).chart


def test_what_is_written_is_of_the_grammar_and_ends_with_it():
    tokenizer = CharTokenizer.train("[],1 ab")
    model, grammar = small(tokenizer), Grammar(LISTS)
    for seed in range(10):
        generator = torch.Generator().manual_seed(seed)
        done = constrain(model, tokenizer, "a", grammar, generator=generator, max_new_tokens=25)
        assert done.complete == grammar.accepts(done.text)
        assert done.complete or len(done.ids) == 25
        assert tokenizer.decode(done.ids.tolist()) == done.text
        assert grammar.begin().read(done.text) is not None
        assert done.left.shape == done.ids.shape
        assert ((done.left > 0) & (done.left <= 1 + 1e-6)).all()


def test_greedily_each_token_is_the_most_probable_that_may_come():
    tokenizer = CharTokenizer.train("abc")
    model = small(tokenizer)
    done = constrain(model, tokenizer, "a", Grammar.words(["bc", "cb", "bb"]), GREEDY)
    ids = tokenizer.encode("a")
    allowed = ["bc", "cb", "bb"]
    for place in range(2):
        logits = model(torch.tensor([ids]))[0, -1]
        best = max({word[place] for word in allowed}, key=lambda c: logits[tokenizer.encode(c)[0]].item())
        allowed = [word for word in allowed if word[place] == best]
        ids += tokenizer.encode(best)
    assert done.text == allowed[0]


def test_a_character_that_the_tokens_lack_is_named():
    tokenizer = CharTokenizer.train("ab")
    with pytest.raises(GrammarError, match="after 'a' no token"):
        constrain(small(tokenizer), tokenizer, "b", Grammar({"start": ["az"]}))
    with pytest.raises(ValueError, match="prompt is empty"):
        constrain(small(tokenizer), tokenizer, "", Grammar({"start": ["a"]}))


def test_probabilities_of_words_are_those_of_all_their_spellings_and_of_the_mask():
    tokenizer = BPETokenizer.train("abab baba aab " * 30, 262)
    model = small(tokenizer)
    words = ["aba", "bab", "abb"]
    found = word_probabilities(model, tokenizer, "a", words, batch_size=3)
    assert sum(p.among for p in found.values()) == pytest.approx(1)
    assert sum(p.masked for p in found.values()) == pytest.approx(1)
    total = sum(p.model for p in found.values())
    assert all(p.among == pytest.approx(p.model / total) for p in found.values())

    # What the mask gives, by drawing.
    grammar, generator = Grammar.words(words), torch.Generator().manual_seed(1)
    drawn = [constrain(model, tokenizer, "a", grammar, generator=generator).text for _ in range(600)]
    for word, p in found.items():
        assert drawn.count(word) / 600 == pytest.approx(p.masked, abs=0.08)


def test_with_single_characters_a_words_probability_is_a_product():
    tokenizer = CharTokenizer.train("abc")
    model = small(tokenizer)
    found = word_probabilities(model, tokenizer, "c", ["ab", "ba"])
    p = model(torch.tensor([tokenizer.encode("cab")]))[0].softmax(-1)
    a, b = tokenizer.encode("ab")
    assert found["ab"].model == pytest.approx((p[0, a] * p[1, b]).item(), rel=1e-5)
    assert found["ab"].masked == pytest.approx((p[0, a] / (p[0, a] + p[0, b])).item(), rel=1e-5)


@pytest.mark.parametrize(
    ("prompt", "words", "message"),
    [
        ("", ["a", "b"], "prompt is empty"),
        ("a", ["a"], "two or more of which none begins another"),
        ("a", ["a", "ab"], "none begins another"),
        ("a", ["", "ab"], "none begins another"),
        ("a", ["a", "z"], r"\['z'\], which the tokens cannot spell"),
    ],
)
def test_words_that_cannot_be_told_apart_or_spelled_are_refused(prompt, words, message):
    tokenizer = CharTokenizer.train("ab")
    with pytest.raises(ValueError, match=message):
        word_probabilities(small(tokenizer), tokenizer, prompt, words)
