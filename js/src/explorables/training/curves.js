/**
 * The losses over all steps that have been trained, with a handle at the step that is shown: dragged on the drawing, or moved
 * as a slider below it.
 *
 * @typedef {import("./trainer.js").Shown} Shown
 */
import { createSlider } from "../../shared/controls.js";
import { h, put, s, uniqueId } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { followWidth } from "../../shared/width.js";
import { LIMITS } from "./rules.js";
import { MEASURES } from "./run.js";

/** Room around the drawing, in pixels; half a slider's thumb fits beside it. */
const EDGE = { left: 34, right: 12, top: 8, bottom: 20 };
const HEIGHT = 320;
/** A loss beyond so many times the first one is off the drawing. */
const TALLEST = 2.5;
/** @type {Float32Array[]} */
const NOTHING = [];
/** What is drawn, by its place among the measures. */
const LINES = { train: 0, held: 1 };

/** The next number above a value that an axis may end at. @param {number} value */
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const digit = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return Number((digit * power).toPrecision(2));
}

/** Fewer steps than this are never spread over the whole width. */
const SHORTEST = 20;

/** Rounded to tenths of a pixel: a long line is written at every picture. @param {number} value */
const tenth = (value) => Math.round(10 * value) / 10;

/**
 * @param {object} options
 * @param {import("../../shared/format.js").Translate} options.text
 * @param {(step: number) => void} options.onScrub
 */
export function createCurves({ text, onScrub }) {
  const clipId = uniqueId("clip");
  const clip = s("rect", { x: EDGE.left, y: 0 });
  const line = (/** @type {string} */ name) => s("path", { class: `dlc-curve is-${name}` });
  const lines = { before: line("before"), held: line("held"), train: line("train") };
  const axes = s("g", { class: "dlc-axes" });
  const handle = s("path", { class: "dlc-handle" });
  const dots = { train: s("circle", { r: 4.5, class: "dlc-dot is-train" }), held: s("path", { d: "M0,-5L5,0L0,5L-5,0z", class: "dlc-dot is-held" }) };
  const drawing = s(
    "svg",
    { class: "dlc-curves", role: "img", height: HEIGHT },
    s("defs", {}, s("clipPath", { id: clipId }, clip)),
    axes,
    s("g", { "clip-path": `url(#${clipId})` }, lines.before, lines.held, lines.train),
    handle,
    ...Object.values(dots),
  );
  const values = Object.fromEntries(
    MEASURES.map((name) => [name, h("output", { "data-measure": name })]),
  );
  const entry = (/** @type {string} */ name, /** @type {Node[]} */ ...content) =>
    h("span", { class: `dlc-curve-entry is-${name}` }, h("span", { class: "dlc-swatch", "aria-hidden": "true" }), h("span", {}, text(`curve_${name}`), " ", ...content));
  const was = entry("before");
  const legend = h(
    "p",
    { class: "dlc-curve-legend" },
    entry("train", /** @type {Node} */ (values["train_loss"])),
    entry("held", /** @type {Node} */ (values["held_loss"])),
    was,
  );
  const accuracy = h(
    "p",
    { class: "dlc-reading" },
    text("right_train"), " ", /** @type {Node} */ (values["train_accuracy"]), " · ",
    text("right_held"), " ", /** @type {Node} */ (values["held_accuracy"]),
  ); // prettier-ignore
  const slider = createSlider({
    name: "scrub",
    label: text("step"),
    min: 0,
    max: 1,
    step: 1,
    write: (step) => text("step_of", { step, end: last?.end ?? step }),
    // Beyond the last step that has been trained there is nothing to see.
    onMove(step) {
      const { end } = /** @type {Shown} */ (last);
      onScrub(Math.min(step, end));
      if (step > end) slider.show(end);
    },
  });
  slider.element.classList.add("dlc-scrub");
  const element = h("div", { class: "dlc-curve-part" }, legend, drawing, slider.element, accuracy);

  /** @type {Shown | null} */
  let last = null;
  let width = 0;

  /** The steps that the drawing spans: it grows now and then, so that the line grows into it. @param {Shown} shown */
  const span = ({ end }) => Math.min(LIMITS.step, roundUp(Math.max(SHORTEST, end)));
  /** @param {PointerEvent} event */
  const onPointer = (event) => {
    if (!last || !(event.buttons & 1)) return;
    const share = (event.clientX - drawing.getBoundingClientRect().left - EDGE.left) / (width - EDGE.left - EDGE.right);
    onScrub(Math.min(last.end, Math.round(Math.min(1, Math.max(0, share)) * span(last))));
  };
  drawing.addEventListener("pointerdown", (event) => {
    drawing.setPointerCapture(event.pointerId);
    onPointer(event);
  });
  drawing.addEventListener("pointermove", onPointer);

  const ticks = [0, 0.5, 1].map((share) => ({ share, line: s("line", { x1: EDGE.left }), label: s("text", { x: EDGE.left - 5, "text-anchor": "end" }) }));
  const ends = [s("text", { x: EDGE.left, y: HEIGHT - 4 }, "0"), s("text", { y: HEIGHT - 4, "text-anchor": "end" })];
  axes.append(...ticks.flatMap(({ line, label }) => [line, label]), ...ends);
  /** What is drawn of each line: while the axes are the same, it only grows. @type {Map<string, {scale: string, all: unknown, count: number, d: string}>} */
  const drawn = new Map();

  function place() {
    if (!last || !width) return;
    const { measures, before, state } = last;
    const [right, bottom] = [width - EDGE.right, HEIGHT - EDGE.bottom];
    const steps = span(last);
    const first = Number(measures[0]?.[LINES.train]);
    let most = first;
    for (const all of [measures, before ?? []])
      for (const loss of all.slice(0, steps + 1).flatMap((at) => [at[0], at[1]])) if (Number.isFinite(loss) && Number(loss) > most) most = Number(loss);
    const top = roundUp(Math.min(TALLEST * first, most));
    const x = (/** @type {number} */ step) => EDGE.left + ((right - EDGE.left) * step) / steps;
    // What is off the drawing stays near it: browsers draw lines to far away badly.
    const y = (/** @type {number} */ loss) => bottom - (bottom - EDGE.top) * Math.min(loss / top, 4);
    const scale = [width, steps, top].join();
    /** @param {SVGPathElement} path  @param {string} name  @param {Float32Array[]} all  @param {number} which */
    const trace = (path, name, all, which) => {
      const known = drawn.get(name);
      let { count, d } = known && known.scale === scale && known.all === all ? known : { count: 0, d: "" };
      for (; count < Math.min(all.length, steps + 1); count++) {
        const loss = Number(all[count]?.[which]);
        if (Number.isFinite(loss)) d += `${d ? "L" : "M"}${tenth(x(count))},${tenth(y(loss))}`;
      }
      drawn.set(name, { scale, all, count, d });
      put(path, { d });
    };
    trace(lines.train, "train", measures, LINES.train);
    trace(lines.held, "held", measures, LINES.held);
    trace(lines.before, "before", before ?? NOTHING, LINES.train);
    put(drawing, { width, viewBox: `0 0 ${width} ${HEIGHT}` });
    put(clip, { width: Math.max(0, width - EDGE.left), height: bottom + 1 });
    for (const { share, line, label } of ticks) {
      put(line, { x2: right, y1: y(share * top), y2: y(share * top) });
      put(label, { y: y(share * top) + 4 });
      const written = short(Number((share * top).toPrecision(3)));
      if (label.textContent !== written) label.textContent = written;
    }
    const [, far] = ends;
    if (far && far.textContent !== String(steps)) far.textContent = String(steps);
    if (far) put(far, { x: right });
    put(handle, { d: `M${x(state.step)},${EDGE.top}V${bottom}` });
    for (const [name, dot] of Object.entries(dots)) {
      const loss = Number(measures[state.step]?.[LINES[/** @type {keyof typeof LINES} */ (name)]]);
      const hidden = !Number.isFinite(loss) || loss > top * 1.02;
      put(dot, { transform: hidden ? null : `translate(${x(state.step).toFixed(1)} ${y(loss).toFixed(1)})`, visibility: hidden ? "hidden" : null });
    }
  }
  const endWidth = followWidth(element, (now) => {
    width = now;
    place();
  });

  return {
    element,
    /** @param {Shown} shown */
    draw(shown) {
      last = shown;
      const { outputs, state, end, wanted } = shown;
      slider.extend(span(shown));
      slider.show(Math.min(wanted.step, end));
      slider.input.disabled = end === 0;
      MEASURES.forEach((name) => {
        const value = Number(outputs[name]?.data[0]);
        const output = /** @type {HTMLElement} */ (values[name]);
        output.textContent = short(value);
        put(output, { "data-value": value, title: full(value) });
      });
      was.hidden = shown.before === null;
      const [train, held] = ["train_loss", "held_loss"].map((name) => short(Number(outputs[name]?.data[0])));
      put(drawing, { "aria-label": text("curve_label", { end, step: state.step, train: train ?? "", held: held ?? "" }) });
      place();
    },
    destroy: endWidth,
  };
}
