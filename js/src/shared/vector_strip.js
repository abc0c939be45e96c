/**
 * A vector as a strip of coloured bars, one per number, up from the middle or down: pointed at by mouse or finger, read by a
 * screen reader as a slider that stands at one of the numbers. Whoever holds several strips moves the focus between them.
 *
 * @typedef {object} VectorStripOptions
 * @property {string} name  For style and tests: `data-strip`.
 * @property {(place: number) => void} onPoint  A number is pointed at.
 * @property {(place: number) => void} [onPick]  A number is clicked, tapped, or a finger slides over it; by default that points.
 */
import { h, OWN_KEYS, put } from "./dom.js";

/** What a number's cell measures on the canvas, which the page scales. */
const CELL = { width: 8, height: 40 };
/** The least height of a bar: of a number near zero, too, there is something to point at. */
const LEAST = 2;

/** @param {VectorStripOptions} options */
export function createVectorStrip({ name, onPoint, onPick = onPoint }) {
  const canvas = h("canvas", { class: "dlc-strip-cells", width: 1, height: CELL.height });
  const element = h("div", { ...OWN_KEYS, class: "dlc-strip", role: "slider", tabindex: -1, "data-strip": name, "aria-valuemin": 0 }, canvas);
  let count = 0;

  /** @param {PointerEvent} event  @param {(place: number) => void} then */
  function point(event, then) {
    const box = canvas.getBoundingClientRect();
    const place = Math.floor(((event.clientX - box.left) / box.width) * count);
    if (place >= 0 && place < count) then(place);
  }
  element.addEventListener("pointermove", (event) => {
    if (event.buttons) point(event, onPick);
    else if (event.pointerType === "mouse") point(event, onPoint);
  });
  element.addEventListener("pointerdown", (event) => point(event, onPick));

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
      context.fillStyle = diverging(0.5).fill;
      context.fillRect(0, 0, canvas.width, CELL.height);
      const middle = CELL.height / 2;
      values?.forEach((value, place) => {
        const share = limit > 0 ? value / limit : 0;
        context.fillStyle = diverging(0.5 + share / 2).fill;
        const size = Math.max(LEAST, Math.abs(share) * middle);
        context.fillRect(place * CELL.width, value < 0 ? middle : middle - size, CELL.width - 1, size);
      });
    },
    /** Say where it stands. @param {number} place  @param {string} label  What the vector is.  @param {string} text  The number there. */
    stand(place, label, text) {
      put(element, { "aria-label": label, "aria-valuenow": place, "aria-valuetext": text });
    },
  };
}

/** @typedef {ReturnType<typeof createVectorStrip>} VectorStrip */
