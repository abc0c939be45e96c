/**
 * A small matrix of numbers on coloured cells, with its name above and its rows and columns counted at the edges. Where cells
 * can be opened, one is reached by the tab key and the others by arrow keys; moving there opens. Cells that go into what is
 * open, here or in another matrix, are framed.
 *
 * @typedef {import("./types.js").Cell} Cell
 * @typedef {{rows: number, columns: number, values: ArrayLike<number>}} Matrix  Row by row.
 *
 * @typedef {object} MatrixGridOptions
 * @property {string} name  For style and tests: `data-grid`.
 * @property {((cell: Cell) => void) | undefined} [onPick]  A click, a tap, an arrow key; without it nothing can be opened.
 *
 * @typedef {object} MatrixGridContent
 * @property {string} title
 * @property {string} label  For a screen reader.
 * @property {Matrix} matrix
 * @property {(value: number, cell: Cell) => import("./colour.js").Colour | null} colour  Null: hatched.
 * @property {(value: number, cell: Cell) => string} describe  A cell's name for a screen reader.
 * @property {Cell | null} open
 * @property {(cell: Cell) => boolean} used  Whether a cell goes into what is open.
 */
import { h, OWN_KEYS, put } from "./dom.js";
import { short } from "./format.js";
import { follow } from "./roving.js";

/** @param {MatrixGridOptions} options */
export function createMatrixGrid({ name, onPick }) {
  const title = h("div", { class: "dlc-part-title" });
  const grid = h("div", { class: "dlc-matrix-cells", role: onPick ? "grid" : "table", "data-grid": name });
  const element = h("div", { class: "dlc-matrix", "data-matrix": name }, title, grid);
  let [rows, columns] = [0, 0];
  /** @type {HTMLElement[]} */
  let cells = [];
  /** @type {Cell} */
  let at = [0, 0];

  /** @param {number} height  @param {number} width */
  function rebuild(height, width) {
    [rows, columns] = [height, width];
    put(element, { style: `--dlc-columns: ${columns}` });
    cells = [];
    const head = h("div", { class: "dlc-matrix-row", "aria-hidden": "true" }, h("span"), ...Array.from({ length: columns }, (_, column) => h("span", { class: "dlc-matrix-head" }, String(column + 1))));
    const lines = Array.from({ length: rows }, (_, row) => {
      const line = Array.from({ length: columns }, (_, column) => {
        const cell = h("div", {
          class: "dlc-matrix-cell",
          role: onPick ? "gridcell" : "cell",
          ...(onPick ? { ...OWN_KEYS, onclick: () => pick([row, column]) } : {}),
        });
        cells.push(cell);
        return cell;
      });
      return h("div", { class: "dlc-matrix-row", role: "row" }, h("span", { class: "dlc-matrix-head", "aria-hidden": "true" }, String(row + 1)), ...line);
    });
    grid.replaceChildren(head, ...lines);
  }

  /** @param {Cell} cell */
  function pick(cell) {
    onPick?.(cell);
    cells[cell[0] * columns + cell[1]]?.focus({ preventScroll: true });
  }
  if (onPick)
    grid.addEventListener("keydown", (event) => {
      const next = follow(event, at, { rows, columns });
      if (!next) return;
      event.preventDefault();
      event.stopPropagation();
      pick(next);
    });

  return {
    element,
    /** Go to the cell that the tab key reaches; false where there is none. */
    focus() {
      if (onPick) cells[at[0] * columns + at[1]]?.focus({ preventScroll: true });
      return onPick !== undefined;
    },
    /** @param {MatrixGridContent} content */
    draw({ title: words, label, matrix, colour, describe, open, used }) {
      if (matrix.rows !== rows || matrix.columns !== columns) rebuild(matrix.rows, matrix.columns);
      title.textContent = words;
      put(grid, { "aria-label": label });
      at = open ?? [Math.min(at[0], rows - 1), Math.min(at[1], columns - 1)];
      cells.forEach((element, index) => {
        /** @type {Cell} */
        const cell = [Math.floor(index / columns), index % columns];
        const value = Number(matrix.values[index]);
        const text = short(value);
        if (element.textContent !== text) element.textContent = text;
        const paint = colour(value, cell);
        const described = describe(value, cell);
        const isOpen = open?.[0] === cell[0] && open[1] === cell[1];
        put(element, {
          "data-value": value,
          title: described,
          "aria-label": described,
          style: `${paint ? `background: ${paint.fill}; color: ${paint.ink}; ` : ""}--dlc-chars: ${text.length}`,
          "data-hatched": paint === null,
          "data-used": used(cell),
          ...(onPick ? { tabindex: cell[0] === at[0] && cell[1] === at[1] ? 0 : -1, "aria-selected": String(isOpen) } : {}),
        });
      });
    },
  };
}

/** @typedef {ReturnType<typeof createMatrixGrid>} MatrixGrid */
