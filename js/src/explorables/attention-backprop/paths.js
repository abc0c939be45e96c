/** How much of the gradient comes back to X by each path: a bar for each norm. */
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { LIMITS } from "./rules.js";

/** The two paths and their sum, with what the second is made of. */
const NORMS = ["residual", "attention", "q", "k", "v", "both"];

/** @param {import("../../shared/format.js").Translate} text */
export function createPaths(text) {
  const bars = NORMS.map((name) => {
    const bar = h("span", { class: "dlc-attention-backprop-bar" });
    const number = h("span", { class: "dlc-attention-backprop-norm" });
    const row = h("div", { class: "dlc-attention-backprop-path", "data-path": name }, h("span", {}, text(`path_${name}`)), h("span", { class: "dlc-attention-backprop-track" }, bar), number);
    return { name, bar, number, row };
  });
  const element = h("section", { class: "dlc-part dlc-attention-backprop-paths", "aria-label": text("paths") }, h("div", { class: "dlc-part-title" }, text("paths")), ...bars.map(({ row }) => row));
  return {
    element,
    /** @param {import("../../shared/explorable.js").Shown} shown  @param {import("./numbers.js").Numbers} numbers */
    draw({ state }, numbers) {
      put(element, { hidden: state["step"] < LIMITS.step });
      const most = Math.max(...NORMS.map((name) => numbers.single(`norm_${name}`))) || 1;
      for (const { name, bar, number } of bars) {
        const value = numbers.single(`norm_${name}`);
        put(bar, { style: `width: ${((100 * value) / most).toFixed(2)}%` });
        number.textContent = short(value);
        put(number, { "data-value": value, title: full(value) });
      }
    },
  };
}
