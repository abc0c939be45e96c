/** The front end of `dlcompare.widgets.TokenizerExplorer`. Texts are read here, by the twins of Python's tokenizers. */
import { createChoice } from "../../shared/controls.js";
import { h } from "../../shared/dom.js";
import { defineExplorable } from "../../shared/explorable.js";
import { createTextField } from "../../shared/text_field.js";
import { createTokenRow } from "../../shared/token_row.js";
import { readable } from "../../shared/token_text.js";
import { countsOf, createCounts } from "./counts.js";
import { createDetail } from "./detail.js";
import { createMerges } from "./merges.js";
import { createReader } from "./reading.js";
import { change, LIMITS, refusal, rowOf, tokenAt, wishFor } from "./rules.js";

/** @typedef {import("./reading.js").Reader} Reader */
/** @typedef {import("./reading.js").Reading} Reading */

/** Each widget's own. @type {WeakMap<import("../../shared/types.js").Model, Reader>} */
const readers = new WeakMap();
/** @param {import("../../shared/types.js").Model} model */
function readerOf(model) {
  const known = readers.get(model) ?? createReader(model);
  readers.set(model, known);
  return known;
}
/** @param {import("../../shared/explorable.js").Answers} answers @returns {Reading} */
const readingOf = (answers) => answers["reading"];

export default defineExplorable({
  name: "tokenizer",
  keys: ["text", "cut", "step", "at"],
  silent: ["cut", "at"],
  change: (state, wish, model) => change(state, wish, readerOf(model)),
  ask: ({ text }, _run, model) => Promise.resolve({ reading: readerOf(model)(text) }),
  last: ({ answers }) => readingOf(answers).merges.length,
  pace: { slow: 1000, fast: 500 },
  create({ text, model, set, say, shown }) {
    const read = readerOf(model);
    const field = createTextField({
      text,
      name: "text",
      label: text("text"),
      refusal,
      longest: LIMITS.text,
      rows: 2,
      onInput: (value) => set({ text: value }),
      say,
      now: () => shown()?.wanted["text"],
    });
    /** @type {string[]} */
    const examples = [...new Set([model.get("text"), ...model.get("examples")])];
    const choice = createChoice({
      name: "example",
      label: text("example"),
      options: [{ value: "", text: text("own_text") }, ...examples.map((example, index) => ({ value: String(index), text: shorten(example) }))],
      onChoose: (value) => value !== "" && set({ text: examples[Number(value)] }),
    });
    const counts = createCounts(text, read, (row) => {
      const now = shown();
      if (now) set(wishFor(row, readingOf(now.answers).merges.length));
    });
    /** Choose a token; the chosen one again: none. @param {number} index */
    function pick(index) {
      const now = shown();
      if (!now) return;
      const tokens = readingOf(now.answers).tokens(now.state["cut"], now.state["step"]);
      const again = index === tokenAt(tokens, now.state["at"]);
      set({ at: again ? null : Number(tokens[index]?.first) });
    }
    const tokensTitle = h("p", { class: "dlc-part-title" });
    const row = createTokenRow({
      label: text("tokens_label"),
      name: "tokens",
      onPick: pick,
      onKey(event) {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        pick(Number(/** @type {HTMLElement} */ (event.target).dataset["index"]));
      },
    });
    const merges = createMerges(text, read, (step) => set({ step }));
    const detail = createDetail(text, read);

    return {
      choices: [field.element, choice.element],
      elements: [
        counts.element,
        h("section", { class: "dlc-part dlc-tokenizer-tokens", "aria-label": text("tokens_label") }, tokensTitle, row.element),
        detail.element,
        merges.element,
      ],
      draw(now) {
        const { state, wanted, answers } = now;
        const reading = readingOf(answers);
        field.show(wanted["text"]);
        const example = examples.indexOf(wanted["text"]);
        choice.show(example < 0 ? "" : String(example));
        counts.draw(now, reading);
        const { cut, step, at } = state;
        const tokens = reading.tokens(cut, step);
        const merge = cut === "bpe" ? reading.merges[step - 1] : undefined;
        const before = new Set(merge ? reading.tokens(cut, step - 1).map(({ first, after }) => `${first} ${after}`) : []);
        tokensTitle.textContent = text(`tokens_${rowOf(state)}`, { count: tokens.length, step: Math.min(step, reading.merges.length), last: reading.merges.length });
        row.draw(
          tokens.map(({ id, first, after, text: token, known, whole }) => {
            const made = merge !== undefined && id === merge.token && !before.has(`${first} ${after}`);
            const kind = !known ? "unknown" : made ? "made" : whole ? null : "part";
            return {
              text: token,
              describe: text(kind ? `token_${kind}` : "token", { token, id: id ?? "–" }),
              below: String(id ?? "–"),
              ...(kind ? { mark: kind } : {}),
            };
          }),
          tokenAt(tokens, at),
        );
        detail.draw(now, reading);
        merges.draw(now, reading);
      },
      table: ({ answers }) => ({
        columns: ["cut", "tokens", "vocabulary", "unknown"].map((key) => text(`head_${key}`)),
        rows: countsOf(readingOf(answers), read.sizes).map(({ row: name, count, size, unknown }) => [text(`row_${name}`, { merges: read.pairs.mergeCount }), count, size, unknown]),
      }),
      announce({ state, answers }) {
        const reading = readingOf(answers);
        const { cut, step } = state;
        return text(`tokens_${rowOf(state)}`, { count: reading.tokens(cut, step).length, step, last: reading.merges.length });
      },
    };
  },
});

/** A text in a list. @param {string} example */
function shorten(example) {
  const characters = [...readable(example).replaceAll("·", " ")];
  return characters.length > 32 ? `${characters.slice(0, 31).join("")}…` : characters.join("");
}
