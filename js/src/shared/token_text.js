/** A token as it is shown: with marks for what would not be seen. The book's figures show the same (`dlcompare.style`). */

/** @type {Record<string, string>} */
const MARKS = { " ": "·", "\n": "⏎", "\t": "⇥", "\u007f": "␡" };

/**
 * @param {string} token
 * @returns {string}
 */
export function readable(token) {
  const shown = token.replace(/[\p{Cc}\p{Cf}\p{Z}]/gu, (character) => {
    const number = /** @type {number} */ (character.codePointAt(0));
    if (MARKS[character]) return MARKS[character];
    if (number < 32) return String.fromCharCode(0x2400 + number); // pictures of the control characters
    return `U+${number.toString(16).toUpperCase().padStart(4, "0")}`;
  });
  // An accent without a letter would sit on its neighbour.
  return /^\p{M}/u.test(shown) ? `◌${shown}` : shown;
}
