/**
 * The network: a column for each layer, a circle for each neuron, and a line for each weight, as thick as what it contributes.
 * One neuron is open; it is reached by the tab key, the others by arrow keys.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 *
 * @typedef {object} NetworkOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {number[]} sizes
 * @property {(neuron: number) => void} onOpen
 * @property {(neuron: number, input: number) => void} onWeight  A line is pressed.
 * @property {(input: number) => void} onFlip  An input is pressed.
 */
import { h, OWN_KEYS, put, s } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { neighbour, numberOf } from "./rules.js";

/** The least share of the largest contribution that is drawn in colour. */
const FAINT = 0.03;

/** @param {NetworkOptions} options */
export function createNetwork({ text, sizes, onOpen, onWeight, onFlip }) {
  const x = (/** @type {number} */ layer) => ((layer + 0.5) / sizes.length) * 100;
  const y = (/** @type {number} */ layer, /** @type {number} */ place) => ((place + 0.5) / Number(sizes[layer])) * 100;

  /** @type {{element: SVGLineElement, hit: SVGLineElement, layer: number, place: number, input: number}[]} */
  const lines = [];
  const drawing = s("svg", { class: "dlc-forward-lines", viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
  /** @type {{element: HTMLElement, number: HTMLElement, layer: number, place: number}[]} */
  const circles = [];
  const columns = sizes.map((size, layer) => {
    const column = h("div", { class: "dlc-forward-column", role: layer ? "row" : null });
    for (let place = 0; place < size; place++) {
      const number = h("span", { class: "dlc-forward-number" });
      const name = h("span", { class: "dlc-forward-name", "aria-hidden": "true" }, text(layer ? "y_name" : "input", { place: place + 1 }));
      const neuron = layer ? numberOf(sizes, { layer, place }) : null;
      const naming = { ...OWN_KEYS, class: "dlc-forward-neuron", "data-layer": layer, "data-place": place };
      const element =
        neuron === null
          ? h("button", { type: "button", ...naming, onclick: () => onFlip(place) }, number, name)
          : h("div", { role: "gridcell", tabindex: -1, ...naming, onclick: () => onOpen(neuron) }, number, name);
      circles.push({ element, number, layer, place });
      column.append(element);
      for (let input = 0; layer && input < Number(sizes[layer - 1]); input++) {
        const ends = { x1: x(layer - 1), y1: y(layer - 1, input), x2: x(layer), y2: y(layer, place) };
        const element = s("line", { ...ends, class: "dlc-forward-line", "data-layer": layer, "data-place": place, "data-input": input });
        const hit = s("line", { ...ends, class: "dlc-forward-hit", onclick: () => onWeight(Number(neuron), input) }, s("title", {}));
        lines.push({ element, hit, layer, place, input });
      }
    }
    return column;
  });
  drawing.append(...lines.map(({ element }) => element), ...lines.map(({ hit }) => hit));
  const room = `min-height: ${Math.max(...sizes) * 5}rem`;
  const [inputs, ...others] = columns;
  const network = h("div", { class: "dlc-forward-grid", role: "grid", "aria-label": text("network"), "data-grid": "network" }, ...others);
  const box = h("div", { class: "dlc-forward-network", style: room }, drawing, inputs, network);
  const heads = sizes.map((_, layer) => h("span", {}, layer ? text("layer", { layer }) : text("inputs")));
  const element = h("div", {}, h("div", { class: "dlc-forward-heads", "aria-hidden": "true" }, ...heads), box);

  let open = 0;
  network.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const next = neighbour(sizes, open, event.key);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    onOpen(next);
    // It is drawn at the end of this turn.
    setTimeout(() => /** @type {HTMLElement | null} */ (network.querySelector("[tabindex='0']"))?.focus());
  });

  return {
    element,
    /** @param {Shown} shown */
    draw({ state, answers, scales }) {
      open = state["neuron"];
      const products = lines.map(({ layer, place, input }) => Number(answers[`products${layer}`].data[place * Number(sizes[layer - 1]) + input]));
      const most = Math.max(...products.map(Math.abs)) || 1;
      lines.forEach(({ element: line, hit, layer, place, input }, index) => {
        const value = Number(products[index]);
        const weight = Number(state["weights"][layer - 1][place][input]);
        const known = numberOf(sizes, { layer, place }) < state["step"];
        const colour = known ? scales.diverging(0.5 + value / most / 2).fill : "";
        const width = (1 + (6 * Math.abs(value)) / most).toFixed(2);
        // What contributes next to nothing has next to no colour: it keeps the plain line's.
        const style = known && Math.abs(value) > FAINT * most ? `stroke: ${colour}; stroke-width: ${width}px` : null;
        put(line, { style, "data-value": known ? value : null, "data-open": numberOf(sizes, { layer, place }) === open });
        /** @type {Element} */ (hit.firstElementChild).textContent = text("line", { weight: full(weight), value: known ? full(value) : "–" });
      });
      const values = (/** @type {number} */ layer) => (layer ? answers[`y${layer}`].data : state["x"]);
      const largest = Math.max(...circles.flatMap(({ layer, place }) => Math.abs(Number(values(layer)[place])))) || 1;
      for (const { element: circle, number, layer, place } of circles) {
        const neuron = layer ? numberOf(sizes, { layer, place }) : -1;
        const known = neuron < state["step"];
        const value = Number(values(layer)[place]);
        const { fill, ink } = scales.diverging(0.5 + value / largest / 2);
        number.textContent = known ? short(value) : "?";
        const name = text(layer ? "neuron_name" : "flip", { layer, place: place + 1 });
        put(circle, {
          style: known ? `background: ${fill}; color: ${ink}` : null,
          title: known ? full(value) : null,
          "data-value": known ? value : null,
          "aria-label": known ? `${name}: ${full(value)}` : text("not_yet", { layer, place: place + 1 }),
          ...(layer ? { tabindex: neuron === open ? 0 : -1, "aria-selected": String(neuron === open) } : {}),
        });
      }
    },
  };
}
