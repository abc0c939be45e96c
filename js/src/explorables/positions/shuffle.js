/**
 * The text and the shuffled text: how far attention's output for each token is from what it was, and of one token both outputs
 * in full.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createTokenRow } from "../../shared/token_row.js";
import { createVectorStrip } from "../../shared/vector_strip.js";
import { moved, onwards, places } from "./rules.js";

/** A full bar is a change by this share of the longest output. */
const FULL = 0.1;

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(wish: import("./rules.js").State) => void} set
 * @param {() => import("./rules.js").State | undefined} wish  The state that is wanted.
 */
export function createShuffle(text, set, wish) {
  const original = h("p", { class: "dlc-positions-text", "data-grid": "original" });
  /** @type {number[]} */
  let order = [];
  /** The chosen token goes one place on when it is pressed again. */
  const goOn = () => {
    const state = wish();
    if (state) set({ order: onwards(state["order"], state["token"]) });
  };
  const shuffled = createTokenRow({
    label: text("shuffled"),
    name: "shuffled",
    onPick: (place) => set({ token: order[place] }),
    onKey(event) {
      if ((event.key !== "Enter" && event.key !== " ") || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      goOn();
    },
  });
  const chipOf = (/** @type {Event} */ { target }) => /** @type {Element} */ (target).closest("[role=option]");
  /** @type {Element | null} */
  let pressed = null;
  shuffled.element.addEventListener("pointerdown", (event) => {
    const chip = chipOf(event);
    pressed = chip?.getAttribute("aria-selected") === "true" ? chip : null;
  });
  shuffled.element.addEventListener("click", (event) => {
    if (pressed && chipOf(event) === pressed) goOn();
    pressed = null;
  });
  /** @param {string} name  @param {(state: import("./rules.js").State) => number[]} to */
  const button = (name, to) => {
    const element = h("button", {
      type: "button",
      ...OWN_KEYS,
      "data-control": name,
      onclick() {
        const state = wish();
        if (state && element.getAttribute("aria-disabled") !== "true") set({ order: to(state) });
      },
    }, text(name)); // prettier-ignore
    return element;
  };
  const buttons = {
    earlier: button("earlier", (state) => moved(state["order"], state["token"], -1)),
    later: button("later", (state) => moved(state["order"], state["token"], 1)),
    reverse: button("reverse", (state) => [...state["order"]].reverse()),
    restore: button("restore", (state) => places(state["order"].length)),
  };
  const verdict = h("p", { class: "dlc-positions-verdict" });
  const strips = ["moved", "shuffled"].map((name) => {
    const strip = createVectorStrip({ name, onPoint: (dimension) => set({ dimension }) });
    put(strip.element, { tabindex: 0 });
    strip.element.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      const state = wish();
      if (!step || !state || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      set({ dimension: Math.max(0, state["dimension"] + step) });
    });
    const readout = h("p", { class: "dlc-readout", "data-readout": name });
    const mark = h("span", { class: "dlc-positions-tick", "aria-hidden": "true" });
    return { name, strip, readout, mark, element: h("div", { class: "dlc-positions-output" }, h("div", { class: "dlc-part-title" }, text(`output_${name}`)), h("div", { class: "dlc-positions-strip" }, strip.element, mark), readout) };
  });
  const element = h(
    "section",
    { class: "dlc-part dlc-positions-shuffle", "aria-label": text("shuffle") },
    h("div", { class: "dlc-part-title" }, text("in_order")),
    original,
    h("div", { class: "dlc-part-title" }, text("shuffled")),
    shuffled.element,
    h("div", { class: "dlc-positions-buttons" }, ...Object.values(buttons)),
    verdict,
    ...strips.map((one) => one.element),
  );

  return {
    element,
    /** @param {Shown} shown  @param {string[]} tokens */
    draw({ state, wanted, answers, scales }, tokens) {
      const { token, kind, causal } = state;
      const { dimension } = wanted;
      order = state["order"];
      const apart = Array.from(answers["apart"].data, Number);
      const sizes = Array.from(answers["sizes"].data, Number);
      const reach = FULL * Math.max(...sizes);
      original.replaceChildren(...tokens.map((name, place) => h("bdi", { class: "dlc-positions-token", "data-chosen": place === token }, name)));
      const now = order.indexOf(token);
      shuffled.draw(
        order.map((from, place) => {
          const name = tokens[from] ?? "";
          const value = Number(apart[place]);
          const size = Math.min(1, value / reach);
          return {
            text: name,
            describe: text("token_apart", { token: name, place: place + 1, value: full(value) }),
            hint: text("token_apart", { token: name, place: place + 1, value: full(value) }),
            share: { value, size, fill: scales.even(size).fill, text: short(value) },
          };
        }),
        now,
      );
      put(buttons.earlier, { "aria-disabled": now === 0 ? "true" : null });
      put(buttons.later, { "aria-disabled": now === order.length - 1 ? "true" : null });
      put(buttons.reverse, { "aria-disabled": order.length < 2 ? "true" : null });
      put(buttons.restore, { "aria-disabled": order.every((from, place) => from === place) ? "true" : null });
      const largest = Number(answers["largest"].data[0]);
      verdict.textContent = text("verdict", { kind: text(`kind_${kind}`), mask: text(causal ? "mask_on" : "mask_off"), value: short(largest) });
      put(verdict, { "data-value": largest, title: full(largest) });

      const width = answers["moved"].dims[1];
      const rows = strips.map(({ name }) => answers[name].data.subarray(now * width, (now + 1) * width));
      const limit = Math.max(...rows.flatMap((row) => Array.from(row, Math.abs)));
      strips.forEach(({ name, strip, readout, mark }, index) => {
        const value = Number(rows[index][dimension]);
        const said = text("output_at", { token: tokens[token] ?? "", dimension, value: full(value) });
        strip.draw(rows[index], scales.diverging, limit);
        strip.stand(dimension, text(`output_${name}`), said);
        put(mark, { style: `left: ${(((dimension + 0.5) / width) * 100).toFixed(3)}%` });
        readout.textContent = said;
        put(readout, { "data-value": value });
      });
    },
  };
}
