/** A field for a text that a model reads: it says why a text is refused, and goes back to the last one when it is left. */
import { createField } from "./controls.js";
import { LONGEST_PROMPT, refusal } from "./text_reader.js";

/**
 * @typedef {object} TextField
 * @property {import("./format.js").Translate} text
 * @property {string} name
 * @property {string} label
 * @property {{count: (prompt: string) => number}} limits
 * @property {(prompt: string) => void} onInput  While the reader types; what is refused comes, too.
 * @property {(message: string) => void} say
 * @property {() => string | undefined} now  The text that is shown.
 * @property {number} [rows]
 */

/** @param {TextField} options */
export function createTextField({ text, name, label, limits, onInput, say, now, rows = 1 }) {
  const field = createField({
    name,
    label,
    longest: LONGEST_PROMPT,
    rows,
    onInput(prompt) {
      onInput(prompt);
      const reason = refusal(prompt, limits);
      if (reason) say(text(`text_${reason}`, { longest: LONGEST_PROMPT }));
      else if (prompt.length === LONGEST_PROMPT) say(text("text_full", { longest: LONGEST_PROMPT }));
    },
  });
  // What was refused gives way to what is shown.
  field.input.addEventListener("blur", () => {
    const shown = now();
    if (shown === undefined || !refusal(field.input.value, limits)) return;
    field.show(shown);
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
