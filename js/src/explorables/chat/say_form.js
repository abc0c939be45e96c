/**
 * What the reader says: a field, a button, and one for a new conversation.
 *
 * @typedef {object} SayOptions
 * @property {number} longest  Characters.
 * @property {string} first  What stands in the field at first, and again when the first conversation is back.
 * @property {(turn: string) => boolean} onSay  Whether it was said.
 * @property {() => void} onClear
 */
import { createField } from "../../shared/controls.js";
import { h, OWN_KEYS, put } from "../../shared/dom.js";

/** @param {import("../../shared/format.js").Translate} text  @param {SayOptions} options */
export function createSayForm(text, { longest, first, onSay, onClear }) {
  const field = createField({ name: "say", label: text("you_say"), longest, onInput: () => put(field.input, { "aria-invalid": null }) });
  field.show(first);
  function speak() {
    const done = onSay(field.input.value);
    put(field.input, { "aria-invalid": done ? null : "true" });
    if (done) field.show("");
  }
  field.input.addEventListener("keydown", (event) => {
    const { key, isComposing } = /** @type {KeyboardEvent} */ (event);
    if (key !== "Enter" || isComposing) return;
    event.preventDefault();
    speak();
  });
  const say = h("button", { type: "button", ...OWN_KEYS, "data-control": "speak", onclick: speak }, text("say"));
  const clear = h("button", { type: "button", ...OWN_KEYS, "data-control": "clear", onclick: () => clear.getAttribute("aria-disabled") === null && onClear() }, text("clear"));
  return {
    element: h("div", { class: "dlc-chat-say" }, field.element, say, clear),
    /** @param {boolean} begun  Whether there are turns.  @param {boolean} isFirst  Whether they are those of the first conversation. */
    draw(begun, isFirst) {
      put(clear, { "aria-disabled": begun ? null : "true" });
      if (isFirst && !field.input.value && !field.input.matches(":focus")) field.show(first);
    },
  };
}
