import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.tokenization import (
    ENCODER_TOKENS,
    END,
    MASK,
    SPECIAL_TOKENS,
    UNKNOWN,
    BPETokenizer,
    CharTokenizer,
    WordTokenizer,
    from_json,
)

TEXT = "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer\n" * 5
BPE = BPETokenizer.train(TEXT, 300)
WITH_MARKS = BPE.with_tokens(*ENCODER_TOKENS)
#: Any text, and text with special tokens written out in it.
MARKED = st.lists(st.one_of(st.text(), st.sampled_from([*SPECIAL_TOKENS, *ENCODER_TOKENS, "<|", "[MASK"]))).map("".join)


@given(st.one_of(st.text(), MARKED), st.sampled_from([BPE, WITH_MARKS]))
@settings(deadline=None)
def test_bpe_gives_back_any_text(text, tokenizer):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert all(0 <= i < tokenizer.vocab_size for i in ids)
    for token in SPECIAL_TOKENS:
        assert ids.count(tokenizer.id_of(token)) == text.count(token)


@given(st.text(min_size=1))
@settings(deadline=None, max_examples=25)
def test_characters_give_back_any_text_of_theirs(text):
    tokenizer = from_json(CharTokenizer.train(text).to_json())
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.text(), st.characters(categories=["Cs"]), st.text())
@settings(deadline=None, max_examples=25)
def test_half_a_surrogate_pair_is_named(before, half, after):
    text = before + half + after
    with pytest.raises(ValueError, match=rf"text contains .* at place {len(before)}, half of a surrogate pair"):
        BPE.encode(text)
    with pytest.raises(ValueError, match=r"text contains .* half of a surrogate pair"):
        BPETokenizer.train(text, 300)
    with pytest.raises(ValueError, match=r"characters contains .* half of a surrogate pair"):
        CharTokenizer.train(text)


def test_further_tokens_leave_the_others_ids_as_they_are():
    text = "to be, or not"
    assert WITH_MARKS.encode(text) == BPE.encode(text)
    assert [WITH_MARKS.id_of(token) for token in ENCODER_TOKENS] == [300, 301, 302, 303]
    assert (BPE.vocab_size, WITH_MARKS.vocab_size) == (300, 304)
    assert WITH_MARKS.encode(f"to {MASK}")[-1] == 302
    assert from_json(WITH_MARKS.to_json()).encode(MASK) == [302]
    for tokens in ((), ("",)):
        with pytest.raises(ValueError, match="at least one is needed, and none may be empty"):
            BPE.with_tokens(*tokens)
    with pytest.raises(ValueError, match=r"tokens contains '\[MASK\]', which is in the vocabulary already"):
        WITH_MARKS.with_tokens("new", MASK)


def test_bpe_merges_what_is_frequent():
    assert BPE.vocab_size == 300
    assert len(BPE.encode(TEXT)) < len(TEXT) / 2
    assert " be" in BPE.tokens("to be")
    assert "".join(BPE.tokens("not to be")) == "not to be"


def test_a_special_token_is_one_token():
    ids = BPE.encode(f"to be{END}")
    assert ids[-1] == BPE.id_of(END) == SPECIAL_TOKENS.index(END)
    assert BPE.decode(ids) == f"to be{END}"


@pytest.mark.parametrize("tokenizer", [BPE, CharTokenizer.train(TEXT)])
def test_json_rebuilds_the_tokenizer(tokenizer):
    copy = from_json(tokenizer.to_json())
    assert type(copy) is type(tokenizer)
    assert copy.vocab_size == tokenizer.vocab_size
    assert copy.encode("to be, or not") == tokenizer.encode("to be, or not")


def test_characters_are_numbered_by_code_point():
    tokenizer = CharTokenizer.train("hello")
    assert tokenizer.characters == "ehlo"
    assert tokenizer.encode("hole") == [1, 3, 2, 0]
    assert tokenizer.decode([1, 3, 2, 0]) == "hole"
    assert tokenizer.tokens("hole") == list("hole")


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="text contains 'x', which is not among the 4 known characters"):
        CharTokenizer.train("hello").encode("hex")
    with pytest.raises(ValueError, match="characters is empty"):
        CharTokenizer("")
    with pytest.raises(ValueError, match="characters must be distinct"):
        CharTokenizer("aab")
    with pytest.raises(ValueError, match="ids contains 300; allowed are 0 to 299"):
        BPE.decode([300])
    with pytest.raises(ValueError, match="ids contains -1"):
        CharTokenizer("ab").decode([-1])
    with pytest.raises(ValueError, match="vocab_size is 100; at least 259"):
        BPETokenizer.train("text", 100)
    with pytest.raises(ValueError, match="token is 'nowhere'"):
        BPE.id_of("nowhere")


@given(st.one_of(st.text(), MARKED, st.text("tobeqrn ' ,", max_size=60)), st.sampled_from([BPE, WITH_MARKS]))
@settings(deadline=None)
def test_after_each_merge_the_text_is_what_so_many_merges_make_of_it(text, tokenizer):
    happened = tokenizer.merges_in(text)
    ranks = [merge.rank for merge in happened]
    assert ranks == sorted(set(ranks))
    before = tokenizer.first_merges(0).encode(text)
    for merge in happened:
        assert (merge.left, merge.right) == tokenizer.merges[merge.rank]
        after = tokenizer.first_merges(merge.rank + 1).encode(text)
        assert len(after) == merge.count == len(before) - merge.places
        assert after.count(merge.token) == merge.places
        assert tokenizer.first_merges(merge.rank).encode(text) == before, "in between nothing happens"
        before = after
    assert before == tokenizer.encode(text)


@given(st.one_of(st.text(), MARKED), st.sampled_from([BPE, WITH_MARKS]))
@settings(deadline=None)
def test_pieces_are_the_bytes_of_each_token(text, tokenizer):
    pieces = tokenizer.pieces(text)
    assert b"".join(pieces) == text.encode()
    assert [piece.decode(errors="replace") for piece in pieces] == tokenizer.tokens(text)


def test_without_merges_each_byte_is_a_token():
    assert [len(piece) for piece in BPE.first_merges(0).pieces("é字🌹!")] == [1] * 10
    assert BPE.first_merges(len(BPE.merges)).encode(TEXT) == BPE.encode(TEXT)
    assert len(BPE.merges) == 300 - 256 - len(SPECIAL_TOKENS)
    for n in (-1, len(BPE.merges) + 1):
        with pytest.raises(ValueError, match=rf"n is {n}; allowed is 0 to 41"):
            BPE.first_merges(n)


def test_words_beyond_the_vocabulary_are_lost():
    words = WordTokenizer.train("to be, or not to be: to be!", 3)
    assert (words.words, words.vocab_size) == ((" be", " to"), 3)
    known = WordTokenizer([" be", "to", ","])
    assert known.encode("to be, 字 be") == [2, 1, 3, 0, 1]
    assert known.decode([2, 1, 0]) == f"to be{UNKNOWN}"
    assert known.tokens("to be, 字") == ["to", " be", ",", " 字"]


@given(st.text())
@settings(deadline=None)
def test_words_put_together_are_the_text(text):
    words = WordTokenizer(["a"]).tokens(text)
    assert "".join(words) == text
    if words:
        known = WordTokenizer([*dict.fromkeys(words)])
        assert 0 not in known.encode(text)
        assert known.decode(known.encode(text)) == text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "words is empty; at least one word is needed"),
        (["a", "to be"], r"words contains 'to be', which is 2 words; allowed is one"),
        (["a", ""], r"words contains '', which is 0 words"),
        (["a", "b", "b"], "words contains 'b' twice; allowed is each word once"),
        (["\ud800"], "half of a surrogate pair"),
    ],
)
def test_what_is_no_vocabulary_of_words_is_named(words, message):
    with pytest.raises(ValueError, match=message):
        WordTokenizer(words)


def test_a_vocabulary_of_words_needs_a_word():
    with pytest.raises(ValueError, match=r"vocab_size is 1; at least 2"):
        WordTokenizer.train("a b", 1)
