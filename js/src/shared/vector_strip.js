/**
 * A vector as a strip of coloured cells, one per number: pointed at by mouse or finger, read by a screen reader as a slider
 * that stands at one of the numbers. Whoever holds several strips moves the focus between them.
 *
 * @typedef {object} VectorStripOptions
 * @property {string} name  For style and tests: `data-strip`.
 * @property {(place: number) => void} onPoint  A number is pointed at.
 */
import { h, OWN_KEYS, put } from "./dom.js";

/** What a cell measures on the canvas, which the page scales; and the dash that marks a negative number. */
const CELL = { width: 8, height: 16 };
const DASH = { inset: 2, height: 2 };
/** Negative numbers nearer to zero than this part of the limit carry no mark: they have no colour to speak of. */
const FAINT = 1 / 12;

/** @param {VectorStripOptions} options */
export function createVectorStrip({ name, onPoint }) {
  const canvas = h("canvas", { class: "dlc-strip-cells", width: 1, height: CELL.height });
  const element = h("div", { ...OWN_KEYS, class: "dlc-strip", role: "slider", tabindex: -1, "data-strip": name, "aria-valuemin": 0 }, canvas);
  let count = 0;

  /** @param {PointerEvent} event */
  function point(event) {
    const box = canvas.getBoundingClientRect();
    const place = Math.floor(((event.clientX - box.left) / box.width) * count);
    if (place >= 0 && place < count) onPoint(place);
  }
  element.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" || event.buttons) point(event);
  });
  element.addEventListener("pointerdown", point);

  return {
    element,
    /**
     * @param {Float32Array | null} values  Null while they are on their way.
     * @param {import("./colour.js").Scale} diverging
     * @param {number} limit  The size that has the strongest colour.
     */
    draw(values, diverging, limit) {
      count = values?.length ?? 0;
      element.classList.toggle("is-empty", values === null);
      put(element, { "data-values": values ? values.join(" ") : null, "aria-valuemax": Math.max(0, count - 1) });
      canvas.width = Math.max(1, count * CELL.width);
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      values?.forEach((value, place) => {
        const { fill, ink } = diverging(limit > 0 ? 0.5 + value / (2 * limit) : 0.5);
        context.fillStyle = fill;
        context.fillRect(place * CELL.width, 0, CELL.width, CELL.height);
        if (value >= -limit * FAINT) return;
        context.fillStyle = ink;
        context.globalAlpha = 0.55;
        context.fillRect(place * CELL.width + DASH.inset, (CELL.height - DASH.height) / 2, CELL.width - 2 * DASH.inset, DASH.height);
        context.globalAlpha = 1;
      });
    },
    /** Say where it stands. @param {number} place  @param {string} label  What the vector is.  @param {string} text  The number there. */
    stand(place, label, text) {
      put(element, { "aria-label": label, "aria-valuenow": place, "aria-valuetext": text });
    },
  };
}

/** @typedef {ReturnType<typeof createVectorStrip>} VectorStrip */
