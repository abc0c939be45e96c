import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.tokenization import ENCODER_TOKENS, END, MASK, SPECIAL_TOKENS, BPETokenizer, CharTokenizer, from_json

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
