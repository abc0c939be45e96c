/** The twin of Python's `WordTokenizer`: one id per word, and 0 for every word that is not in the vocabulary. */

import { checkedIds, checkText } from "./checks.js";
import { words as cut } from "./words.js";

/** What stands for a word that is not in the vocabulary. */
const UNKNOWN = "<|unknown|>";

/**
 * @typedef {{kind: "words", words: string[]}} WordDescription  What `WordTokenizer.to_page` gives.
 */

/**
 * @param {WordDescription} description
 * @returns {import("../tokenizer.js").Tokenizer}
 */
export function createWordTokenizer({ words }) {
  const known = [UNKNOWN, ...words];
  const ids = new Map(words.map((word, index) => [word, index + 1]));
  const tokens = (/** @type {string} */ text) => {
    checkText(text);
    return cut(text);
  };
  const encode = (/** @type {string} */ text) => tokens(text).map((word) => ids.get(word) ?? 0);
  const decode = (/** @type {Iterable<number>} */ wanted) => checkedIds(wanted, known.length).map((id) => known[id]).join("");

  return {
    vocabSize: known.length,
    encode,
    decode,
    token: (id) => decode([id]),
    tokens,
    spans(text) {
      let start = 0;
      return tokens(text).map((word) => [start, (start += word.length)]);
    },
  };
}
