/**
 * A map for each network: rows are layers, the input at the bottom, columns are steps. The lighter a cell, the more of the
 * gradient arrives there; hatched cells have no way to the loss. One place is chosen, in all maps alike.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./numbers.js").Numbers} Numbers
 *
 * @typedef {object} MapsOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {string[]} networks
 * @property {(place: {layer: number, time: number}) => void} onPlace
 */
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createLegend } from "../../shared/legend.js";
import { createPixelGrid } from "../../shared/pixel_grid.js";
import { follow } from "../../shared/roving.js";
import { createGlyph } from "./chart.js";
import { decades } from "./rules.js";

/** @param {MapsOptions} options */
export function createMaps({ text, networks, onPlace }) {
  const title = h("div", { class: "dlc-part-title" });
  let depth = 0;
  let length = 0;
  let chosen = { layer: 0, time: 1 };
  /** What the mouse is over. @type {{network: string, layer: number, time: number} | null} */
  let pointed = null;
  /** @type {Numbers | null} */
  let last = null;
  const readout = h("p", { class: "dlc-readout" });
  function tell() {
    const value = pointed && last && pointed.layer <= depth && pointed.time <= length ? last.norm(pointed.network, pointed.layer, pointed.time) : null;
    readout.textContent = pointed && value !== null ? text(value > 0 ? "cell" : "cell_none", { ...pointed, network: text(pointed.network), value: full(value) }) : "";
    put(readout, { "data-value": value });
  }
  const place = (/** @type {import("../../shared/types.js").Cell} */ [row, column]) => ({ layer: depth - row, time: column + 1 });
  const maps = networks.map((network) => {
    const grid = createPixelGrid({
      label: text("map", { network: text(network) }),
      name: network,
      onPoint(cell) {
        pointed = { network, ...place(cell) };
        tell();
      },
      onLeave() {
        pointed = null;
        tell();
      },
      onPick: (cell) => onPlace(place(cell)),
      onKey(event) {
        const next = follow(event, [depth - chosen.layer, chosen.time - 1], { rows: depth + 1, columns: length });
        if (!next) return;
        event.preventDefault();
        event.stopPropagation();
        onPlace(place(next));
      },
    });
    const value = h("b", { "data-network": network });
    const head = h("div", { class: "dlc-gradients-head" }, h("span", { class: "dlc-gradients-name" }, createGlyph(network), text(network)), value);
    return { network, grid, value, element: h("div", { class: "dlc-gradients-map" }, head, grid.element) };
  });
  const legend = createLegend();
  const key = h("div", { class: "dlc-gradients-legend" }, h("span", {}, text("legend")), legend.element);
  const element = h("section", { class: "dlc-part" }, title, h("div", { class: "dlc-gradients-maps" }, ...maps.map((map) => map.element)), readout, key);
  /** What the cells were painted for. @type {{numbers: Numbers | null, even: unknown, planes: Map<string, any>}} */
  let painted = { numbers: null, even: null, planes: new Map() };

  return {
    element,
    /** @param {Shown} shown  @param {Numbers} numbers */
    draw({ scales }, numbers) {
      ({ depth, length } = numbers);
      chosen = { layer: numbers.layer, time: numbers.time };
      last = numbers;
      title.textContent = text("maps_title", chosen);
      const { low, high } = decades(networks.flatMap((network) => numbers.all(network)));
      if (painted.numbers?.answers !== numbers.answers || painted.even !== scales.even) {
        painted = { numbers, even: scales.even, planes: new Map() };
        const colour = (/** @type {number} */ value) => (value > 0 ? scales.even((Math.log10(value) - low) / (high - low)).fill : "transparent");
        for (const network of networks) {
          const values = Float32Array.from({ length: (depth + 1) * length }, (_, index) => numbers.norm(network, depth - Math.floor(index / length), (index % length) + 1));
          painted.planes.set(network, { plane: { height: depth + 1, width: length, values }, colour });
        }
        legend.draw(scales.even, [10 ** low, 10 ** high], false);
      }
      for (const { network, grid, value } of maps) {
        const name = text(network);
        grid.draw({
          ...painted.planes.get(network),
          describe: (each, cell) => text(each > 0 ? "cell" : "cell_none", { network: name, ...place(cell), value: full(each) }),
          border: 0,
          signs: false,
          revealed: null,
          focus: [depth - chosen.layer, chosen.time - 1],
          mark: { row: depth - chosen.layer, column: chosen.time - 1, size: 1 },
          pointing: false,
          faint: 0,
        });
        const norm = numbers.norm(network, chosen.layer, chosen.time);
        value.textContent = norm > 0 ? short(norm) : text("no_way");
        put(value, { "data-value": norm, title: full(norm) });
      }
      tell();
    },
  };
}
