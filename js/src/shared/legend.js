/** The key to a colour scale: a bar with the numbers at its ends, and in the middle where zero lies. */
import { h, put } from "./dom.js";
import { short } from "./format.js";

export function createLegend() {
  const bar = h("div", { class: "dlc-legend-bar" });
  const [low, middle, high] = [h("span"), h("span"), h("span")];
  const element = h("div", { class: "dlc-legend" }, bar, h("div", { class: "dlc-legend-ends" }, low, middle, high));
  return {
    element,
    /**
     * @param {import("./colour.js").Scale} scale
     * @param {[number, number]} range
     * @param {boolean} zero  Whether to mark the middle.
     */
    draw(scale, [from, to], zero) {
      const stops = Array.from({ length: 17 }, (_, i) => scale(i / 16).fill);
      put(bar, { style: `background: linear-gradient(to right, ${stops.join(", ")})` });
      low.textContent = short(from);
      middle.textContent = zero ? "0" : "";
      high.textContent = short(to);
    },
  };
}
