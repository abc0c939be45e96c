/**
 * Arrow keys in a grid of cells: where a key leads. Shared by every grid, so that all answer alike.
 *
 * @typedef {import("./types.js").Cell} Cell
 */

/**
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">} event
 * @param {Cell} cell
 * @param {{rows: number, columns: number}} size
 * @returns {Cell | null} the cell to go to, kept within the grid; null for a key that does not move
 */
export function follow(event, [row, column], { rows, columns }) {
  if (event.altKey || event.shiftKey) return null;
  const whole = event.ctrlKey || event.metaKey;
  const bottom = rows - 1;
  const right = columns - 1;
  switch (event.key) {
    case "ArrowUp":
      return whole ? null : [Math.max(0, row - 1), column];
    case "ArrowDown":
      return whole ? null : [Math.min(bottom, row + 1), column];
    case "ArrowLeft":
      return whole ? null : [row, Math.max(0, column - 1)];
    case "ArrowRight":
      return whole ? null : [row, Math.min(right, column + 1)];
    case "Home":
      return whole ? [0, 0] : [row, 0];
    case "End":
      return whole ? [bottom, right] : [row, right];
    case "PageUp":
      return whole ? null : [0, column];
    case "PageDown":
      return whole ? null : [bottom, column];
    default:
      return null;
  }
}
