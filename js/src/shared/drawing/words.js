/**
 * Tokens as they are shown, and what is said about those that can be drawn.
 *
 * @typedef {import("../format.js").Translate} Translate
 *
 * @typedef {object} Sample  What a token is drawn from, by the graph `sampling` or as much of it as is known: numbers by their
 *   token's id, and `order`, the most probable first.
 * @property {{children: {token: number}[]}} of  What was tried there.
 * @property {number[]} [ranks]  Of each in `order`, where they are not 1, 2, 3, …
 * @property {Record<string, {data: Record<number, number>}>} outputs
 */
import { full } from "../format.js";
import { readable } from "../token_text.js";

/** What became of a token, by the numbers of `dlcompare.graphs.generation`. */
export const FATES = /** @type {const} */ (["kept", "cut_by_top_k", "cut_by_top_p", "cut_by_greedy"]);

/** @param {Sample} sample  @param {string} name  @param {number} at */
export const value = ({ outputs }, name, at) => Number(outputs[name]?.data[at]);

/**
 * @param {Translate} text
 * @param {import("../tokenizer.js").Tokenizer} tokenizer
 */
export function createTokenWords(text, tokenizer) {
  const labels = Array.from({ length: tokenizer.vocabSize }, (_, id) => readable(tokenizer.token(id)));
  /** @param {number} id */
  const label = (id) => labels[id] ?? "";
  /** What became of a token. @param {Sample} sample  @param {number} id */
  const fate = (sample, id) => text(FATES[value(sample, "cut", id)] ?? "kept");
  return {
    label,
    fate,
    /** A token of the vocabulary with its numbers, at a place in the order counted from 1. @param {Sample} sample  @param {number} rank  @param {(value: number) => string} [write] */
    ofRank(sample, rank, write = full) {
      const id = value(sample, "order", rank - 1);
      const [own, p] = ["own", "p"].map((name) => write(value(sample, name, id)));
      return text("candidate", { rank: sample.ranks?.[rank - 1] ?? rank, token: label(id), own: own ?? "", p: p ?? "", fate: fate(sample, id) });
    },
  };
}

/** @typedef {ReturnType<typeof createTokenWords>} TokenWords */
