/**
 * Both models at work on one prompt, side by side: what each has written, what it expects next, and how the prompt surprises
 * it.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("../../shared/explorable.js").State} State
 */
import { at } from "../../engine/tensors.js";
import { createBarList } from "../../shared/bar_list.js";
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";

export const WHOSE = ["before", "after"];

/** A number of an answer. @param {import("../../engine/tensors.js").Tensors} outputs  @param {string} name  @param {...number} places */
const number = (outputs, name, ...places) => Number(at(/** @type {import("../../engine/tensors.js").Tensor} */ (outputs[name]), ...places)[0]);

/**
 * The likeliest next tokens of one model, with what both give to them.
 * @param {Shown} shown
 * @param {number} model  0: before; 1: after.
 */
export function likeliest({ state, answers }, model) {
  const outputs = answers["steps"][state["step"]];
  return Array.from(at(outputs["top"], model), (id, rank) => ({ id, values: [0, 1].map((by) => number(outputs, "p", by, model, rank)) }));
}

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(id: number) => string} token  As it is shown.
 * @param {import("./rules.js").Sizes} sizes
 */
export function createWriting(text, token, sizes) {
  const panels = WHOSE.map((whose) => {
    const title = h("p", { class: "dlc-part-title" });
    const written = h("p", { class: "dlc-finetuning-text", "data-text": whose });
    const listTitle = h("p", { class: "dlc-part-title" });
    const list = createBarList({ name: `next-${whose}`, kinds: WHOSE.map((one) => text(one)) });
    return { title, written, listTitle, list, element: h("div", { class: "dlc-part", "data-whose": whose }, title, written, listTitle, list.element) };
  });
  const key = h("p", { class: "dlc-finetuning-key", "aria-hidden": "true" }, ...WHOSE.map((whose, kind) => h("span", { "data-kind": kind }, text(whose))));
  const surprise = createBarList({ name: "surprise", kinds: [text("surprise")] });
  const surpriseTitle = h("p", { class: "dlc-part-title" });
  const moved = h("p", { class: "dlc-readout", "data-readout": "moved" });
  const element = h(
    "div",
    {},
    h("div", { class: "dlc-finetuning-panels" }, ...panels.map((panel) => panel.element)),
    key,
    h("div", { class: "dlc-part dlc-finetuning-surprise" }, surpriseTitle, surprise.element, moved),
  );

  return {
    element,
    /** @param {Shown} shown */
    draw(shown) {
      const { state, answers } = shown;
      const step = state["step"];
      const strength = short(state["strength"]);
      put(element, { "data-step-drawn": step, "data-strength": state["strength"] });
      panels.forEach(({ title, written, listTitle, list }, model) => {
        const whose = /** @type {string} */ (WHOSE[model]);
        title.textContent = text(`title_${whose}`, { strength });
        const tokens = answers["steps"].slice(0, -1).map((/** @type {import("../../engine/tensors.js").Tensors} */ outputs) => ({
          id: number(outputs, "top", model, 0),
          p: number(outputs, "p", model, model, 0),
        }));
        written.replaceChildren(
          h("span", { class: "dlc-finetuning-prompt" }, ...answers["ids"].map((/** @type {number} */ id) => h("bdi", {}, token(id)))),
          ...tokens.map((/** @type {{id: number, p: number}} */ { id, p }, /** @type {number} */ place) =>
            h("bdi", { class: "dlc-finetuning-token", "data-written": place < step, "data-id": id, "data-value": p, title: text("written", { token: token(id), p: full(p) }) }, token(id)),
          ),
        );
        listTitle.textContent = text("expected_next");
        list.draw(
          likeliest(shown, model).map(({ id, values }) => ({ label: token(id), id, values })),
          `${text(whose)}: ${text("expected_next")}`,
        );
      });
      const first = answers["steps"][0];
      surpriseTitle.textContent = text(state["chat"] ? "surprise_chat" : "surprise_plain", { guess: short(sizes.guess) });
      surprise.draw(
        WHOSE.map((whose, model) => {
          const value = number(first, "surprise", model);
          return { label: text(whose), id: model, values: [value], sizes: [Math.min(1, value / sizes.guess)] };
        }),
        surpriseTitle.textContent,
      );
      const share = Number(first["moved"].data[0]);
      moved.textContent = text("moved", { share: short(share), strength });
      put(moved, { "data-value": share, title: full(share) });
    },
  };
}
