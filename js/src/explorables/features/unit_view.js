/**
 * How a unit's number comes about: what each map below adds, the products with one of them number by number, and the sum; of
 * pooling, the numbers of which it takes the largest.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./rules.js").Stage} Stage
 */
import { at } from "../../engine/tensors.js";
import { signed } from "../../shared/colour.js";
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createNumberGrid } from "../../shared/number_grid.js";
import { createVectorStrip } from "../../shared/vector_strip.js";
import { largest } from "./pictures.js";
import { hasPlaces } from "./rules.js";

const PARTS = /** @type {const} */ (["window", "filter", "products"]);
const SIGNS = ["", "×", "="];

/** The place of the number that is largest in size. @param {Float32Array} values */
const strongest = (values) => values.findIndex((value) => Math.abs(value) === largest(values));

/** @param {import("../../shared/format.js").Translate} text  @param {(source: number) => void} onSource */
export function createUnitView(text, onSource) {
  const title = h("div", { class: "dlc-part-title" });
  const strip = createVectorStrip({ name: "shares", onPoint: onSource });
  put(strip.element, { tabindex: 0 });
  let [chosen, count] = [0, 0];
  strip.element.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: chosen - 1, ArrowDown: chosen - 1, ArrowRight: chosen + 1, ArrowUp: chosen + 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (to >= 0 && to < count) onSource(to);
  });
  const share = h("p", { class: "dlc-readout", "data-part": "share" });
  const sharesTitle = h("div", { class: "dlc-part-title" });
  const shares = h("div", { class: "dlc-features-shares" }, sharesTitle, strip.element, share);
  const readout = h("p", { class: "dlc-readout" });
  const grids = PARTS.map((name) =>
    createNumberGrid({
      label: text(name),
      name,
      onDetail(detail) {
        const cell = detail && grids[PARTS.indexOf(name)]?.element.querySelectorAll("[role=gridcell]")[detail.row * size + detail.column];
        readout.textContent = detail ? text("cell", { value: cell?.getAttribute("title") ?? "", row: detail.row, column: detail.column }) : hint();
      },
    }),
  );
  let size = 0;
  /** Where there are too many numbers to be written. */
  const hint = () => (size > 5 ? text("point") : "");
  const heads = PARTS.map(() => h("div", { class: "dlc-part-title" }));
  const parts = PARTS.map((name, index) => h("div", { class: "dlc-part", "data-part": name }, heads[index], /** @type {{element: HTMLElement}} */ (grids[index]).element));
  const numbers = h("div", { class: "dlc-features-numbers" }, ...parts);
  const term = h("p", { class: "dlc-features-term", "data-part": "term" });
  const result = h("p", { class: "dlc-features-result", "data-part": "result" });
  const element = h("section", { class: "dlc-features-unit", "aria-label": text("unit_flat", { channel: "" }) }, title, shares, numbers, readout, term, result);

  return {
    element,
    /** @param {Shown} shown  @param {Stage} stage */
    draw({ state, answers, scales }, stage) {
      /** @type {Record<string, import("../../engine/tensors.js").Tensor>} */
      const found = answers["features"];
      const one = (/** @type {string} */ name) => Number(found[name]?.data[0]);
      const [channel, row, column] = state["unit"];
      const pools = stage.kind === "pooling";
      const flat = stage.kind === "logits";
      count = stage.sources;
      chosen = count === 1 ? 0 : (state["source"] ?? strongest(/** @type {Float32Array} */ (found["shares"]?.data)));
      title.textContent = hasPlaces(stage) ? text("unit", { row, column, map: text("map", { channel }) }) : text("unit_flat", { channel });
      put(element, { "aria-label": title.textContent, "data-kind": stage.kind });

      shares.hidden = pools || count === 1;
      const source = count === 1 ? text("pixel") : text(flat ? "unit_number" : "map", { channel: chosen });
      if (!shares.hidden) {
        const values = /** @type {Float32Array} */ (found["shares"]?.data);
        strip.draw(values, scales.diverging, largest(values));
        sharesTitle.textContent = text(flat ? "shares_units" : "shares");
        strip.stand(chosen, sharesTitle.textContent, text("share_of", { source, value: full(Number(values[chosen])) }));
        put(shares, { class: "dlc-features-shares has-place", style: `--dlc-place: ${chosen}; --dlc-count: ${count}` });
        share.textContent = text("share_of", { source, value: short(Number(values[chosen])) });
        put(share, { "data-value": Number(values[chosen]), title: full(Number(values[chosen])) });
      }

      numbers.hidden = flat;
      readout.hidden = flat;
      term.hidden = !flat;
      if (flat) {
        const [x, w, value] = PARTS.map((name) => Number(found[name]?.data[chosen]));
        term.textContent = text("term", { source, x: short(Number(x)), w: short(Number(w)), value: short(Number(value)) });
        put(term, { "data-x": x ?? null, "data-w": w ?? null, "data-value": value ?? null });
      } else {
        PARTS.forEach((name, index) => {
          const part = /** @type {HTMLElement} */ (parts[index]);
          const tensor = found[name];
          part.hidden = !tensor;
          if (!tensor) return;
          const values = pools ? tensor.data : at(tensor, chosen);
          size = Math.sqrt(values.length);
          const limit = largest(name === "window" ? tensor.data : values);
          // What comes out of a ReLU, and pixels, have no sign.
          grids[index]?.draw(values, name === "window" ? (value) => scales.even(limit > 0 ? value / limit : 0) : signed(scales.diverging, limit));
          const head = name === "window" && !pools ? `${text("window")} ${text("window_in", { source })}` : text(name);
          /** @type {Element} */ (heads[index]).textContent = `${SIGNS[index]} ${head}`.trim();
        });
        put(numbers, { "data-size": size });
        if (!numbers.matches(":hover, :focus-within")) readout.textContent = hint();
      }

      if (pools) {
        result.textContent = text("largest", { y: short(one("y")) });
        put(result, { "data-y": one("y"), "data-z": null, "data-bias": null, title: full(one("y")) });
      } else {
        const [z, y, bias] = [one("z"), one("y"), one("bias")];
        const bends = stage.kind === "relu" || stage.kind === "hidden";
        const many = Number(found["products"]?.data.length);
        result.textContent = text(bends ? "result_relu" : "result", { count: many, bias: short(bias), z: short(z), y: short(y) });
        put(result, { "data-z": z, "data-y": y, "data-bias": bias, title: `z = ${full(z)}, y = ${full(y)}` });
      }
    },
  };
}
