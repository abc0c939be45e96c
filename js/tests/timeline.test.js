import assert from "node:assert/strict";
import { test } from "node:test";
import { axisOf, change, commonName, groupsOf, neighbour, timeOf } from "../src/explorables/timeline/rules.js";
import { placeOf } from "../src/shared/axis.js";

/** @param {string} name  @param {string} lane  @param {number} when  @param {number} parameters  @param {string} key */
const model = (name, lane, when, parameters, key) => ({ name, lane, when, parameters, family: "gpt", layers: 1, width: 1, note: "", paper: { key, authors: "", title: "", year: Math.floor(when), month: null } });
const models = [model("A", "one", 1998.5, 10, "a"), model("B-1", "one", 2012.5, 40, "b"), model("B-2", "one", 2012.5, 20, "b"), model("C", "two", 2014, 9, "c")];
const state = { measure: "parameters", scale: "log", step: 3 };

test("the axis of a lane: round ends with room, ticks in between", () => {
  const log = axisOf([60_000, 6e7], [60_000, 1.7e11], "log");
  assert.deepEqual([log.low, log.high, log.ticks], [20_000, 2e8, [1e5, 1e6, 1e7, 1e8]]);
  assert.equal(placeOf(20_000, log), 0);
  assert.equal(placeOf(2e8, log), 1);
  assert.ok(Math.abs(placeOf(2e6, log) - 0.5) < 1e-12);
  const linear = axisOf([60_000], [60_000, 1.7e11], "linear");
  assert.deepEqual([linear.low, linear.high, linear.ticks.length], [0, 2e11, 5]);
  assert.equal(placeOf(1e11, linear), 0.5);
  assert.deepEqual(axisOf([12, 32], [6, 152], "log").ticks, [5, 10, 20, 50, 100]);
});

test("any numbers lie inside their axis", () => {
  for (let round = 0; round < 300; round++) {
    const all = Array.from({ length: 6 }, () => Math.round(1 + 10 ** (12 * Math.random())));
    for (const scale of ["log", "linear"]) {
      const axis = axisOf(all.slice(2), all, scale);
      for (const value of all.slice(2)) {
        const height = placeOf(value, axis);
        assert.ok(height >= 0 && height < 1, `${all} ${scale}`);
      }
      assert.ok(axis.ticks.length >= 1 && axis.ticks.length <= 15, `${all} ${scale}: ${axis.ticks}`);
    }
  }
});

test("time is broken where there is no model for years, and even elsewhere", () => {
  const { place, ticks, breaks } = timeOf(models);
  assert.equal(breaks.length, 1);
  assert.ok(place(1998.5) < Number(breaks[0]) && Number(breaks[0]) < place(2012.5));
  assert.ok(Math.abs(place(2014) - place(2013) - (place(2013) - place(2012))) < 1e-12);
  assert.ok(Math.abs(place(1999) - place(1998) - (place(2013) - place(2012))) < 1e-12);
  assert.deepEqual(ticks, [1998, 2012, 2014]);
  for (const { when } of models) assert.ok(place(when) > 0 && place(when) < 1);
});

test("keys go on in time, and to the nearest of another lane", () => {
  const go = (/** @type {number} */ from, /** @type {string} */ key) => neighbour(models, ["one", "two"], from, key);
  assert.deepEqual([go(1, "ArrowLeft"), go(0, "ArrowLeft"), go(3, "ArrowRight"), go(0, "End"), go(3, "Home")], [0, 0, 3, 3, 0]);
  assert.deepEqual([go(3, "ArrowUp"), go(0, "ArrowDown"), go(0, "ArrowUp"), go(3, "ArrowDown"), go(0, "x")], [1, 3, 0, 3, null]);
});

test("models of one paper are a group, by its common name", () => {
  assert.deepEqual(groupsOf(models, "parameters").map(({ name, lowest, highest }) => [name, lowest, highest]), [["A", 0, 0], ["B", 2, 1], ["C", 3, 3]]); // prettier-ignore
  assert.deepEqual(
    [["GPT-3 Small", "GPT-3 175B"], ["ResNet-18", "ResNet-152"], ["Transformer base", "Transformer big"], ["ViT-B/16", "ViT-L/16", "ViT-H/14"], ["Llama 7B"]].map(commonName),
    ["GPT-3", "ResNet", "Transformer", "ViT", "Llama 7B"],
  ); // prettier-ignore
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [{ measure: "cost" }, { scale: 1 }, { step: 4 }, { step: -1 }, { step: 0.5 }, { step: "1" }, { step: null }, { measure: "parameters" }, {}]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, 4), state, JSON.stringify(wish));
  assert.deepEqual(change(state, { measure: "width", scale: "linear", step: 0 }, 4), { measure: "width", scale: "linear", step: 0 });
});
