/**
 * The network and its examples as tensors: what a question to the graph holds, and how its answer is kept.
 *
 * @typedef {import("../../engine/tensors.js").Tensor} Tensor
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("./rules.js").State} State
 *
 * @typedef {{features: number, classes: number, x: string, y: string, held_x: string, held_y: string}} WrittenSet
 *
 * @typedef {object} Examples
 * @property {string} name
 * @property {number} features
 * @property {number} classes
 * @property {number} side  Pixels of an image's side; 0 for points in the plane.
 * @property {Tensor} x
 * @property {Tensor} y
 * @property {Tensor} heldX
 * @property {Tensor} heldY
 * @property {Tensor} look  What the picture needs answers to: the grid over the plane, or the images held out.
 */
import { float32, fromBytes, int32 } from "../../engine/tensors.js";
import { batchAt } from "./batches.js";
import { LIMITS, settingsAt } from "./rules.js";

/** Rows and columns of the grid over the plane, and how far it reaches from the middle. */
export const GRID = { side: 61, span: 1.25 };

/** The middle of a row or a column of the grid. @param {number} index */
export const gridAt = (index) => GRID.span * ((2 * index + 1) / GRID.side - 1);

/** The middles of the grid's cells, row by row from the top left one. */
function planeGrid() {
  const { side } = GRID;
  const values = new Float32Array(2 * side * side);
  for (let cell = 0; cell < side * side; cell++) {
    values[2 * cell] = gridAt(cell % side);
    values[2 * cell + 1] = -gridAt(Math.floor(cell / side));
  }
  return float32(values, [side * side, 2]);
}

/** @param {string} name  @param {WrittenSet} written @returns {Examples} */
export function readSet(name, { features, classes, x, y, held_x, held_y }) {
  const bytes = (/** @type {string} */ text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const side = features === 2 ? 0 : Math.sqrt(features);
  const labels = (/** @type {string} */ text) => int32(Int32Array.from(bytes(text)));
  const inputs = (/** @type {string} */ text, /** @type {Tensor} */ of) => {
    const dims = [Number(of.dims[0]), features];
    // Images come as bytes, from 0, paper, to 255, ink.
    return side ? float32(Float32Array.from(bytes(text), (pixel) => pixel / 255), dims) : fromBytes("float32", dims, bytes(text));
  };
  const [classOf, heldClassOf] = [labels(y), labels(held_y)];
  const heldX = inputs(held_x, heldClassOf);
  return {
    name, features, classes, side, x: inputs(x, classOf), y: classOf, heldX, heldY: heldClassOf,
    look: side ? heldX : planeGrid(),
  }; // prettier-ignore
}

/** Widths of the input, the hidden layers and the output. @param {Examples} examples  @param {State} state */
export const widthsOf = ({ features, classes }, { depth, width }) => [features, ...Array.from({ length: depth }, () => width), classes];

/** Names and shapes of the parameters, in their order. @param {number[]} widths */
const shapesOf = (widths) =>
  widths.slice(1).flatMap((outputs, index) => [
    { name: `w${index + 1}`, dims: [outputs, Number(widths[index])] },
    { name: `b${index + 1}`, dims: [outputs] },
  ]);

/** @param {number[]} dims */
const product = (dims) => dims.reduce((all, length) => all * length, 1);

/** How many numbers the parameters are. @param {number[]} widths */
export const sizeOf = (widths) => shapesOf(widths).reduce((sum, { dims }) => sum + product(dims), 0);

/** Parameters that were laid out in one row, by name. @param {Float32Array} row  @param {number[]} widths @returns {Tensors} */
export function unpack(row, widths) {
  let start = 0;
  const entries = shapesOf(widths).map(({ name, dims }) => {
    const size = product(dims);
    start += size;
    return [name, float32(row.slice(start - size, start), dims)];
  });
  return Object.fromEntries(entries);
}

/** Parameters in one row. @param {Tensors} tensors  @param {number[]} widths  @param {string} [prefix] */
export function pack(tensors, widths, prefix = "") {
  const parts = shapesOf(widths).map(({ name }) => /** @type {Tensor} */ (tensors[prefix + name]).data);
  const row = new Float32Array(sizeOf(widths));
  let start = 0;
  for (const part of parts) {
    row.set(part, start);
    start += part.length;
  }
  return row;
}

/**
 * The question of a training step.
 * @param {Examples} examples
 * @param {State} state  Its `step` is the one asked for.
 * @param {Tensors} parameters
 * @param {boolean} whole  Whether the picture is wanted; otherwise only one answer of it is.
 */
export function stepQuestion(examples, state, parameters, whole) {
  const { x, y, heldX, heldY, look, features } = examples;
  const chosen = batchAt(state.schedule, state.step, state.seed, Number(x.dims[0]));
  const inputs = {
    x,
    y,
    chosen: int32(chosen),
    held_x: heldX,
    held_y: heldY,
    look: whole ? look : float32(look.data.slice(0, features), [1, features]),
    learning_rate: float32(settingsAt(state.schedule, state.step).rate),
    activation: int32(LIMITS.activations.indexOf(state.activation)),
    ...parameters,
  };
  return { graph: `training-step-${state.depth}`, inputs, chosen };
}
