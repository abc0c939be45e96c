/**
 * The key-value cache: a column for each token of the context, a row for each layer, and the free places. The shade says how
 * much the newest token collected from there, the mean over the heads. A cursor stands at one token.
 *
 * @typedef {import("./types.js").Shown} Shown
 * @typedef {import("./reading.js").Config} Config
 */
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createLegend } from "../../shared/legend.js";
import { createPrecision } from "./precision.js";
import { createScrubber } from "./scrubber.js";

/** Heights on the canvas, which the page scales to its width. */
const ROW = 18;
const WIDTH = 1024;
/** Places shown at least, so that a short text is not a few broad blocks. */
const FEWEST = 32;

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./words.js").Words} words
 * @param {Config} config
 */
export function createCacheStrip(text, words, { n_layer, block_size }) {
  const canvas = h("canvas", { class: "dlc-cache-cells", width: WIDTH, height: n_layer * ROW });
  /** @type {Shown | null} */
  let shown = null;
  let place = 0;
  const capacity = () => {
    let room = FEWEST;
    while (room < (shown?.path.length ?? 0)) room *= 2;
    return Math.min(room, block_size);
  };
  const scrubber = createScrubber(
    { name: "cache", label: text("cache_label"), first: 0, placeAt: (along) => Math.floor(along * capacity()), onMove: stand },
    canvas,
  );
  const readout = h("p", { class: "dlc-readout", "data-readout": "cache" });
  const sizes = h("p", { class: "dlc-cache-sizes" });
  const work = h("p", { class: "dlc-cache-work" });
  const legend = createLegend();
  const names = h("div", { class: "dlc-cache-layers", "aria-hidden": "true" }, ...Array.from({ length: n_layer }, (_, layer) => h("span", {}, String(layer))));
  const element = h("div", {}, h("div", { class: "dlc-cache" }, names, scrubber.element), legend.element, readout, sizes, work);

  const written = createPrecision(element, () => stand(place));

  /** From where the newest token collected. @param {number} layer  @param {number} at */
  const weight = (layer, at) => {
    const attention = shown?.node.read?.attention;
    return attention ? Number(attention[layer * (attention.length / n_layer) + at]) : 0;
  };

  /** @param {number} next */
  function stand(next) {
    if (!shown) return;
    place = Math.min(next, shown.path.length - 1);
    const node = /** @type {import("./tree.js").Node} */ (shown.path[place]);
    const weights = Array.from({ length: n_layer }, (_, layer) => weight(layer, place));
    const said = (/** @type {(value: number) => string} */ write) =>
      text("cache_readout", { token: words.label(node.token), place, values: weights.map(write).join(", ") });
    readout.textContent = said(written());
    put(readout, { "data-values": weights.join(" ") });
    scrubber.stand(place, shown.path.length - 1, said(full));
    paint();
  }

  /** @type {import("../../shared/colour.js").Scale | null} */
  let even = null;
  let ink = "";
  function paint() {
    if (!shown || !even) return;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const width = WIDTH / capacity();
    const gap = Math.min(2, width / 8);
    context.clearRect(0, 0, WIDTH, n_layer * ROW);
    const limit = Math.max(...(shown.node.read?.attention ?? [1]));
    legend.draw(even, [0, limit], false);
    for (let layer = 0; layer < n_layer; layer++) {
      for (let at = 0; at < capacity(); at++) {
        const there = at < shown.path.length;
        context.fillStyle = there ? even(weight(layer, at) / limit).fill : ink;
        context.globalAlpha = there ? 1 : 0.12;
        context.fillRect(at * width, layer * ROW + 1, width - gap, ROW - 2);
      }
    }
    context.globalAlpha = 1;
    context.strokeStyle = ink;
    context.lineWidth = 2;
    context.strokeRect(place * width - 1, 1, width - gap + 2, n_layer * ROW - 2);
  }

  return {
    element,
    /** @param {Shown} next */
    draw(next) {
      const atEnd = !shown || place === shown.path.length - 1;
      const moved = shown?.node !== next.node;
      shown = next;
      const { path, node, computed } = next;
      const row = node.read?.row;
      // The cache is as large as its rows are together.
      const bytes = (row?.byteLength ?? 0) * path.length;
      sizes.textContent = text("cache_sizes", { tokens: path.length, layers: n_layer, kilobytes: short(bytes / 1000), most: block_size });
      put(sizes, { "data-tokens": path.length, "data-bytes": bytes });
      const key = computed === 0 ? "cache_remembered" : computed === 1 ? "cache_one" : "cache_several";
      work.textContent = text(key, { computed, instead: path.length });
      put(work, { "data-computed": computed, "data-instead": path.length });
      stand(atEnd || moved ? path.length - 1 : place);
    },
    /** @param {import("../../shared/theme.js").Scales} scales  @param {string} colour  Of the free places and the cursor. */
    recolour(scales, colour) {
      even = scales.even;
      ink = colour;
      paint();
    },
  };
}
