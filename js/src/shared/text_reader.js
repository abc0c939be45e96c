/**
 * A prompt as the model reads it: its tokens, as many as are read, with what stands on each; and whether it can be read.
 *
 * @typedef {object} ReadText
 * @property {number[]} ids
 * @property {string[]} tokens  As they are shown.
 * @property {(string | null)[]} wholes  Of a token that is only a part of a character, that character.
 * @property {number} count  How many tokens the whole prompt has.
 */
import { createTokenizer } from "./tokenizer.js";
import { readable } from "./token_text.js";

/** Characters that a prompt may have. */
export const LONGEST_PROMPT = 500;
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

/** @typedef {ReturnType<typeof createReader>} Reader */

/** Each widget's reader, made once. @type {WeakMap<import("./types.js").Model, Reader>} */
const readers = new WeakMap();

/** The reader of a widget with the traits `tokenizer` and `sizes`, which has the `longest` text. @param {import("./types.js").Model} model @returns {Reader} */
export function readerOf(model) {
  const reader = readers.get(model) ?? createReader(model.get("tokenizer"), model.get("sizes").longest);
  readers.set(model, reader);
  return reader;
}

/**
 * Why a prompt cannot be read; null when it can.
 * @param {unknown} prompt
 * @param {{count: (prompt: string) => number}} limits  How many tokens of a prompt are read; raises when it cannot be read.
 * @returns {"empty" | "long" | "half" | "unknown" | null}
 */
export function refusal(prompt, { count }) {
  if (typeof prompt !== "string" || prompt === "") return "empty";
  if (prompt.length > LONGEST_PROMPT && [...prompt].length > LONGEST_PROMPT) return "long";
  if (/\p{Surrogate}/u.test(prompt)) return "half";
  try {
    count(prompt);
    return null;
  } catch {
    return "unknown"; // a tokenizer of characters knows only those that it has met
  }
}
