import assert from "node:assert/strict";
import { test } from "node:test";
import { createChance } from "../src/shared/chance.js";
import { change, decades, drawn } from "../src/explorables/gradients/rules.js";

const sizes = { depth: 3, length: 4, width: 2, matrices: { mlp: 1, gru: 6 } };
const state = { depth: 3, length: 4, scale: 1, gate_bias: 0, residual: false, seed: 0, layer: 2, time: 3 };

test("a network that becomes smaller keeps the place inside", () => {
  assert.deepEqual(change(state, { depth: 1 }, sizes), { ...state, depth: 1, layer: 1 });
  assert.deepEqual(change(state, { length: 2 }, sizes), { ...state, length: 2, time: 2 });
  assert.deepEqual(change(state, { length: 2, time: 4 }, sizes), { ...state, length: 2, time: 2 });
});

test("a seed's numbers go to layer after layer, and a network of fewer matrices takes the first ones", () => {
  const { uniform } = createChance(7);
  const all = Float32Array.from({ length: 3 * 6 * 4 }, uniform);
  const { weights, inputs } = drawn(7, sizes);
  assert.deepEqual(weights(6), all);
  assert.deepEqual([...weights(1)], [0, 1, 2].flatMap((layer) => [...all.subarray(layer * 24, layer * 24 + 4)])); // prettier-ignore
  assert.deepEqual(inputs, Float32Array.from({ length: 8 }, uniform));
});

test("an axis holds all values and names at most seven powers of ten", () => {
  assert.deepEqual(decades([1, 0.5, 0]), { low: -1, high: 0, ticks: [-1, 0] }); // prettier-ignore
  assert.deepEqual(decades([3, 1e-4]), { low: -4, high: 1, ticks: [-4, -3, -2, -1, 0, 1] }); // prettier-ignore
  for (const least of [1e-1, 1e-7, 1e-13, 1e-20, 1e-29]) {
    const { low, high, ticks } = decades([least, 2]);
    assert.ok(10 ** low <= least * (1 + 1e-9) && high === 1);
    assert.ok(ticks.length <= 7 && ticks.includes(0) && ticks.every((tick) => tick >= low && tick <= high), String(ticks));
  }
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    { depth: 0 }, { depth: 4 }, { depth: 1.5 }, { length: 0 }, { length: "4" }, { scale: 0.2 }, { scale: 2.1 }, { scale: NaN }, { scale: null },
    { gate_bias: -1 }, { gate_bias: 5 }, { residual: 1 }, { residual: "true" }, { seed: -1 }, { seed: 1000 }, { layer: 4 }, { layer: -1 },
    { time: 0 }, { time: 5 }, {},
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, sizes), state, JSON.stringify(wish));
});
