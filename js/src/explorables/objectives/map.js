/**
 * Who may see whom, as the model's own scores say it: a row for each position, a cell for each token that it might see.
 * Pressing a cell looks at its row.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./rules.js").Row} Row
 */
import { h, put } from "../../shared/dom.js";
import { createPixelGrid } from "../../shared/pixel_grid.js";
import { follow } from "../../shared/roving.js";
import { IGNORED } from "./rules.js";

/** Rows that there is room to name. */
const NAMED = 24;

/** @param {import("../../shared/format.js").Translate} text  @param {(place: number) => void} onPick */
export function createMap(text, onPick) {
  let at = { row: 0, column: 0, side: 0 };
  let paint = { sees: /** @type {unknown} */ (null), scales: /** @type {unknown} */ (null), plane: { height: 0, width: 0, values: new Float32Array() }, colour: (/** @type {number} */ _value, /** @type {import("../../shared/types.js").Cell} */ _cell) => "" };
  let say = (/** @type {number} */ _row, /** @type {number} */ _column) => "";
  const grid = createPixelGrid({
    label: text("map"),
    name: "map",
    onPoint: ([row, column]) => void (readout.textContent = say(row, column)),
    onLeave: () => void (readout.textContent = say(at.row, at.column)),
    onPick: ([row, column]) => pick(row, column),
    onKey(event) {
      const next = follow(event, [at.row, at.column], { rows: at.side, columns: at.side });
      if (!next) return;
      event.preventDefault();
      event.stopPropagation();
      pick(...next);
    },
  });
  /** @param {number} row  @param {number} column */
  function pick(row, column) {
    at = { ...at, row, column };
    stand();
    onPick(row);
  }
  const title = h("div", { class: "dlc-part-title" });
  const names = h("div", { class: "dlc-map-names", "aria-hidden": "true" });
  const readout = h("p", { class: "dlc-readout", "data-readout": "map" });
  const element = h("div", { class: "dlc-part dlc-objectives-map" }, title, h("div", { class: "dlc-map-body" }, names, grid.element), readout);

  function stand() {
    const { row, column, side } = at;
    grid.draw({
      plane: paint.plane,
      colour: paint.colour,
      describe: (_value, [of, seen]) => say(of, seen),
      border: 0,
      signs: false,
      faint: 0,
      revealed: null,
      pointing: false,
      focus: [row, column],
      mark: { row, column: 0, size: 1, columns: side },
    });
    readout.textContent = say(row, column);
  }

  return {
    element,
    /** @param {Shown} shown  @param {Row} row */
    draw({ answers, state, wanted, scales }, row) {
      const side = row.ids.length;
      const sees = answers["sees"].data;
      at = { row: Math.min(wanted["place"], side - 1), column: Math.min(at.column, side - 1), side };
      if (paint.sees !== sees || paint.scales !== scales) {
        const plane = { height: side, width: side, values: Float32Array.from(sees) };
        const [seen, masked] = [scales.even(0.3).fill, scales.even(0.85).fill];
        const isMask = row.targets.map((target) => state["objective"] === "masked" && target !== IGNORED);
        say = (of, to) => text(!plane.values[of * side + to] ? "map_not" : isMask[to] ? "map_mask" : "map_sees", { place: row.tokens[of] ?? "", token: row.tokens[to] ?? "" });
        paint = { sees, scales, plane, colour: (value, [, to]) => (!value ? "transparent" : isMask[to] ? masked : seen) };
        names.replaceChildren(...(side > NAMED ? [] : row.tokens.map((token) => h("bdi", {}, token))));
        title.textContent = text(isMask.includes(true) ? "map_title_masked" : "map_title");
        put(element, { style: `--dlc-side: ${side}` });
      }
      stand();
    },
  };
}
