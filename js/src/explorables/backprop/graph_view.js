/**
 * The computational graph: a box for each value, with its number above and the derivative of the loss by it below, as far as
 * they are computed. Pressing a box goes to the step that computes it.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */
import { h, OWN_KEYS, put, s } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { collected, deed, known, OPERATIONS, shareCount } from "./rules.js";

/** Columns from left to right. */
const COLUMNS = [["x1", "x2"], ["z1", "z2"], ["h1", "h2"], ["y"], ["e"], ["L"]]; // prettier-ignore
const LINES = ["x1 z1", "x1 z2", "x2 z1", "x2 z2", "z1 h1", "z2 h2", "h1 y", "h2 y", "y e", "e L"];

/** What the style sheet needs to let a text fit into its box: how long its longest word is. @param {HTMLElement} element */
const sizeOf = ({ textContent }) => `--dlc-letters: ${Math.max(...(textContent ?? "").split(" ").map((word) => word.length))}`;

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(step: number) => void} onStep
 */
export function createGraphView(text, onStep) {
  /** @type {Map<string, {x: number, y: number}>} */
  const places = new Map();
  COLUMNS.forEach((names, column) => {
    names.forEach((name, row) => places.set(name, { x: ((column + 0.5) / COLUMNS.length) * 100, y: ((row + 0.5) / names.length) * 100 }));
  });
  const lines = LINES.map((line) => {
    const [from = "", to = ""] = line.split(" ");
    const [start, end] = [places.get(from), places.get(to)];
    const ends = { x1: Number(start?.x), y1: Number(start?.y), x2: Number(end?.x), y2: Number(end?.y) };
    return { from, to, element: s("line", { ...ends, class: "dlc-backprop-line" }) };
  });
  const drawing = s("svg", { class: "dlc-backprop-lines", viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, ...lines.map(({ element }) => element));
  const boxes = COLUMNS.flat().map((name) => {
    const value = h("span", { class: "dlc-backprop-value" });
    const slope = h("span", { class: "dlc-backprop-slope" });
    const forward = OPERATIONS.findIndex(({ result }) => result === name) + 1;
    const element = h(
      "button",
      { type: "button", ...OWN_KEYS, class: "dlc-backprop-box", "data-name": name, onclick: () => onStep(stepOf(name, forward)) },
      h("span", { class: "dlc-backprop-name" }, name),
      value,
      slope,
    );
    return { name, element, value, slope };
  });
  let backward = false;
  /** Where a value is computed, or, once the pass goes back, its derivative. @param {string} name  @param {number} forward */
  function stepOf(name, forward) {
    if (!backward) return forward;
    const steps = Array.from({ length: OPERATIONS.length }, (_, index) => OPERATIONS.length + 1 + index);
    return steps.filter((step) => deed(step).operation?.slopes.some(([of]) => of === name)).at(-1) ?? OPERATIONS.length;
  }
  const columns = COLUMNS.map((names) => h("div", { class: "dlc-backprop-column" }, ...boxes.filter(({ name }) => names.includes(name)).map(({ element }) => element)));
  const element = h("div", { class: "dlc-backprop-graph", role: "group", "aria-label": text("graph"), "data-grid": "graph" }, drawing, ...columns);

  return {
    element,
    /** @param {Shown} shown  @param {import("./numbers.js").Numbers} numbers */
    draw({ state, scales }, numbers) {
      const step = state["step"];
      const { kind, operation } = deed(step);
      backward = step > OPERATIONS.length;
      const there = known(step);
      const shares = collected(step);
      const isPart = (/** @type {string} */ name) => (shares.get(name) ?? 0) < shareCount(name);
      const slopeOf = (/** @type {string} */ name) => {
        if (name === "L") return backward ? 1 : null;
        if (!shares.has(name)) return null;
        // Of what is used twice, the first share alone until the second is there: the pass back meets z2 first.
        return isPart(name) ? numbers.way(name, "z2") : numbers.slope(name);
      };
      const limit = Math.max(...boxes.map(({ name }) => Math.abs(slopeOf(name) ?? 0))) || 1;
      for (const { name, element: box, value, slope } of boxes) {
        const number = name.startsWith("x") || there.has(name) ? numbers.value(name) : null;
        const derivative = slopeOf(name);
        value.textContent = number === null ? "?" : short(number);
        put(value, { style: sizeOf(value) });
        slope.textContent = derivative === null ? "" : isPart(name) ? text("part", { value: short(derivative) }) : short(derivative);
        const colour = derivative === null ? null : scales.diverging(0.5 + derivative / limit / 2);
        put(slope, { style: colour && `${sizeOf(slope)}; background: ${colour.fill}; color: ${colour.ink}`, "data-value": derivative });
        put(value, { "data-value": number });
        const said = number === null ? text("not_yet", { name }) : text("box", { name, value: full(number) });
        const label = derivative === null ? said : `${said}; ${text(isPart(name) ? "box_part" : "box_slope", { name, value: full(derivative) })}`;
        put(box, { "aria-label": label, title: label, "data-now": operation?.result === name, "aria-current": operation?.result === name ? "step" : null });
      }
      for (const { from, to, element: line } of lines) put(line, { "data-now": operation?.result === to, "data-back": kind === "backward" && operation?.result === to, "data-from": from });
    },
  };
}
