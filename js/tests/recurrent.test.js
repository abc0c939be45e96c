import assert from "node:assert/strict";
import { test } from "node:test";
import { change, gateOf, moved, partOf, partsOf, refusal, wentOn } from "../src/explorables/recurrent/rules.js";

const limits = { kinds: ["rnn", "lstm", "gru"], units: 64, longest: 5, knows: (/** @type {string} */ text) => /^[a-e\n]*$/.test(text) };
const state = { prompt: "abc", kind: "lstm", part: "cell", unit: 3, step: 1 };

test("a text of one's own is shown up to its last character", () => {
  assert.deepEqual(change(state, { prompt: "abcd" }, limits), { ...state, prompt: "abcd", step: 3 });
  assert.deepEqual(change(state, { prompt: "abcd", step: 0 }, limits), { ...state, prompt: "abcd", step: 0 });
  assert.deepEqual(change({ ...state, step: 2 }, { prompt: "a" }, limits), { ...state, prompt: "a", step: 0 });
  assert.deepEqual(change(state, { prompt: "a", step: 2 }, limits), { ...state, prompt: "a", step: 0 });
});

test("another kind of cell keeps the part where it has one", () => {
  assert.equal(change(state, { kind: "gru" }, limits)["part"], "hidden");
  assert.equal(change({ ...state, part: "candidate" }, { kind: "gru" }, limits)["part"], "candidate");
  assert.equal(change(state, { kind: "gru", part: "update_gate" }, limits)["part"], "update_gate");
  assert.equal(change(state, { kind: "rnn", part: "update_gate" }, limits)["part"], "hidden");
});

test("a gate is asked for by its place among torch's stacked matrices", () => {
  assert.deepEqual(partsOf("lstm").map(({ name }) => gateOf({ kind: "lstm", part: name })), [1, 0, 2, 3, 0, 0]); // prettier-ignore
  assert.deepEqual(partsOf("gru").map(({ gate }) => gate), [0, 1, 2, null]); // prettier-ignore
  assert.equal(partOf("rnn", "cell").name, "hidden");
  assert.deepEqual(partsOf("none"), []);
});

test("a text goes on from the step, and one that is full loses its first character", () => {
  assert.deepEqual(wentOn("abcd", 1, "e", 5), { prompt: "abe", dropped: false });
  assert.deepEqual(wentOn("abcde", 4, "a", 5), { prompt: "bcdea", dropped: true });
});

test("a text is refused for a reason", () => {
  assert.deepEqual(["", "abcdea", "xyz", "abc\n", null].map((text) => refusal(text, limits)), ["empty", "long", "unknown", null, "empty"]); // prettier-ignore
});

test("arrow keys stay within the strips", () => {
  const from = { row: 0, place: 0 };
  assert.deepEqual(moved("ArrowLeft", from, 2, 4), from);
  assert.deepEqual(moved("ArrowUp", from, 2, 4), from);
  assert.deepEqual(moved("ArrowRight", { row: 1, place: 3 }, 2, 4), { row: 1, place: 3 });
  assert.deepEqual(moved("ArrowDown", from, 2, 4), { row: 1, place: 0 });
  assert.deepEqual([moved("End", from, 2, 4)?.place, moved("Home", { row: 1, place: 3 }, 2, 4)?.place], [3, 0]);
  assert.equal(moved("x", from, 2, 4), null);
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    { prompt: "" }, { prompt: "xyz" }, { prompt: 3 }, { prompt: ["a"] }, { kind: "gpt" }, { kind: "__proto__" }, { kind: null },
    { part: "update_gate" }, { part: "constructor" }, { unit: 64 }, { unit: -1 }, { unit: "1" }, { step: 3 }, { step: 0.5 }, { step: null }, {},
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, limits), state, JSON.stringify(wish));
});
