"""The tokenizer in the page gives what Python's gives, for any text."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import random
from collections.abc import Iterator

import numpy as np
import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers

from dlcompare.tokenization import END, SPECIAL_TOKENS, BPETokenizer, CharTokenizer, WordTokenizer, from_json
from tools import character_classes
from tools.chapters import ROOT

ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
FILES = sorted((ROOT / "data" / "checkpoints").glob("*/tokenizer.json"))
#: Checkpoints that were trained from one another have the same tokenizer.
DISTINCT = {path.read_bytes(): path for path in FILES}.values()
STORED = {path.parent.name: from_json(path.read_text(encoding="utf-8")) for path in DISTINCT}
#: Pieces that meet the tokenizer's rules: special tokens whole and torn, contractions, white space of all kinds, joined
#: emoji, flags, marks over letters, text from right to left, characters at the edges of UTF-8 and UTF-16.
PIECES = [
    *SPECIAL_TOKENS, "[CLS]", "[SEP]", "[MASK]", "[PAD]", "<|", "|>", "<|en", "[MASK", "d|>", "abc|>", "(.*)",
    "'s", "'S", "'re", "'ll", "'", "the", " the", " and", "hamlet", "ROMEO:", "aaaa", "ababab", "ab", "abc", "a b",
    "  ", "\n\n", " \n ", "\t", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\xa0", "\u2003", "\u3000", "\ufeff", "\u200b",
    "\x00", "\x00\x00", "12", " 3", "½", "Ⅷ", "٣", "éé", "Ġx", "Ġx ", "e\u0301", "n\u0303\u0323", "漢字", "한글", "漢é",
    "👩", "👩‍👩‍👧", "🇩🇪", "אבג", "مرحبا", "\u07ff", "\u0800", "\uffff", "\U00010000", "\U0010ffff",
]  # fmt: skip


def shown_in_ids() -> BPETokenizer:
    """Return a tokenizer whose ids show where words end: what stands before a byte in the same word merges with it."""
    merges = [(first, second) for first in "a1!Ġ" for second in ALPHABET]
    tokens = [*SPECIAL_TOKENS, *ALPHABET, *("".join(pair) for pair in merges)]
    engine = tokenizers.Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = decoders.ByteLevel()
    engine.add_special_tokens(list(SPECIAL_TOKENS))
    return BPETokenizer(engine)


WORDS = shown_in_ids()
TEXT = "".join(PIECES) * 3 + "abababab aaaaaaa 漢漢漢漢字 éèêë 👩👩👩‍👩‍👧 The theatre there, then"
TRAINED = BPETokenizer.train(TEXT, 400)
BYTES_ALONE = BPETokenizer.train("", 259)
#: Special tokens that begin alike, hold others, spaces, and characters that do and do not write a byte.
WITH_ODD_TOKENS = TRAINED.with_tokens(
    "abc|", "abc|>", "bc", "a b", "éé", "Ġx ", "👩", " the ", "\n", "漢é", "(.*)", "\x00\x00"
)
BPE = {
    **{name: tokenizer for name, tokenizer in STORED.items() if isinstance(tokenizer, BPETokenizer)},
    "words": WORDS,
    "trained": TRAINED,
    "bytes": BYTES_ALONE,
    "odd": WITH_ODD_TOKENS,
}


def character(source: random.Random) -> str:
    """Return a character of a plane that is chosen first, so that the rare ones are met too."""
    kind = source.random()
    if kind < 0.4:
        return chr(source.randrange(128))
    if kind < 0.6:
        return chr(source.randrange(0x800))
    if kind < 0.8:
        return chr(source.choice([*range(0x800, 0xD800, 97), *range(0xE000, 0x10000, 31)]) + source.randrange(31))
    return chr(0x10000 * source.choice([1, 1, 1, 2, 3, source.randrange(1, 17)]) + source.randrange(0x10000))


def random_text(source: random.Random) -> str:
    length = source.choice([0, 1, 2, 3, 5, 10, 30, 80])
    return "".join(source.choice(PIECES) if source.random() < 0.4 else character(source) for _ in range(length))


def spans(tokenizer: BPETokenizer, text: str) -> list[list[int]]:
    """Return the engine's spans, which count characters, in UTF-16 positions."""
    position = [0, *itertools.accumulate(1 + (c > "\uffff") for c in text)]
    return [[position[first], position[after]] for first, after in tokenizer.engine.encode(text).offsets]


TWIN = """
import { readFileSync } from "node:fs";
import { createTokenizer } from "./shared/tokenizer.js";
const answers = JSON.parse(readFileSync(0, "utf8")).map(({ description, texts, ids }) => {
  const tokenizer = createTokenizer(description);
  return {
    size: tokenizer.vocabSize,
    vocabulary: Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.token(id)),
    encoded: texts.map((text) => tokenizer.encode(text)),
    spans: texts.map((text) => tokenizer.spans(text)),
    tokens: texts.slice(0, 200).map((text) => tokenizer.tokens(text)),
    decoded: ids.map((some) => tokenizer.decode(some)),
  };
});
console.log(JSON.stringify(answers));
"""


def random_ids(source: random.Random, size: int) -> list[int]:
    # Many of bytes alone, which seldom are UTF-8.
    highest = source.choice([size, min(size, 259)])
    return [source.randrange(highest) for _ in range(source.choice([0, 1, 2, 3, 8, 30]))]


@pytest.mark.parametrize("seed", [1, 2, None])
def test_random_texts_and_ids(run_node, seed: int | None) -> None:
    """The first seeds are always the same; the last is a fresh one, named when it fails."""
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    source = random.Random(seed)
    asked = []
    for tokenizer in BPE.values():
        texts = [random_text(source) for _ in range(1500)]
        ids = [random_ids(source, tokenizer.vocab_size) for _ in range(600)]
        asked.append({"description": tokenizer.to_page(), "texts": texts, "ids": ids})
    for (name, tokenizer), sent, twin in zip(BPE.items(), asked, run_node(TWIN, asked), strict=True):
        where = f"tokenizer {name}, seed {seed}"
        assert twin["size"] == tokenizer.vocab_size, where
        assert twin["vocabulary"] == [tokenizer.decode([i]) for i in range(tokenizer.vocab_size)], where
        for i, text in enumerate(sent["texts"]):
            assert twin["encoded"][i] == tokenizer.encode(text), (where, text)
            assert twin["spans"][i] == spans(tokenizer, text), (where, text)
        for text, tokens in zip(sent["texts"], twin["tokens"], strict=False):
            assert tokens == tokenizer.tokens(text), (where, text)
        for ids, decoded in zip(sent["ids"], twin["decoded"], strict=True):
            assert decoded == tokenizer.decode(ids), (where, ids)


EVERY = """
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createTokenizer } from "./shared/tokenizer.js";
const { description, blocks, neighbours } = JSON.parse(readFileSync(0, "utf8"));
const tokenizer = createTokenizer(description);
const hash = (ids) => createHash("sha256").update(Uint16Array.from(ids)).digest("hex");
console.log(JSON.stringify(blocks.map(([first, after]) => {
  const characters = Array.from({ length: after - first }, (_, i) => String.fromCodePoint(first + i));
  return neighbours.map((one) => hash(tokenizer.encode(one + characters.join(one) + one)));
})));
"""
#: Planes with characters in them; in the others all code points are alike, and unassigned or private.
ASSIGNED = range(0x40000), range(0xE0000, 0xE1000)


def blocks(of: range) -> Iterator[tuple[int, int]]:
    """Yield the code points in blocks, without the surrogates."""
    for first in range(of.start, of.stop, 0x800):
        if not 0xD800 <= first < 0xE000:
            yield first, first + 0x800


@pytest.mark.parametrize(
    ("planes", "neighbours"), [([range(0x110000)], [END, "a"]), (ASSIGNED, ["1", "!", " "])], ids=["all", "assigned"]
)
def test_every_character(run_node, planes: list[range], neighbours: list[str]) -> None:
    """Each alone, between special tokens; and between letters, numbers, signs and spaces, whose words it may join."""
    wanted = [block for plane in planes for block in blocks(plane)]
    sent = {"description": WORDS.to_page(), "blocks": wanted, "neighbours": neighbours}
    for (first, after), twin in zip(wanted, run_node(EVERY, sent), strict=True):
        characters = [chr(i) for i in range(first, after)]
        texts = [one + one.join(characters) + one for one in neighbours]
        # The same ids as encode's, in half the time, because spans are left out.
        for neighbour, encoding, digest in zip(neighbours, WORDS.engine.encode_batch_fast(texts), twin, strict=True):
            ids = np.array(encoding.ids, dtype="<u2").tobytes()
            where = f"among U+{first:04X} to U+{after - 1:04X}, between {neighbour!r}"
            assert hashlib.sha256(ids).hexdigest() == digest, where


def test_the_ids_show_where_words_end() -> None:
    """Else the test of every character would see little."""
    ids = {neighbour: len(WORDS.encode(neighbour + "é")) for neighbour in "a1! "}
    assert ids == {"a": 2, "1": 3, "!": 3, " ": 2}


def test_both_descriptions_and_no_others(run_node) -> None:
    code = """
    import { readFileSync } from "node:fs";
    import { createTokenizer } from "./shared/tokenizer.js";
    const { good, bad, text } = JSON.parse(readFileSync(0, "utf8"));
    const message = (one) => { try { createTokenizer(one); return null; } catch (error) { return error.message; } };
    console.log(JSON.stringify({ ids: good.map((one) => createTokenizer(one).encode(text)), bad: bad.map(message) }));
    """
    fields = [json.loads(tokenizer.to_json()) for tokenizer in BPE.values()]
    model = fields[0]["model"]
    good = [*fields, *(tokenizer.to_page() for tokenizer in BPE.values())]
    bad = {
        "model.dropout is 0.1; allowed is null": {"model": {**model, "dropout": 0.1}},
        'normalizer is {"type":"NFC"}; allowed is null': {"normalizer": {"type": "NFC"}},
        "pre_tokenizer.type is undefined": {"pre_tokenizer": None},
        "added_tokens has x with conditions": {"added_tokens": [{"id": 0, "content": "x", "lstrip": True}]},
        "vocab has 0 with the id 18; allowed are the special tokens and": {"added_tokens": []},
        "vocab has new with the id 1024": {"model": {**model, "vocab": {**model["vocab"], "new": 1024}}},
        "vocab has ! with the id 4": {"model": {**model, "vocab": {**model["vocab"], "!": 4, '"': 3}}},
        "vocab has 1023 tokens": {"model": {**model, "vocab": dict(list(model["vocab"].items())[:-1])}},
    }
    sent = [{**fields[0], **change} for change in bad.values()]
    refused = {
        'description has the kind "lines"; allowed are "bpe", "characters", "words" and a tokenizer.json': {
            "kind": "lines"
        },
        "tokens has abc, which the tokens before it make 3 of": {"kind": "bpe", "special": {}, "tokens": "abc ab"},
        "tokens has 漢, which is no byte as written": {"kind": "bpe", "special": {}, "tokens": "ab 漢b"},
    }
    answer = run_node(code, {"good": good, "bad": [*sent, *refused.values()], "text": TEXT})
    assert answer["ids"] == [tokenizer.encode(TEXT) for tokenizer in BPE.values()] * 2
    for expected, message in zip([*bad, *refused], answer["bad"], strict=True):
        assert message is not None
        assert expected in message


def test_a_page_has_only_what_training_gives() -> None:
    def changed(**parts: object) -> BPETokenizer:
        engine = tokenizers.Tokenizer.from_str(TRAINED.to_json())
        for name, part in parts.items():
            setattr(engine, name, part)
        return BPETokenizer(engine)

    with pytest.raises(ValueError, match=r"engine has normalizer .*NFC.*; allowed in a page is None"):
        changed(normalizer=normalizers.NFC()).to_page()
    with pytest.raises(ValueError, match=r"engine has pre_tokenizer.add_prefix_space True; allowed in a page is False"):
        changed(pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=True)).to_page()
    with pytest.raises(ValueError, match=r"engine has pre_tokenizer.type None"):
        changed(pre_tokenizer=None).to_page()
    stripping = changed()
    stripping.engine.add_special_tokens([tokenizers.AddedToken("<x>", lstrip=True)])
    with pytest.raises(ValueError, match=r"engine has a token '<x>' with conditions"):
        stripping.to_page()

    def made(merges: list[tuple[str, str]], tokens: list[str]) -> BPETokenizer:
        vocabulary = {token: i for i, token in enumerate([*ALPHABET, *tokens])}
        engine = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
        engine.pre_tokenizer, engine.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        return BPETokenizer(engine)

    learned = [("a", "b"), ("ab", "c")]
    assert made(learned, ["ab", "abc"]).to_page() == {"kind": "bpe", "special": {}, "tokens": "ab abc"}
    with pytest.raises(ValueError, match=r"engine numbers its tokens in an order of its own"):
        made(learned, ["abc", "ab"]).to_page()
    never = [("a", "b"), ("b", "c"), ("a", "bc")]
    with pytest.raises(ValueError, match=r"merges 'abc' from \('a', 'bc'\), but the merges before make \('ab', 'c'\)"):
        made(never, ["ab", "bc", "abc"]).to_page()


def test_a_page_carries_a_fifth() -> None:
    for path in DISTINCT:
        tokenizer = STORED[path.parent.name]
        carried = json.dumps(tokenizer.to_page(), ensure_ascii=False, separators=(",", ":")).encode()
        # Letters alone are written down as they are.
        share = 1 / 5 if isinstance(tokenizer, BPETokenizer) else 1
        assert len(carried) < path.stat().st_size * share, path


def test_what_python_refuses_the_page_refuses_in_the_same_words(run_node) -> None:
    code = """
    import { readFileSync } from "node:fs";
    import { createTokenizer } from "./shared/tokenizer.js";
    const { pages, texts, ids } = JSON.parse(readFileSync(0, "utf8"));
    const message = (call) => { try { call(); return null; } catch (error) { return error.message; } };
    console.log(JSON.stringify(pages.map(createTokenizer).map((tokenizer) => [
      ...texts.map((text) => ["encode", "tokens", "spans"].map((name) => message(() => tokenizer[name](text)))),
      ...ids.map((some) => [message(() => tokenizer.decode(some))]),
    ])));
    """
    known = [TRAINED, CharTokenizer.train("hello 👩")]
    # JSON would make one character of two halves: so the low half comes first.
    texts = ["\ud800", "ab\udc00", "👩é\udfff\ud800", "\ud83d x", "he\udc00\ud800"]
    ids = [[400], [0, -1], [2**31]]
    pages = [tokenizer.to_page() for tokenizer in known]
    for tokenizer, messages in zip(known, run_node(code, {"pages": pages, "texts": texts, "ids": ids}), strict=True):
        for wrong, said in zip([*texts, *ids], messages, strict=True):
            with pytest.raises(ValueError, match=r"; allowed |which is not among") as refused:
                (tokenizer.encode if isinstance(wrong, str) else tokenizer.decode)(wrong)
            assert set(said) == {str(refused.value)}


@pytest.mark.parametrize("seed", [1, None])
def test_characters(run_node, seed: int | None) -> None:
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    source = random.Random(seed)
    asked, known = [], []
    for _ in range(20):
        texts = [random_text(source) for _ in range(50)]
        tokenizer = CharTokenizer.train("".join(texts) + "a")
        ids = [[source.randrange(tokenizer.vocab_size) for _ in range(source.randrange(20))] for _ in range(50)]
        asked.append({"description": tokenizer.to_page(), "texts": texts, "ids": ids})
        known.append(tokenizer)
    for tokenizer, sent, twin in zip(known, asked, run_node(TWIN, asked), strict=True):
        assert twin["size"] == tokenizer.vocab_size, seed
        assert twin["vocabulary"] == list(tokenizer.characters), seed
        assert twin["encoded"] == [tokenizer.encode(text) for text in sent["texts"]], seed
        assert twin["tokens"] == [list(text) for text in sent["texts"]], seed
        assert twin["decoded"] == [tokenizer.decode(ids) for ids in sent["ids"]], seed
        for text, found in zip(sent["texts"], twin["spans"], strict=True):
            position = [0, *itertools.accumulate(1 + (c > "\uffff") for c in text)]
            assert found == [list(pair) for pair in itertools.pairwise(position)], seed


@pytest.mark.parametrize("seed", [1, None])
def test_words(run_node, seed: int | None) -> None:
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    source = random.Random(seed)
    asked, known = [], []
    for _ in range(20):
        texts = [random_text(source) for _ in range(50)]
        tokenizer = WordTokenizer.train("".join(texts[:25]) + "a", source.choice([2, 10, 1000]))
        ids = [[source.randrange(tokenizer.vocab_size) for _ in range(source.randrange(20))] for _ in range(50)]
        asked.append({"description": tokenizer.to_page(), "texts": texts, "ids": ids})
        known.append(tokenizer)
    for tokenizer, sent, twin in zip(known, asked, run_node(TWIN, asked), strict=True):
        assert twin["size"] == tokenizer.vocab_size, seed
        assert twin["encoded"] == [tokenizer.encode(text) for text in sent["texts"]], seed
        assert twin["tokens"] == [tokenizer.tokens(text) for text in sent["texts"]], seed
        assert twin["decoded"] == [tokenizer.decode(ids) for ids in sent["ids"]], seed
        for text, found in zip(sent["texts"], twin["spans"], strict=True):
            ends = itertools.accumulate(len(word.encode("utf-16-le")) // 2 for word in tokenizer.tokens(text))
            assert found == [list(pair) for pair in itertools.pairwise([0, *ends])], seed


MERGES = """
import { readFileSync } from "node:fs";
import { createBytePairTokenizer } from "./shared/tokenizer/byte_pair_tokenizer.js";
const answers = JSON.parse(readFileSync(0, "utf8")).map(({ description, texts }) => {
  const tokenizer = createBytePairTokenizer(description);
  return {
    count: tokenizer.mergeCount,
    texts: texts.map(({ text, first }) => ({
      merges: tokenizer.mergesIn(text),
      ids: tokenizer.encode(text, first),
      all: tokenizer.encode(text),
      parts: tokenizer.parts(text),
      pieces: tokenizer.encode(text).map((id) => tokenizer.bytes(id)),
      origins: tokenizer.encode(text).map((id) => tokenizer.origin(id)),
      special: tokenizer.encode(text).map((id) => tokenizer.isSpecial(id)),
    })),
  };
});
console.log(JSON.stringify(answers));
"""


@pytest.mark.parametrize("seed", [1, None])
def test_merges(run_node, seed: int | None) -> None:
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    source = random.Random(seed)
    # In the other one, special tokens have no bytes of their own.
    known = {name: tokenizer for name, tokenizer in BPE.items() if name != "odd"}
    asked = []
    for tokenizer in known.values():
        texts = [
            {"text": random_text(source), "first": source.randrange(len(tokenizer.merges) + 1)} for _ in range(150)
        ]
        asked.append({"description": tokenizer.to_page(), "texts": texts})
    for (name, tokenizer), sent, twin in zip(known.items(), asked, run_node(MERGES, asked), strict=True):
        assert twin["count"] == len(tokenizer.merges)
        special = set(tokenizer.to_page()["special"].values())
        cut = [tokenizer.first_merges(one["first"]).encode(one["text"]) for one in sent["texts"][:60]]
        assert [got["ids"] for got in twin["texts"][:60]] == cut, (name, seed)
        for one, got in zip(sent["texts"], twin["texts"], strict=True):
            text, where = one["text"], (name, seed, one)
            assert got["merges"] == [dataclasses.asdict(merge) for merge in tokenizer.merges_in(text)], where
            assert got["all"] == tokenizer.encode(text), where
            assert "".join(got["parts"]) == text, where
            assert [bytes(piece) for piece in got["pieces"]] == tokenizer.pieces(text), where
            assert got["special"] == [i in special for i in got["all"]], where
            for i, origin in zip(got["all"], got["origins"], strict=True):
                if origin is not None:
                    halves = tokenizer.merges[origin["rank"]]
                    assert halves == (origin["left"], origin["right"]), where
                    written = "".join(map(tokenizer.engine.id_to_token, halves))
                    assert written == tokenizer.engine.id_to_token(i), where
                else:
                    assert i in special or len(tokenizer.engine.id_to_token(i)) == 1, where


def test_the_classes_of_characters_are_those_of_python(tmp_path, monkeypatch, capsys) -> None:
    text = character_classes.FILE.read_text(encoding="utf-8")
    stale = f"{character_classes.FILE.name} is stale: run python -m tools.character_classes"
    assert text == character_classes.module(), stale

    file = tmp_path / character_classes.FILE.name
    monkeypatch.setattr(character_classes, "FILE", file)
    monkeypatch.setattr(character_classes, "ROOT", tmp_path)
    monkeypatch.setattr(character_classes, "module", lambda: text)
    monkeypatch.setattr("sys.argv", ["character_classes", "--check"])
    assert character_classes.main() == 1
    assert stale in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["character_classes"])
    assert character_classes.main() == 0
    assert file.read_text(encoding="utf-8") == text
    monkeypatch.setattr("sys.argv", ["character_classes", "--check"])
    assert character_classes.main() == 0
