/**
 * Which of the engine's numbers belong to a stride and a padding. The graph slides the kernel over the image with its
 * largest padding, one pixel at a time; a smaller padding starts later, and a stride leaves windows out. Nothing is
 * computed here.
 *
 * @typedef {import("../../shared/types.js").Plane} Plane
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("../../engine/tensors.js").Tensor} Tensor
 * @typedef {import("./rules.js").State} State
 */
import { at } from "../../engine/tensors.js";
import { LIMITS, outputSize } from "./rules.js";

/** The padding that the graph has: the largest that is offered. */
const MARGIN = LIMITS.padding[1] ?? 0;

/** @param {Tensor} tensor  @param {number} height  @param {number} width  @param {(cell: Cell) => Cell} from @returns {Plane} */
function pick({ dims, data }, height, width, from) {
  const values = Float32Array.from({ length: height * width }, (_, index) => {
    const [row, column] = from([Math.floor(index / width), index % width]);
    return /** @type {number} */ (data[row * /** @type {number} */ (dims[1]) + column]);
  });
  return { height, width, values };
}

/** From an output pixel to the graph's. @param {State} state */
const toGraph =
  ({ stride, padding }) =>
  (/** @type {Cell} */ [row, column]) =>
    /** @type {Cell} */ ([MARGIN - padding + row * stride, MARGIN - padding + column * stride]);

/**
 * The padded image and the output map.
 * @param {Tensors} outputs
 * @param {State} state
 */
export function select(outputs, state) {
  const { stride, padding, kernel } = state;
  const padded = /** @type {Tensor} */ (outputs["padded"]);
  const border = MARGIN - padding;
  const [height, width] = padded.dims.map((size) => size - 2 * border);
  const image = pick(padded, Number(height), Number(width), ([row, column]) => [row + border, column + border]);
  const rows = outputSize(image.height, kernel.length, stride, 0);
  const columns = outputSize(image.width, kernel.length, stride, 0);
  const output = pick(/** @type {Tensor} */ (outputs["output"]), rows, columns, toGraph(state));
  return { padded: image, output, limit: output.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) };
}

/**
 * The window, the products and their sum at one output pixel.
 * @param {Tensors} outputs
 * @param {State} state
 * @param {Cell} cell
 */
export function termsAt(outputs, state, cell) {
  const [row, column] = toGraph(state)(cell);
  const read = (/** @type {string} */ name) => /** @type {Float32Array} */ (at(/** @type {Tensor} */ (outputs[name]), row, column));
  return { window: read("windows"), products: read("products"), sum: Number(read("output")[0]) };
}
