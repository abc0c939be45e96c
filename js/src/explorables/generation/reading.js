/**
 * The questions: how the model reads, with a cache that is the rows of the path's tokens one below the other, and how a token
 * is drawn; and what the answer holds for each new token. Nothing is computed here.
 *
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("../../engine/tensors.js").Tensor} Tensor
 * @typedef {import("./tree.js").Node} Node
 * @typedef {import("./tree.js").Read} Read
 * @typedef {{n_layer: number, n_head: number, d_head: number, block_size: number, vocab_size: number}} Config
 */
import { at, flag, float32, int32 } from "../../engine/tensors.js";
import { pathTo } from "./tree.js";

/** The cache of a text: keys and values of its tokens, (place + 1, n_layer, 2 · n_head, d_head). @param {Node} node  @param {Config} config */
export function cacheOf(node, { n_layer, n_head, d_head }) {
  const width = n_layer * 2 * n_head * d_head;
  const rows = new Float32Array((node.place + 1) * width);
  for (const { place, read } of pathTo(node)) rows.set(/** @type {Read} */ (read).row, place * width);
  return float32(rows, [node.place + 1, n_layer, 2 * n_head, d_head]);
}

/** @param {number[]} tokens  To read after `node`'s.  @param {Node} node  @param {Config} config @returns {Tensors} */
export const reading = (tokens, node, config) => ({ ids: int32(tokens, [1, tokens.length]), past: cacheOf(node, config) });

/** @param {import("./rules.js").Settings} settings  @param {number} uniform  The number that decides. @returns {Tensors} */
export const drawing = ({ temperature, top_k, top_p, greedy }, uniform) => ({
  temperature: float32(temperature),
  top_k: int32(top_k),
  top_p: float32(top_p),
  greedy: flag(greedy),
  uniform: float32(uniform),
});

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
