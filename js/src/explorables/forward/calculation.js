/**
 * The open neuron: each input times its weight, the bias, the sum and its activation. Weights and the bias are fields.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 *
 * @typedef {object} CalculationOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {(input: number, value: number) => void} onWeight  The bias comes after the last input.
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { editable, full, short } from "../../shared/format.js";
import { LIMITS, whereIs } from "./rules.js";

/** @param {CalculationOptions} options */
export function createCalculation({ text, onWeight }) {
  const title = h("div", { class: "dlc-part-title" });
  const lines = h("div", { class: "dlc-forward-terms" });
  const result = h("p", { class: "dlc-forward-result" });
  const element = h("section", { class: "dlc-part dlc-forward-open", "aria-label": text("open") }, title, lines, result);
  /** @type {ReturnType<typeof createLine>[]} */
  let made = [];

  /** @param {number} input  @param {boolean} bias */
  function createLine(input, bias) {
    const name = h("span", { class: "dlc-forward-term" });
    const value = h("span", { class: "dlc-forward-value" });
    const field = h("input", {
      type: "number",
      class: "dlc-number-field",
      ...OWN_KEYS,
      step: 0.1,
      min: -LIMITS.weight,
      max: LIMITS.weight,
      "data-control": bias ? "bias" : `weight${input + 1}`,
      oninput() {
        const number = field.valueAsNumber;
        const allowed = Math.abs(number) <= LIMITS.weight;
        put(field, { "aria-invalid": allowed ? null : "true" });
        if (allowed) onWeight(input, number);
      },
      onblur() {
        put(field, { "aria-invalid": null });
        field.value = field.dataset["shown"] ?? "";
      },
    });
    const product = h("span", { class: "dlc-forward-product" });
    const row = h("label", { class: "dlc-forward-row" }, name, value, h("span", { "aria-hidden": "true" }, bias ? "" : "×"), field, h("span", { "aria-hidden": "true" }, "="), product);
    lines.append(row);
    return { row, name, value, field, product };
  }

  return {
    element,
    /** Put the cursor into a weight. @param {number} input */
    edit: (input) => queueMicrotask(() => made[input]?.field.focus()),
    /** @param {Shown} shown  @param {number[]} sizes */
    draw({ state, wanted, answers, scales }, sizes) {
      const where = whereIs(sizes, state["neuron"]);
      const { layer, place } = where;
      const below = Number(sizes[layer - 1]);
      const known = state["neuron"] < state["step"];
      title.textContent = text("open_title", { layer, place: place + 1 });
      if (made.length !== below + 1) {
        lines.replaceChildren();
        made = Array.from({ length: below + 1 }, (_, input) => createLine(input, input === below));
      }
      const row = wanted["weights"][layer - 1][place];
      const products = answers[`products${layer}`].data.subarray(place * below, (place + 1) * below);
      const most = Math.max(...Array.from(products, Math.abs), Math.abs(Number(row[below]))) || 1;
      const inputs = layer === 1 ? state["x"] : answers[`y${layer - 1}`].data;
      made.forEach(({ name, value, field, product }, input) => {
        const bias = input === below;
        const weight = Number(row[input]);
        name.textContent = bias ? text("bias") : text(layer === 1 ? "input" : "y_name", { place: input + 1 });
        value.textContent = bias ? "" : known ? short(Number(inputs[input])) : "?";
        put(value, { title: bias || !known ? null : full(Number(inputs[input])), "data-value": bias || !known ? null : Number(inputs[input]) });
        put(field, { "aria-label": bias ? text("bias") : text("weight", { place: input + 1 }), "data-shown": editable(weight), title: full(weight) });
        // A field that is being written in keeps what stands there.
        if (!field.matches(":focus") || Number(field.value) !== weight) field.value = editable(weight);
        const amount = bias ? weight : Number(products[input]);
        const { fill, ink } = scales.diverging(0.5 + amount / most / 2);
        product.textContent = known ? short(amount) : "?";
        put(product, { title: known ? full(amount) : null, "data-value": known ? amount : null, style: known ? `background: ${fill}; color: ${ink}` : null });
      });
      const z = Number(answers[`z${layer}`].data[place]);
      const y = Number(answers[`y${layer}`].data[place]);
      const isLast = layer === sizes.length - 1;
      put(result, { "data-z": known ? z : null, "data-y": known ? y : null, title: known ? `z = ${full(z)}, y = ${full(y)}` : null });
      if (!known) result.textContent = text("not_yet", { layer, place: place + 1 });
      else result.textContent = text(isLast ? "result_last" : "result", { z: short(z), y: short(y), f: text(state["activation"]) });
    },
  };
}
