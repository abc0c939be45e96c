import assert from "node:assert/strict";
import { test } from "node:test";
import { change, fromParameters, outputExtent, sameKernel, toParameters, windowOver } from "../src/explorables/convolution/rules.js";
import { parseFragment, writeFragment } from "../src/host/page_address.js";

const extent = { images: 10, height: 28, width: 28 };
/** @type {import("../src/explorables/convolution/rules.js").State} */
const state = { image: 0, kernel: [[1, 2, 3], [4, 5, 6], [7, 8, 9]], stride: 1, padding: 1, position: [14, 14] }; // prettier-ignore
const random = (/** @type {number} */ below) => Math.floor(Math.random() * below);

test("what is not allowed changes nothing", () => {
  const refused = [
    { image: 10 }, { image: -1 }, { image: 0.5 }, { image: "3" }, { image: NaN }, { stride: 0 }, { stride: 4 },
    { padding: 3 }, { padding: null }, { kernel: [] }, { kernel: [[1, 2]] }, { kernel: [[101]] }, { kernel: [[NaN]] },
    { kernel: [["1"]] }, { kernel: "1" }, { kernel: Array(6).fill(Array(6).fill(0)) }, { position: [1] },
    { position: ["a", 1] }, { position: [-1, 0] },
  ]; // prettier-ignore
  for (const wish of refused) assert.deepEqual(change(state, wish, extent), state, JSON.stringify(wish));
});

test("a position is kept within the output", () => {
  assert.deepEqual(change(state, { position: [99, 3] }, extent).position, [27, 3]);
  assert.deepEqual(change(state, { stride: 3, position: [20, 20] }, extent).position, [9, 9]);
});

test("the window stays near its place on the image when the geometry changes", () => {
  assert.deepEqual(change(state, { stride: 2 }, extent).position, [7, 7]);
  assert.deepEqual(change(state, { padding: 2 }, extent).position, [15, 15]);
  assert.deepEqual(change(state, { kernel: Array(5).fill(Array(5).fill(1)) }, extent).position, [13, 13]);
  assert.deepEqual(change({ ...state, position: [27, 27] }, { padding: 0 }, extent).position, [25, 25]);
});

test("pointing at a pixel finds the window centred on it, and stays inside at the edges", () => {
  assert.deepEqual(windowOver([0, 0], state, extent), [0, 0]);
  assert.deepEqual(windowOver([15, 16], state, extent), [14, 15]);
  assert.deepEqual(windowOver([29, 29], state, extent), [27, 27]);
  assert.deepEqual(windowOver([15, 15], { ...state, stride: 3 }, extent), [5, 5]);
});

test("any state goes through an address and comes back the same", () => {
  for (let i = 0; i < 300; i++) {
    const size = 1 + random(5);
    const weight = () => Math.fround((Math.random() - 0.5) * 10 ** (random(9) - 6));
    const wish = {
      image: random(10),
      kernel: Array.from({ length: size }, () => Array.from({ length: size }, weight)),
      stride: 1 + random(3),
      padding: random(3),
    };
    const moved = change(state, wish, extent);
    const { rows, columns } = outputExtent(moved, extent);
    const wanted = change(moved, { position: [random(rows), random(columns)] }, extent);
    const { id, parameters } = parseFragment(writeFragment("explorable-x", toParameters(wanted)));
    const restored = change(state, fromParameters(parameters), extent);
    assert.equal(id, "explorable-x");
    assert.ok(sameKernel(restored.kernel, wanted.kernel));
    assert.deepEqual({ ...restored, kernel: 0 }, { ...wanted, kernel: 0 });
  }
});

test("a hostile address changes nothing and throws nothing", () => {
  const values = ["", "NaN", "1e999", "<script>", "-", "1,2,3", "0x10", " 1", "Infinity", "1;2", "\0", "9".repeat(5000), "%"];
  for (const value of values) {
    for (const key of ["image", "kernel", "stride", "padding", "at"]) {
      const after = change(state, fromParameters({ [key]: value }), extent);
      assert.deepEqual(after.kernel, state.kernel);
      assert.ok(Number.isInteger(after.image) && Number.isInteger(after.stride) && Number.isInteger(after.padding));
    }
    assert.doesNotThrow(() => parseFragment(`#${value}?${value}=${value}&%zz`));
  }
});
