import assert from "node:assert/strict";
import { test } from "node:test";
import { createChance } from "../src/shared/chance.js";

test("it is the published generator", () => {
  const chance = createChance(0);
  chance.state = [1, 2, 3, 4];
  const drawn = Array.from({ length: 10 }, () => chance.uint32());
  // What the authors' program, xoshiro128starstar.c, prints.
  assert.deepEqual(
    drawn,
    [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804],
  ); // prettier-ignore
});

test("a seed is spread by the published SplitMix64", () => {
  const [a, b, c, d] = createChance(1234567).state.map(BigInt);
  assert.equal(/** @type {bigint} */ (a) | (/** @type {bigint} */ (b) << 32n), 6457827717110365317n);
  assert.equal(/** @type {bigint} */ (c) | (/** @type {bigint} */ (d) << 32n), 3203168211198807973n);
});

test("a state is gone on from, and holding it does not touch the generator", () => {
  const chance = createChance(7);
  const state = chance.state;
  const drawn = [chance.uint32(), chance.uniform(), chance.uint32()];
  chance.state = state;
  state[0] = 0;
  assert.deepEqual([chance.uint32(), chance.uniform(), chance.uint32()], drawn);
  assert.notDeepEqual(createChance(8).uint32(), drawn[0]);
});

test("a uniform number is at least 0 and below 1, with 53 bits from two draws", () => {
  const chance = createChance(3);
  chance.state = [1, 2, 3, 4];
  assert.equal(chance.uniform() * 2 ** 53, (11520 >>> 5) * 2 ** 26);
  assert.equal(chance.uniform() * 2 ** 53, (5927040 >>> 5) * 2 ** 26 + (70819200 >>> 6));
  let sum = 0;
  for (let i = 0; i < 100_000; i++) {
    const number = chance.uniform();
    assert.ok(number >= 0 && number < 1 && Number.isInteger(number * 2 ** 53));
    sum += number;
    chance.state = chance.state; // allowed at every step
  }
  assert.ok(Math.abs(sum / 100_000 - 0.5) < 0.005);
});

test("a permutation has every integer once, and every order comes about equally often", () => {
  const chance = createChance(5);
  for (const n of [0, 1, 2, 57]) assert.deepEqual(chance.permutation(n).toSorted((a, b) => a - b), [...Array(n).keys()]);
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (let i = 0; i < 24_000; i++) {
    const order = chance.permutation(4).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 24);
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 160); // five standard deviations
  for (const n of [-1, 0.5, NaN, "3", null]) assert.throws(() => chance.permutation(/** @type {any} */ (n)), /^RangeError: n is /);
});

test("what is not allowed is named", () => {
  for (const seed of [-1, 2 ** 53, 0.5, NaN, Infinity, "1", null, undefined, true, 1n])
    assert.throws(() => createChance(/** @type {any} */ (seed)), /^RangeError: seed is .*; allowed are the integers from 0 to 9007199254740991$/);
  const chance = createChance(1);
  const before = chance.state;
  for (const state of [[0, 0, 0, 0], [1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, 2 ** 32], [1, 2, 3, -1], [1, 2, 3, 0.5], [1, 2, 3, "4"], [1, 2, 3, ,], null, 7]) // prettier-ignore
    assert.throws(() => (chance.state = /** @type {any} */ (state)), /^RangeError: state is .*; allowed are four integers/);
  assert.deepEqual(chance.state, before);
});
