/**
 * What is said about the tokens of a text.
 *
 * @typedef {import("../../shared/format.js").Translate} Translate
 * @typedef {import("./tree.js").Node} Node
 */
import { short } from "../../shared/format.js";
import { createTokenWords } from "../../shared/drawing/words.js";

/**
 * @param {Translate} text
 * @param {import("../../shared/tokenizer.js").Tokenizer} tokenizer
 */
export function createWords(text, tokenizer) {
  const words = createTokenWords(text, tokenizer);
  const { label } = words;
  return {
    ...words,
    /** Whether a line ends with a token. @param {number} id */
    endsLine: (id) => tokenizer.token(id).endsWith("\n"),
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
