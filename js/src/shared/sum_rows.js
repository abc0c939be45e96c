/**
 * How a number comes about, line by line: the name of a term, its factors and what they give, each in a column of its own.
 *
 * @typedef {{value: number, kind?: "factor" | "product" | "result"}} Figure  A number; by its kind it is set off.
 * @typedef {{id: string, name: string, parts: (Figure | string)[]}} SumRow  Five parts: a factor, a sign, a factor, a sign and
 *   what they give; an empty text leaves a place empty.
 */
import { h } from "./dom.js";
import { full, short } from "./format.js";

export function createSumRows() {
  const element = h("div", { class: "dlc-sum-rows" });
  /** @param {Figure | string} part */
  const written = (part) =>
    typeof part === "string" ? h("span", {}, part) : h("span", { "data-kind": part.kind ?? "factor", "data-value": part.value, title: full(part.value) }, short(part.value));
  return {
    element,
    /** @param {SumRow[]} rows */
    draw(rows) {
      element.replaceChildren(...rows.map(({ id, name, parts }) => h("div", { class: "dlc-sum-row", "data-row": id }, h("span", { class: "dlc-sum-name" }, name), ...parts.map(written))));
    },
  };
}
