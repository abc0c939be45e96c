/**
 * What the model expects next, and what it expects as it was trained: the likeliest tokens with their probabilities.
 *
 * @typedef {import("./state.js").Shown} Shown
 */
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { asTrained } from "./rules.js";
import { largest, number, part } from "./selection.js";

const COUNT = 8;

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(id: number) => string} token  A token as it is shown.
 */
export function createPrediction(text, token) {
  const title = h("div", { class: "dlc-part-title" });
  let painted = { pass: /** @type {Shown["pass"] | null} */ (null), trained: /** @type {Shown["trained"]} */ (null) };
  const rows = Array.from({ length: COUNT }, () => {
    const name = h("bdi", { class: "dlc-next-token" });
    const bars = { now: h("span", { class: "dlc-next-now" }), before: h("span", { class: "dlc-next-before" }) };
    const values = { now: h("span", { class: "dlc-next-value" }), before: h("span", { class: "dlc-next-value dlc-next-was" }) };
    const element = h("li", { class: "dlc-next-row" }, name, h("span", { class: "dlc-next-bars" }, bars.now, bars.before), values.now, values.before);
    return { element, name, bars, values };
  });
  const list = h("ol", { class: "dlc-next", "data-grid": "next" }, ...rows.map(({ element }) => element));
  const key = h("div", { class: "dlc-next-key" }, h("span", { class: "dlc-next-key-now" }, text("next_now")), h("span", { class: "dlc-next-key-before" }, text("next_before")));
  const lost = h("p", { class: "dlc-next-note", "data-note": "lost" });
  const surprise = h("p", { class: "dlc-next-note", "data-note": "surprise" });

  return {
    element: h("div", { class: "dlc-part dlc-part-next" }, title, list, key, lost, surprise),
    /** @param {Shown} shown */
    draw({ pass, trained }) {
      if (pass === painted.pass && trained === painted.trained) return;
      painted = { pass, trained };
      const { read, outputs } = pass;
      const differs = !asTrained(pass.of);
      const now = part(outputs, "probabilities");
      const before = trained && part(trained.outputs, "probabilities");
      title.textContent = text("next_title", { token: read.tokens.at(-1) ?? "" });
      put(list, { "aria-label": title.textContent, "data-differs": differs });
      key.hidden = !differs;
      largest(now, COUNT).forEach((id, place) => {
        const { element, name, bars, values } = /** @type {(typeof rows)[number]} */ (rows[place]);
        const value = Number(now[id]);
        const was = differs && before ? Number(before[id]) : null;
        name.textContent = token(id);
        put(element, { "data-id": id, "data-value": value, "data-before": was });
        put(bars.now, { style: `width: ${100 * value}%` });
        put(bars.before, { style: `width: ${100 * (was ?? 0)}%` });
        values.now.textContent = short(value);
        put(values.now, { title: full(value) });
        values.before.textContent = was === null ? "" : text("next_was", { value: short(was) });
        put(values.before, { title: was === null ? null : full(was) });
      });
      rows.forEach(({ element }, place) => put(element, { hidden: place >= now.length }));
      lost.textContent = differs && before ? lostText(now, before) : "";
      surprise.textContent = surpriseText(pass, trained, differs);
    },
  };

  /** What the trained model expects first, where it is not among the first any more. @param {Float32Array} now  @param {Float32Array} before */
  function lostText(now, before) {
    const [first = 0] = largest(before, 1);
    if (largest(now, COUNT).includes(first)) return "";
    return text("next_lost", { token: token(first), before: short(Number(before[first])), now: short(Number(now[first])) });
  }

  /** How well the text's own tokens were foreseen. @param {Shown["pass"]} pass  @param {Shown["trained"]} trained  @param {boolean} differs */
  function surpriseText(pass, trained, differs) {
    if (pass.read.ids.length < 2 || !trained) return "";
    const values = { now: short(number(pass.outputs, "surprise")), before: short(number(trained.outputs, "surprise")) };
    if (!differs) return text("surprise", values);
    return text(pass.of.causal ? "surprise_changed" : "surprise_unmasked", values);
  }
}
