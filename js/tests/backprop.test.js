import assert from "node:assert/strict";
import { test } from "node:test";
import { change, collected, deed, known, OPERATIONS, PARAMETERS, shareCount, withNumber } from "../src/explorables/backprop/rules.js";

const state = { x: [1, -0.5], target: 1, hidden: [[1, 2, 3], [4, 5, 6]], output: [7, 8, 9], learning_rate: 0.1, step: 15 }; // prettier-ignore

test("steps go forward, back by the same way, and end with the update", () => {
  assert.deepEqual(
    Array.from({ length: 16 }, (_, step) => `${deed(step).kind[0]}${deed(step).operation?.result ?? ""}`),
    ["s", "fz1", "fz2", "fh1", "fh2", "fy", "fe", "fL", "bL", "be", "by", "bh2", "bh1", "bz2", "bz1", "u"],
  );
  assert.deepEqual([...known(3)], ["z1", "z2", "h1"]);
});

test("a derivative is complete when all that use its value have sent theirs", () => {
  assert.equal(collected(7).size, 0);
  assert.equal(shareCount("x1"), 2);
  assert.deepEqual([13, 14].map((step) => collected(step).get("x1")), [1, 2]); // prettier-ignore
  for (const name of [...PARAMETERS, "z1", "z2", "h1", "h2", "y", "e"]) {
    assert.equal(shareCount(name), 1, name);
    assert.equal(collected(14).get(name), 1, name);
  }
  // Nothing is sent on before it has come.
  OPERATIONS.forEach(({ result }, index) => {
    const step = 14 - index;
    if (result !== "L") assert.equal(collected(step - 1).get(result), shareCount(result), result);
  });
});

test("a number goes to its place in the state", () => {
  assert.deepEqual(withNumber(state, "w21", 0), { hidden: [[1, 2, 3], [0, 5, 6]] }); // prettier-ignore
  assert.deepEqual([withNumber(state, "c", 0), withNumber(state, "x2", 0), withNumber(state, "t", 0)], [{ output: [7, 8, 0] }, { x: [1, 0] }, { target: 0 }]);
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    { x: [1] }, { x: [1, 11] }, { x: [1, null] }, { x: [1, -0.5] }, { target: "1" }, { target: NaN }, { target: Infinity },
    { hidden: [[1, 2, 3]] }, { hidden: [[1, 2, 3], [1, 2]] }, { hidden: "x" }, { output: [1, 2] }, { output: { length: 3 } },
    { learning_rate: -1 }, { learning_rate: 3 }, { step: 16 }, { step: -1 }, { step: 0.5 }, { step: null }, {},
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish), state, JSON.stringify(wish));
  assert.equal(change(state, { step: 3 })["step"], 3);
});
