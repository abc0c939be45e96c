/**
 * Which weights moved: a cell for each matrix with how far fine-tuning moved it, all weights or LoRA; and of the one that is
 * looked at, in which directions.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./rules.js").Change} Change
 */
import { createBarList } from "../../shared/bar_list.js";
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { neighbour, rowsOf } from "./rules.js";

/** How the models were fine-tuned. */
export const WAYS = /** @type {const} */ (["full", "lora"]);

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {Change[]} changes
 * @param {number} rank  LoRA's.
 * @param {(matrix: number) => void} onPick
 */
export function createWeights(text, changes, rank, onPick) {
  const rows = rowsOf(changes);
  const most = Math.max(...changes.flatMap((change) => WAYS.map((way) => change[way].relative)));
  const nameOf = (/** @type {Change} */ { layer, kind }) => (layer === null ? text(`kind_${kind}`) : text("name", { kind: text(`kind_${kind}`), layer }));
  const cells = changes.map((change, place) => {
    const parts = WAYS.map((way) => {
      const { relative } = change[way];
      const bar = h("span", { "data-way": way, style: `width: ${(100 * relative) / most}%` });
      return h("span", { class: "dlc-weight-way" }, h("span", { class: "dlc-weight-track" }, bar), h("span", { class: "dlc-weight-number", "data-way": way, "data-value": relative }, short(relative)));
    });
    const label = text("cell", { name: nameOf(change), full: full(change.full.relative), lora: full(change.lora.relative) });
    const head = change.layer === null ? text(`kind_${change.kind}`) : text("layer", { layer: change.layer });
    return h(
      "div",
      { ...OWN_KEYS, class: "dlc-weight", role: "radio", tabindex: -1, "aria-label": label, title: label, "data-matrix": place, onclick: () => pick(place) },
      h("span", { class: "dlc-weight-head" }, head),
      ...parts,
    );
  });
  const grid = h(
    "div",
    { class: "dlc-weights", role: "radiogroup", "aria-label": text("weights_label"), "data-grid": "weights" },
    ...rows.map((places) => {
      const first = changes[Number(places[0])];
      const head = h("span", { class: "dlc-weights-kind", "aria-hidden": "true" }, first?.layer === null ? text("outside") : text(`kind_${first?.kind}`));
      return h("div", { class: "dlc-weights-row" }, head, h("div", { class: "dlc-weights-cells" }, ...places.map((place) => cells[place])));
    }),
  );
  let chosen = 0;
  /** @param {number} place */
  function pick(place) {
    onPick(place);
    cells[place]?.focus({ preventScroll: true });
  }
  grid.addEventListener("keydown", (event) => {
    const next = neighbour(event, rows, chosen);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    pick(next);
  });

  const title = h("p", { class: "dlc-part-title" });
  const lines = WAYS.map((way) => h("p", { class: "dlc-readout", "data-readout": way }));
  const values = createBarList({ name: "directions", kinds: WAYS.map((way) => text(way)) });
  const key = h("p", { class: "dlc-finetuning-key", "aria-hidden": "true" }, ...WAYS.map((way) => h("span", { "data-way": way }, text(way))));
  const element = h(
    "div",
    { class: "dlc-finetuning-weights" },
    h("div", { class: "dlc-part" }, h("p", { class: "dlc-part-title" }, text("weights_title")), grid, key),
    h("div", { class: "dlc-part", "data-part": "directions" }, title, values.element, ...lines),
  );

  return {
    element,
    /** @param {Shown} shown */
    draw({ state }) {
      chosen = state["matrix"];
      cells.forEach((cell, place) => put(cell, { "aria-checked": String(place === chosen), tabindex: place === chosen ? 0 : -1 }));
      const change = /** @type {Change} */ (changes[chosen]);
      const [height, width] = change.shape;
      title.textContent = text("directions", { name: nameOf(change), height, width });
      const longest = Math.max(...WAYS.flatMap((way) => change[way].values)) || 1;
      values.draw(
        change.full.values.map((_, index) => {
          const both = WAYS.map((way) => Number(change[way].values[index]));
          return { label: String(index + 1), id: index, values: both, sizes: both.map((value) => value / longest) };
        }),
        title.textContent,
      );
      WAYS.forEach((way, index) => {
        const { trained, relative, share } = change[way];
        const line = /** @type {HTMLElement} */ (lines[index]);
        line.textContent = text(trained ? "moved_by" : "stayed", { way: text(way), trained: trained.toLocaleString("en"), relative: short(relative), share: short(share), rank });
        put(line, { "data-value": share, title: full(share) });
      });
    },
  };
}
