/**
 * The merges that happen in the text, in their order: a line for each, and what the present one does, word by word.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./reading.js").Token} Token
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { follow } from "../../shared/roving.js";
import { changed } from "./rules.js";

/** Words that are shown before and after. */
const SHOWN = 4;

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./reading.js").Reader} read
 * @param {(step: number) => void} onStep
 */
export function createMerges(text, read, onStep) {
  const title = h("p", { class: "dlc-part-title" });
  const sentence = h("p", { class: "dlc-tokenizer-sentence" });
  const words = h("div", { class: "dlc-tokenizer-words" });
  const listTitle = h("p", { class: "dlc-part-title" }, text("list_title"));
  const list = h("div", { class: "dlc-tokenizer-list", role: "listbox", "aria-label": text("list"), "data-grid": "merges" });
  const present = h("section", { class: "dlc-part dlc-tokenizer-present", "aria-label": text("present") }, title, sentence, words);
  const element = h("div", { class: "dlc-tokenizer-merges" }, present, h("section", { class: "dlc-part", "aria-label": text("list_title") }, listTitle, list));
  /** @type {HTMLElement[]} */
  let lines = [];
  /** @type {import("./reading.js").Reading | null} */
  let drawn = null;
  let step = 0;

  /** @param {number} to */
  function go(to) {
    onStep(to);
    lines[to - 1]?.focus({ preventScroll: true });
  }
  list.addEventListener("keydown", (event) => {
    const from = Math.max(0, step - 1);
    const press = event.key === "Enter" || event.key === " ";
    const across = { ArrowLeft: "ArrowUp", ArrowRight: "ArrowDown", Home: "PageUp", End: "PageDown" }[event.key] ?? event.key;
    const { altKey, shiftKey, ctrlKey, metaKey } = event;
    const at = press ? lines.indexOf(/** @type {HTMLElement} */ (event.target)) : follow({ key: across, altKey, shiftKey, ctrlKey, metaKey }, [from, 0], { rows: lines.length, columns: 1 })?.[0];
    if (at === undefined || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    // Before the first merge, the first key goes to the first line.
    go((step === 0 && !press ? 0 : at) + 1);
  });

  /** @param {import("./reading.js").Reading} reading */
  function rebuild(reading) {
    drawn = reading;
    const most = reading.tokens("bpe", 0).length;
    lines = reading.merges.map(({ rank, left, right, token, places, count }, index) =>
      h(
        "div",
        {
          ...OWN_KEYS,
          class: "dlc-tokenizer-line",
          role: "option",
          "data-rank": rank,
          "data-left": left,
          "data-right": right,
          "data-token": token,
          "data-places": places,
          "data-count": count,
          "aria-label": text("line", { rank: rank + 1, left: read.label(left), right: read.label(right), token: read.label(token), places, count }),
          onclick: () => go(index + 1),
        },
        h("span", { class: "dlc-tokenizer-rank" }, String(rank + 1)),
        h("span", { class: "dlc-tokenizer-pair" }, h("bdi", {}, read.label(left)), " + ", h("bdi", {}, read.label(right)), " → ", h("bdi", { class: "dlc-tokenizer-made" }, read.label(token))),
        h("span", { class: "dlc-tokenizer-places" }, `×${places}`),
        h("span", { class: "dlc-tokenizer-left" }, h("span", { style: `width: ${((100 * count) / most).toFixed(2)}%` }), h("span", {}, String(count))),
      ),
    );
    list.replaceChildren(...lines);
    list.hidden = lines.length === 0;
    listTitle.textContent = text(lines.length ? "list_title" : "list_empty", { count: lines.length });
  }

  /** @param {Token[]} tokens  @param {(token: Token) => string | null} mark */
  const row = (tokens, mark) =>
    h("span", { class: "dlc-tokenizer-mini" }, ...tokens.map((token) => h("bdi", { class: "dlc-tokenizer-chip", "data-mark": mark(token) }, token.text)));

  return {
    element,
    /** @param {Shown} shown  @param {import("./reading.js").Reading} reading */
    draw({ state }, reading) {
      step = Math.min(state["step"], reading.merges.length);
      if (reading !== drawn) rebuild(reading);
      lines.forEach((line, index) => {
        const on = index === step - 1;
        put(line, { "aria-selected": String(on), tabindex: on || (step === 0 && index === 0) ? 0 : -1, "data-done": index < step });
      });
      const line = lines[step - 1];
      // Within the list alone: the page must not move.
      if (line) list.scrollTop = Math.min(line.offsetTop, Math.max(list.scrollTop, line.offsetTop + line.offsetHeight - list.clientHeight));
      else list.scrollTop = 0;

      const merge = reading.merges[step - 1];
      const after = reading.tokens("bpe", step);
      put(present, { "data-step": step, "data-count": after.length });
      if (!merge) {
        title.textContent = text("start_title");
        sentence.textContent = text(reading.merges.length ? "start" : "start_only", { count: after.length });
        words.replaceChildren();
        return;
      }
      const before = reading.tokens("bpe", step - 1);
      title.textContent = text("step_title", { step, last: reading.merges.length });
      const names = { left: read.label(merge.left), right: read.label(merge.right), token: read.label(merge.token) };
      sentence.textContent = text(merge.places === 1 ? "step_one" : "step_many", { ...names, rank: merge.rank + 1, merges: read.pairs.mergeCount, places: merge.places, before: before.length, after: after.length });
      const found = changed(before, after, reading.parts);
      const isNew = new Set(after.filter(({ id, first, after: end }) => id === merge.token && !before.some((token) => token.first === first && token.after === end)).map(({ first }) => first));
      const firsts = (/** @type {Token} */ token) => after.some(({ first, after: end }) => isNew.has(first) && token.first >= first && token.after <= end);
      words.replaceChildren(
        ...found.slice(0, SHOWN).map((one) =>
          h("div", { class: "dlc-tokenizer-word", "data-before": one.before.map(({ id }) => id).join(" "), "data-after": one.after.map(({ id }) => id).join(" ") },
            row(one.before, (token) => (firsts(token) ? "pair" : null)),
            h("span", { "aria-hidden": "true" }, "→"),
            row(one.after, (token) => (isNew.has(token.first) ? "made" : null)),
            one.times > 1 ? h("span", { class: "dlc-tokenizer-times" }, `×${one.times}`) : null,
          ),
        ),
        ...(found.length > SHOWN ? [h("p", { class: "dlc-part-title" }, text("more_words", { count: found.length - SHOWN }))] : []),
      );
    },
  };
}
