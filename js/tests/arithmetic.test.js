import assert from "node:assert/strict";
import { test } from "node:test";
import { convolve, outputSize, pad, products, sum, windowAt } from "../src/explorables/convolution/arithmetic.js";

/** @param {number} height @param {number} width @param {number[]} values */
const plane = (height, width, values) => ({ height, width, values: Float32Array.from(values) });
const ramp = plane(3, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9]);

test("padding surrounds the image with zeros", () => {
  const padded = pad(plane(1, 2, [5, 6]), 1);
  assert.deepEqual([padded.height, padded.width], [3, 4]);
  assert.deepEqual([...padded.values], [0, 0, 0, 0, 0, 5, 6, 0, 0, 0, 0, 0]);
  assert.deepEqual(pad(ramp, 0), ramp);
});

test("the output's size follows the formula, rounded down", () => {
  assert.equal(outputSize(28, 3, 1, 1), 28);
  assert.equal(outputSize(28, 3, 2, 0), 13);
  assert.equal(outputSize(28, 5, 3, 2), 10);
  assert.equal(outputSize(5, 5, 3, 0), 1);
});

test("a window is read where stride and position put it", () => {
  assert.deepEqual([...windowAt(ramp, 2, 1, [1, 0])], [4, 5, 7, 8]);
  assert.deepEqual([...windowAt(pad(ramp, 1), 2, 2, [1, 1])], [5, 6, 8, 9]);
});

test("a convolution worked out by hand, the kernel not flipped", () => {
  const { output, weights } = convolve(ramp, [[1, 0], [0, -2]], 1, 0); // prettier-ignore
  assert.deepEqual([...weights], [1, 0, 0, -2]);
  assert.deepEqual([output.height, output.width], [2, 2]);
  assert.deepEqual([...output.values], [1 - 10, 2 - 12, 4 - 16, 5 - 18]);
});

test("identity gives the image back, and its pixels exactly", () => {
  const image = plane(2, 2, [0.1, 0.7, 1 / 3, 1]);
  const { output } = convolve(image, [[0, 0, 0], [0, 1, 0], [0, 0, 0]], 1, 1); // prettier-ignore
  assert.deepEqual(output, image);
});

test("each product and each partial sum is rounded to float32", () => {
  const [tenth, third] = [Math.fround(0.1), Math.fround(1 / 3)];
  const [product] = products(Float32Array.of(tenth), Float32Array.of(third));
  assert.equal(product, Math.fround(tenth * third));
  assert.notEqual(product, tenth * third);
  // 2²⁴ + 1 is no float32: adding 1 twice in turn is lost, which a sum in double precision would not lose.
  assert.equal(sum(Float32Array.of(2 ** 24, 1, 1)), 2 ** 24);
});

test("an output map is the sum of the products of its windows", () => {
  const kernel = [[0.3, -1.7, 0.01], [2, 0, -0.6], [0.9, 11, -5]]; // prettier-ignore
  const image = plane(7, 6, Array.from({ length: 42 }, (_, i) => Math.abs(Math.sin(i))));
  for (const stride of [1, 2, 3]) {
    for (const padding of [0, 1, 2]) {
      const { padded, weights, output } = convolve(image, kernel, stride, padding);
      for (let row = 0; row < output.height; row++) {
        for (let column = 0; column < output.width; column++) {
          const shown = sum(products(windowAt(padded, 3, stride, [row, column]), weights));
          assert.equal(output.values[row * output.width + column], shown);
        }
      }
    }
  }
});
