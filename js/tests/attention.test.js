import assert from "node:assert/strict";
import { test } from "node:test";
import { asTrained, change, fromParameters, HEADS, keep, LAST_STEP, STEPS, toParameters, walk } from "../src/explorables/attention/rules.js";
import { largest, matrixAfter, reach, strongest } from "../src/explorables/attention/selection.js";
import { move } from "../src/explorables/attention/terms_moves.js";
import { float32 } from "../src/engine/tensors.js";
import { parseFragment, writeFragment } from "../src/host/page_address.js";
import { createReader, LONGEST_PROMPT, refusal } from "../src/shared/text_reader.js";
import { readable } from "../src/shared/token_text.js";

const description = { kind: "characters", characters: "abcdefghijklmnopqrstuvwxyz \n" };
const read = createReader(description, 8);
const limits = { n_layer: 3, n_head: 2, d_head: 4, longest: 8, count: (/** @type {string} */ prompt) => read(prompt).ids.length };
/** @type {import("../src/explorables/attention/rules.js").State} */
const state = { prompt: "abcd", layer: 1, head: 1, query: 2, causal: true, heads: "all", step: 3 };

test("what is not allowed changes nothing", () => {
  const refused = [
    { prompt: "" }, { prompt: 5 }, { prompt: "x".repeat(501) }, { prompt: "a\ud800" }, { prompt: "A" }, { layer: 3 }, { layer: -1 },
    { layer: "1" }, { head: 2 }, { head: 0.5 }, { head: NaN }, { query: -1 }, { query: "2" }, { query: null }, { causal: 1 },
    { causal: "false" }, { heads: "none" }, { heads: ["all"] }, { step: 7 }, { step: -1 }, { step: Infinity },
  ]; // prettier-ignore
  for (const wish of refused) assert.deepEqual(change(state, wish, limits), state, JSON.stringify(wish));
});

test("why a prompt is refused", () => {
  const reasons = { "": "empty", "\udc00": "half", Z: "unknown", a: null };
  for (const [prompt, reason] of Object.entries(reasons)) assert.equal(refusal(prompt, limits), reason);
  assert.equal(refusal(undefined, limits), "empty");
  assert.equal(refusal("a".repeat(LONGEST_PROMPT), limits), null);
  assert.equal(refusal("a".repeat(LONGEST_PROMPT + 1), limits), "long");
  // Characters count, not the halves that some of them are stored in.
  const wide = { count: () => 1 };
  assert.equal(refusal("🎭".repeat(LONGEST_PROMPT), wide), null);
  assert.equal(refusal("🎭".repeat(LONGEST_PROMPT + 1), wide), "long");
});

test("the query stays within the text, and follows whoever writes on", () => {
  assert.equal(change(state, { query: 99 }, limits).query, 3);
  assert.equal(change(state, { prompt: "ab" }, limits).query, 1);
  assert.equal(change(state, { prompt: "abcdef" }, limits).query, 2);
  assert.equal(change({ ...state, query: 3 }, { prompt: "abcdef" }, limits).query, 5);
  assert.equal(change({ ...state, query: 3 }, { prompt: "abcdef", query: 3 }, limits).query, 3);
  assert.equal(change({ ...state, query: 3 }, { prompt: "a".repeat(100) }, limits).query, 7, "only the first are read");
});

test("steps walk through all tokens, and end at both ends", () => {
  assert.deepEqual(walk({ query: 0, step: 0 }, -1, 3), { query: 0, step: 0 });
  assert.deepEqual(walk({ query: 0, step: LAST_STEP }, 1, 3), { query: 1, step: 0 });
  assert.deepEqual(walk({ query: 2, step: 0 }, -1, 3), { query: 1, step: LAST_STEP });
  assert.deepEqual(walk({ query: 2, step: LAST_STEP }, 1, 3), { query: 2, step: LAST_STEP });
});

test("which heads are at work", () => {
  const rows = (/** @type {Float32Array} */ all) => [0, 2, 4].map((at) => [...all.slice(at, at + 2)].join("")).join(" ");
  const expected = { all: "11 11 11", without: "11 10 11", layer: "11 01 11", only: "00 01 00" };
  for (const heads of HEADS) assert.equal(rows(keep({ ...state, heads }, limits)), expected[heads]);
  assert.ok(asTrained(state));
  assert.ok(!asTrained({ ...state, causal: false }) && !asTrained({ ...state, heads: "only" }));
});

test("any state goes through an address and comes back the same", () => {
  for (const prompt of ["abc", "a b\nc", "a&b=c#d?e%f+g;h,i", "🎭 “ü”\u0000\u202e"]) {
    for (const heads of HEADS) {
      const written = { ...state, prompt, heads, causal: heads === "all" };
      const { parameters } = parseFragment(writeFragment("explorable-attention", toParameters(written)));
      assert.deepEqual(fromParameters(parameters), written);
    }
  }
});

test("what is not well formed in an address is left out", () => {
  const hostile = { layer: "1e9", head: "-1", query: "0x1", step: "", mask: "yes", heads: "<script>" };
  const wish = fromParameters(hostile);
  assert.deepEqual(change(state, wish, limits), state);
  assert.deepEqual(fromParameters({}), { prompt: undefined, layer: undefined, head: undefined, query: undefined, causal: undefined, heads: undefined, step: undefined }); // prettier-ignore
});

test("a text is read up to its limit, and parts of a character know it", () => {
  assert.deepEqual(read("ab cdefghij"), { ids: [0, 1, 26, 2, 3, 4, 5, 6], tokens: ["a", "b", "·", "c", "d", "e", "f", "g"], wholes: Array(8).fill(null), count: 11 });
  const bytes = createReader({ kind: "bpe", special: {}, tokens: "" }, 32)("a🎭\ufffd");
  assert.equal(bytes.count, 8);
  assert.deepEqual(bytes.wholes, [null, "🎭", "🎭", "🎭", "🎭", null, null, null]);
});

test("what would not be seen in a token has a mark", () => {
  const expected = { " man": "·man", "\n": "⏎", "\t": "⇥", "\u0000": "␀", "\u202e": "U+202E", "\u00a0": "U+00A0", "\u0301": "◌\u0301", "e\u0301": "e\u0301", "": "" };
  for (const [token, shown] of Object.entries(expected)) assert.equal(readable(token), shown);
});

test("the map shows what the calculation has come to", () => {
  const matrix = (/** @type {number} */ first) => float32([first, 0, 0, 0], [2, 2]);
  const outputs = { dots: matrix(1), scaled: matrix(2), masked: matrix(3), attention: float32([9, 9, 9, 9, 4, 0, 0, 0], [1, 2, 2, 2]) };
  const pass = { of: { ...state, layer: 0, head: 1 }, read: read("ab"), outputs };
  const names = STEPS.map((_, step) => {
    const { name, plane, veiled } = matrixAfter(pass, step);
    return `${name} ${plane.values[0]} ${plane.height}×${plane.width} ${veiled}`;
  });
  const weights = "weights 4 2×2 false";
  assert.deepEqual(names, ["dots 1 2×2 true", "dots 1 2×2 false", "scaled 2 2×2 false", "masked 3 2×2 false", weights, weights, weights]);
});

test("what is looked up in numbers", () => {
  assert.equal(strongest([-Infinity, -3, -2, -2]), 2);
  assert.equal(reach([-Infinity, -3, 2]), 3);
  assert.deepEqual(largest(Float32Array.of(0.1, 0.5, 0.2, 0.5), 3), [1, 3, 2]);
});

/** @type {import("../src/explorables/attention/terms_moves.js").Cell[][]} */
const rows = [
  [{ column: "query", key: null }],
  ...[0, 1].map((key) => /** @type {const} */ (["key", "dot", "exponential", "term"]).map((column) => ({ column, key }))),
  [{ column: "total", key: null }, { column: "output", key: null }],
]; // prettier-ignore
const press = (/** @type {string} */ key, ctrlKey = false) => ({ key, ctrlKey, metaKey: false, altKey: false, shiftKey: false });
/** @param {import("../src/explorables/attention/terms_moves.js").Detail} from  @param {...string} keys */
const after = (from, ...keys) =>
  keys.reduce((at, key) => /** @type {typeof from} */ (move(press(key.replace("^", ""), key.startsWith("^")), at, rows, 4)), from);

test("arrow keys walk along vectors and rows, and stop at the ends", () => {
  const query = { column: /** @type {const} */ ("query"), key: null, place: 0 };
  assert.deepEqual(after(query, "ArrowLeft"), query);
  assert.deepEqual(after(query, "ArrowUp"), query);
  assert.deepEqual(after(query, "End", "ArrowRight"), { ...query, place: 3 });
  assert.deepEqual(after(query, "ArrowRight", "ArrowDown"), { column: "key", key: 0, place: 1 });
  assert.deepEqual(after(query, "ArrowDown", "End", "ArrowLeft", "^ArrowLeft"), { column: "exponential", key: 0, place: 0 });
  assert.deepEqual(after(query, "ArrowDown", "^ArrowRight", "ArrowLeft"), { column: "key", key: 0, place: 3 });
  assert.deepEqual(after(query, "ArrowDown", "^ArrowRight", "^ArrowRight", "PageDown"), { column: "total", key: null, place: 0 });
  assert.deepEqual(after(query, "^End", "End", "PageUp"), { column: "query", key: null, place: 3 });
  assert.deepEqual(after(query, "ArrowDown", "End", "ArrowDown", "ArrowDown"), { column: "output", key: null, place: 3 });
  assert.equal(move(press("a"), query, rows, 4), null);
  assert.equal(move({ ...press("ArrowDown"), shiftKey: true }, query, rows, 4), null);
});

test("every number is reached by the right arrow and the down arrow alone", () => {
  const reached = new Set();
  for (let row = 0; row < rows.length; row++) {
    let at = after({ column: "query", key: null, place: 0 }, ...Array(row).fill("ArrowDown"), "Home");
    for (let step = 0; step < 20; step++) {
      reached.add(`${at.column} ${at.key} ${at.place}`);
      at = after(at, "ArrowRight");
    }
  }
  assert.equal(reached.size, 4 + 2 * (4 + 1 + 1 + 4) + 1 + 4);
});
