import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcompare.tokenization import END, SPECIAL_TOKENS, BPETokenizer, CharTokenizer, from_json

TEXT = "To be, or not to be, that is the question:\nWhether 'tis nobler in the mind to suffer\n" * 5
BPE = BPETokenizer.train(TEXT, 300)


@given(st.text())
@settings(deadline=None)
def test_bpe_gives_back_any_text(text):
    assert BPE.decode(BPE.encode(text)) == text


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
