/**
 * The product of one position's vector with each of the others: a curve, with the two that are compared marked on it.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */
import { createSlider } from "../../shared/controls.js";
import { h, put, s } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { distanceOf, POSITIONS } from "./rules.js";

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(wish: import("./rules.js").State) => void} set
 */
export function createDots(text, set) {
  const title = h("div", { class: "dlc-part-title" });
  const zero = s("line", { class: "dlc-positions-zero", x1: 0, x2: POSITIONS - 1 });
  const curve = s("polyline", { class: "dlc-positions-curve" });
  const marks = ["here", "other"].map((name) => s("line", { class: "dlc-positions-mark", "data-mark": name, y1: 0, y2: 100 }));
  const chart = s("svg", { class: "dlc-positions-chart", viewBox: `-0.5 -4 ${POSITIONS} 108`, preserveAspectRatio: "none", "aria-hidden": "true" }, zero, ...marks, curve);
  const [high, low] = [h("span"), h("span")];
  const scale = h("div", { class: "dlc-positions-scale", "aria-hidden": "true" }, high, low);
  const foot = h("div", { class: "dlc-positions-foot", "aria-hidden": "true" }, h("span", {}, "0"), h("span", {}, text("axis")), h("span", {}, String(POSITIONS - 1)));
  const position = createSlider({ name: "position", label: text("position"), min: 0, max: POSITIONS - 1, step: 1, write: String, onMove: (value) => set({ position: value }) });
  const distance = createSlider({ name: "distance", label: text("distance"), min: 0, max: POSITIONS - 1, step: 1, write: String, onMove: (value) => set({ distance: value }) });
  const readout = h("p", { class: "dlc-positions-product" });
  const element = h(
    "section",
    { class: "dlc-part dlc-positions-dots", "aria-label": text("dots") },
    title,
    h("div", { class: "dlc-positions-plot" }, scale, chart),
    foot,
    h("div", { class: "dlc-positions-sliders" }, position.element, distance.element),
    readout,
  );
  return {
    element,
    /** @param {Shown} shown  @param {string} token  How the token is shown whose query and key are turned. */
    draw({ state, wanted, answers }, token) {
      const { kind } = state;
      put(element, { hidden: kind === "none" });
      if (kind === "none") return;
      /** @type {number[]} */
      const values = Array.from(answers[`dots_${kind}`].data);
      const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
      const y = (/** @type {number} */ value) => (100 * (most - value)) / (most - least || 1);
      const other = state["position"] - distanceOf(state);
      title.textContent = text(`dots_${kind}`, { position: state["position"], token });
      put(curve, { points: values.map((value, place) => `${place},${y(value).toFixed(2)}`).join(" "), "data-values": values.join(" ") });
      put(zero, { y1: y(0), y2: y(0) });
      [state["position"], other].forEach((place, index) => put(/** @type {Element} */ (marks[index]), { x1: place, x2: place }));
      high.textContent = short(most);
      low.textContent = short(least);
      position.show(wanted["position"]);
      distance.show(distanceOf(wanted));
      const value = Number(values[other]);
      readout.textContent = text("product", { position: state["position"], other, distance: distanceOf(state), value: short(value) });
      put(readout, { "data-value": value, title: full(value) });
    },
  };
}
