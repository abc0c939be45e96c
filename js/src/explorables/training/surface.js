/**
 * The plane: what the network answers at each place, the points that it learns from, and a cross that reads an answer off.
 *
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {import("./network.js").Examples} Examples
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
const MARKS = ["M-1.05,0a1.05,1.05 0 1 0 2.1,0a1.05,1.05 0 1 0 -2.1,0z", "M0,-1.4L1.3,0.85H-1.3z"];

/** @param {{text: import("../../shared/format.js").Translate}} options */
export function createSurface({ text }) {
  const canvas = h("canvas", { class: "dlc-plane-canvas" });
  const marks = s("g", {});
  const cross = s("path", { class: "dlc-cross" });
  const halo = s("path", { class: "dlc-cross-halo" });
  const drawing = s("svg", { class: "dlc-plane-marks", viewBox: "0 0 100 100", "aria-hidden": "true" }, marks, halo, cross);
  const readingId = uniqueId("probe");
  const reading = h("p", { class: "dlc-reading", id: readingId, role: "status", "data-probe": "" });
  const plane = h(
    "div",
    { ...OWN_KEYS, class: "dlc-plane", role: "application", tabindex: 0, "aria-describedby": readingId, "data-grid": "plane" },
    canvas,
    drawing,
  );
  const legend = createLegend();
  const key = h("p", { class: "dlc-key" });
  const element = h("div", { class: "dlc-surface" }, plane, reading, h("div", { class: "dlc-surface-key" }, legend.element, key));

  /** @type {Cell} */
  let place = [(side - 1) / 2, (side - 1) / 2];
  /** @type {Shown | null} */
  let last = null;
  /** @type {Examples | null} */
  let marked = null;
  /** @type {SVGPathElement[]} */
  let points = [];
  /** Which of them are marked as the batch. @type {number[]} */
  let batch = [];

  /** @param {Examples} examples */
  function mark(examples) {
    marked = examples;
    const draw = (/** @type {import("../../engine/tensors.js").Tensor} */ x, /** @type {import("../../engine/tensors.js").Tensor} */ y, /** @type {string} */ kind) =>
      Array.from(y.data, (label, index) => {
        const [a, b] = at(x, index);
        const to = (/** @type {number} */ value) => (50 + (50 * value) / span).toFixed(2);
        return s("path", {
          d: MARKS[label] ?? "",
          transform: `translate(${to(Number(a))} ${to(-Number(b))})`,
          class: `dlc-point is-${label ? "b" : "a"} ${kind}`,
        });
      });
    points = draw(examples.x, examples.y, "is-train");
    marks.replaceChildren(...draw(examples.heldX, examples.heldY, "is-held"), ...points);
  }

  function drawProbe() {
    if (!last) return;
    const [row, column] = place;
    const [x, y] = [gridAt(column), -gridAt(row)];
    const answer = at(/** @type {import("../../engine/tensors.js").Tensor} */ (last.outputs["probabilities"]), row * side + column);
    const [a, b] = [Number(answer[0]), Number(answer[1])];
    reading.textContent = text("probe", { x: short(Number(x.toFixed(2))), y: short(Number(y.toFixed(2))), a: short(a), b: short(b) });
    put(reading, { title: text("probe", { x: full(x), y: full(y), a: full(a), b: full(b) }), "data-row": row, "data-column": column, "data-a": a, "data-b": b });
    const [cx, cy] = [50 + (50 * x) / span, 50 - (50 * y) / span];
    const d = `M${cx - 4},${cy}h3M${cx + 1},${cy}h3M${cx},${cy - 4}v3M${cx},${cy + 1}v3`;
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
      const { data } = /** @type {import("../../engine/tensors.js").Tensor} */ (outputs["probabilities"]);
      const second = Float32Array.from({ length: side * side }, (_, cell) => Number(data[2 * cell + 1]));
      const colour = signed(scales.diverging, SOFT);
      paint(canvas, side, second, (value) => (Number.isFinite(value) ? colour(value - 0.5).fill : null));
      for (const index of batch) points[index]?.classList.remove("is-chosen");
      for (const index of chosen) points[index]?.classList.add("is-chosen");
      batch = chosen;
      legend.draw((share) => colour(share - 0.5), [0, 1], false);
      put(plane, {
        "aria-label": text("plane_label"),
        style: `--dlc-class-a: ${scales.diverging(0.02).fill}; --dlc-class-b: ${scales.diverging(0.98).fill}`,
      });
      key.textContent = text("plane_key");
      drawProbe();
    },
  };
}
