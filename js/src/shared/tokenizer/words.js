/** Where byte-level BPE cuts a text before it merges: into words, with the space before them, and what is between. */

import { LETTERS, NUMBERS, SPACES } from "./character_classes.js";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * The characters of a class as they stand between the brackets of a regular expression.
 * @param {string} packed  ranges, in the form that `character_classes.js` describes
 */
function unpacked(packed) {
  /** @type {number[]} */
  const numbers = [];
  let number = 0;
  let weight = 1;
  for (const character of packed) {
    const digit = DIGITS.indexOf(character);
    number += (digit % 32) * weight;
    weight *= 32;
    if (digit < 32) {
      numbers.push(number);
      [number, weight] = [0, 1];
    }
  }
  let ranges = "";
  for (let i = 0, after = 0; i < numbers.length; i += 2) {
    const first = after + numbers[i];
    after = first + numbers[i + 1];
    ranges += `\\u{${first.toString(16)}}-\\u{${(after - 1).toString(16)}}`;
  }
  return ranges;
}

/**
 * GPT-2's pattern, with the classes \p{L}, \p{N} and \s as Python has them.
 * @returns {RegExp}
 */
function pattern() {
  const [letter, number, space] = [LETTERS, NUMBERS, SPACES].map(unpacked);
  return new RegExp(
    `'(?:[stmd]|re|ve|ll)| ?[${letter}]+| ?[${number}]+| ?[^${space}${letter}${number}]+|[${space}]+(?![^${space}])|[${space}]+`,
    "gu",
  );
}

/** @type {RegExp | undefined} */
let word;

/**
 * The words of a text; put together they are the text.
 * @param {string} text
 * @returns {string[]}
 */
export function words(text) {
  word ??= pattern();
  return text.match(word) ?? [];
}
