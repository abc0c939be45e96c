/** What a tokenizer refuses, in Python's words. */

/**
 * A character as it can stand in a message: half a surrogate pair by its number.
 * @param {string} character
 */
export const quoted = (character) =>
  /[\ud800-\udfff]/u.test(character) ? `'\\u${character.charCodeAt(0).toString(16)}'` : `'${character}'`;

/**
 * Raise if the text has half a surrogate pair, which stands for no character. Python counts places by characters.
 * @param {string} text
 */
export function checkText(text) {
  const half = /[\ud800-\udfff]/u.exec(text);
  if (half)
    throw new Error(
      `text contains ${quoted(half[0])} at place ${[...text.slice(0, half.index)].length}, half of a surrogate pair;` +
        " allowed is Unicode text, which has whole characters",
    );
}

/**
 * @param {Iterable<number>} ids
 * @param {number} vocabSize
 */
export function checkedIds(ids, vocabSize) {
  const checked = [...ids];
  for (const id of checked)
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize)
      throw new Error(`ids contains ${id}; allowed are 0 to ${vocabSize - 1} (vocab_size is ${vocabSize})`);
  return checked;
}
