/**
 * All heads, a row for each layer: thumbnails of their attention maps. One head is chosen; those switched off are crossed out.
 *
 * @typedef {object} HeadGridOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {{n_layer: number, n_head: number}} sizes
 * @property {(layer: number, head: number) => void} onPick
 * @property {(event: KeyboardEvent) => void} onKey  Any key but those that move.
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { short } from "../../shared/format.js";
import { follow } from "../../shared/roving.js";
import { keep } from "./rules.js";
import { isHidden, part, strongest, weightsOf } from "./selection.js";

/** @param {HeadGridOptions} options */
export function createHeadGrid({ text, sizes, onPick, onKey }) {
  const { n_layer, n_head } = sizes;
  const thumbnails = Array.from({ length: n_layer * n_head }, (_, index) => {
    const canvas = h("canvas", { width: 1, height: 1 });
    const place = { layer: Math.floor(index / n_head), head: index % n_head };
    const cell = h(
      "div",
      { ...OWN_KEYS, class: "dlc-head", role: "gridcell", tabindex: -1, "data-layer": place.layer, "data-head": place.head, onclick: () => pick(place.layer, place.head) },
      canvas,
    );
    return { ...place, cell, canvas };
  });
  const rows = Array.from({ length: n_layer }, (_, layer) =>
    h(
      "div",
      { class: "dlc-head-row", role: "row" },
      h("span", { class: "dlc-head-label", role: "rowheader" }, text("layer_short", { layer })),
      ...thumbnails.slice(layer * n_head, (layer + 1) * n_head).map(({ cell }) => cell),
    ),
  );
  const names = Array.from({ length: n_head }, (_, head) =>
    h("span", { class: "dlc-head-label", role: "columnheader" }, text("head_short", { head })),
  );
  const element = h(
    "div",
    { class: "dlc-heads", role: "grid", "aria-label": text("heads_label"), "data-grid": "heads", style: `--dlc-columns: ${n_head}` },
    h("div", { class: "dlc-head-row", role: "row" }, h("span", { role: "columnheader" }, h("span", { class: "dlc-unseen" }, text("layer"))), ...names),
    ...rows,
  );
  let chosen = { layer: 0, head: 0 };

  /** @param {number} layer  @param {number} head */
  const cellOf = (layer, head) => thumbnails[layer * n_head + head]?.cell;
  /** @param {number} layer  @param {number} head */
  function pick(layer, head) {
    onPick(layer, head);
    cellOf(layer, head)?.focus({ preventScroll: true });
  }
  element.addEventListener("keydown", (event) => {
    const next = follow(event, [chosen.layer, chosen.head], { rows: n_layer, columns: n_head });
    if (!next) return onKey(event);
    event.preventDefault();
    event.stopPropagation();
    pick(...next);
  });

  /** What is painted; sixteen maps are worth painting only when they changed. @type {unknown[]} */
  let painted = [];

  return {
    element,
    /**
     * @param {import("./state.js").Shown} shown
     * @param {import("../../shared/colour.js").Scale} even
     */
    draw({ wanted, state, pass, at }, even) {
      const afresh = painted[0] !== pass || painted[1] !== even;
      painted = [pass, even];
      const kept = keep(state, sizes);
      thumbnails.forEach(({ layer, head, cell, canvas }, index) => {
        if (afresh) paint(canvas, pass, layer, head, even);
        const row = part(pass.outputs, "attention", layer, head, at);
        const key = strongest(row);
        const off = kept[index] === 0;
        const values = { layer, head, query: pass.read.tokens[at] ?? "", key: pass.read.tokens[key] ?? "", weight: short(Number(row[key])) };
        const isChosen = layer === wanted.layer && head === wanted.head;
        put(cell, {
          "aria-label": text(off ? "head_cell_off" : "head_cell", values),
          title: text(off ? "head_hint_off" : "head_hint", values),
          "aria-selected": String(isChosen),
          tabindex: isChosen ? 0 : -1,
          "data-off": off,
        });
      });
      chosen = { layer: wanted.layer, head: wanted.head };
    },
    focus: () => cellOf(chosen.layer, chosen.head)?.focus({ preventScroll: true }),
  };
}

/**
 * One pixel per cell; what is hidden stays clear.
 * @param {HTMLCanvasElement} canvas
 * @param {import("./state.js").Pass} pass
 * @param {number} layer
 * @param {number} head
 * @param {import("../../shared/colour.js").Scale} even
 */
function paint(canvas, pass, layer, head, even) {
  const { height, width, values } = weightsOf(pass, layer, head);
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  values.forEach((value, index) => {
    const [query, key] = [Math.floor(index / width), index % width];
    if (isHidden(pass, query, key)) return;
    context.fillStyle = even(value).fill;
    context.fillRect(key, query, 1, 1);
  });
}
