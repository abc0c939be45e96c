/** A field for a text that a model reads: it says why a text is refused, and goes back to the last one when it is left. */
import { createField } from "./controls.js";
import { put } from "./dom.js";
import { LONGEST_PROMPT } from "./text_reader.js";

/**
 * @typedef {object} TextField
 * @property {import("./format.js").Translate} text
 * @property {string} name
 * @property {string} label
 * @property {(prompt: string) => string | null} refusal  Why a text cannot be read, the end of a key `text_…`; null when it can.
 * @property {number} [longest]  Characters that it may have.
 * @property {(prompt: string) => void} onInput  While the reader types; what is refused comes, too.
 * @property {(message: string) => void} say
 * @property {() => string | undefined} now  The text that is shown.
 * @property {number} [rows]
 */

/** @param {TextField} options */
export function createTextField({ text, name, label, refusal, longest = LONGEST_PROMPT, onInput, say, now, rows = 1 }) {
  const field = createField({
    name,
    label,
    longest,
    rows,
    onInput(prompt) {
      onInput(prompt);
      const reason = refusal(prompt);
      put(field.input, { "aria-invalid": reason ? "true" : null });
      if (reason) say(text(`text_${reason}`, { longest }));
      else if (prompt.length >= longest) say(text("text_full", { longest }));
    },
  });
  // What was refused gives way to what is shown.
  field.input.addEventListener("blur", () => {
    const shown = now();
    if (shown === undefined || !refusal(field.input.value)) return;
    field.show(shown);
    put(field.input, { "aria-invalid": null });
    say("");
  });
  let written = "";
  return {
    element: field.element,
    input: field.input,
    /** Only what was changed elsewhere: a reader's own text stays under the reader's hand. @param {string} prompt */
    show(prompt) {
      if (prompt !== written) field.show((written = prompt));
    },
  };
}
