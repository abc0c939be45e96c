/**
 * A small square of numbers on coloured cells: three significant digits to read, full precision on hover and focus.
 * One cell is reached by the tab key, the others by arrow keys.
 *
 * @typedef {object} NumberGridOptions
 * @property {string} label
 * @property {string} name  For style and tests: `data-grid`.
 * @property {(detail: {row: number, column: number} | null) => void} onDetail  A cell is pointed at or has focus; null: none.
 */
import { h, OWN_KEYS, put } from "./dom.js";
import { full, short } from "./format.js";
import { follow } from "./roving.js";

/** @param {NumberGridOptions} options */
export function createNumberGrid({ label, name, onDetail }) {
  const element = h("div", { class: "dlc-number-grid", role: "grid", "aria-label": label, "data-grid": name });
  let size = 0;
  /** @type {HTMLElement[]} */
  let cells = [];
  let [row, column] = [0, 0];

  /** @param {number} nextRow  @param {number} nextColumn */
  function reach(nextRow, nextColumn) {
    put(/** @type {Element} */ (cells[row * size + column]), { tabindex: -1 });
    [row, column] = [nextRow, nextColumn];
    const cell = /** @type {HTMLElement} */ (cells[row * size + column]);
    put(cell, { tabindex: 0 });
    cell.focus();
  }

  /** @param {number} next */
  function rebuild(next) {
    size = next;
    row = column = 0;
    put(element, { style: `--dlc-size: ${size}` });
    cells = Array.from({ length: size * size }, (_, index) => {
      const at = { row: Math.floor(index / size), column: index % size };
      return h("div", {
        ...OWN_KEYS,
        class: "dlc-number",
        role: "gridcell",
        tabindex: index ? -1 : 0,
        onpointerenter: () => onDetail(at),
        onpointerleave: () => onDetail(null),
        onfocus: () => onDetail(at),
        onblur: () => onDetail(null),
      });
    });
    const lines = Array.from({ length: size }, (_, line) =>
      h("div", { role: "row", class: "dlc-row" }, ...cells.slice(line * size, (line + 1) * size)),
    );
    element.replaceChildren(...lines);
  }

  element.addEventListener("keydown", (event) => {
    const next = follow(event, [row, column], { rows: size, columns: size });
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    reach(...next);
  });
  element.addEventListener("focusin", (event) => {
    const index = cells.indexOf(/** @type {HTMLElement} */ (event.target));
    if (index >= 0 && index !== row * size + column) reach(Math.floor(index / size), index % size);
  });

  return {
    element,
    /**
     * @param {ArrayLike<number>} values  A square, row by row.
     * @param {(value: number) => import("./colour.js").Colour} colour
     */
    draw(values, colour) {
      const next = Math.sqrt(values.length);
      if (next !== size) rebuild(next);
      cells.forEach((cell, index) => {
        const value = /** @type {number} */ (values[index]);
        const { fill, ink } = colour(value);
        const text = short(value);
        if (cell.textContent !== text) cell.textContent = text;
        put(cell, { "data-value": value, title: full(value), style: `background: ${fill}; color: ${ink}; --dlc-chars: ${text.length}` });
      });
    },
  };
}
