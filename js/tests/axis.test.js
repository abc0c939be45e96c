import assert from "node:assert/strict";
import { test } from "node:test";
import { compact, linearAxis, logAxis, nearest, placeOf, powersOfTen } from "../src/shared/axis.js";

test("by equal amounts: from one round number to another, with round ones in between", () => {
  assert.deepEqual(linearAxis(0.812, 0.957), { low: 0.8, high: 1, ticks: [0.8, 0.85, 0.9, 0.95, 1], log: false });
  assert.deepEqual(linearAxis(0, 69).ticks, [0, 20, 40, 60, 80]);
  assert.deepEqual(linearAxis(0.11, 0.34).ticks, [0.1, 0.15, 0.2, 0.25, 0.3, 0.35], "0.3, not 0.30000000000000004");
  assert.deepEqual(linearAxis(-1.5, 2).ticks, [-2, -1, 0, 1, 2]);
  assert.deepEqual(linearAxis(0, 69, 10).ticks, [0, 10, 20, 30, 40, 50, 60, 70]);
});

test("by powers of ten: so many at least, and only the powers where there are many", () => {
  assert.deepEqual(logAxis(36_000, 1.56e8, { least: 12 }), { low: 20_000, high: 2e8, ticks: [1e5, 1e6, 1e7, 1e8], log: true });
  assert.deepEqual(logAxis(98_000, 104_000).ticks, [50_000, 1e5, 2e5, 5e5]);
  assert.deepEqual(logAxis(98_000, 104_000, { least: 2 }).ticks, [50_000, 1e5, 2e5]);
  assert.deepEqual(logAxis(0.003, 4, { powers: true }).ticks, [0.01, 0.1, 1]);
  assert.deepEqual(logAxis(10, 1000).ticks, [10, 20, 50, 100, 200, 500, 1000]);
});

test("a single value, and none but zero, have an axis too", () => {
  for (const value of [0, 3, -2, 0.957]) {
    const { low, high, ticks } = linearAxis(value, value);
    assert.ok(low <= value && value <= high && low < high && ticks.length > 1, String(value));
  }
  const { low, high } = logAxis(7, 7);
  assert.deepEqual([low, high], [5, 50]);
});

test("a value's place: even between the ends", () => {
  const log = logAxis(1e3, 1e7);
  assert.deepEqual([placeOf(1e3, log), placeOf(1e7, log)], [0, 1]);
  assert.ok(Math.abs(placeOf(1e5, log) - 0.5) < 1e-12);
  const linear = linearAxis(-2, 2);
  assert.deepEqual([-2, -1, 0, 2].map((value) => placeOf(value, linear)), [0, 0.25, 0.5, 1]); // prettier-ignore
});

test("any numbers lie on their axis, and the ticks too, in order", () => {
  for (let round = 0; round < 500; round++) {
    const at = 10 ** (16 * Math.random() - 6);
    const values = Array.from({ length: 5 }, () => at * 10 ** (3 * Math.random()));
    const [least, most] = [Math.min(...values), Math.max(...values)];
    for (const axis of [linearAxis(least, most), linearAxis(-most, -least), logAxis(least, most), logAxis(least, most, { least: 100, powers: true })]) {
      for (const value of axis.low < 0 ? values.map((value) => -value) : values) {
        const place = placeOf(value, axis);
        assert.ok(place >= 0 && place <= 1, `${values}: ${JSON.stringify(axis)}`);
      }
      assert.ok(axis.ticks.length >= 1 && axis.ticks.length <= 11, `${values}: ${axis.ticks}`);
      assert.deepEqual(axis.ticks, [...new Set(axis.ticks)].sort((one, other) => one - other));
      assert.ok(axis.ticks.every((tick) => tick >= axis.low && tick <= axis.high));
    }
  }
});

test("round numbers are short", () => {
  assert.deepEqual([0, 0.05, 500, 2000, 1e6, 5e10].map(compact), ["0", "0.05", "500", "2k", "1M", "50B"]); // prettier-ignore
  assert.deepEqual([0, 1, 2e-3, 1e12, 5e9].map(powersOfTen), ["0", "10⁰", "2·10⁻³", "10¹²", "5·10⁹"]); // prettier-ignore
});

test("a hand chooses the nearest mark, and by turns those in the same place", () => {
  const marks = [{ index: 4, x: 0, y: 0 }, { index: 7, x: 0, y: 0 }, { index: 9, x: 10, y: 0 }]; // prettier-ignore
  assert.deepEqual([nearest(marks, 1, 1, 0), nearest(marks, 1, 1, 4), nearest(marks, 1, 1, 7), nearest(marks, 8, 0, 4)], [4, 7, 4, 9]);
  assert.equal(nearest(marks, 100, 0, 4), null);
  assert.equal(nearest([], 0, 0, 0), null);
});

