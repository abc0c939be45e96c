/** Every token with its probability at each stage, the most probable first. */
import { value } from "../../shared/drawing/words.js";

/**
 * @param {import("./types.js").Sample} sample
 * @param {import("./words.js").Words} words
 */
export function rows(sample, words) {
  const order = Array.from(/** @type {Int32Array} */ (sample.outputs["order"]?.data));
  return order.map((id) => [words.label(id), ...["own", "tempered", "within_k", "p"].map((name) => value(sample, name, id)), words.fate(sample, id)]);
}
