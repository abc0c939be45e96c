/**
 * What the state may be, and what drawing does to it: a pen that leaves a soft dot at each pixel of a line, an eraser, and
 * moving the whole.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {"pen" | "eraser"} Tool
 */
import { fromText, SIDE, toText } from "../../shared/pixel_text.js";

export const BLANK = toText(new Uint8Array(SIDE * SIDE));
export const DIGITS = Array.from({ length: 10 }, (_, digit) => digit);

/** Ink of a dot, by the distance in rows and columns from its middle: as soft at the edge as the digits' own strokes. */
const DOT = [[255, 190], [190, 90]]; // prettier-ignore

export const TOOLS = ["pen", "eraser"];

/** @param {State} state  @param {State} wish @returns {State} */
export function change(state, wish) {
  const image = wish["image"] !== state["image"] && fromText(wish["image"]) ? wish["image"] : state["image"];
  const tool = TOOLS.includes(wish["tool"]) ? wish["tool"] : state["tool"];
  return image === state["image"] && tool === state["tool"] ? state : { image, tool };
}

/** The pixels from one to another, both included. @param {Cell} from  @param {Cell} to @returns {Cell[]} */
export function line([fromRow, fromColumn], [toRow, toColumn]) {
  const steps = Math.max(Math.abs(toRow - fromRow), Math.abs(toColumn - fromColumn));
  const between = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ step) => Math.round(from + ((to - from) * step) / Math.max(1, steps));
  return Array.from({ length: steps + 1 }, (_, step) => [between(fromRow, toRow, step), between(fromColumn, toColumn, step)]);
}

/**
 * The image after a stroke.
 * @param {string} image
 * @param {Cell[]} cells
 * @param {Tool} tool
 */
export function drawn(image, cells, tool) {
  const levels = fromText(image) ?? new Uint8Array(SIDE * SIDE);
  for (const [row, column] of cells) {
    for (const down of [-1, 0, 1]) {
      for (const right of [-1, 0, 1]) {
        const [y, x] = [row + down, column + right];
        if (y < 0 || x < 0 || y >= SIDE || x >= SIDE) continue;
        const place = y * SIDE + x;
        const ink = Number(DOT[Math.abs(down)]?.[Math.abs(right)]);
        levels[place] = tool === "eraser" ? 0 : Math.max(Number(levels[place]), ink);
      }
    }
  }
  return toText(levels);
}

/** The image moved; paper comes in, and what leaves is gone. @param {string} image  @param {number} down  @param {number} right */
export function moved(image, down, right) {
  const levels = fromText(image) ?? new Uint8Array(SIDE * SIDE);
  const result = levels.map((_, place) => {
    const [row, column] = [Math.floor(place / SIDE) - down, (place % SIDE) - right];
    return row < 0 || column < 0 || row >= SIDE || column >= SIDE ? 0 : Number(levels[row * SIDE + column]);
  });
  return toText(result);
}

/** The place of the largest of some numbers. @param {ArrayLike<number>} values */
export function best(values) {
  let at = 0;
  for (let place = 1; place < values.length; place++) if (Number(values[place]) > Number(values[at])) at = place;
  return at;
}
