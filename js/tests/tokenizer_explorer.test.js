import assert from "node:assert/strict";
import { test } from "node:test";
import { createReader } from "../src/explorables/tokenizer/reading.js";
import { change, changed, refusal, rowOf, tokenAt, wishFor } from "../src/explorables/tokenizer/rules.js";

const tokenizers = {
  bpe: { kind: "bpe", special: { "<|end|>": 0 }, tokens: "th the Ġthe" },
  characters: { kind: "characters", characters: " eht" },
  words: { kind: "words", words: ["the", " the"] },
};
const read = createReader(/** @type {any} */ ({ get: () => tokenizers }));
const state = { text: "the the", cut: "bpe", step: 3, at: 0 };

test("each cut of a text: ids, bytes, and what is unknown", () => {
  const reading = read("the 字");
  assert.deepEqual(reading.merges.map(({ rank, places, count }) => [rank, places, count]), [[0, 1, 6], [1, 1, 5]]); // prettier-ignore
  assert.deepEqual(reading.tokens("bpe", 2).map(({ text }) => text), ["the", "·", "E5", "AD", "97"]); // prettier-ignore
  assert.deepEqual(reading.tokens("characters", 0).map(({ id }) => id), [3, 2, 1, 0, null]); // prettier-ignore
  assert.deepEqual(reading.tokens("words", 0).map(({ id, known }) => [id, known]), [[1, true], [0, false]]); // prettier-ignore
  assert.equal(reading.byteCount, 7);
  assert.equal(reading.tokens("bpe", 99), reading.tokens("bpe", 2));
  assert.equal(read("the 字"), reading, "remembered");
  assert.deepEqual([read.label(257), read.label(100)].map((label) => label.length > 0), [true, true]); // prettier-ignore
});

test("the token that holds a byte", () => {
  const tokens = read("the the").tokens("bpe", 3);
  assert.deepEqual([0, 2, 3, 6, 7, null].map((at) => tokenAt(tokens, at)), [0, 0, 1, 1, -1, -1]); // prettier-ignore
});

test("a merge shows the words in which it happens, each once", () => {
  const reading = read("the the the x");
  const found = changed(reading.tokens("bpe", 1), reading.tokens("bpe", 2), reading.parts);
  assert.deepEqual(
    found.map(({ before, after, times }) => [before, after].map((some) => some.map(({ text }) => text).join("|")).concat(String(times))),
    [["th|e", "the", "1"], ["·|th|e", "·|the", "2"]],
  ); // prettier-ignore
});

test("bytes are BPE before its first merge", () => {
  assert.deepEqual(["characters", "words", "bytes", "bpe"].map((row) => rowOf({ ...state, ...wishFor(row, 3) })), ["characters", "words", "bytes", "bpe"]); // prettier-ignore
});

test("a step cuts by BPE; who has merged all goes on to merge all", () => {
  assert.deepEqual(change({ ...state, cut: "words" }, { step: 1 }, read), { ...state, step: 1 });
  assert.deepEqual(change({ ...state, cut: "words" }, { step: 3 }, read), { ...state, cut: "words" });
  assert.equal(change(state, { text: "th" }, read)["step"], 1);
  assert.equal(change({ ...state, step: 2 }, { text: "the the the" }, read)["step"], 2);
  assert.deepEqual(change({ ...state, at: 6 }, { text: "th" }, read), { text: "th", cut: "bpe", step: 1, at: 1 });
  assert.equal(change({ ...state, at: null }, { text: "th" }, read)["at"], null);
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    { text: "" }, { text: "a".repeat(201) }, { text: "a\ud800" }, { text: 7 }, { cut: "bytes" }, { cut: null }, { step: 4 },
    { step: -1 }, { step: 0.5 }, { step: "1" }, { at: 7 }, { at: -1 }, { at: "0" }, { at: undefined }, {},
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, read), state, JSON.stringify(wish));
  assert.deepEqual(["", "\ud800", "😀".repeat(201), "😀".repeat(200)].map(refusal), ["empty", "half", "long", null]); // prettier-ignore
});
