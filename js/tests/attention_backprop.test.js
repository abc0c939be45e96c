import assert from "node:assert/strict";
import { test } from "node:test";
import { cellName, matrixName } from "../src/explorables/attention-backprop/names.js";
import { cellAt, change, counts, GIVEN, isKnown, isUsed, LIMITS, opened, sizeOf, stepOf, STEPS, withNumber } from "../src/explorables/attention-backprop/rules.js";

/** @param {[number, number]} size */
const zeros = ([rows, columns]) => Array.from({ length: rows }, () => Array(columns).fill(0));
const given = Object.fromEntries(Object.entries(GIVEN).map(([name, size]) => [name, zeros(size)]));
const state = { ...given, causal: true, loss_on: "every", step: 18, part: 0, row: 2, column: 0, middle: 1, edited: "wv" };

test("each step takes only what is there before it", () => {
  STEPS.forEach(({ name, parts }, index) => {
    for (const { operands } of parts) for (const operand of operands) assert.ok(operand in GIVEN || isKnown(operand, index), `${name} takes ${operand}`);
  });
  assert.equal(LIMITS.step, 18);
  assert.deepEqual(STEPS.map(({ kind }) => kind[0]).join(""), "fffffffbbbbbbbbbbb");
  assert.deepEqual(["x", "q", "dwv", "dx"].map(stepOf), [0, 1, 16, 18]);
});

test("what goes into a cell has the right sizes: it is a matrix product", () => {
  for (const { result, kind, operands, cells, count } of STEPS.flatMap(({ parts }) => parts)) {
    if (kind !== "products") continue;
    const [rows, columns] = sizeOf(result);
    operands.forEach((operand, which) => {
      const reached = new Set();
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++)
          for (let n = 0; n < Number(count); n++) reached.add(cellAt(cells?.[which] ?? "", [row, column], n).join());
      const [height, width] = sizeOf(operand);
      const all = Array.from({ length: height * width }, (_, place) => [Math.floor(place / width), place % width].join());
      assert.deepEqual([...reached].sort(), all.sort(), `${operand} of ${result}`);
    });
  }
});

test("a cell stays within what is open, and its row and column are framed", () => {
  assert.deepEqual(opened({ ...state, step: 16, part: 1, row: 3, column: 3 }), { part: STEPS[15]?.parts[1], index: 1, cell: [2, 2] });
  assert.equal(opened({ ...state, step: 0 }), null);
  assert.deepEqual(opened({ ...state, step: 12 })?.cell, [1, 0]);
  const scores = { ...state, step: 2, row: 1, column: 3 };
  const framed = (/** @type {string} */ name) => zeros(sizeOf(name)).flatMap((line, r) => line.flatMap((_, c) => (isUsed(scores, name, [r, c]) ? [`${r}${c}`] : [])));
  assert.deepEqual([framed("q"), framed("k"), framed("v")], [["10", "11", "12"], ["30", "31", "32"], []]); // prettier-ignore
  assert.equal(isUsed({ ...state, step: 7, loss_on: "last" }, "y", [0, 0]), false);
});

test("names are as in the text", () => {
  assert.deepEqual(["x", "wq", "dwk", "s", "da", "dxr", "jacobian", "loss"].map(matrixName), ["X", "Wq", "∂L/∂Wk", "S", "∂L/∂A", "∂L/∂X ← Y", "J", "L"]);
  assert.deepEqual(["x", "wq", "dwk", "da", "dxk", "jacobian", "target"].map((name) => cellName(name, [1, 0])), ["x₂₁", "wq₂₁", "∂L/∂wk₂₁", "∂L/∂a₂₁", "∂L/∂x₂₁ ← K", "J₂₁", "t₂₁"]); // prettier-ignore
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    { x: [[1, 2, 3]] }, { x: zeros([4, 3]) }, { x: zeros([4, 3]).map((line) => line.map(() => 11)) }, { x: zeros([4, 4]) }, { wq: "x" }, { wq: [[1, 2, 3], null, [1, 2, 3]] },
    { wk: [[0, 0, NaN], [0, 0, 0], [0, 0, 0]] }, { target: { length: 4 } }, { causal: 1 }, { causal: "true" }, { loss_on: "__proto__" }, { step: 19 }, { step: -1 }, { step: 1.5 }, { part: 3 }, { row: 4 },
    { column: "0" }, { middle: null }, { edited: "toString" }, {},
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish), state, JSON.stringify(wish));
  assert.deepEqual(change(state, { step: 3, row: 9, loss_on: "last" }), { ...state, step: 3, loss_on: "last" });
  assert.deepEqual(counts({ loss_on: "last" }), [0, 0, 0, 1]);
});

test("one number changes, and nothing else", () => {
  const matrix = [[1, 2], [3, 4]]; // prettier-ignore
  const next = withNumber(matrix, [1, 0], 9);
  assert.deepEqual(next, [[1, 2], [9, 4]]); // prettier-ignore
  assert.equal(next[0], matrix[0]);
});
