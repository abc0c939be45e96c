/**
 * Text to token ids and back, in the page: the twin of Python's `dlcompare.tokenization`. For any text it gives the same
 * ids, tokens and errors.
 */

import { createBytePairTokenizer } from "./tokenizer/byte_pair_tokenizer.js";
import { createCharacterTokenizer } from "./tokenizer/character_tokenizer.js";
import { fromTokenizerJson } from "./tokenizer/tokenizer_json.js";
import { createWordTokenizer } from "./tokenizer/word_tokenizer.js";

/**
 * @typedef {object} Tokenizer
 * @property {number} vocabSize  Number of distinct ids, which run from 0.
 * @property {(text: string) => number[]} encode  The ids of a text; a special token written out in it becomes its id.
 * @property {(ids: Iterable<number>) => string} decode  The text of ids; bytes that are no UTF-8 become U+FFFD.
 * @property {(id: number) => string} token  The readable token of one id.
 * @property {(text: string) => string[]} tokens  The readable token of each id of a text.
 * @property {(text: string) => [number, number][]} spans
 *   Where in the text each id comes from: the first UTF-16 position and the one after the last. Tokens that share a
 *   character of several bytes have its whole span each, so spans can overlap.
 *
 * @typedef {import("./tokenizer/byte_pair_tokenizer.js").BytePairDescription} BytePairDescription
 * @typedef {import("./tokenizer/character_tokenizer.js").CharacterDescription} CharacterDescription
 * @typedef {import("./tokenizer/word_tokenizer.js").WordDescription} WordDescription
 */

/**
 * @param {BytePairDescription | CharacterDescription | WordDescription | Record<string, unknown>} description
 *   What `to_page` of a tokenizer gives in Python, or its `to_json`, parsed.
 * @returns {Tokenizer}
 */
export function createTokenizer(description) {
  if (description.kind === "characters")
    return createCharacterTokenizer(/** @type {CharacterDescription} */ (description));
  if (description.kind === "words") return createWordTokenizer(/** @type {WordDescription} */ (description));
  if (description.kind === "bpe") return createBytePairTokenizer(/** @type {BytePairDescription} */ (description));
  if (!("model" in description))
    throw new Error(
      `description has the kind ${JSON.stringify(description.kind)}; allowed are "bpe", "characters", "words" and a tokenizer.json`,
    );
  return createBytePairTokenizer(...fromTokenizerJson(description));
}
