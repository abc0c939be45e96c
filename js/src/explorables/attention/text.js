/**
 * A prompt as the model reads it: its tokens, as many as are read, with what stands on each.
 *
 * @typedef {object} ReadText
 * @property {number[]} ids
 * @property {string[]} tokens  As they are shown.
 * @property {(string | null)[]} wholes  Of a token that is only a part of a character, that character.
 * @property {number} count  How many tokens the whole prompt has.
 */
import { createTokenizer } from "../../shared/tokenizer.js";
import { readable } from "../../shared/token_text.js";

/** Stands for bytes that are no whole character. */
const PART = "\ufffd";
const REMEMBERED = 8;

/**
 * @param {Record<string, unknown>} description  The tokenizer's.
 * @param {number} longest
 */
export function createReader(description, longest) {
  const tokenizer = createTokenizer(description);
  /** The prompts last read. @type {Map<string, ReadText>} */
  const remembered = new Map();

  /** @param {string} prompt @returns {ReadText} */
  function read(prompt) {
    const known = remembered.get(prompt);
    if (known) return known;
    const all = tokenizer.encode(prompt);
    const ids = all.slice(0, longest);
    const spans = tokenizer.spans(prompt);
    const wholes = ids.map((id, index) => {
      const [first = 0, after = 0] = spans[index] ?? [];
      const whole = prompt.slice(first, after);
      return tokenizer.token(id).includes(PART) && whole !== PART ? whole : null;
    });
    const text = { ids, tokens: ids.map(token), wholes, count: all.length };
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(prompt, text);
    return text;
  }
  /** A token as it is shown. @param {number} id */
  const token = (id) => readable(tokenizer.token(id));

  return Object.assign(read, { token });
}
