import assert from "node:assert/strict";
import { test } from "node:test";
import { change, idsOf, neighbour, rowsOf } from "../src/explorables/finetuning/rules.js";
import { largest, strongest } from "../src/shared/order.js";
import { createReader, readerOf } from "../src/shared/text_reader.js";

const read = createReader({ kind: "characters", characters: "abc " }, 4);
const sizes = { user: 8, reply: 9, longest: 4, steps: 12, rank: 4, strength: 1.5, guess: 1 };
const limits = { sizes, matrices: 6, count: (/** @type {string} */ prompt) => read(prompt).ids.length };
const state = { prompt: "ab", chat: false, strength: 1, matrix: 2, step: 0 };

test("both models read the prompt, or a user's turn", () => {
  assert.deepEqual(idsOf(state, [0, 1], sizes), [0, 1]);
  assert.deepEqual(idsOf({ ...state, chat: true }, [0, 1], sizes), [8, 0, 1, 9]);
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    {}, { prompt: "" }, { prompt: "x" }, { prompt: 1 }, { chat: 1 }, { chat: "true" }, { strength: -0.1 }, { strength: 1.6 }, { strength: NaN },
    { strength: "1" }, { matrix: 6 }, { matrix: -1 }, { matrix: 0.5 }, { step: 13 }, { step: null }, { step: "3" },
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, limits), state, JSON.stringify(wish));
  const wish = { prompt: "c", chat: true, strength: 0, matrix: 5, step: 12 };
  assert.deepEqual(change(state, wish, limits), wish);
});

const moved = { trained: 1, relative: 1, share: 1, values: [1] };
const matrix = (/** @type {string} */ kind, /** @type {number | null} */ layer) => ({ name: kind, layer, kind, shape: /** @type {[number, number]} */ ([1, 1]), full: moved, lora: moved });

test("matrices stand in rows by kind, and arrow keys walk over them", () => {
  const rows = rowsOf([matrix("embedding", null), matrix("a", 0), matrix("b", 0), matrix("a", 1), matrix("b", 1), matrix("positions", null)]);
  assert.deepEqual(rows, [[1, 3], [2, 4], [0, 5]]); // prettier-ignore
  assert.deepEqual(rowsOf([matrix("a", 0)]), [[0]]);
  const press = (/** @type {string} */ key) => /** @type {KeyboardEvent} */ ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false });
  const walk = { ArrowRight: 3, ArrowLeft: 1, ArrowDown: 2, ArrowUp: 1, Home: 1, End: 3, PageDown: 0 };
  for (const [key, place] of Object.entries(walk)) assert.equal(neighbour(press(key), rows, 1), place, key);
  assert.equal(neighbour(press("ArrowDown"), rows, 4), 5);
  assert.equal(neighbour(press("a"), rows, 1), null);
});

test("a widget's tokenizer is made once", () => {
  const traits = { tokenizer: { kind: "characters", characters: "ab" }, sizes: { longest: 1 } };
  const model = /** @type {any} */ ({ get: (/** @type {"sizes"} */ key) => traits[key] });
  assert.equal(readerOf(model), readerOf(model));
  assert.deepEqual(readerOf(model)("ab").ids, [0]);
});

test("what is largest", () => {
  assert.deepEqual(largest(Float32Array.of(1, 3, 3, 2), 3), [1, 2, 3]);
  assert.equal(strongest([1, 3, 3]), 1);
});
