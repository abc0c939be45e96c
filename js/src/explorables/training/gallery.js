/**
 * The neurons of a layer that reads an image, each by its weights as a small image. One is chosen, by mouse, finger or arrow
 * keys.
 */
import { signed } from "../../shared/colour.js";
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { follow } from "../../shared/roving.js";
import { largest, paint } from "./paint.js";

/**
 * @param {object} options
 * @param {import("../../shared/format.js").Translate} options.text
 * @param {number} options.count
 * @param {number} options.side
 * @param {(neuron: number) => void} options.onChoose
 */
export function createGallery({ text, count, side, onChoose }) {
  const canvases = Array.from({ length: count }, () => h("canvas", { "aria-hidden": "true" }));
  const buttons = canvases.map((canvas, neuron) =>
    h(
      "button",
      { type: "button", ...OWN_KEYS, role: "radio", "aria-label": text("neuron", { neuron }), "data-neuron": neuron, onclick: () => onChoose(neuron) },
      canvas,
    ),
  );
  const element = h("div", { class: "dlc-gallery", role: "radiogroup", "aria-label": text("neurons_label") }, ...buttons);
  let chosen = 0;
  /** What was painted last: while it is the same, it need not be again. @type {unknown[]} */
  let painted = [];
  element.addEventListener("keydown", (event) => {
    const next = follow(event, [0, chosen], { rows: 1, columns: count });
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    onChoose(next[1]);
    buttons[next[1]]?.focus();
  });
  return {
    element,
    /** @param {ArrayLike<number>} weights  Of all neurons, row by row.  @param {number} neuron  @param {import("../../shared/theme.js").Scales} scales */
    draw(weights, neuron, scales) {
      buttons.forEach((button, index) => put(button, { "aria-checked": String(index === neuron), tabindex: index === neuron ? 0 : -1 }));
      chosen = neuron;
      if (painted[0] === weights && painted[1] === scales) return;
      painted = [weights, scales];
      const colour = signed(scales.diverging, largest(weights));
      const size = side * side;
      canvases.forEach((canvas, index) => {
        const own = Array.from({ length: size }, (_, pixel) => Number(weights[index * size + pixel]));
        paint(canvas, side, own, (value) => (Number.isFinite(value) ? colour(value).fill : null));
      });
    },
  };
}
