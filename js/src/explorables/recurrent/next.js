/**
 * What the network expects after the step that is shown: the likeliest characters, a bar each. Pressing one writes it there.
 *
 * @typedef {import("./numbers.js").Numbers} Numbers
 *
 * @typedef {object} NextOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {import("../../shared/tokenizer.js").Tokenizer} tokenizer
 * @property {(character: string) => void} onChoose
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { readable } from "../../shared/token_text.js";

const COUNT = 8;

/** @param {NextOptions} options */
export function createNext({ text, tokenizer, onChoose }) {
  const title = h("div", { class: "dlc-part-title" });
  const rows = Array.from({ length: Math.min(COUNT, tokenizer.vocabSize) }, () => {
    const [name, bar, value] = [h("bdi", { class: "dlc-recurrent-character" }), h("span", { class: "dlc-recurrent-bar" }), h("span", { class: "dlc-recurrent-p" })];
    const button = h("button", { type: "button", ...OWN_KEYS, class: "dlc-recurrent-next", onclick: () => onChoose(tokenizer.token(Number(button.dataset["id"]))) }, name, h("span", { class: "dlc-recurrent-track" }, bar), value);
    return { button, name, bar, value };
  });
  const came = h("p", { class: "dlc-readout" });
  const element = h("section", { class: "dlc-part dlc-recurrent-expected", "data-grid": "next" }, title, ...rows.map(({ button }) => button), came);

  return {
    element,
    /** @param {Numbers} numbers */
    draw({ now, characters, character: read, step }) {
      const probabilities = now("probabilities");
      const order = Array.from(probabilities.keys()).sort((one, other) => Number(probabilities[other]) - Number(probabilities[one]));
      const follows = characters[step + 1];
      const after = follows === undefined ? null : Number(tokenizer.encode(follows)[0]);
      title.textContent = text("next_title", { character: read });
      put(element, { "aria-label": title.textContent });
      rows.forEach(({ button, name, bar, value }, place) => {
        const id = Number(order[place]);
        const p = Number(probabilities[id]);
        const character = readable(tokenizer.token(id));
        name.textContent = character;
        value.textContent = short(p);
        put(bar, { style: `width: ${100 * p}%` });
        put(button, { "data-id": id, "data-value": p, "data-came": id === after, title: full(p), "aria-label": text(id === after ? "next_came" : "next_press", { character, p: short(p) }) });
      });
      const p = after === null ? null : Number(probabilities[after]);
      came.textContent = p === null ? text("at_end") : text("came", { character: readable(follows ?? ""), p: short(p) });
      put(came, { "data-value": p, title: p === null ? null : full(p) });
    },
  };
}
