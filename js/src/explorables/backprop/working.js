/**
 * What the present step does, in numbers: the terms of a sum on the way forward; upstream × local = product on the way back;
 * and after the update the loss before and after.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { deed, shareCount } from "./rules.js";

/** @param {import("../../shared/format.js").Translate} text */
export function createWorking(text) {
  const title = h("p", { class: "dlc-backprop-deed" });
  const rows = h("div", { class: "dlc-backprop-rows" });
  const element = h("section", { class: "dlc-part dlc-backprop-working", "aria-label": text("working") }, title, rows);

  /** @param {number} value  @param {string} kind */
  const number = (value, kind) => h("span", { class: `dlc-backprop-${kind}`, "data-value": value, title: full(value) }, short(value));
  /** @param {string} name  @param {...(Node | string)} parts */
  const row = (name, ...parts) => h("div", { class: "dlc-backprop-row", "data-row": name }, ...parts.map(cell));
  /** Each part has a place of its own in the row, an empty one too. @param {Node | string} part */
  const cell = (part) => (typeof part === "string" ? h("span", {}, part) : part);

  /** @param {import("./rules.js").Operation} operation  @param {import("./numbers.js").Numbers} numbers */
  function forward({ result, terms }, numbers) {
    const sum = terms.map(([one, other]) =>
      row(one, h("span", {}, other ? `${one} · ${other}` : one), other ? number(numbers.value(one), "factor") : "", other ? "×" : "", other ? number(numbers.value(other), "factor") : "", "=", number(numbers.term(one, other), "product")),
    );
    const whole = row(result, h("span", {}, result), "", "", "", "=", number(numbers.value(result), "result"));
    return [...sum, whole];
  }
  /** @param {import("./rules.js").Operation} operation  @param {import("./numbers.js").Numbers} numbers */
  function backward({ result, slopes }, numbers) {
    const head = row("head", "", text("upstream", { name: result }), "", text("local"), "", text("product"));
    const lines = slopes.map(([of, local]) =>
      row(of, h("span", {}, `∂L/∂${of}${shareCount(of) > 1 ? ` ${text("via", { name: result })}` : ""}`), number(numbers.slope(result), "factor"), "×", number(numbers.value(local), "factor"), "=", number(numbers.way(of, result), "product")),
    );
    // The pass back meets z2 first: with z1 the second shares have come.
    const sums = slopes.filter(([of]) => shareCount(of) > 1 && result === "z1").map(([of]) => row(`sum ${of}`, h("span", {}, text("sum", { name: of })), "", "", "", "=", number(numbers.slope(of), "result")));
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
        rows.replaceChildren(...forward(operation, numbers));
      } else if (operation) {
        title.textContent = text("backward", { name: operation.result });
        rows.replaceChildren(...backward(operation, numbers));
      } else if (kind === "update") {
        title.textContent = text("update");
        rows.replaceChildren(
          row("loss", h("span", {}, text("loss_before")), "", "", "", "=", number(numbers.value("L"), "result")),
          row("new loss", h("span", {}, text("loss_after")), "", "", "", "=", number(numbers.newLoss, "result")),
        );
      } else {
        title.textContent = text("start");
        rows.replaceChildren();
      }
    },
  };
}
