/** The sum written out with its real numbers: one term per weight, one line per row of the kernel where there is room. */
import { h, put } from "../../shared/dom.js";
import { short } from "../../shared/format.js";

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
      const size = Math.sqrt(weights.length);
      const terms = Array.from(window, (value, index) => {
        const weight = /** @type {number} */ (weights[index]);
        const nothing = value === 0 || weight === 0;
        const text = `${index ? "+ " : ""}${factor(value)} × ${factor(weight)}`;
        return [h("span", { class: nothing ? "dlc-term is-zero" : "dlc-term" }, text), " "];
      });
      // Each term has room for the longest weight beside the longest pixel, 0.00392, so that pointing around moves nothing.
      const longest = Math.max(...Array.from(weights, (weight) => factor(weight).length));
      put(element, { "data-size": size > 3 ? "large" : "small", style: `--dlc-size: ${size}; --dlc-term: ${longest + 12}ch` });
      const total = h("span", { class: "dlc-term-sum" }, `= ${short(sum)}`);
      element.replaceChildren(h("span", {}, `${name} = `), h("span", { class: "dlc-terms" }, ...terms.flat(), total));
    },
  };
}
