/**
 * Parts of what a language model is asked: its cache, which is the rows of all tokens read, one below the other, and how a
 * token is drawn. Nothing is computed here.
 *
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {{n_layer: number, n_head: number, d_head: number, block_size: number, vocab_size: number}} Config
 */
import { flag, float32, int32 } from "../../engine/tensors.js";

/** The cache (tokens, n_layer, 2 · n_head, d_head), of keys and values. @param {Float32Array[]} rows  One for each token.  @param {Config} config */
export function cache(rows, { n_layer, n_head, d_head }) {
  const width = n_layer * 2 * n_head * d_head;
  const all = new Float32Array(rows.length * width);
  rows.forEach((row, place) => all.set(row, place * width));
  return float32(all, [rows.length, n_layer, 2 * n_head, d_head]);
}

/** @param {import("./settings.js").Settings} settings  @param {number} uniform  The number that decides. @returns {Tensors} */
export const drawing = ({ temperature, top_k, top_p, greedy }, uniform) => ({
  temperature: float32(temperature),
  top_k: int32(top_k),
  top_p: float32(top_p),
  greedy: flag(greedy),
  uniform: float32(uniform),
});
