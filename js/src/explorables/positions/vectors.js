/**
 * The vectors of all positions as a map, a row for each position and a column for each dimension. One of its numbers is looked
 * at: pointed at, or reached by arrow keys.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */
import { signed } from "../../shared/colour.js";
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { full } from "../../shared/format.js";
import { createLegend } from "../../shared/legend.js";
import { follow } from "../../shared/roving.js";
import { dimensionOf, POSITIONS, widthOf } from "./rules.js";

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./rules.js").Sizes} sizes
 * @param {(wish: import("./rules.js").State) => void} set
 */
export function createVectors(text, sizes, set) {
  const title = h("div", { class: "dlc-part-title" });
  const canvas = h("canvas", { class: "dlc-positions-cells", height: POSITIONS });
  const row = h("div", { class: "dlc-positions-row" });
  const column = h("div", { class: "dlc-positions-column" });
  const map = h("div", { ...OWN_KEYS, class: "dlc-positions-map", role: "slider", tabindex: 0, "data-grid": "vectors", "aria-valuemin": 0, "aria-valuemax": POSITIONS - 1, "aria-label": text("map") }, canvas, row, column);
  const readout = h("p", { class: "dlc-readout", "data-readout": "vector" });
  const legend = createLegend();
  const element = h("section", { class: "dlc-part", "aria-label": text("map") }, title, map, h("div", { class: "dlc-positions-under" }, readout, legend.element));

  let at = { position: 0, dimension: 0, width: 1 };
  /** @param {PointerEvent} event */
  function point(event) {
    const box = canvas.getBoundingClientRect();
    const share = (/** @type {number} */ where, /** @type {number} */ count) => Math.min(count - 1, Math.max(0, Math.floor(where * count)));
    set({ position: share((event.clientY - box.top) / box.height, POSITIONS), dimension: share((event.clientX - box.left) / box.width, at.width) });
  }
  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault(); // keeps a long drag from selecting text
    map.focus({ preventScroll: true });
    point(event);
  });
  map.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) point(event);
  });
  map.addEventListener("keydown", (event) => {
    const next = follow(event, [at.position, at.dimension], { rows: POSITIONS, columns: at.width });
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    set({ position: next[0], dimension: next[1] });
  });

  /** What is painted. @type {unknown[]} */
  let painted = [];
  return {
    element,
    /** @param {Shown} shown */
    draw({ state, wanted, answers, scales }) {
      const { kind } = state;
      // All positions are there: the mark follows the reader at once.
      const { position } = wanted;
      put(element, { hidden: kind === "none" });
      if (kind === "none") return;
      const { data } = answers[kind];
      const width = widthOf(kind, sizes);
      at = { position, dimension: dimensionOf(wanted, width), width };
      const limit = Math.max(...data.map(Math.abs));
      if ([kind, scales].some((value, index) => value !== painted[index])) {
        painted = [kind, scales];
        const colour = signed(scales.diverging, limit);
        canvas.width = width;
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        data.forEach((/** @type {number} */ value, /** @type {number} */ place) => {
          context.fillStyle = colour(value).fill;
          context.fillRect(place % width, Math.floor(place / width), 1, 1);
        });
        legend.draw(scales.diverging, [-limit, limit], true);
      }
      title.textContent = text(`map_${kind}`);
      const place = (/** @type {number} */ which, /** @type {number} */ count) => `${((100 * which) / count).toFixed(3)}%`;
      put(row, { style: `top: ${place(position, POSITIONS)}; height: ${place(1, POSITIONS)}` });
      put(column, { style: `left: ${place(at.dimension, width)}; width: ${place(1, width)}` });
      const value = Number(data[position * width + at.dimension]);
      const said = text("readout", { position, dimension: at.dimension, value: full(value) });
      readout.textContent = said;
      put(readout, { "data-value": value });
      put(map, { "aria-valuenow": position, "aria-valuetext": said });
    },
  };
}
