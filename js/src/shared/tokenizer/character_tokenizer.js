/** The twin of Python's `CharTokenizer`: one id per character. */

import { checkedIds, quoted } from "./checks.js";

/**
 * @typedef {{kind: "characters", characters: string}} CharacterDescription  What `CharTokenizer.to_page` gives.
 */

/**
 * @param {CharacterDescription} description
 * @returns {import("../tokenizer.js").Tokenizer}
 */
export function createCharacterTokenizer({ characters }) {
  const known = [...characters];
  const ids = new Map(known.map((character, id) => [character, id]));

  /** @param {string} text */
  function encode(text) {
    return Array.from(text, (character) => {
      const id = ids.get(character);
      if (id === undefined)
        throw new Error(`text contains ${quoted(character)}, which is not among the ${known.length} known characters`);
      return id;
    });
  }

  /** @param {Iterable<number>} wanted */
  function decode(wanted) {
    const checked = checkedIds(wanted, known.length);
    return checked.map((id) => known[id]).join("");
  }

  return {
    vocabSize: known.length,
    encode,
    decode,
    token: (id) => decode([id]),
    tokens: (text) => encode(text).map((id) => known[id]),
    spans(text) {
      let start = 0;
      return encode(text).map((id) => [start, (start += known[id].length)]);
    },
  };
}
