import assert from "node:assert/strict";
import { test } from "node:test";
import { carried, change, hasPlaces, over, seen } from "../src/explorables/features/rules.js";

/** @typedef {import("../src/explorables/features/rules.js").Stage} Stage */
/** @param {string} name  @param {[number, number, number]} shape  @param {[number, number, number] | null} field  @param {number} sources @returns {Stage} */
const stage = (name, shape, field, sources) => ({ name, kind: name.replace(/\d/, ""), level: 1, shape, field, sources });
/** @type {[Stage, Stage, Stage]} */
const STAGES = [
  stage("convolution1", [32, 28, 28], [3, 1, -1], 1),
  stage("convolution2", [64, 14, 14], [8, 2, -3], 32),
  stage("logits", [10, 1, 1], null, 128),
];
const [first, second, logits] = STAGES;
const world = { stages: STAGES, images: 3, classes: 10 };
const state = { image: 0, step: 1, unit: [47, 9, 6], source: 16, digit: 7 };

test("a unit sees a square of pixels, cut off at the edge; without a place it sees all", () => {
  assert.deepEqual(seen(first, [0, 5, 6]), { row: 4, column: 5, size: 3, columns: 3 });
  assert.deepEqual(seen(first, [0, 0, 27]), { row: 0, column: 26, size: 2, columns: 2 });
  assert.deepEqual(seen(second, [0, 9, 0]), { row: 15, column: 0, size: 8, columns: 5 });
  assert.deepEqual(seen(logits, [3, 0, 0]), { row: 0, column: 0, size: 28, columns: 28 });
  assert.deepEqual(STAGES.map(hasPlaces), [true, true, false]);
});

test("the unit over a pixel is one that sees it", () => {
  for (const place of [first, second]) {
    for (let pixel = 0; pixel < 28; pixel++) {
      const [, row] = over(place, [1, 0, 0], [pixel, 3]);
      const { row: top, size } = seen(place, [1, row, 0]);
      assert.ok(top <= pixel && pixel < top + size, `${place.name}: ${pixel}`);
    }
  }
  assert.deepEqual(over(logits, [3, 0, 0], [5, 5]), [3, 0, 0]);
});

test("from layer to layer a unit stays at about the same place", () => {
  assert.deepEqual(carried(second, first, [47, 9, 6]), [31, 19, 13]);
  assert.deepEqual(carried(first, second, [31, 19, 13]), [31, 9, 6]);
  assert.deepEqual(carried(second, logits, [47, 9, 6]), [9, 0, 0]);
  assert.deepEqual(change(state, { step: 2 }, world), { image: 0, step: 2, unit: [7, 0, 0], source: null, digit: 7 }, "of the logits the one that is asked for");
  assert.deepEqual(change(state, { step: 0 }, world), { image: 0, step: 0, unit: [31, 19, 13], source: null, digit: 7 });
  assert.equal(change(state, { source: null }, world)["source"], null);
  assert.deepEqual(change(state, { step: 2, unit: [4, 0, 0], source: 127 }, world), { ...state, step: 2, unit: [4, 0, 0], source: 127 });
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    { image: 3 }, { image: -1 }, { image: "0" }, { step: 3 }, { step: 0.5 }, { step: null }, { unit: [64, 0, 0] }, { unit: [0, 14, 0] },
    { unit: [0, 0] }, { unit: "0,0" }, { unit: [0, 0, null] }, { unit: [47, 9, 6] }, { source: 32 }, { source: [] }, { digit: 10 }, { digit: NaN }, {},
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, world), state, JSON.stringify(wish));
});
