/**
 * An image of 28 × 28 grey levels as a short text: what `dlcompare.widgets.pixel_text` writes. A pixel with ink is two
 * hexadecimal digits, 01 to ff; a run of 1 to 20 without any is one letter, g to z.
 */

export const SIDE = 28;
const PIXELS = SIDE * SIDE;
const FIRST = "g".charCodeAt(0);
const LONGEST = 20;

/** @param {ArrayLike<number>} levels  0 to 255, row by row. */
export function toText(levels) {
  let text = "";
  let empty = 0;
  const end = () => {
    for (; empty; empty -= Math.min(empty, LONGEST)) text += String.fromCharCode(FIRST + Math.min(empty, LONGEST) - 1);
  };
  for (let place = 0; place < levels.length; place++) {
    const level = Number(levels[place]);
    if (level === 0) empty += 1;
    else {
      end();
      text += level.toString(16).padStart(2, "0");
    }
  }
  end();
  return text;
}

/**
 * @param {unknown} text
 * @returns {Uint8Array | null} levels of 0 to 255, row by row; null for what `toText` would not write
 */
export function fromText(text) {
  if (typeof text !== "string" || text.length > 2 * PIXELS || !/^([g-z]|[0-9a-f]{2})*$/.test(text)) return null;
  /** @type {number[]} */
  const levels = [];
  for (const part of text.match(/[g-z]|../g) ?? []) {
    if (part.length === 1) levels.push(...new Array(part.charCodeAt(0) - FIRST + 1).fill(0));
    else levels.push(parseInt(part, 16));
  }
  return levels.length === PIXELS && toText(levels) === text ? Uint8Array.from(levels) : null;
}
