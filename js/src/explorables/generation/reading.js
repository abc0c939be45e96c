/**
 * How the model is asked to read on after a text, and what the answer holds for each new token. Nothing is computed here.
 *
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("../../engine/tensors.js").Tensor} Tensor
 * @typedef {import("./tree.js").Node} Node
 * @typedef {import("./tree.js").Read} Read
 * @typedef {import("../../shared/drawing/questions.js").Config} Config
 */
import { at, int32 } from "../../engine/tensors.js";
import { cache } from "../../shared/drawing/questions.js";
import { pathTo } from "./tree.js";

/** The cache of a text. @param {Node} node  @param {Config} config */
export const cacheOf = (node, config) => cache(pathTo(node).map(({ read }) => /** @type {Read} */ (read).row), config);

/** @param {number[]} tokens  To read after `node`'s.  @param {Node} node  @param {Config} config @returns {Tensors} */
export const reading = (tokens, node, config) => ({ ids: int32(tokens, [1, tokens.length]), past: cacheOf(node, config) });

/**
 * What the model made of each of the tokens asked about.
 * @param {Tensors} outputs
 * @returns {Read[]}
 */
export function answers(outputs) {
  const [logits, rows, attention] = ["logits", "new", "attention"].map((name) => /** @type {Tensor} */ (outputs[name]));
  const [layers, count, length] = /** @type {[number, number, number]} */ (attention?.dims);
  // Copies: a token must not keep the numbers of all others that were read with it.
  return Array.from({ length: count }, (_, index) => {
    const seen = length - count + index + 1;
    const from = new Float32Array(layers * seen);
    for (let layer = 0; layer < layers; layer++) from.set(at(/** @type {Tensor} */ (attention), layer, index).subarray(0, seen), layer * seen);
    const copy = (/** @type {Tensor} */ tensor) => /** @type {Float32Array} */ (at(tensor, index).slice());
    return { logits: copy(/** @type {Tensor} */ (logits)), row: copy(/** @type {Tensor} */ (rows)), attention: from };
  });
}
