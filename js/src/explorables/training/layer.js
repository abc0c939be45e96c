/**
 * One layer: its weights and their gradient as two maps of the same shape, the biases in the last column, and how long the
 * gradient is. Of a layer that reads an image, the weights of one neuron are shown, as an image.
 *
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {import("../../shared/types.js").Plane} Plane
 * @typedef {import("../../shared/theme.js").Scales} Scales
 * @typedef {{weights: ArrayLike<number>, biases: ArrayLike<number>}} Pair
 * @typedef {{layer: number, neuron: number, input: number}} Place  The input that is one beyond the last is the bias.
 *
 * @typedef {object} LayerOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {number} layer  Counted from 1.
 * @property {number} inputs
 * @property {number} outputs
 * @property {number} side  Pixels of an image's side; 0 where the inputs are no image.
 * @property {(place: Place) => void} onPlace  A weight is pointed at, or chosen.
 */
import { signed } from "../../shared/colour.js";
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createLegend } from "../../shared/legend.js";
import { createPixelGrid } from "../../shared/pixel_grid.js";
import { follow } from "../../shared/roving.js";
import { createGallery } from "./gallery.js";
import { largest } from "./paint.js";

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
/** Gradients of a layer from this length to that are told apart by a bar's length, on a logarithmic scale. */
const NORMS = { shortest: 1e-6, longest: 10 };

/** Where a weight is, as the chapter writes it. @param {import("../../shared/format.js").Translate} text  @param {Place} place  @param {number} inputs */
export function nameOf(text, { layer, neuron, input }, inputs) {
  const exponent = SUPERSCRIPTS[layer] ?? "";
  return input === inputs ? text("bias", { layer: exponent, neuron }) : text("weight", { layer: exponent, neuron, input });
}

/** @param {LayerOptions} options */
export function createLayer({ text, layer, inputs, outputs, side, onPlace }) {
  const image = side > 0;
  const [rows, columns] = image ? [side, side] : [outputs, inputs + 1];
  let neuron = 0;
  /** @type {Cell} */
  let focus = image ? [side >> 1, side >> 1] : [0, 0];

  /** @param {Cell} cell @returns {Place} */
  const placeOf = ([row, column]) => ({ layer, neuron: image ? neuron : row, input: image ? row * side + column : column });
  /** @param {Cell} cell */
  const pick = (cell) => {
    focus = cell;
    onPlace(placeOf(cell));
  };
  const make = (/** @type {string} */ kind) => {
    const grid = createPixelGrid({
      label: text(`${kind}_label`, { layer }),
      name: `${kind}-${layer}`,
      onPoint: (cell) => onPlace(placeOf(cell)),
      onLeave: () => {},
      onPick: pick,
      onKey(event) {
        const next = follow(event, focus, { rows, columns });
        if (!next) return;
        pick(next);
        event.preventDefault();
        event.stopPropagation();
      },
    });
    grid.element.addEventListener("focusin", () => onPlace(placeOf(focus)));
    const legend = createLegend();
    // A line parts the biases from the weights.
    const rule = image ? null : h("div", { class: "dlc-bias-rule", "aria-hidden": "true", style: `left: ${(100 * inputs) / columns}%` });
    if (rule) grid.element.append(rule);
    const element = h("div", { class: columns < 6 ? "dlc-map is-narrow" : "dlc-map" }, h("div", { class: "dlc-map-name" }, text(kind)), grid.element, legend.element);
    const drawn = { of: /** @type {unknown[]} */ ([]), plane: /** @type {Plane} */ ({ height: 0, width: 0, values: new Float32Array(0) }), limit: 0, colour: (/** @type {number} */ _value) => "" };
    return { kind, grid, legend, element, drawn };
  };
  const maps = { weights: make("weights"), gradient: make("gradient") };
  const bar = h("span", {});
  const length = h("output", { "data-norm": layer });
  const own = h("p", { class: "dlc-own-bias" });
  const gallery = image ? createGallery({ text, count: outputs, side, onChoose: (next) => ((neuron = next), onPlace(placeOf(focus))) }) : null;
  const element = h(
    "div",
    { class: "dlc-layer", role: "group", "aria-label": text("layer", { layer, inputs, outputs }), "data-layer": layer, style: `--dlc-columns: ${columns}` },
    h("div", { class: "dlc-part-title" }, text("layer", { layer, inputs, outputs })),
    gallery?.element,
    gallery && own,
    h("div", { class: "dlc-maps" }, maps.weights.element, maps.gradient.element),
    h("div", { class: "dlc-norm" }, h("span", { class: "dlc-norm-name" }, text("norm"), " ", length), h("span", { class: "dlc-norm-bar", "aria-hidden": "true" }, bar)),
  );

  /** @param {Pair} pair @returns {Plane} */
  function planeOf({ weights, biases }) {
    if (image) return { height: side, width: side, values: Float32Array.from({ length: inputs }, (_, pixel) => Number(weights[neuron * inputs + pixel])) };
    const values = Float32Array.from({ length: rows * columns }, (_, index) => {
      const [row, column] = [Math.floor(index / columns), index % columns];
      return Number(column === inputs ? biases[row] : weights[row * inputs + column]);
    });
    return { height: rows, width: columns, values };
  }

  return {
    element,
    /**
     * @param {{weights: Pair, gradient: Pair}} pairs
     * @param {number} norm
     * @param {Scales} scales
     * @param {Place | null} place  The weight that is looked at.
     */
    draw(pairs, norm, scales, place) {
      const here = place?.layer === layer ? place : null;
      const [row, column] = !here ? [0, 0] : image ? [Math.floor(here.input / side), here.input % side] : [here.neuron, here.input];
      for (const { kind, grid, legend, drawn } of Object.values(maps)) {
        const pair = pairs[/** @type {"weights" | "gradient"} */ (kind)];
        const of = [pair.weights, neuron, scales];
        if (of.some((part, index) => part !== drawn.of[index])) {
          const limit = largest(pair.weights, pair.biases);
          const colour = signed(scales.diverging, limit);
          Object.assign(drawn, { of, limit, plane: planeOf(pair), colour: (/** @type {number} */ value) => (Number.isFinite(value) ? colour(value).fill : "transparent") });
        }
        grid.draw({
          plane: drawn.plane,
          colour: drawn.colour,
          describe: (value, cell) => `${nameOf(text, placeOf(cell), inputs)} = ${full(value)}`,
          border: 0,
          signs: true,
          faint: drawn.limit / 25,
          pointing: false,
          revealed: null,
          focus,
          mark: { row, column, size: here ? 1 : 0 },
        });
        legend.draw(scales.diverging, [-drawn.limit, drawn.limit], true);
      }
      if (gallery) {
        gallery.draw(pairs.weights.weights, neuron, scales);
        const [bias, slope] = [pairs.weights, pairs.gradient].map(({ biases }) => Number(biases[neuron]));
        own.textContent = text("own_bias", { neuron, bias: short(Number(bias)), gradient: short(Number(slope)) });
        put(own, { title: `${full(Number(bias))}, ${full(Number(slope))}`, "data-value": Number(bias), "data-gradient": Number(slope) });
      }
      const share = Math.log(norm / NORMS.shortest) / Math.log(NORMS.longest / NORMS.shortest);
      put(bar, { style: `width: ${(100 * Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0))).toFixed(1)}%` });
      length.textContent = short(norm);
      put(length, { "data-value": norm, title: full(norm) });
    },
  };
}

/** @typedef {ReturnType<typeof createLayer>} Layer */
