/**
 * All layers side by side, and one weight of them that is looked at: its value, its gradient, and what the step makes of it.
 *
 * @typedef {import("./layer.js").Place} Place
 * @typedef {import("./trainer.js").Shown} Shown
 * @typedef {import("../../shared/theme.js").Scales} Scales
 */
import { h, put } from "../../shared/dom.js";
import { full } from "../../shared/format.js";
import { createLayer, nameOf } from "./layer.js";

/** The numbers of one weight or bias. @param {Shown} shown  @param {Place} place */
export function numbersAt({ parameters, outputs, widths }, { layer, neuron, input }) {
  const inputs = Number(widths[layer - 1]);
  const [name, index] = input === inputs ? [`b${layer}`, neuron] : [`w${layer}`, neuron * inputs + input];
  const read = (/** @type {Record<string, import("../../engine/tensors.js").Tensor>} */ from, /** @type {string} */ key) => Number(from[key]?.data[index]);
  return { value: read(parameters, name), gradient: read(outputs, `d${name}`), after: read(outputs, `new_${name}`) };
}

/** @param {{text: import("../../shared/format.js").Translate}} options */
export function createLayers({ text }) {
  const row = h("div", { class: "dlc-layers" });
  const readout = h("p", { class: "dlc-reading", role: "status", "data-readout": "" });
  const element = h("div", { class: "dlc-layers-part" }, row, readout);
  /** @type {import("./layer.js").Layer[]} */
  let layers = [];
  let made = "";
  /** @type {Place | null} */
  let place = null;
  /** @type {{shown: Shown, scales: Scales} | null} */
  let last = null;

  /** @param {Shown} shown */
  function rebuild({ widths, examples }) {
    place = null;
    layers = widths.slice(1).map((outputs, index) =>
      createLayer({
        text,
        layer: index + 1,
        inputs: Number(widths[index]),
        outputs,
        side: index ? 0 : examples.side,
        onPlace(next) {
          if (place && JSON.stringify(place) === JSON.stringify(next)) return;
          place = next;
          redraw();
        },
      }),
    );
    row.replaceChildren(...layers.map(({ element: layer }) => layer));
  }

  function redraw() {
    if (!last) return;
    const { shown, scales } = last;
    const { parameters, outputs, widths } = shown;
    const pair = (/** @type {Record<string, import("../../engine/tensors.js").Tensor>} */ from, /** @type {string} */ prefix, /** @type {number} */ layer) => ({
      weights: from[`${prefix}w${layer}`]?.data ?? [],
      biases: from[`${prefix}b${layer}`]?.data ?? [],
    });
    layers.forEach((layer, index) => {
      const pairs = { weights: pair(parameters, "", index + 1), gradient: pair(outputs, "d", index + 1) };
      layer.draw(pairs, Number(outputs["norms"]?.data[index]), scales, place);
    });
    if (!place) {
      readout.textContent = text("readout_none");
      return put(readout, { "data-value": null, "data-gradient": null, "data-after": null });
    }
    const { value, gradient, after } = numbersAt(shown, place);
    const name = nameOf(text, place, Number(widths[place.layer - 1]));
    readout.textContent = text("readout", { name, value: full(value), gradient: full(gradient), after: full(after) });
    put(readout, { "data-value": value, "data-gradient": gradient, "data-after": after, "data-place": `${place.layer},${place.neuron},${place.input}` });
  }

  return {
    element,
    /** @param {Shown} shown  @param {Scales} scales */
    draw(shown, scales) {
      const next = `${shown.widths} ${shown.examples.side}`;
      if (next !== made) rebuild(shown);
      made = next;
      last = { shown, scales };
      redraw();
    },
  };
}
