/**
 * Which of the engine's numbers a view shows. Nothing is computed here.
 *
 * @typedef {import("../../shared/types.js").Plane} Plane
 * @typedef {import("../../engine/tensors.js").Tensor} Tensor
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("./state.js").Pass} Pass
 */
import { at } from "../../engine/tensors.js";
import { STEPS } from "./rules.js";

export { largest, strongest } from "../../shared/order.js";

/** @param {Tensors} outputs  @param {string} name */
const tensor = (outputs, name) => /** @type {Tensor} */ (outputs[name]);

/** The numbers of an output at some places. @param {Tensors} outputs  @param {string} name  @param {...number} places */
export const part = (outputs, name, ...places) => /** @type {Float32Array} */ (at(tensor(outputs, name), ...places));

/** A single number. @param {Tensors} outputs  @param {string} name  @param {...number} places */
export const number = (outputs, name, ...places) => Number(part(outputs, name, ...places)[0]);

/** The weights of one head. @param {Pass} pass  @param {number} layer  @param {number} head @returns {Plane} */
export function weightsOf({ outputs, read }, layer, head) {
  const side = read.ids.length;
  return { height: side, width: side, values: part(outputs, "attention", layer, head) };
}

/** @typedef {{plane: Plane, name: "dots" | "scaled" | "masked" | "weights", veiled: boolean}} Matrix */

/**
 * What the map shows after a step: the matrix that the calculation has come to.
 * @param {Pass} pass
 * @param {number} step
 * @returns {Matrix}
 */
export function matrixAfter(pass, step) {
  const side = pass.read.ids.length;
  const name = /** @type {Matrix["name"]} */ (["dots", "dots", "scaled", "masked"][step] ?? "weights");
  const values = name === "weights" ? weightsOf(pass, pass.of.layer, pass.of.head).values : part(pass.outputs, name);
  const plane = { height: side, width: side, values };
  return { plane, name, veiled: STEPS[step] === "vectors" };
}

/** Whether a query must not see a key. @param {Pass} pass  @param {number} query  @param {number} key */
export const isHidden = ({ of }, query, key) => of.causal && key > query;

/** The largest size among numbers, leaving out −∞: how far a colour scale reaches. @param {ArrayLike<number>} values */
export function reach(values) {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(Number(values[i]));
    if (size > most && Number.isFinite(size)) most = size;
  }
  return most;
}
