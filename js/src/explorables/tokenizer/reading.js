/**
 * A text as each of the tokenizers reads it.
 *
 * @typedef {object} Token
 * @property {number | null} id  Null for a character that the vocabulary lacks.
 * @property {number} first  Its first byte in the text,
 * @property {number} after  and the one after its last.
 * @property {string} text  As it is shown: readable, or its bytes where they are no whole characters.
 * @property {boolean} whole  Whether they are.
 * @property {boolean} known  Whether it is in the vocabulary.
 *
 * @typedef {object} Character
 * @property {string} character
 * @property {number} first  Its first byte in the text.
 * @property {number[]} bytes
 *
 * @typedef {object} Reading
 * @property {string} text
 * @property {number} byteCount
 * @property {Character[]} characters
 * @property {import("../../shared/tokenizer/byte_pair_tokenizer.js").Merge[]} merges  Those that happen in the text, in order.
 * @property {Token[]} parts  Words and special tokens, across which BPE merges nothing.
 * @property {(cut: string, step: number) => Token[]} tokens  The text cut by one of them; BPE with so many of its merges.
 *
 * @typedef {ReturnType<typeof createReader>} Reader
 */
import { createBytePairTokenizer } from "../../shared/tokenizer/byte_pair_tokenizer.js";
import { textOf, utf8 } from "../../shared/tokenizer/byte_level.js";
import { createCharacterTokenizer } from "../../shared/tokenizer/character_tokenizer.js";
import { createWordTokenizer } from "../../shared/tokenizer/word_tokenizer.js";
import { readable } from "../../shared/token_text.js";

/** Readings that are remembered: that of the last text, and of the one before. */
const REMEMBERED = 4;

/** A byte as two hexadecimal digits. @param {number} byte */
export const hex = (byte) => byte.toString(16).toUpperCase().padStart(2, "0");

/** @param {import("../../shared/types.js").Model} model */
export function createReader(model) {
  const { bpe, characters, words } = model.get("tokenizers");
  const pairs = createBytePairTokenizer(bpe);
  const letters = createCharacterTokenizer(characters);
  const vocabulary = createWordTokenizer(words);
  const knownLetters = new Set(characters.characters);
  /** @type {Map<string, Reading>} */
  const remembered = new Map();

  /** What a token of BPE is outside any text. @param {number} id */
  function label(id) {
    const text = pairs.token(id);
    return text.includes("\ufffd") ? pairs.bytes(id).map(hex).join(" ") : readable(text);
  }

  /** @param {string} text @returns {Reading} */
  function make(text) {
    /** @type {Character[]} */
    const all = [];
    let byteCount = 0;
    for (const character of text) {
      const bytes = utf8(character);
      all.push({ character, first: byteCount, bytes });
      byteCount += bytes.length;
    }
    const bytes = all.flatMap((one) => one.bytes);
    const starts = new Set([...all.map(({ first }) => first), byteCount]);
    /** @param {{id: number | null, length: number, known: boolean}[]} parts */
    function place(parts) {
      let first = 0;
      return parts.map(({ id, length, known }) => {
        const [from, after] = [first, (first += length)];
        const whole = starts.has(from) && starts.has(after);
        const own = bytes.slice(from, after);
        return { id, first: from, after, known, whole, text: whole ? readable(textOf(own)) : own.map(hex).join(" ") };
      });
    }
    const merges = pairs.mergesIn(text);
    const parts = place(pairs.parts(text).map((part) => ({ id: null, length: utf8(part).length, known: true })));
    /** @type {Map<string, Token[]>} */
    const cuts = new Map();
    /** @param {string} cut  @param {number} step */
    function cutUp(cut, step) {
      if (cut === "characters") {
        return place(all.map(({ character, bytes: { length } }) => ({ id: knownLetters.has(character) ? Number(letters.encode(character)[0]) : null, length, known: knownLetters.has(character) })));
      }
      if (cut === "words") {
        const ids = vocabulary.encode(text);
        return place(vocabulary.tokens(text).map((word, index) => ({ id: Number(ids[index]), length: utf8(word).length, known: ids[index] !== 0 })));
      }
      const ids = pairs.encode(text, step === 0 ? 0 : Number(merges[step - 1]?.rank) + 1);
      return place(ids.map((id) => ({ id, length: pairs.bytes(id).length, known: true })));
    }
    return {
      text,
      byteCount,
      characters: all,
      merges,
      parts,
      tokens(cut, step) {
        const at = Math.min(step, merges.length);
        const key = cut === "bpe" ? `bpe ${at}` : cut;
        const known = cuts.get(key) ?? cutUp(cut, at);
        cuts.set(key, known);
        return known;
      },
    };
  }

  /** @param {string} text @returns {Reading} */
  function read(text) {
    const known = remembered.get(text) ?? make(text);
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(text, known);
    return known;
  }
  const sizes = { characters: letters.vocabSize, words: vocabulary.vocabSize, bytes: 256, bpe: pairs.vocabSize };
  return Object.assign(read, { label, sizes, pairs, wordCount: words.words.length });
}
