/**
 * The plane: what the network answers at each place, the points that it learns from, and a cross that reads an answer off.
 *
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {import("./network.js").Examples} Examples
 * @typedef {import("../../engine/tensors.js").Tensor} Tensor
 * @typedef {import("./trainer.js").Shown} Shown
 * @typedef {import("../../shared/theme.js").Scales} Scales
 */
import { at } from "../../engine/tensors.js";
import { signed } from "../../shared/colour.js";
import { h, OWN_KEYS, put, s, uniqueId } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createLegend } from "../../shared/legend.js";
import { follow } from "../../shared/roving.js";
import { GRID, gridAt } from "./network.js";
import { paint } from "./paint.js";

const { side, span } = GRID;
/** The surface keeps off the scale's ends, which are the points': so that these stand out on it. */
const SOFT = 0.8;
/** Marks on the drawing of 100 by 100: a circle for class A, a triangle for class B. */
const MARKS = ["m-1.05,0a1.05,1.05 0 1 0 2.1,0a1.05,1.05 0 1 0 -2.1,0z", "m0,-1.4l1.3,2.25h-2.6z"];

/** Where a place in the plane is on the drawing. @param {number} x  @param {number} y */
const onDrawing = (x, y) => `${(50 + (50 * x) / span).toFixed(2)},${(50 - (50 * y) / span).toFixed(2)}`;

/** @param {{text: import("../../shared/format.js").Translate}} options */
export function createSurface({ text }) {
  const canvas = h("canvas", { class: "dlc-plane-canvas" });
  const drawing = (/** @type {SVGElement[]} */ ...content) =>
    s("svg", { class: "dlc-plane-marks", viewBox: "0 0 100 100", "aria-hidden": "true" }, ...content);
  // What stays and what changes at every step are drawn apart, so that a browser paints little anew.
  const marks = ["held-a", "held-b", "train-a", "train-b"].map((kind) => s("path", { class: `dlc-points is-${kind}` }));
  const rings = s("path", { class: "dlc-rings" });
  const cross = s("path", { class: "dlc-cross" });
  const halo = s("path", { class: "dlc-cross-halo" });
  const readingId = uniqueId("probe");
  const reading = h("p", { class: "dlc-reading", id: readingId, role: "status", "data-probe": "" });
  const plane = h(
    "div",
    { ...OWN_KEYS, class: "dlc-plane", role: "application", tabindex: 0, "aria-label": text("plane_label"), "aria-describedby": readingId, "data-grid": "plane" },
    canvas,
    drawing(...marks),
    drawing(rings, halo, cross),
  );
  const legend = createLegend();
  const key = h("p", { class: "dlc-key" }, text("plane_key"));
  const element = h("div", { class: "dlc-surface" }, plane, reading, h("div", { class: "dlc-surface-key" }, legend.element, key));

  /** @type {Cell} */
  let place = [(side - 1) / 2, (side - 1) / 2];
  /** @type {Shown | null} */
  let last = null;
  /** What is marked. @type {Examples | null} */
  let marked = null;
  /** The mark of each training example, as a part of a path. @type {string[]} */
  let parts = [];
  /** @type {Scales | null} */
  let coloured = null;
  let colour = signed(() => ({ fill: "", ink: "" }), SOFT);

  /** @param {Examples} examples */
  function mark(examples) {
    marked = examples;
    const partsOf = (/** @type {Tensor} */ x, /** @type {Tensor} */ y) =>
      Array.from(y.data, (label, index) => `M${onDrawing(Number(at(x, index)[0]), Number(at(x, index)[1]))}${MARKS[label]}`);
    const held = partsOf(examples.heldX, examples.heldY);
    parts = partsOf(examples.x, examples.y);
    const ofClass = (/** @type {string[]} */ all, /** @type {Tensor} */ y, /** @type {number} */ label) => all.filter((_, index) => y.data[index] === label).join("");
    const paths = [ofClass(held, examples.heldY, 0), ofClass(held, examples.heldY, 1), ofClass(parts, examples.y, 0), ofClass(parts, examples.y, 1)];
    marks.forEach((path, index) => put(path, { d: paths[index] ?? "" }));
  }

  function drawProbe() {
    if (!last) return;
    const [row, column] = place;
    const [x, y] = [gridAt(column), -gridAt(row)];
    const answer = at(/** @type {Tensor} */ (last.outputs["probabilities"]), row * side + column);
    const [a, b] = [Number(answer[0]), Number(answer[1])];
    reading.textContent = text("probe", { x: short(Number(x.toFixed(2))), y: short(Number(y.toFixed(2))), a: short(a), b: short(b) });
    put(reading, { title: text("probe", { x: full(x), y: full(y), a: full(a), b: full(b) }), "data-row": row, "data-column": column, "data-a": a, "data-b": b });
    const middle = `M${onDrawing(x, y)}`;
    const d = `${middle}m-4,0h3${middle}m1,0h3${middle}m0,-4v3${middle}m0,1v3`;
    put(cross, { d });
    put(halo, { d });
  }

  /** @param {Cell} cell */
  const point = (cell) => {
    place = cell;
    drawProbe();
  };
  /** @param {PointerEvent} event */
  const onPointer = (event) => {
    if (event.pointerType !== "mouse" && !event.buttons) return;
    const box = plane.getBoundingClientRect();
    const cell = (/** @type {number} */ share) => Math.min(side - 1, Math.max(0, Math.floor(share * side)));
    point([cell((event.clientY - box.top) / box.height), cell((event.clientX - box.left) / box.width)]);
  };
  plane.addEventListener("pointermove", onPointer);
  plane.addEventListener("pointerdown", onPointer);
  plane.addEventListener("keydown", (event) => {
    const next = follow(event, place, { rows: side, columns: side });
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    point(next);
  });

  return {
    element,
    /** @param {Shown} shown  @param {Scales} scales */
    draw(shown, scales) {
      last = shown;
      const { examples, outputs, chosen } = shown;
      if (marked !== examples) mark(examples);
      if (coloured !== scales) {
        coloured = scales;
        colour = signed(scales.diverging, SOFT);
        legend.draw((share) => colour(share - 0.5), [0, 1], false);
        put(plane, { style: `--dlc-class-a: ${scales.diverging(0.02).fill}; --dlc-class-b: ${scales.diverging(0.98).fill}` });
      }
      const { data } = /** @type {Tensor} */ (outputs["probabilities"]);
      const second = new Float32Array(side * side);
      for (let cell = 0; cell < second.length; cell++) second[cell] = Number(data[2 * cell + 1]);
      paint(canvas, side, second, (value) => (Number.isFinite(value) ? colour(value - 0.5).fill : null));
      put(rings, { d: chosen.map((index) => parts[index]).join(""), "data-chosen": chosen.join() });
      drawProbe();
    },
  };
}
