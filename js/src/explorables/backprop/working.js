/**
 * What the present step does, in numbers: the terms of a sum on the way forward; upstream × local = product on the way back;
 * and after the update the loss before and after.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("../../shared/sum_rows.js").Figure} Figure
 * @typedef {import("../../shared/sum_rows.js").SumRow} SumRow
 */
import { h, put } from "../../shared/dom.js";
import { createSumRows } from "../../shared/sum_rows.js";
import { deed, shareCount } from "./rules.js";

/** @param {import("../../shared/format.js").Translate} text */
export function createWorking(text) {
  const title = h("p", { class: "dlc-backprop-deed" });
  const sum = createSumRows();
  const rows = h("div", { class: "dlc-backprop-rows" }, sum.element);
  const element = h("section", { class: "dlc-part dlc-backprop-working", "aria-label": text("working") }, title, rows);

  /** @param {number} value  @returns {Figure} */
  const product = (value) => ({ value, kind: "product" });
  /** Something that is a number by itself. @param {string} id  @param {string} name  @param {number} value  @returns {SumRow} */
  const alone = (id, name, value) => ({ id, name, parts: ["", "", "", "=", { value, kind: "result" }] });

  /** @param {import("./rules.js").Operation} operation  @param {import("./numbers.js").Numbers} numbers  @returns {SumRow[]} */
  function forward({ result, terms }, numbers) {
    const lines = terms.map(([one, other]) => ({
      id: one,
      name: other ? `${one} · ${other}` : one,
      parts: [...(other ? [{ value: numbers.value(one) }, "×", { value: numbers.value(other) }] : ["", "", ""]), "=", product(numbers.term(one, other))],
    }));
    return [...lines, alone(result, result, numbers.value(result))];
  }
  /** @param {import("./rules.js").Operation} operation  @param {import("./numbers.js").Numbers} numbers  @returns {SumRow[]} */
  function backward({ result, slopes }, numbers) {
    const head = { id: "head", name: "", parts: [text("upstream", { name: result }), "", text("local"), "", text("product")] };
    const lines = slopes.map(([of, local]) => ({
      id: of,
      name: `∂L/∂${of}${shareCount(of) > 1 ? ` ${text("via", { name: result })}` : ""}`,
      parts: [{ value: numbers.slope(result) }, "×", { value: numbers.value(local) }, "=", product(numbers.way(of, result))],
    }));
    // The pass back meets z2 first: with z1 the second shares have come.
    const sums = slopes.filter(([of]) => shareCount(of) > 1 && result === "z1").map(([of]) => alone(`sum ${of}`, text("sum", { name: of }), numbers.slope(of)));
    return [head, ...lines, ...sums];
  }

  return {
    element,
    /** @param {Shown} shown  @param {import("./numbers.js").Numbers} numbers */
    draw({ state }, numbers) {
      const { kind, operation } = deed(state["step"]);
      put(element, { "data-kind": kind });
      if (operation && kind === "forward") {
        title.textContent = text(`forward_${operation.result.replace(/\d/, "")}`, { name: operation.result, place: operation.result.replace(/\D/g, "") });
        sum.draw(forward(operation, numbers));
      } else if (operation) {
        title.textContent = text("backward", { name: operation.result });
        sum.draw(backward(operation, numbers));
      } else if (kind === "update") {
        title.textContent = text("update");
        sum.draw([alone("loss", text("loss_before"), numbers.value("L")), alone("new loss", text("loss_after"), numbers.newLoss)]);
      } else {
        title.textContent = text("start");
        sum.draw([]);
      }
    },
  };
}
