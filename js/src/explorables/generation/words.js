/**
 * Tokens as they are shown, and what is said about them.
 *
 * @typedef {import("../../shared/format.js").Translate} Translate
 * @typedef {import("./types.js").Sample} Sample
 * @typedef {import("./tree.js").Node} Node
 */
import { full, short } from "../../shared/format.js";
import { readable } from "../../shared/token_text.js";

/** What became of a token, by the numbers of `dlcompare.graphs.generation`. */
export const FATES = /** @type {const} */ (["kept", "cut_by_top_k", "cut_by_top_p", "cut_by_greedy"]);

/** @param {Sample} sample  @param {string} name  @param {number} at */
export const value = ({ outputs }, name, at) => Number(outputs[name]?.data[at]);

/**
 * @param {Translate} text
 * @param {import("../../shared/tokenizer.js").Tokenizer} tokenizer
 */
export function createWords(text, tokenizer) {
  const labels = Array.from({ length: tokenizer.vocabSize }, (_, id) => readable(tokenizer.token(id)));
  /** @param {number} id */
  const label = (id) => labels[id] ?? "";
  /** What became of a token. @param {Sample} sample  @param {number} id */
  const fate = (sample, id) => text(FATES[value(sample, "cut", id)] ?? "kept");
  return {
    label,
    fate,
    /** Whether a line ends with a token. @param {number} id */
    endsLine: (id) => tokenizer.token(id).endsWith("\n"),
    /** A token of the vocabulary with its numbers, at a rank counted from 1. @param {Sample} sample  @param {number} rank  @param {(value: number) => string} [write] */
    ofRank(sample, rank, write = full) {
      const id = value(sample, "order", rank - 1);
      const [own, p] = ["own", "p"].map((name) => write(value(sample, name, id)));
      return text("candidate", { rank, token: label(id), own: own ?? "", p: p ?? "", fate: fate(sample, id) });
    },
    /** How a token came into the text. @param {Node} node  @param {(value: number) => string} write */
    ofNode({ token, place, by, given, chance }, write) {
      const parts = [text(`came_${by}`, { token: label(token), place })];
      if (given === null) parts.push(text("given_none"));
      else parts.push(text("given", { value: write(given) }));
      if (chance !== null) parts.push(text("chance", { value: write(chance) }));
      return parts.join(" ");
    },
    /** The same, short. @param {Node} node */
    ofChip: ({ token, place, by, given }) =>
      text("chip", { token: label(token), place, by: text(`by_${by}`), value: given === null ? text("none") : short(given) }),
  };
}

/** @typedef {ReturnType<typeof createWords>} Words */
