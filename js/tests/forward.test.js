import assert from "node:assert/strict";
import { test } from "node:test";
import { change, neighbour, numberOf, whereIs, withWeight } from "../src/explorables/forward/rules.js";

const sizes = [2, 3, 1];
const state = { x: [1, 0], weights: [[[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 3, 4]]], activation: "relu", step: 4, neuron: 3 }; // prettier-ignore

test("a neuron's number and its place belong together", () => {
  for (let neuron = 0; neuron < 4; neuron++) assert.equal(numberOf(sizes, whereIs(sizes, neuron)), neuron);
  assert.deepEqual(whereIs(sizes, 3), { layer: 2, place: 0 });
});

test("arrow keys lead to neighbours, and no further", () => {
  assert.deepEqual(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "x"].map((key) => neighbour(sizes, 1, key)), [0, 2, 1, 3, 0, 3, null]); // prettier-ignore
  assert.deepEqual(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].map((key) => neighbour(sizes, 3, key)), [3, 3, 1, 3]); // prettier-ignore
});

test("a step opens what it computes", () => {
  assert.deepEqual([change(state, { step: 2 }, sizes)["neuron"], change(state, { step: 0 }, sizes)["neuron"]], [1, 0]);
  assert.equal(change(state, { step: 2, neuron: 0 }, sizes)["neuron"], 0);
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    { x: [1] }, { x: [1, 3] }, { x: [1, NaN] }, { x: "11" }, { x: [1, "0"] }, { x: null }, { x: [1, 0] },
    { weights: [] }, { weights: [[[1, 2, 3]], [[1, 2, 3, 4]]] }, { weights: state.weights.map((m) => m.map((r) => r.map(() => 11))) },
    { weights: structuredClone(state.weights) }, { activation: "__proto__" }, { activation: 1 },
    { step: 5 }, { step: -1 }, { step: 1.5 }, { step: "2" }, { neuron: 4 }, { neuron: null }, {},
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, sizes), state, JSON.stringify(wish));
});

test("one weight changes, and nothing else", () => {
  const next = withWeight(state.weights, { layer: 1, place: 2 }, 2, -1);
  assert.deepEqual(next, [[[1, 2, 3], [4, 5, 6], [7, 8, -1]], [[1, 2, 3, 4]]]); // prettier-ignore
  assert.equal(next[1], state.weights[1]);
});
