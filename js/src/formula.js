/** The sum written out with its real numbers, one term per weight. */
import { h } from "./dom.js";
import { short } from "./format.js";

/** @param {string} name  What the sum is called. */
export function createFormula(name) {
  const element = h("p", { class: "dlc-formula" });
  const factor = (/** @type {number} */ value) => (value < 0 ? `(${short(value)})` : short(value));
  return {
    element,
    /**
     * @param {Float32Array} window
     * @param {Float32Array} weights
     * @param {number} sum
     */
    draw(window, weights, sum) {
      const terms = Array.from(window, (value, index) => {
        const weight = /** @type {number} */ (weights[index]);
        const nothing = value === 0 || weight === 0;
        const text = `${index ? "+ " : ""}${factor(value)} × ${factor(weight)} `;
        return h("span", { class: nothing ? "dlc-term is-zero" : "dlc-term" }, text);
      });
      // Room for the longest weight beside a value such as 0.988, so that terms stand in columns and hovering moves no line.
      const longest = Math.max(...Array.from(weights, (weight) => factor(weight).length));
      element.style.setProperty("--dlc-term", `${longest + 10}ch`);
      const total = h("span", { class: "dlc-term-sum" }, `= ${short(sum)}`);
      element.replaceChildren(h("span", {}, `${name} = `), h("span", {}, ...terms, total));
    },
  };
}
