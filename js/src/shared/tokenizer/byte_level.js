/**
 * Byte-level BPE writes each byte as one visible character, so that its tokens can stand in a text file (GPT-2; Radford
 * et al. 2019, section 2.2). Printable characters of Latin-1 stand for themselves, the other bytes for U+0100 and on.
 */

const PRINTABLE = /[!-~¡-¬®-ÿ]/;

/** @type {Map<string, number>} */
const BYTES = new Map();
for (let byte = 0, others = 0; byte < 256; byte++) {
  const latin = String.fromCharCode(byte);
  BYTES.set(PRINTABLE.test(latin) ? latin : String.fromCharCode(256 + others++), byte);
}

/** The bytes as written, in the order of their tokens: that of the characters. */
export const BYTE_TOKENS = [...BYTES.keys()].sort();

/**
 * The bytes that a token writes. One with a character that writes no byte, as a special token may have, stands for
 * itself; Python's `tokenizers` does the same.
 * @param {string} token
 * @returns {number[]}
 */
export function writtenBytes(token) {
  const bytes = Array.from(token, (character) => BYTES.get(character));
  return bytes.includes(undefined) ? utf8(token) : /** @type {number[]} */ (bytes);
}

const encoder = new TextEncoder();

/**
 * @param {string} text
 * @returns {number[]}
 */
export const utf8 = (text) => Array.from(encoder.encode(text));

/**
 * How many bytes a character has.
 * @param {string} character
 */
export function bytesIn(character) {
  if (character.length === 2) return 4;
  return character < "\x80" ? 1 : character < "\u0800" ? 2 : 3;
}

// A byte order mark is a character like others: it must not get lost.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The text of bytes; what is no UTF-8 becomes U+FFFD.
 * @param {number[]} bytes
 */
export const textOf = (bytes) => decoder.decode(Uint8Array.from(bytes));
