/**
 * The cells of the calculation's table: a number on its colour, or a vector as a strip. Both are reached, pointed at and
 * described alike.
 *
 * @typedef {object} CellOptions
 * @property {import("./terms_moves.js").Column} column
 * @property {(place: number) => void} onPoint
 * @property {() => void} onFocus
 *
 * @typedef {object} CellView
 * @property {HTMLElement} cell  What stands in the row.
 * @property {HTMLElement} target  What takes the focus.
 * @property {(place: number, label: string, text: string) => void} stand
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createVectorStrip } from "../../shared/vector_strip.js";

/** @param {CellOptions} options */
export function createStripCell({ column, onPoint, onFocus }) {
  const strip = createVectorStrip({ name: column, onPoint });
  strip.element.addEventListener("focus", onFocus);
  const cell = h("div", { class: "dlc-cell", role: "gridcell", "data-column": column }, strip.element);
  return { cell, target: strip.element, stand: strip.stand, draw: strip.draw };
}

/** @param {CellOptions} options */
export function createNumberCell({ column, onPoint, onFocus }) {
  const cell = h("div", { ...OWN_KEYS, class: "dlc-cell dlc-cell-number", role: "gridcell", tabindex: -1, "data-column": column, onfocus: onFocus, onpointerenter: () => onPoint(0) });
  return {
    cell,
    target: cell,
    /** @param {number} _place  @param {string} label  @param {string} text */
    stand(_place, label, text) {
      put(cell, { "aria-label": `${label}: ${text}` });
    },
    /**
     * @param {number | null} value  Null while it is on its way.
     * @param {((value: number) => import("../../shared/colour.js").Colour) | null} colour
     */
    draw(value, colour) {
      const written = value === null ? "…" : short(value);
      if (cell.textContent !== written) cell.textContent = written;
      cell.style.setProperty("--dlc-chars", String(written.length));
      const painted = value === null || !colour || !Number.isFinite(value) ? null : colour(value);
      put(cell, {
        "data-value": value,
        title: value === null ? null : full(value),
        "aria-label": null,
      });
      cell.style.background = painted?.fill ?? "";
      cell.style.color = painted?.ink ?? "";
    },
  };
}
