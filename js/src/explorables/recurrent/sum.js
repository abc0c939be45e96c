/**
 * The sum that a gate bends: each weight times what it meets, in the character's embedding and in the state before.
 *
 * @typedef {import("./numbers.js").Numbers} Numbers
 */
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createVectorStrip } from "../../shared/vector_strip.js";
import { moved, partOf } from "./rules.js";

/** @type {("x" | "h")[]} */
const SIDES = ["x", "h"];

/** @param {import("../../shared/format.js").Translate} text */
export function createSum(text) {
  const title = h("div", { class: "dlc-part-title" });
  const total = h("p", { class: "dlc-recurrent-total" });
  const readout = h("p", { class: "dlc-readout" });
  /** Which product is read out: the largest, until the reader points at another. @type {{row: number, place: number} | null} */
  let pointed = null;
  let shown = { row: 0, place: 0 };
  /** @type {Numbers | null} */
  let last = null;
  let of = "";
  const sides = SIDES.map((side, row) => {
    const strip = createVectorStrip({ name: `products_${side}`, onPoint: (place) => point({ row, place }) });
    const label = h("span", { class: "dlc-recurrent-side" });
    return { side, strip, label };
  });
  const strips = h("div", { class: "dlc-recurrent-vectors", "data-grid": "products" }, ...sides.flatMap(({ label, strip }) => [label, strip.element]));
  const element = h("section", { class: "dlc-part dlc-recurrent-sum", "aria-label": text("sum") }, title, strips, readout, total);

  /** @param {{row: number, place: number}} to */
  function point(to) {
    pointed = to;
    tell();
  }
  strips.addEventListener("keydown", (event) => {
    if (!last || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const next = moved(event.key, shown, sides.length, last.now("products_x").length);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    point(next);
    sides[next.row]?.strip.element.focus();
  });

  /** The product of the largest size. @param {Numbers} numbers */
  function largest(numbers) {
    let best = { row: 0, place: 0, size: -1 };
    sides.forEach(({ side }, row) =>
      numbers.now(`products_${side}`).forEach((value, place) => {
        if (Math.abs(value) > best.size) best = { row, place, size: Math.abs(value) };
      }),
    );
    return best;
  }
  function tell() {
    if (!last) return;
    shown = pointed ?? largest(last);
    const { side } = /** @type {(typeof sides)[number]} */ (sides[shown.row]);
    const { place } = shown;
    const product = Number(last.now(`products_${side}`)[place]);
    const numbers = { weight: last.row(`weights_${side}`, place)[0] ?? NaN, met: last.met(side, place), product };
    readout.textContent = text(pointed ? `product_${side}` : `product_${side}_largest`, { place, weight: short(numbers.weight), met: short(numbers.met), product: short(product) });
    put(readout, { "data-side": side, "data-place": place, "data-weight": numbers.weight, "data-met": numbers.met, "data-value": product });
    sides.forEach(({ strip, side: each }, row) => {
      const value = Number(last?.now(`products_${each}`)[place]);
      strip.stand(place, text(`side_${each}`, { character: last?.character ?? "" }), text("strip_value", { unit: place, value: short(value) }));
      put(strip.element, { tabindex: row === shown.row ? 0 : -1, class: `dlc-strip${row === shown.row ? " is-here" : ""}` });
    });
    put(strips, { style: `--dlc-place: ${place}; --dlc-count: ${last.now("products_x").length}` });
  }
  /** @param {string} name */
  const number = (name) => {
    const value = Number(last?.one(name));
    return h("b", { "data-value": value, "data-number": name, title: full(value) }, short(value));
  };

  return {
    element,
    /** @param {import("../../shared/explorable.js").Shown} drawn  @param {Numbers} numbers */
    draw({ state, scales }, numbers) {
      last = numbers;
      const { gate, sign, name } = partOf(numbers.kind, state["part"]);
      element.hidden = gate === null;
      if (gate === null) return;
      const now = `${numbers.kind} ${name} ${numbers.unit}`;
      if (now !== of) pointed = null;
      of = now;
      title.textContent = text("sum_title", { sign, unit: numbers.unit });
      const limit = largest(numbers).size;
      sides.forEach(({ side, strip, label }) => {
        label.replaceChildren(text(`side_${side}`, { character: numbers.character }), " ", number(`sum_${side}`));
        strip.draw(numbers.now(`products_${side}`), scales.diverging, limit);
      });
      const sum = numbers.sum(gate);
      const whole = h("b", { "data-value": sum, "data-number": "sum", title: full(sum) }, short(sum));
      if (numbers.kind === "gru" && name === "candidate") {
        const reset = numbers.value("reset_gate");
        const r = h("b", { "data-value": reset, "data-number": "reset", title: full(reset) }, short(reset));
        total.replaceChildren(text("total_candidate"), " ", number("sum_x"), " + ", number("bias_x"), " + ", r, " × (", number("sum_h"), " + ", number("bias_h"), ") = ", whole);
      } else total.replaceChildren(text("total"), " ", number("sum_x"), " + ", number("sum_h"), " + ", number("bias"), " = ", whole);
      tell();
    },
  };
}
