import assert from "node:assert/strict";
import { test } from "node:test";
import { meets, placeNames } from "../src/explorables/comparison/names.js";
import { AXES, axisFor, barOf, change, neighbour, tableOf, valueOf } from "../src/explorables/comparison/rules.js";
import { placeOf } from "../src/shared/axis.js";

/** @param {string} family  @param {(number | null)[]} at  @param {[number, number] | null} [interval] */
const row = (family, at, interval = null) => ({ family, budget: "b", rank: 1, better: [], at, interval, fixed: false, asked: null, runs: [{ seed: 0, at, steps: 1, curve: [] }], setup: /** @type {any} */ ({}), made: [] });
const digits = [row("cnn", [0.95, 1e5, 1e9, 30, 400, 5e4], [0.94, 0.96]), row("mlp", [0.9, 1.01e5, 2e8, 12, 300, 5e4], [0.2, 1.6]), row("base", [0.92, null, null, 3, 500, 4e3])];
const tables = [
  { task: "digits", budget: "b", rows: digits, missing: [] },
  { task: "digits", budget: "c", rows: digits.slice(1), missing: [] },
  { task: "copying", budget: "b", rows: [row("gpt", [0.9, 1, 1, 1, 1, 1]), row("mlp", [0.1, 1, 1, 1, 1, 1])], missing: [] },
  { task: "copying", budget: "c", rows: [], missing: [] },
];
const state = { task: "digits", budget: "b", x: "flops", y: "quality", scale: "log", family: "cnn" };
/** @type {import("../src/explorables/comparison/rules.js").Task} */
const task = { name: "digits", title: "", summary: "", metric: "", unit: "share", bounds: [0, 1], higher: true, bar: { what: "", family: "base", stated: 0.965 } };

test("the two axes are never the same: they change places", () => {
  assert.deepEqual(change(state, { x: "quality" }, tables), { ...state, x: "quality", y: "flops" });
  assert.deepEqual(change(state, { y: "flops" }, tables), { ...state, x: "quality", y: "flops" });
  assert.deepEqual(change(state, { x: "memory", y: "memory" }, tables), { ...state, x: "memory", y: "flops" });
  for (const x of AXES) for (const y of AXES) assert.notEqual(change(state, { x, y }, tables)["x"], change(state, { x, y }, tables)["y"]);
});

test("a family that has no row gives way to the best, and to none where there is none", () => {
  assert.equal(change(state, { task: "copying" }, tables)["family"], "gpt");
  assert.equal(change({ ...state, family: "mlp" }, { task: "copying" }, tables)["family"], "mlp", "it has one there too");
  assert.equal(change(state, { budget: "c" }, tables)["family"], "mlp");
  assert.equal(change(state, { family: "gpt" }, tables), state, "it is measured elsewhere");
  const none = change(state, { task: "copying", budget: "c" }, tables);
  assert.equal(none["family"], "");
  assert.equal(change(none, { budget: "b" }, tables)["family"], "gpt");
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [{ task: "chess" }, { budget: "none" }, { x: "__proto__" }, { y: 3 }, { scale: "LOG" }, { family: "horse" }, { family: "" }, { x: "flops" }, {}]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, tables), state, JSON.stringify(wish));
  assert.equal(tableOf(tables, { ...state, task: "chess" }), undefined);
});

test("powers of ten show no zero, and nothing shows what is missing", () => {
  const zero = { at: [0, 0, null, 1, 1, 1] };
  assert.deepEqual([valueOf(zero, "quality", false), valueOf(zero, "parameters", true), valueOf(zero, "parameters", false), valueOf(zero, "flops", false)], [0, null, 0, null]);
});

test("an axis holds means, runs and what is to be beaten; an interval as wide as the world doesn't push them together", () => {
  const quality = axisFor("quality", "log", task, digits);
  assert.ok(quality && !quality.log);
  assert.ok(quality.low >= 0.8 && quality.low <= 0.9 && quality.high === 1, JSON.stringify(quality));
  assert.equal(barOf(task, digits), 0.92);
  const flops = axisFor("flops", "log", task, digits);
  assert.ok(flops?.log && flops.low < 2e8 && flops.high > 1e9);
  assert.equal(axisFor("flops", "linear", task, digits)?.low, 0);
  assert.equal(axisFor("flops", "log", task, digits.slice(2)), null);
  for (let round = 0; round < 200; round++) {
    const rows = Array.from({ length: 1 + Math.floor(8 * Math.random()) }, (_, index) => {
      const at = AXES.map(() => 10 ** (8 * Math.random() - 2));
      const [mean] = at;
      return row(String(index), at, [Number(mean) - 5 * Math.random(), Number(mean) + 5 * Math.random()]);
    });
    for (const name of AXES) {
      for (const scale of ["log", "linear"]) {
        const axis = axisFor(name, scale, { ...task, bounds: null, bar: null }, rows);
        for (const { at } of rows) {
          const place = placeOf(Number(at[AXES.indexOf(name)]), /** @type {import("../src/shared/axis.js").Axis} */ (axis));
          assert.ok(place >= 0 && place <= 1, `${name} ${scale}: ${JSON.stringify(axis)}`);
        }
      }
    }
  }
});

test("arrow keys go to the next mark in their direction", () => {
  const marks = [{ index: 0, x: 50, y: 10 }, { index: 1, x: 10, y: 90 }, { index: 2, x: 50, y: 40 }, { index: 3, x: 90, y: 20 }]; // prettier-ignore
  const go = (/** @type {number} */ from, /** @type {string} */ key) => neighbour(marks, from, key);
  assert.deepEqual([go(1, "ArrowRight"), go(0, "ArrowRight"), go(2, "ArrowRight"), go(3, "ArrowRight")], [0, 2, 3, 3], "all are reached");
  assert.deepEqual([go(3, "ArrowLeft"), go(0, "ArrowDown"), go(2, "ArrowUp"), go(1, "ArrowDown")], [0, 3, 3, 1]);
  assert.deepEqual([go(2, "Home"), go(0, "End"), go(0, "x")], [0, 3, null]);
});

test("no name lies on another or on a mark, on a phone's picture either", () => {
  const bounds = { left: 50, top: 20, right: 340, bottom: 330 };
  let unplaced = 0;
  for (let round = 0; round < 100; round++) {
    // Half of them close together, as families of equal cost are.
    const spots = Array.from({ length: 12 }, (_, index) => ({ x: index % 2 ? 60 + 270 * Math.random() : 150 + 30 * Math.random(), y: 40 + 280 * Math.random() }));
    const names = spots.map((spot, index) => ({ ...spot, width: [40, 60, 110][index % 3] ?? 0, height: 14 }));
    const marks = spots.map(({ x, y }) => ({ left: x - 9, right: x + 9, top: y - 9, bottom: y + 9 }));
    const boxes = placeNames(names, bounds, marks).map((placed, index) => placed && { left: placed.x, top: placed.y, right: placed.x + Number(names[index]?.width), bottom: placed.y + 14 });
    unplaced += boxes.filter((box) => box === null).length;
    boxes.forEach((box, index) => {
      if (!box) return;
      assert.ok(box.left >= bounds.left && box.right <= bounds.right && box.top >= bounds.top && box.bottom <= bounds.bottom);
      assert.ok(!marks.some((mark) => meets(box, mark)));
      assert.ok(!boxes.some((other, at) => other && at !== index && meets(box, other)));
    });
  }
  assert.ok(unplaced === 0, `${unplaced} of 1200 found no place`);
});

test("a name is as near as can be, and would rather not lie on an interval", () => {
  const name = { x: 100, y: 100, width: 40, height: 14 };
  const bounds = { left: 0, top: 0, right: 300, bottom: 300 };
  const [alone] = placeNames([name], bounds, []);
  assert.ok(alone && alone.x >= 110 && Math.abs(alone.y - 93) < 1, "to the right");
  const [aside] = placeNames([name], bounds, [], [{ left: 105, top: 95, right: 200, bottom: 105 }]);
  assert.ok(aside && !meets({ left: aside.x, top: aside.y, right: aside.x + 40, bottom: aside.y + 14 }, { left: 105, top: 95, right: 200, bottom: 105 }));
  assert.deepEqual(placeNames([{ ...name, width: 400 }], bounds, []), [null]);
});
