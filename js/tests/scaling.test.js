import assert from "node:assert/strict";
import { test } from "node:test";
import { float32 } from "../src/engine/tensors.js";
import { fitsOf } from "../src/explorables/scaling/fits.js";
import { along, axesOf, change, choices, chosenIn, neighbour, pressed, rowsOf, withoutLargest } from "../src/explorables/scaling/rules.js";
import { placeOf } from "../src/shared/axis.js";

/** @param {string} over  @param {string} family  @param {number} x  @param {number} bits */
const point = (over, family, x, bits) => ({ over, family, x, bits, parameters: x, characters: x, steps: 1, tokens: 1, flops: x, nats: 1, rates: [0.1], seeds: [{ seed: 0, bits: bits - 0.1 }, { seed: 1, bits: bits + 0.1 }] });
const points = [
  point("parameters", "gpt", 3_000, 3.5),
  point("parameters", "gpt", 30_000, 3),
  point("parameters", "gpt", 300_000, 2.5),
  point("parameters", "lstm", 2_900, 3.7),
  point("parameters", "lstm", 250_000, 2.8),
  point("compute", "gpt", 1e12, 3),
  point("compute", "gpt", 1e13, 2.6),
  point("compute", "lstm", 2e12, 3.1),
];
const given = {
  points,
  others: { parameters: [], compute: [{ family: "lstm", x: 5e12, bits: 3.4 }] },
  grids: { parameters: [2_000, 20_000, 3e6], compute: [5e11, 1e13, 1e14] },
  references: { parameters: 0.076, compute: 0.05 },
  families: { gpt: "gpt", lstm: "recurrent" },
  fewest: 3,
};
const state = { over: "parameters", family: "both", scale: "log", left_out: /** @type {number[]} */ ([]), point: 2 };

test("what is shown, by family", () => {
  const members = (/** @type {object} */ wish) => rowsOf(given, { ...state, ...wish }).map((row) => row.members);
  assert.deepEqual(members({}), [[0, 1, 2], [3, 4]]); // prettier-ignore
  assert.deepEqual(members({ family: "lstm" }), [[3, 4]]);
  assert.deepEqual(members({ over: "compute", family: "gpt" }), [[5, 6]]);
  assert.deepEqual(choices(given), ["both", "gpt", "lstm"]);
  assert.deepEqual(choices({ ...given, families: { gpt: "gpt" } }), ["gpt"]);
});

test("the chosen point goes with what is shown", () => {
  assert.equal(change(state, { over: "compute" }, given)["point"], 6);
  assert.equal(change(state, { family: "lstm" }, given)["point"], 4);
  assert.equal(change(state, { family: "gpt" }, given)["point"], 2);
  assert.equal(change(state, { over: "compute", point: 7 }, given)["point"], 7);
  assert.equal(chosenIn(given, { ...state, point: 7 }), 2, "while numbers of another series are on their way");
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [{ over: "time" }, { over: "__proto__" }, { over: 1 }, { family: "mlp" }, { family: null }, { scale: "sqrt" }, { left_out: 3 }, { left_out: [8] }, { left_out: [-1] }, { left_out: [0.5] }, { left_out: ["1"] }, { left_out: [[1]] }, { left_out: "1" }, { left_out: [] }, { point: 8 }, { point: 7 }, { point: "1" }, { point: null }, {}]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, given), state, JSON.stringify(wish));
  const out = change(state, { left_out: [4, 1, 1] }, given);
  assert.deepEqual(out["left_out"], [1, 4]);
  assert.equal(change(out, { left_out: [1, 4] }, given), out);
});

test("pressing leaves out and takes back; the largest that count are left out together", () => {
  assert.deepEqual(pressed(state, 1), [1]);
  assert.deepEqual(pressed({ ...state, left_out: [1, 2] }, 1), [2]);
  const once = withoutLargest(given, state);
  assert.deepEqual(once, { left_out: [2, 4], point: 2 });
  assert.deepEqual(withoutLargest(given, { ...state, ...once }), { left_out: [2, 4, 1, 3], point: 1 });
  assert.deepEqual(withoutLargest(given, { ...state, family: "lstm", left_out: [4] }), { left_out: [4, 3], point: 3 });
  assert.equal(withoutLargest(given, { ...state, left_out: [0, 1, 2, 3, 4] }), null);
});

test("keys go along a family, and to the nearest of the other", () => {
  const rows = rowsOf(given, state);
  const go = (/** @type {number} */ from, /** @type {string} */ key) => neighbour(given, rows, from, key);
  assert.deepEqual([go(0, "ArrowRight"), go(0, "ArrowLeft"), go(2, "ArrowRight"), go(2, "Home"), go(0, "End")], [1, 0, 2, 0, 2]);
  assert.deepEqual([go(0, "ArrowDown"), go(2, "ArrowDown"), go(3, "ArrowUp"), go(4, "ArrowUp"), go(4, "ArrowDown"), go(0, "ArrowUp"), go(0, "x")], [3, 4, 0, 2, 4, 0, null]); // prettier-ignore
});

test("everything that is shown lies inside the axes", () => {
  for (const over of ["parameters", "compute"])
    for (const family of choices(given))
      for (const scale of ["log", "linear"]) {
        const { x, y } = axesOf(given, { ...state, over, family, scale });
        const there = points.filter((one) => one.over === over && (family === "both" || one.family === family));
        for (const one of there) {
          const places = [placeOf(one.x, x), ...one.seeds.map(({ bits }) => placeOf(bits, y))];
          assert.ok(places.every((place) => place > 0 && place < 1), `${over} ${family} ${scale}: ${places}`); // prettier-ignore
        }
        assert.ok(x.ticks.length >= 2 && x.ticks.length <= 12, `${x.ticks}`);
        assert.ok(y.ticks.length >= 2 && y.ticks.length <= 12, `${y.ticks}`);
        assert.equal(x.log, scale === "log");
        if (scale === "linear") assert.deepEqual([x.low, y.low], [0, 0]);
      }
  assert.deepEqual(axesOf(given, state).x.low, 2_000, "from where the line begins");
  assert.deepEqual(axesOf(given, state).x.high, 3e6, "to where it is told");
});

test("counts are written in full, operations in powers of ten", () => {
  assert.deepEqual([along("parameters", 301_121), along("data", 4_552_577), along("compute", 7.4e12)], ["301,121", "4,552,577", "7.40·10¹²"]);
});

test("a fit is read at its points; without one there is nothing to read", () => {
  const outputs = (/** @type {number} */ alpha, /** @type {number} */ count) => ({ alpha: float32(alpha), ...Object.fromEntries(["point_line", "point_new_low", "point_new_high", "apart"].map((name, at) => [name, float32(Array.from({ length: count }, (_, index) => 10 * at + index))])) }); // prettier-ignore
  const shown = { state: { ...state, left_out: [1] }, answers: { gpt: outputs(0.5, 3), lstm: outputs(NaN, 2) } };
  const [gpt, lstm] = fitsOf(given, /** @type {any} */ (shown));
  assert.deepEqual([gpt?.there, lstm?.there], [true, false]);
  assert.deepEqual(gpt?.keep, [true, false, true]);
  assert.deepEqual(gpt?.at(2), { line: 2, low: 12, high: 22, apart: 32 });
  assert.equal(gpt?.at(3), null, "another family's");
  assert.equal(lstm?.at(3), null);
});
