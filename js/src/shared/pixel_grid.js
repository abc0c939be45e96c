/**
 * An image as a grid of cells, each with its exact number: pointed at by mouse or finger, walked by arrow keys, read by a
 * screen reader as a grid with rows.
 *
 * @typedef {import("./types.js").Cell} Cell
 * @typedef {import("./types.js").Plane} Plane
 *
 * @typedef {object} PixelGridOptions
 * @property {string} label
 * @property {string} name  For style and tests: `data-grid`.
 * @property {(cell: Cell) => void} onPoint  The mouse is over a cell.
 * @property {() => void} onLeave
 * @property {(cell: Cell) => void} onPick  A click, a tap or a finger that slides.
 * @property {(event: KeyboardEvent) => void} onKey
 *
 * @typedef {object} PixelGridContent
 * @property {Plane} plane
 * @property {(value: number, cell: Cell) => string} colour  "transparent" shows the hatching below.
 * @property {(value: number, cell: Cell, outside: boolean) => string} describe  A cell's name for a screen reader.
 * @property {number} border  How many rows and columns on each side are padding, drawn as such.
 * @property {boolean} signs  Whether negative cells carry a minus mark.
 * @property {number | null} revealed  How many cells, in reading order, are shown; null for all.
 * @property {Cell} focus  The cell that the tab key reaches.
 * @property {{row: number, column: number, size: number, columns?: number}} mark  The square outlined; with `columns`, as
 *   wide as these.
 * @property {boolean} pointing  Whether the square is only pointed at, not chosen.
 * @property {number} faint  Negative cells nearer to zero than this carry no mark: they have no colour to speak of.
 */
import { h, OWN_KEYS, put, s, uniqueId } from "./dom.js";

/** @param {PixelGridOptions} options */
export function createPixelGrid({ label, name, onPoint, onLeave, onPick, onKey }) {
  const hatchId = uniqueId("hatch");
  const backdrop = s("rect", { fill: `url(#${hatchId})` });
  const cells = s("g", {});
  const signs = s("path", { class: "dlc-signs" });
  const veil = s("path", { class: "dlc-veil" });
  const halo = s("rect", { class: "dlc-mark-halo", "data-mark": name });
  const mark = s("rect", { class: "dlc-mark" });
  const frame = s("rect", { class: "dlc-image-edge" });
  const svg = s(
    "svg",
    { class: "dlc-pixels", preserveAspectRatio: "none", role: "presentation" },
    s(
      "defs",
      {},
      s(
        "pattern",
        { id: hatchId, width: 1, height: 1, patternUnits: "userSpaceOnUse" },
        s("rect", { width: 1, height: 1, class: "dlc-hatch-ground" }),
        s("path", { d: "M-.25,.25L.25,-.25M0,1L1,0M.75,1.25L1.25,.75", class: "dlc-hatch-line" }),
      ),
    ),
    backdrop,
    cells,
    signs,
    frame,
    veil,
    halo,
    mark,
  );
  const element = h("div", { class: "dlc-pixel-grid", role: "grid", "aria-label": label, "data-grid": name }, svg);

  let rows = 0;
  let columns = 0;
  /** @type {SVGRectElement[]} */
  let rects = [];
  /** @type {SVGRectElement | undefined} */
  let reachable;
  /** What the cells show; painting a thousand of them again is worth avoiding. @type {unknown[]} */
  let painted = [];

  /** @param {number} height  @param {number} width */
  function rebuild(height, width) {
    rows = height;
    columns = width;
    rects = [];
    reachable = undefined;
    put(svg, { viewBox: `0 0 ${columns} ${rows}` });
    put(element, { "aria-rowcount": rows, "aria-colcount": columns, style: `aspect-ratio: ${columns} / ${rows}` });
    put(backdrop, { width: columns, height: rows });
    const lines = Array.from({ length: rows }, (_, row) => {
      const line = Array.from({ length: columns }, (_, column) => {
        const position = { x: column, y: row, width: 1, height: 1 };
        const cell = s("rect", { ...position, role: "gridcell", tabindex: -1, "data-row": row, "data-column": column });
        rects.push(cell);
        return cell;
      });
      return s("g", { role: "row", "aria-rowindex": row + 1 }, ...line);
    });
    cells.replaceChildren(...lines);
  }

  /** @param {MouseEvent} event @returns {Cell} */
  const cellUnder = (event) => {
    const box = svg.getBoundingClientRect();
    const at = (/** @type {number} */ share, /** @type {number} */ count) =>
      Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    return [at((event.clientY - box.top) / box.height, rows), at((event.clientX - box.left) / box.width, columns)];
  };

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault(); // keeps a long drag from selecting text
    onPick(cellUnder(event));
    // The picked cell is not known before the next drawing; the arrow keys go on from it.
    queueMicrotask(() => reachable?.focus({ preventScroll: true }));
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && event.buttons === 0) onPoint(cellUnder(event));
    else if (event.buttons & 1) onPick(cellUnder(event));
  });
  element.addEventListener("pointerleave", onLeave);
  element.addEventListener("keydown", onKey);
  element.addEventListener("focusin", (event) => {
    element.classList.toggle("has-focus", /** @type {Element} */ (event.target).matches(":focus-visible"));
  });
  element.addEventListener("focusout", () => element.classList.remove("has-focus"));

  return {
    element,
    /** @param {PixelGridContent} content */
    draw({ plane, colour, describe, border, signs: signed, faint, revealed, focus, mark: square, pointing }) {
      if (plane.height !== rows || plane.width !== columns) rebuild(plane.height, plane.width);
      const paint = [plane, colour, border, signed];
      if (paint.some((part, index) => part !== painted[index])) {
        painted = paint;
        let minus = "";
        rects.forEach((rect, index) => {
          const row = Math.floor(index / columns);
          const column = index % columns;
          const value = /** @type {number} */ (plane.values[index]);
          const outside = row < border || column < border || row >= rows - border || column >= columns - border;
          put(rect, {
            fill: outside ? "transparent" : colour(value, [row, column]),
            "data-value": value,
            "aria-label": describe(value, [row, column], outside),
          });
          if (signed && value < -faint) minus += `M${column + 0.33},${row + 0.5}h.34`;
        });
        put(signs, { d: minus });
      }
      const inner = { x: border, y: border, width: columns - 2 * border, height: rows - 2 * border };
      put(frame, inner);
      element.classList.toggle("is-pointing", pointing);
      put(veil, { d: revealed === null ? "" : veilPath(revealed, rows, columns) });
      const box = { x: square.column, y: square.row, width: square.columns ?? square.size, height: square.size };
      put(halo, { ...box, "data-row": square.row, "data-column": square.column });
      put(mark, box);

      const [row, column] = focus;
      const next = rects[row * columns + column];
      if (next !== reachable) {
        const hadFocus = reachable !== undefined && element.contains(activeIn(element));
        if (reachable) put(reachable, { tabindex: -1, "aria-selected": null });
        reachable = next;
        if (reachable) put(reachable, { ...OWN_KEYS, tabindex: 0, "aria-selected": "true" });
        if (hadFocus) reachable?.focus({ preventScroll: true });
      }
    },
    focus: () => reachable?.focus({ preventScroll: true }),
    /** Where a square of cells lies on the screen. @param {{row: number, column: number, size: number}} square */
    boxOf({ row, column, size }) {
      const box = svg.getBoundingClientRect();
      const [unitX, unitY] = [box.width / columns, box.height / rows];
      return new DOMRect(box.left + column * unitX, box.top + row * unitY, size * unitX, size * unitY);
    },
  };
}

/** The element with focus in the tree that holds `element`, which may be a shadow tree. @param {Element} element */
const activeIn = (element) => /** @type {Document | ShadowRoot} */ (element.getRootNode()).activeElement ?? null;

/**
 * Covers what has not been computed yet.
 * @param {number} revealed  @param {number} rows  @param {number} columns
 */
function veilPath(revealed, rows, columns) {
  const row = Math.floor(revealed / columns);
  const column = revealed % columns;
  return `M${column},${row}H${columns}V${rows}H0V${row + 1}H${column}Z`;
}

/** @typedef {ReturnType<typeof createPixelGrid>} PixelGrid */
