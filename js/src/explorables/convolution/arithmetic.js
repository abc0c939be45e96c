/**
 * The convolution itself, in float32: what torch.nn.functional.conv2d computes for one image and one kernel.
 *
 * Every product and every partial sum is rounded to float32, products first, then their sum row by row. Torch may add in
 * another order, so that the two agree within n · 2⁻²³ · Σ|products| for n weights, which is what the tests hold it to.
 * This module stands in for a graph exported from the torch function; nothing else in the front end computes.
 *
 * @typedef {import("../../shared/types.js").Plane} Plane
 * @typedef {import("../../shared/types.js").Cell} Cell
 */

/**
 * Surround an image with `padding` rows and columns of zeros on each side.
 * @param {Plane} image
 * @param {number} padding
 * @returns {Plane}
 */
export function pad(image, padding) {
  const height = image.height + 2 * padding;
  const width = image.width + 2 * padding;
  const values = new Float32Array(height * width);
  for (let row = 0; row < image.height; row++) {
    const line = image.values.subarray(row * image.width, (row + 1) * image.width);
    values.set(line, (row + padding) * width + padding);
  }
  return { height, width, values };
}

/**
 * How many windows fit along one side: ⌊(size + 2·padding − kernel) / stride⌋ + 1.
 * @param {number} size
 * @param {number} kernel
 * @param {number} stride
 * @param {number} padding
 */
export function outputSize(size, kernel, stride, padding) {
  return Math.floor((size + 2 * padding - kernel) / stride) + 1;
}

/**
 * The part of the padded image under the kernel for one output pixel, row by row.
 * @param {Plane} padded
 * @param {number} size  The kernel's side.
 * @param {number} stride
 * @param {Cell} position  The output pixel.
 */
export function windowAt(padded, size, stride, [row, column]) {
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    const start = (row * stride + i) * padded.width + column * stride;
    values.set(padded.values.subarray(start, start + size), i * size);
  }
  return values;
}

/**
 * Window times kernel, entry by entry.
 * @param {Float32Array} window
 * @param {Float32Array} weights
 */
export function products(window, weights) {
  return window.map((value, index) => value * /** @type {number} */ (weights[index]));
}

/**
 * The sum of the products, rounded to float32 after each addition.
 * @param {Float32Array} values
 */
export function sum(values) {
  return values.reduce((total, value) => Math.fround(total + value), 0);
}

/**
 * Slide the kernel over the whole image.
 * @param {Plane} image
 * @param {number[][]} kernel
 * @param {number} stride
 * @param {number} padding
 * @returns {{padded: Plane, weights: Float32Array, output: Plane}}
 */
export function convolve(image, kernel, stride, padding) {
  const size = kernel.length;
  const weights = Float32Array.from(kernel.flat());
  const padded = pad(image, padding);
  const height = outputSize(image.height, size, stride, padding);
  const width = outputSize(image.width, size, stride, padding);
  const values = new Float32Array(height * width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      values[row * width + column] = sum(products(windowAt(padded, size, stride, [row, column]), weights));
    }
  }
  return { padded, weights, output: { height, width, values } };
}
