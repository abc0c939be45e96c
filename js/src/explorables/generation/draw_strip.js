/**
 * How the seed's number chooses: the probabilities laid side by side, in the order of the tokens' ids, and a pin at the
 * number. The token that it stands on is drawn.
 */
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { value } from "../../shared/drawing/words.js";

/** Parts narrower than this share a ground of their own: there may be a thousand. */
const NARROWEST = 0.004;
/** Parts that have room for the token. */
const NAMED = 0.06;

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./words.js").Words} words
 * @param {number} count  Tokens in the vocabulary.
 */
export function createDrawStrip(text, words, count) {
  const parts = h("div", { class: "dlc-draw-parts" });
  const pin = h("div", { class: "dlc-draw-pin" });
  const strip = h("div", { class: "dlc-draw-strip", "aria-hidden": "true" }, parts, pin);
  const sentence = h("p", { class: "dlc-readout", "data-readout": "draw" });
  return {
    element: h("div", { class: "dlc-draw" }, strip, sentence),
    /** @param {import("./types.js").Sample} sample */
    draw(sample) {
      const drawn = value(sample, "token", 0);
      const shown = [];
      for (let id = 0; id < count; id++) {
        const p = value(sample, "p", id);
        if (p < NARROWEST && id !== drawn) continue;
        const from = id ? value(sample, "cumulative", id - 1) : 0;
        const style = `left: ${100 * from}%; width: ${100 * p}%`;
        shown.push(h("span", { style, title: `${words.label(id)} ${full(p)}`, "data-drawn": id === drawn }, p > NAMED ? words.label(id) : ""));
      }
      parts.replaceChildren(...shown);
      put(pin, { style: `left: ${100 * sample.uniform}%` });
      const greedy = sample.under.greedy;
      sentence.textContent = text(greedy ? "draw_greedy" : "draw", { number: short(sample.uniform), token: words.label(drawn) });
      put(sentence, { "data-token": drawn, "data-uniform": sample.uniform, title: full(sample.uniform) });
      strip.classList.toggle("is-greedy", greedy);
    },
  };
}
