/**
 * The places in the table of one token's calculation, and where a key leads from one of them. Pure.
 *
 * @typedef {"query" | "key" | "dot" | "scaled" | "masked" | "exponential" | "total" | "weight" | "value" | "term" | "output"} Column
 * @typedef {{column: Column, key: number | null}} Cell  A column, and the row's token; of the query, the total and the output
 *   there is only one.
 * @typedef {Cell & {place: number}} Detail  In a vector, the place of the number; otherwise 0.
 */

/** From left to right; what stands above or below another has the place beside it. @type {readonly Column[]} */
const ORDER = ["query", "key", "dot", "scaled", "masked", "exponential", "total", "weight", "value", "term", "output"];
const VECTORS = new Set(["query", "key", "value", "term", "output"]);

/** @param {Column} column */
export const isVector = (column) => VECTORS.has(column);

/** @param {Cell} one  @param {Cell} other */
export const sameCell = (one, other) => one.column === other.column && one.key === other.key;

/**
 * Arrow keys walk along a row, within a vector from number to number, and with Ctrl from cell to cell.
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">} event
 * @param {Detail} from
 * @param {Cell[][]} rows  The cells that are there, row by row.
 * @param {number} width  Numbers in a vector.
 * @returns {Detail | null} where to go, kept within the table; null for a key that does not move
 */
export function move({ key, ctrlKey, metaKey, altKey, shiftKey }, from, rows, width) {
  if (altKey || shiftKey) return null;
  const jump = ctrlKey || metaKey;
  const row = rows.findIndex((cells) => cells.some((cell) => sameCell(cell, from)));
  const cells = rows[row] ?? [];
  const index = cells.findIndex((cell) => sameCell(cell, from));
  const last = (/** @type {Cell} */ cell) => (isVector(cell.column) ? width - 1 : 0);
  const inRow = (/** @type {number} */ to, /** @type {number} */ place) => {
    const cell = cells[Math.min(cells.length - 1, Math.max(0, to))] ?? from;
    return { ...cell, place: Math.min(place, last(cell)) };
  };
  const inColumn = (/** @type {number} */ to) => {
    const away = (/** @type {Cell} */ cell) => Math.abs(ORDER.indexOf(cell.column) - ORDER.indexOf(from.column));
    const line = rows[Math.min(rows.length - 1, Math.max(0, to))] ?? [from];
    const nearest = line.reduce((best, cell) => (away(cell) < away(best) ? cell : best));
    return { ...nearest, place: Math.min(from.place, last(nearest)) };
  };
  switch (key) {
    case "ArrowLeft":
      if (from.place > 0 && !jump) return { ...from, place: from.place - 1 };
      return index > 0 ? inRow(index - 1, jump ? 0 : Infinity) : { ...from, place: 0 };
    case "ArrowRight":
      if (from.place < last(from) && !jump) return { ...from, place: from.place + 1 };
      return index + 1 < cells.length ? inRow(index + 1, 0) : from;
    case "ArrowUp":
      return jump ? null : inColumn(row - 1);
    case "ArrowDown":
      return jump ? null : inColumn(row + 1);
    case "PageUp":
      return jump ? null : inColumn(0);
    case "PageDown":
      return jump ? null : inColumn(Infinity);
    case "Home":
      return jump ? inColumn(0) : inRow(0, 0);
    case "End":
      return jump ? inColumn(Infinity) : inRow(Infinity, Infinity);
    default:
      return null;
  }
}
