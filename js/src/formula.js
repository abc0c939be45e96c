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
      element.replaceChildren(
        h("span", { class: "dlc-term-name" }, `${name} = `),
        ...terms,
        h("span", { class: "dlc-term-sum" }, `= ${short(sum)}`),
      );
    },
  };
}
