/**
 * How a family's training went: the loss on the validation part by step, a line for each seed.
 *
 * @typedef {import("./rules.js").Row} Row
 */
import { compact, linearAxis, placeOf } from "../../shared/axis.js";
import { h, put, s } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { followWidth } from "../../shared/width.js";

const EDGE = { left: 42, right: 50, top: 8, bottom: 34 };
const HEIGHT = 190;
/** Lines that can be told apart without colour. */
const DASHES = ["", "7 4", "2 3", "9 3 2 3"];
/** Room on the right for the seeds' numbers, each at least so far from the next. */
const APART = 12;

/** @param {import("../../shared/format.js").Translate} text */
export function createCurve(text) {
  const title = h("p", { class: "dlc-part-title" });
  const drawing = s("svg", { role: "img", class: "dlc-comparison-curve", height: HEIGHT });
  const element = h("div", { class: "dlc-part", "data-part": "curve" }, title, drawing);
  let width = 0;
  /** @type {Row | null} */
  let last = null;

  function place() {
    const runs = last?.runs.filter(({ curve }) => curve.length) ?? [];
    if (!runs.length || !width) return drawing.replaceChildren();
    const points = runs.flatMap(({ curve }) => curve);
    const steps = linearAxis(0, Math.max(...points.map(([step]) => step)), 4);
    const losses = linearAxis(Math.min(...points.map(([, loss]) => loss)), Math.max(...points.map(([, loss]) => loss)), 4);
    const [right, bottom] = [width - EDGE.right, HEIGHT - EDGE.bottom];
    const x = (/** @type {number} */ step) => EDGE.left + (right - EDGE.left) * placeOf(step, steps);
    const y = (/** @type {number} */ loss) => bottom + (EDGE.top - bottom) * placeOf(loss, losses);
    put(drawing, { width, viewBox: `0 0 ${width} ${HEIGHT}` });
    const ends = runs.map(({ seed, curve }) => ({ seed, at: y(Number(curve.at(-1)?.[1])) })).sort((one, other) => one.at - other.at);
    ends.forEach((end, index) => (end.at = Math.max(end.at, (ends[index - 1]?.at ?? -APART) + APART)));
    const low = Math.max(0, (ends.at(-1)?.at ?? 0) - bottom + 4);
    drawing.replaceChildren(
      ...losses.ticks.flatMap((tick) => [s("line", { class: "dlc-comparison-rule", x1: EDGE.left, x2: right, y1: y(tick), y2: y(tick) }), s("text", { x: EDGE.left - 5, y: y(tick) + 4, "text-anchor": "end" }, String(tick))]),
      ...steps.ticks.map((tick) => s("text", { x: x(tick), y: bottom + 14, "text-anchor": "middle" }, compact(tick))),
      s("text", { x: right, y: HEIGHT - 4, "text-anchor": "end" }, text("curve_step")),
      ...runs.map(({ seed, curve }, index) =>
        s(
          "g",
          { "data-seed": seed },
          s("path", { class: "dlc-comparison-line", "stroke-dasharray": DASHES[index % DASHES.length], d: curve.map(([step, loss], at) => `${at ? "L" : "M"}${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join("") }),
          ...curve.map(([step, loss]) => s("circle", { r: 2.5, cx: x(step).toFixed(1), cy: y(loss).toFixed(1), "data-step": step, "data-value": loss }, s("title", {}, `${text("curve_seed", { seed })}, ${text("curve_step")} ${step}: ${full(loss)}`))),
        ),
      ),
      ...ends.map(({ seed, at }) => s("text", { x: right + 6, y: at + 4 - low }, text("curve_seed", { seed }))),
    );
  }
  const endWidth = followWidth(element, (now) => {
    width = now;
    place();
  });

  return {
    element,
    /** @param {Row} row  @param {string} name */
    draw(row, name) {
      last = row;
      const curves = row.runs.filter(({ curve }) => curve.length);
      title.textContent = text(curves.length ? "curve" : "curve_none");
      const ends = curves.map(({ seed, curve }) => text("curve_end", { seed, step: Number(curve.at(-1)?.[0]), loss: short(Number(curve.at(-1)?.[1])) })).join(" ");
      put(drawing, { "aria-label": text("curve_label", { name, ends }), hidden: !curves.length });
      place();
    },
    destroy: endWidth,
  };
}
