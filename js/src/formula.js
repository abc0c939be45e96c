/** The sum written out with its real numbers: one term per weight, one line per row of the kernel where there is room. */
import { h, put } from "./dom.js";
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
      const size = Math.sqrt(weights.length);
      const terms = Array.from(window, (value, index) => {
        const weight = /** @type {number} */ (weights[index]);
        const kind = ["dlc-term", value === 0 || weight === 0 ? "is-zero" : "", index % size ? "" : "starts-row"].join(" ");
        return h("span", { class: kind }, `${index ? "+ " : ""}${factor(value)} × ${factor(weight)} `);
      });
      // Where terms do not stand in columns, each has room for the longest weight beside a value such as 0.988.
      const longest = Math.max(...Array.from(weights, (weight) => factor(weight).length));
      put(element, { "data-size": size > 3 ? "large" : "small", style: `--dlc-size: ${size}; --dlc-term: ${longest + 9}ch` });
      const total = h("span", { class: "dlc-term-sum" }, `= ${short(sum)}`);
      element.replaceChildren(h("span", {}, `${name} = `), h("span", { class: "dlc-terms" }, ...terms, total));
    },
  };
}
