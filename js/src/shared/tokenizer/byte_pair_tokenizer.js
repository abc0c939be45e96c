/** The twin of Python's `BPETokenizer`: byte-level byte-pair encoding, and special tokens that are found as written. */

import { BYTE_TOKENS, bytesIn, textOf, utf8, writtenBytes } from "./byte_level.js";
import { createMerger } from "./byte_pairs.js";
import { checkedIds, checkText } from "./checks.js";
import { words } from "./words.js";

/**
 * @typedef {object} BytePairDescription  What `BPETokenizer.to_page` gives.
 * @property {"bpe"} kind
 * @property {Record<string, number>} special  Special tokens with their ids.
 * @property {string} tokens  The merged tokens as bytes are written, in the order learned, with a space between.
 *
 * @typedef {object} Merge  What one merge does in a text.
 * @property {number} rank  Its place among all, from 0: what was learned first is merged first.
 * @property {number} left  The ids of the two tokens,
 * @property {number} right
 * @property {number} token  and of what becomes of them.
 * @property {number} places  How often it happens in the text.
 * @property {number} count  Tokens of the whole text when it has happened everywhere.
 *
 * @typedef {object} Inside  What only byte-pair encoding has. Where `first` is given, only so many merges are there: those
 *   that were learned first.
 * @property {number} mergeCount
 * @property {(text: string, first?: number) => number[]} encode
 * @property {(text: string) => Merge[]} mergesIn  The merges that happen in a text, in order: first each everywhere, then the
 *   next one. After one of them the text is what `encode` makes of it with this merge and those before it.
 * @property {(text: string) => string[]} parts  Words and special tokens, across which nothing is merged.
 * @property {(id: number) => {rank: number, left: number, right: number} | null} origin  The merge that makes a token; null
 *   for a byte and a special token.
 * @property {(id: number) => number[]} bytes
 * @property {(id: number) => boolean} isSpecial
 */

/** Words that are met again need not be merged again. Long ones hardly are. */
const REMEMBERED = { words: 10_000, length: 100 };

const list = (/** @type {string} */ tokens) => tokens.split(" ").filter(Boolean);

/**
 * The tokens as written, by their ids. Bytes and merged tokens have, in order, the ids that special tokens leave.
 * @param {BytePairDescription} description
 */
export function numbered({ special, tokens }) {
  /** @type {string[]} */
  const written = [];
  for (const [token, id] of Object.entries(special)) written[id] = token;
  let id = 0;
  for (const token of [...BYTE_TOKENS, ...list(tokens)]) {
    while (written[id] !== undefined) id++;
    written[id] = token;
  }
  return written;
}

/**
 * The merges by the ids of their tokens, each the id of what becomes of the two. Without `merges` they are worked out:
 * what the merges before it make of a token are the two that were merged to it.
 * @param {string[]} written
 * @param {BytePairDescription} description
 * @param {[string, string][]} [merges]  the two tokens of each merge, as written
 */
function createMergerOf(written, { tokens }, merges) {
  const ids = new Map(written.map((token, id) => [token, id]));
  const idOf = (/** @type {string} */ token) => {
    const id = ids.get(token);
    if (id === undefined) throw new Error(`tokens has ${token}, which is no byte as written and no token`);
    return id;
  };
  const merger = createMerger();
  /** @type {Map<number, {rank: number, left: number, right: number}>} by the ids of what they make */
  const origins = new Map();
  for (const [place, token] of list(tokens).entries()) {
    const halves = merges ? merges[place].map(idOf) : merger.merge(Array.from(token, idOf));
    if (halves.length !== 2)
      throw new Error(`tokens has ${token}, which the tokens before it make ${halves.length} of; allowed are 2`);
    const [left, right] = halves;
    merger.add(left, right, idOf(token));
    origins.set(idOf(token), { rank: place, left, right });
  }
  return { merger, origins };
}

/**
 * @param {BytePairDescription} description
 * @param {[string, string][]} [merges]  the two tokens of each merge, as written, where they are known
 * @returns {import("../tokenizer.js").Tokenizer & Inside}
 */
export function createBytePairTokenizer(description, merges) {
  const written = numbered(description);
  const vocabSize = written.length;
  const bytesOf = written.map(writtenBytes);
  const { merger, origins } = createMergerOf(written, description, merges);
  /** @type {number[]} each byte's id */
  const byteIds = [];
  for (const token of BYTE_TOKENS) byteIds[writtenBytes(token)[0]] = written.indexOf(token);

  const special = new Map(Object.entries(description.special));
  // Where several begin at the same place, the longest is meant.
  const choices = [...special.keys()].sort((one, other) => other.length - one.length).map(escaped);
  const specialPattern = choices.length ? new RegExp(choices.join("|"), "gu") : undefined;
  /** @type {Map<string, number[]>} */
  const remembered = new Map();

  const bytesAlone = (/** @type {string} */ word) => utf8(word).map((byte) => byteIds[byte]);
  /** @param {string} word */
  function idsOf(word) {
    const known = remembered.get(word);
    if (known) return known;
    const ids = merger.merge(bytesAlone(word));
    if (remembered.size >= REMEMBERED.words) remembered.clear();
    if (word.length <= REMEMBERED.length) remembered.set(word, ids);
    return ids;
  }

  /**
   * Call back with each special token and each word, in order, and with its ids.
   * @param {string} text
   * @param {(part: string, ids: number[], isSpecial: boolean) => void} callback
   * @param {(word: string) => number[]} [read]
   */
  function forEachPart(text, callback, read = idsOf) {
    checkText(text);
    const plain = (/** @type {string} */ between) => words(between).forEach((word) => callback(word, read(word), false));
    let end = 0;
    for (const { 0: token, index } of specialPattern ? text.matchAll(specialPattern) : []) {
      plain(text.slice(end, index));
      callback(token, [/** @type {number} */ (special.get(token))], true);
      end = index + token.length;
    }
    plain(text.slice(end));
  }

  /** @param {Iterable<number>} ids */
  const decode = (ids) => textOf(checkedIds(ids, vocabSize).flatMap((id) => bytesOf[id]));
  /** @type {string[]} */
  const readable = [];
  const token = (/** @type {number} */ id) => (readable[id] ??= decode([id]));

  /** @param {string} text  @param {number} [first] */
  function encode(text, first) {
    /** @type {number[]} */
    const all = [];
    const read = first === undefined ? idsOf : (/** @type {string} */ word) => merger.merge(bytesAlone(word), first);
    const take = (/** @type {string} */ _, /** @type {number[]} */ ids) => {
      for (const id of ids) all.push(id);
    };
    forEachPart(text, take, read);
    return all;
  }

  /** @param {string} text */
  function mergesIn(text) {
    /** @type {Map<number, number>} how often each rank happens */
    const places = new Map();
    const hear = (/** @type {number} */ rank) => void places.set(rank, (places.get(rank) ?? 0) + 1);
    let count = 0;
    const read = (/** @type {string} */ word) => {
      const bytes = bytesAlone(word);
      merger.merge(bytes, Infinity, hear);
      return bytes;
    };
    forEachPart(text, (_, ids) => (count += ids.length), read);
    const made = [...origins].map(([token, origin]) => ({ token, ...origin }));
    return [...places]
      .sort(([one], [other]) => one - other)
      .map(([rank, times]) => ({ ...made[rank], places: times, count: (count -= times) }));
  }

  /**
   * Where in a word each of its tokens is, with all of the characters that it has a part of.
   * @param {string} word
   * @param {number[]} ids
   * @returns {[number, number][]}
   */
  function placesOfTokens(word, ids) {
    /** @type {[number, number][]} for each byte the place of its character */
    const places = [];
    let start = 0;
    for (const character of word) {
      const end = start + character.length;
      for (let byte = 0; byte < bytesIn(character); byte++) places.push([start, end]);
      start = end;
    }
    let byte = 0;
    return ids.map((id) => {
      const [first] = places[byte];
      byte += bytesOf[id].length;
      return [first, places[byte - 1][1]];
    });
  }

  return {
    vocabSize,
    encode,
    decode,
    token,
    tokens: (text) => encode(text).map(token),
    mergeCount: origins.size,
    mergesIn,
    parts(text) {
      /** @type {string[]} */
      const parts = [];
      forEachPart(text, (part) => void parts.push(part), () => []);
      return parts;
    },
    origin: (id) => origins.get(id) ?? null,
    bytes: (id) => bytesOf[id],
    isSpecial: (id) => Object.hasOwn(description.special, written[id]),
    spans(text) {
      /** @type {[number, number][]} */
      const spans = [];
      let start = 0;
      forEachPart(text, (part, ids, isSpecial) => {
        if (isSpecial) spans.push([start, start + part.length]);
        else for (const [first, after] of placesOfTokens(part, ids)) spans.push([start + first, start + after]);
        start += part.length;
      });
      return spans;
    },
  };
}

/** @param {string} text */
const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
