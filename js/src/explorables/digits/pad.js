/**
 * The pad: pixels that are drawn on by mouse, finger or keys. A cell is where the keys are.
 *
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 *
 * @typedef {object} PadOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {(cells: Cell[], begins: boolean) => void} onStroke  A stroke begins, or goes on.
 * @property {(cell: Cell) => void} onErase
 */
import { h } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { fromText, SIDE } from "../../shared/pixel_text.js";
import { createPixelGrid } from "../../shared/pixel_grid.js";
import { follow } from "../../shared/roving.js";
import { line } from "./rules.js";

/** @param {PadOptions} options */
export function createPad({ text, onStroke, onErase }) {
  /** @type {Cell} */
  let cursor = [SIDE / 2, SIDE / 2];
  /** Where the pen was last, while it is down. @type {Cell | null} */
  let pen = null;
  /** @type {Shown | null} */
  let last = null;
  const readout = h("p", { class: "dlc-readout" });

  /** @param {Cell} cell */
  function go(cell) {
    cursor = cell;
    if (last) draw(last);
  }
  /** @param {Cell} cell  @param {Cell | null} from */
  function ink(cell, from) {
    onStroke(line(from ?? cell, cell), from === null);
    go(cell);
  }
  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    const next = follow({ key, ctrlKey, metaKey, altKey, shiftKey: false }, cursor, { rows: SIDE, columns: SIDE });
    if (next && shiftKey) ink(next, cursor);
    else if (next) go(next);
    else if (ctrlKey || metaKey || altKey) return;
    else if (key === " " || key === "Enter") ink(cursor, null);
    else if (key === "Backspace" || key === "Delete") onErase(cursor);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  const grid = createPixelGrid({
    label: text("pad_label"),
    name: "pad",
    onPoint() {},
    onLeave: () => (pen = null),
    onPick(cell) {
      ink(cell, pen);
      pen = cell;
    },
    onKey,
  });
  // Before the grid's own listener, which picks: what is pressed anew is a new stroke.
  grid.element.addEventListener("pointerdown", () => (pen = null), { capture: true });

  /** One function per theme, so that cells are painted anew only when the drawing or the theme changes. */
  let colour = { scales: /** @type {unknown} */ (null), of: (/** @type {number} */ _) => "" };
  let painted = { image: "", plane: /** @type {import("../../shared/types.js").Plane} */ ({ height: SIDE, width: SIDE, values: new Float32Array(SIDE * SIDE) }) };

  /** @param {Shown} shown */
  function draw(shown) {
    last = shown;
    const { wanted, scales } = shown;
    if (colour.scales !== scales) colour = { scales, of: (value) => scales.even(value).fill };
    if (painted.image !== wanted["image"]) {
      const values = Float32Array.from(fromText(wanted["image"]) ?? [], (level) => level / 255);
      painted = { image: wanted["image"], plane: { height: SIDE, width: SIDE, values } };
    }
    const [row, column] = cursor;
    grid.draw({
      plane: painted.plane,
      colour: colour.of,
      describe: (value, [row, column]) => text("cell", { value: full(value), row, column }),
      border: 0,
      signs: false,
      faint: 0,
      revealed: null,
      focus: cursor,
      mark: { row, column, size: 1 },
      pointing: false,
    });
    readout.textContent = text("readout", { row, column, value: short(Number(painted.plane.values[row * SIDE + column])) });
  }
  return { element: grid.element, readout, draw };
}
