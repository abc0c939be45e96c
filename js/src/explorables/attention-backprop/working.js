/**
 * The open cell as the sum that it is, in numbers.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("../../shared/sum_rows.js").SumRow} SumRow
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {import("./numbers.js").Numbers} Numbers
 * @typedef {import("./rules.js").Part} Part
 */
import { h, put } from "../../shared/dom.js";
import { createSumRows } from "../../shared/sum_rows.js";
import { cellName, subscript } from "./names.js";
import { cellAt, counts, opened, TOKENS } from "./rules.js";

/** @param {number} value */
const product = (value) => ({ value, kind: /** @type {const} */ ("product") });
/** @param {number} value */
const result = (value) => ({ value, kind: /** @type {const} */ ("result") });
const TOKEN_PLACES = Array.from({ length: TOKENS }, (_, token) => token);

/** @param {import("../../shared/format.js").Translate} text */
export function createWorking(text) {
  const title = h("p", { class: "dlc-attention-backprop-open" });
  const rows = createSumRows();
  const element = h("section", { class: "dlc-part dlc-attention-backprop-working", "aria-label": text("working") }, title, rows.element);
  return {
    element,
    /** @param {Shown} shown  @param {Numbers} numbers */
    draw({ state }, numbers) {
      const now = opened(state);
      put(element, { hidden: now === null });
      if (!now) return;
      const { part, cell } = now;
      const name = part.kind === "loss" ? "L" : cellName(part.result, cell);
      title.textContent = text(`open_${part.kind}`, { name, row: state["row"] + 1 });
      rows.draw(LINES[part.kind](part, cell, numbers, state, text));
    },
  };
}

/** @type {Record<Part["kind"], (part: Part, cell: Cell, numbers: Numbers, state: import("./rules.js").State, text: import("../../shared/format.js").Translate) => SumRow[]>} */
const LINES = {
  products({ result: name, operands, cells, count, sum }, cell, numbers, _, text) {
    const [left = "", right = ""] = operands;
    const [one = "", other = ""] = cells ?? [];
    const terms = Array.from({ length: Number(count) }, (_, n) => {
      const [a, b] = [cellAt(one, cell, n), cellAt(other, cell, n)];
      return { id: `term${n}`, name: `${cellName(left, a)} · ${cellName(right, b)}`, parts: [{ value: numbers.at(left, a) }, "×", { value: numbers.at(right, b) }, "=", product(numbers.term(name, cell, n))] };
    });
    const whole = result(numbers.at(name, cell));
    if (!sum) return [...terms, { id: "sum", name: cellName(name, cell), parts: ["", "", "", "=", whole] }];
    const columns = numbers.matrix(name).columns;
    const before = numbers.single(sum, cell[0] * columns + cell[1]);
    return [
      ...terms,
      { id: "sum", name: text("sum"), parts: ["", "", "", "=", product(before)] },
      { id: "quotient", name: cellName(name, cell), parts: [{ value: before }, "÷", { value: numbers.single("root") }, "=", whole] },
    ];
  },
  mask: ({ result: name, operands: [from = ""] }, cell, numbers, _, text) => {
    const value = numbers.at(name, cell);
    return [{ id: "mask", name: text(value === -Infinity ? "hidden" : "visible"), parts: [{ value: numbers.at(from, cell) }, "", "", "→", result(value)] }];
  },
  softmax({ result: name, operands: [from = ""] }, [row, column], numbers, _, text) {
    const peak = { value: numbers.single("peak", row) };
    const terms = TOKEN_PLACES.map((key) => ({
      id: `term${key}`,
      name: text("exponential", { name: cellName(from, [row, key]) }),
      parts: [{ value: numbers.at(from, [row, key]) }, "−", peak, "→", product(numbers.single("exponentials", row * TOKENS + key))],
    }));
    const total = numbers.single("totals", row);
    return [
      ...terms,
      { id: "sum", name: text("sum"), parts: ["", "", "", "=", product(total)] },
      { id: "quotient", name: cellName(name, [row, column]), parts: [{ value: numbers.single("exponentials", row * TOKENS + column) }, "÷", { value: total }, "=", result(numbers.at(name, [row, column]))] },
    ];
  },
  sum: ({ result: name, operands }, cell, numbers) => [
    ...operands.map((from) => ({ id: from, name: cellName(from, cell), parts: ["", "", "", "", product(numbers.at(from, cell))] })),
    { id: "sum", name: cellName(name, cell), parts: ["", "", "", "=", result(numbers.at(name, cell))] },
  ],
  loss: (_part, _cell, numbers, state, text) => [
    ...counts(state).map((count, token) => ({ id: `term${token}`, name: text(count ? "loss_term" : "loss_none", { place: subscript(token) }), parts: ["", "", "", "", product(numbers.single("loss_terms", token))] })),
    { id: "sum", name: "L", parts: ["", "", "", "=", result(numbers.single("loss"))] },
  ],
  error({ result: name, operands: [y = "", target = ""] }, cell, numbers, state, text) {
    const counted = counts(state)[cell[0]] === 1;
    const error = numbers.single("errors", cell[0] * numbers.matrix(name).columns + cell[1]);
    const difference = [{ value: numbers.at(y, cell) }, "−", { value: numbers.at(target, cell) }, "="];
    const names = `${cellName(y, cell)} − ${cellName(target, cell)}`;
    if (counted) return [{ id: "error", name: names, parts: [...difference, result(numbers.at(name, cell))] }];
    return [
      { id: "error", name: names, parts: [...difference, product(error)] },
      { id: "uncounted", name: text("uncounted"), parts: [{ value: error }, "×", { value: 0 }, "=", result(numbers.at(name, cell))] },
    ];
  },
  copy: ({ result: name, operands: [from = ""] }, cell, numbers) => [
    { id: "copy", name: cellName(name, cell), parts: [{ value: numbers.at(from, cell) }, "", "", "=", result(numbers.at(name, cell))] },
  ],
  jacobian({ result: name, operands: [from = ""] }, [j, k], numbers, state) {
    const [one, other] = [cellName(from, [state["row"], j]), cellName(from, [state["row"], k])];
    const factor = numbers.oneLess([j, k]);
    const names = j === k ? `${one} · (1 − ${other})` : `${one} · (−${other})`;
    return [{ id: "jacobian", name: names, parts: [{ value: numbers.at(from, [state["row"], j]) }, "×", { value: factor }, "=", result(numbers.at(name, [j, k]))] }];
  },
};
