/**
 * One pair of dimensions of a query and of a key, before and after their rotation: as arrows and as numbers.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */
import { h, put, s } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { dimensionOf, distanceOf, widthOf } from "./rules.js";

const VECTORS = ["query", "key"];

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./rules.js").Sizes} sizes
 */
export function createRotation(text, sizes) {
  const arrows = VECTORS.flatMap((name) => [name, `turned_${name}`]).map((name) => ({ name, element: s("path", { class: "dlc-positions-arrow", "data-arrow": name }) }));
  const letters = VECTORS.map((name) => ({ name, element: s("text", { class: "dlc-positions-letter", "data-arrow": name }, name.charAt(0)) }));
  const drawing = s("svg", { class: "dlc-positions-circle", viewBox: "-1.3 -1.3 2.6 2.6", "aria-hidden": "true" }, s("circle", { r: 1 }), s("path", { class: "dlc-positions-axes", d: "M-1.1,0H1.1M0,-1.1V1.1" }), ...arrows.map(({ element }) => element), ...letters.map(({ element }) => element));
  const title = h("div", { class: "dlc-part-title" });
  const number = (/** @type {string} */ part) => h("td", { "data-part": part });
  const rows = VECTORS.map((name) => {
    const cells = ["before0", "before1", "angle", "after0", "after1"].map(number);
    const head = h("th", { scope: "row" });
    return { name, cells, head, element: h("tr", { "data-vector": name }, head, ...cells) };
  });
  const products = ["dot_plain", "dot_turned"].map(number);
  const [plain, turned] = products;
  const heads = h("tr", {}, h("th", { scope: "col" }, text("vector")), h("th", { scope: "col", colspan: 2 }, text("before")), h("th", { scope: "col" }, text("angle")), h("th", { scope: "col", colspan: 2 }, text("after")));
  const last = h("tr", {}, h("th", { scope: "row" }, text("pair_product")), h("td"), plain ?? null, h("td"), h("td"), turned ?? null);
  const table = h("table", { class: "dlc-positions-numbers" }, h("thead", {}, heads), h("tbody", {}, ...rows.map((row) => row.element), last));
  const element = h("section", { class: "dlc-part dlc-positions-rotation", "aria-label": text("rotation") }, title, h("div", { class: "dlc-positions-turning" }, drawing, table));

  /** @param {Element} cell  @param {number} value */
  const write = (cell, value) => {
    cell.textContent = short(value);
    put(cell, { "data-value": value, title: full(value) });
  };
  return {
    element,
    /** @param {Shown} shown  @param {string} token */
    draw({ state, answers }, token) {
      const { kind, position } = state;
      put(element, { hidden: kind !== "rotary" });
      if (kind !== "rotary") return;
      const out = (/** @type {string} */ name, place = 0) => Number(answers[name].data[place]);
      title.textContent = text("rotation_title", { token, pair: Math.floor(dimensionOf(state, widthOf(kind, sizes)) / 2) });
      // Both vectors in one scale: the longer one reaches the circle.
      const reach = Math.max(...VECTORS.map((name) => Math.hypot(out(name, 0), out(name, 1)))) || 1;
      for (const { name, element: arrow } of arrows) put(arrow, { d: arrowTo(out(name, 0) / reach, -out(name, 1) / reach) });
      for (const { name, element: letter } of letters) {
        const [x, y] = [out(`turned_${name}`, 0) / reach, -out(`turned_${name}`, 1) / reach];
        const further = 1 + 0.16 / (Math.hypot(x, y) || 1);
        put(letter, { x: (further * x).toFixed(3), y: (further * y).toFixed(3) });
      }
      rows.forEach(({ name, cells, head }, index) => {
        head.textContent = text(`${name}_at`, { place: index ? position - distanceOf(state) : position });
        const values = [out(name, 0), out(name, 1), out("angles", index), out(`turned_${name}`, 0), out(`turned_${name}`, 1)];
        values.forEach((value, place) => write(/** @type {Element} */ (cells[place]), value));
      });
      products.forEach((cell) => write(cell, out(String(cell.dataset["part"]))));
    },
  };
}

/** An arrow from the middle, with its head. @param {number} x  @param {number} y */
function arrowTo(x, y) {
  const length = Math.hypot(x, y);
  if (!length) return "M0,0";
  const [dx, dy] = [x / length, y / length];
  const size = Math.min(0.13, length / 2);
  const side = (/** @type {number} */ sign) => `${(x - size * dx - sign * 0.6 * size * dy).toFixed(4)},${(y - size * dy + sign * 0.6 * size * dx).toFixed(4)}`;
  return `M0,0L${x.toFixed(4)},${y.toFixed(4)}M${side(1)}L${x.toFixed(4)},${y.toFixed(4)}L${side(-1)}`;
}
