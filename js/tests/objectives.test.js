import assert from "node:assert/strict";
import { test } from "node:test";
import { askedAt, change, firstPlace, IGNORED, pressed, rowOf } from "../src/explorables/objectives/rules.js";
import { createReader } from "../src/shared/text_reader.js";

const read = createReader({ kind: "characters", characters: "abcdef " }, 5);
const count = (/** @type {string} */ text) => read(text).ids.length;
const sizes = { cls: 7, sep: 8, mask: 9, names: ["[CLS]", "[SEP]", "[MASK]", "[PAD]"], vocab_size: 7, longest: 5 };
const state = { objective: "masked", first: "abcd", second: "ef", hidden: [1, 3], follows: true, place: 2 };
const at = (/** @type {object} */ wish) => ({ ...state, ...wish });

test("causal LM reads the text and asks for each next token", () => {
  const row = rowOf(at({ objective: "causal" }), sizes, read);
  assert.deepEqual([row.ids, row.targets, row.segments], [[0, 1, 2, 3], [1, 2, 3, IGNORED], [0, 0, 0, 0]]);
  assert.deepEqual(askedAt(row), [0, 1, 2]);
  assert.deepEqual(askedAt(rowOf(at({ objective: "causal", first: "a" }), sizes, read)), []);
});

test("masked LM reads masks and asks for what stood there", () => {
  const row = rowOf(state, sizes, read);
  assert.deepEqual(row.ids, [7, 0, 9, 2, 9, 8]);
  assert.deepEqual(row.tokens, ["[CLS]", "a", "[MASK]", "c", "[MASK]", "[SEP]"]);
  assert.deepEqual(row.targets, [IGNORED, IGNORED, 1, IGNORED, 3, IGNORED]);
  assert.deepEqual(askedAt(row), [2, 4]);
});

test("next sentence reads both texts, in two segments, and hides nothing", () => {
  const row = rowOf(at({ objective: "next" }), sizes, read);
  assert.deepEqual(row.ids, [7, 0, 1, 2, 3, 8, 4, 5, 8]);
  assert.deepEqual(row.segments, [0, 0, 0, 0, 0, 0, 1, 1, 1]);
  for (const part of [row.tokens, row.wholes, row.targets]) assert.equal(part.length, row.ids.length);
  assert.deepEqual(askedAt(row), []);
});

test("pressing hides and shows what masked LM may hide", () => {
  assert.deepEqual(pressed(state, 1, 4), { place: 1, hidden: [1, 3, 0] });
  assert.deepEqual(pressed(state, 2, 4), { place: 2, hidden: [3] });
  for (const mark of [0, 5]) assert.deepEqual(pressed(state, mark, 4), { place: mark });
  assert.deepEqual(pressed(at({ objective: "causal" }), 1, 4), { place: 1 });
  assert.deepEqual(change(state, { place: 1, hidden: [1, 3, 0] }, count)["hidden"], [0, 1, 3]);
});

test("a new objective looks at something that it asks for", () => {
  assert.equal(change(state, { objective: "causal" }, count)["place"], 2);
  assert.equal(change(at({ place: 3 }), { objective: "next" }, count)["place"], 0);
  assert.equal(change(at({ objective: "next", place: 8 }), { objective: "masked" }, count)["place"], 2);
  assert.equal(firstPlace(at({ hidden: [] }), 4), 0);
  assert.equal(firstPlace(at({ objective: "causal" }), 1), 0);
});

test("places stay within what is read", () => {
  assert.deepEqual(change(state, { first: "ab" }, count)["hidden"], [1]);
  assert.equal(change(at({ place: 5 }), { first: "ab" }, count)["place"], 3);
  assert.equal(change(state, { place: 99 }, count)["place"], 5);
  assert.equal(change(state, { first: "abcdefabcdef", place: 99 }, count)["place"], 6, "only the first tokens are read");
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    {}, { objective: "all" }, { objective: ["causal"] }, { first: "" }, { first: "X" }, { first: 7 }, { second: "a\ud800" }, { second: "" },
    { hidden: [0.5] }, { hidden: [-1] }, { hidden: [1, 1] }, { hidden: "01" }, { hidden: null }, { hidden: [1, 3] }, { follows: 1 }, { follows: "true" },
    { place: -1 }, { place: "2" }, { place: NaN }, { place: null },
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, count), state, JSON.stringify(wish));
});
