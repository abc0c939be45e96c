import assert from "node:assert/strict";
import { test } from "node:test";
import { change, dimensionOf, distanceOf, fitted, isOrder, moved, onwards, places, widthOf } from "../src/explorables/positions/rules.js";

const sizes = { longest: 24, d_model: 192, d_head: 48 };
/** Letters are tokens here. @param {unknown} prompt */
const count = (prompt) => (typeof prompt === "string" && prompt.length <= 30 ? Math.min(sizes.longest, prompt.length) : 0);
const state = { prompt: "abcd", order: [3, 2, 1, 0], kind: "sinusoidal", causal: false, token: 2, position: 20, distance: 3, dimension: 18 };
/** @param {import("../src/explorables/positions/rules.js").State} wish */
const wished = (wish) => change(state, wish, sizes, count);

test("an order has each place once", () => {
  assert.ok(isOrder([1, 0, 2], 3));
  for (const order of [[0, 1], [0, 0, 1], [0, 1, 3], [0, 1, 2.5], ["0", 1, 2], null, "012", { length: 3 }]) assert.ok(!isOrder(order, 3), JSON.stringify(order)); // prettier-ignore
});

test("an order follows its text", () => {
  assert.deepEqual(fitted([3, 2, 1, 0], 2), [1, 0]);
  assert.deepEqual(fitted([1, 0], 4), [1, 0, 2, 3]);
  assert.deepEqual(wished({ prompt: "ab" }), { ...state, prompt: "ab", order: [1, 0], token: 1 });
  assert.equal(wished({ prompt: "wxyz" })["order"], state.order);
  assert.deepEqual(wished({ prompt: "abc", order: [0, 2, 1] })["order"], [0, 2, 1]);
});

test("a token moves one place, and no further than to the ends", () => {
  assert.deepEqual(moved([3, 2, 1, 0], 2, 1), [3, 1, 2, 0]);
  assert.deepEqual(moved([3, 2, 1, 0], 2, -1), [2, 3, 1, 0]);
  assert.deepEqual(moved([3, 2, 1, 0], 3, -1), [3, 2, 1, 0]);
  assert.deepEqual(moved([3, 2, 1, 0], 0, 1), [3, 2, 1, 0]);
  assert.deepEqual([onwards([3, 2, 1, 0], 2), onwards([3, 2, 1, 0], 0)], [[3, 1, 2, 0], [0, 3, 2, 1]]); // prettier-ignore
  assert.deepEqual(places(3), [0, 1, 2]);
});

test("what is looked at stays within what there is", () => {
  assert.deepEqual(["sinusoidal", "learned", "rotary"].map((kind) => widthOf(kind, sizes)), [192, 192, 48]);
  assert.equal(dimensionOf({ dimension: 100 }, 48), 47);
  assert.equal(distanceOf({ position: 2, distance: 5 }), 2);
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    { prompt: "" }, { prompt: 7 }, { prompt: "x".repeat(31) }, { order: [0, 1, 2] }, { order: [0, 0, 1, 2] }, { order: "3210" }, { order: [3, 2, 1, 0] }, { kind: "__proto__" }, { kind: null }, { causal: 1 },
    { token: -1 }, { token: 24 }, { token: "1" }, { position: 64 }, { position: 1.5 }, { distance: -1 }, { distance: NaN }, { dimension: 192 }, { dimension: null }, {},
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(wished(wish), state, JSON.stringify(wish));
  assert.equal(wished({ token: 23 })["token"], 3);
});
