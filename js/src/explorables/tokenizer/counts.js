/**
 * How many tokens each tokenizer makes of the text, side by side; pressing a row shows its tokens.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { follow } from "../../shared/roving.js";
import { rowOf, ROWS } from "./rules.js";

/**
 * The numbers of each row.
 * @param {import("./reading.js").Reading} reading
 * @param {import("./reading.js").Reader["sizes"]} sizes
 */
export function countsOf(reading, sizes) {
  const unknown = (/** @type {string} */ cut) => reading.tokens(cut, 0).filter(({ known }) => !known).length;
  const all = reading.merges.length;
  return [
    { row: "characters", count: reading.characters.length, size: sizes.characters, unknown: unknown("characters") },
    { row: "words", count: reading.tokens("words", 0).length, size: sizes.words, unknown: unknown("words") },
    { row: "bytes", count: reading.tokens("bpe", 0).length, size: sizes.bytes, unknown: 0 },
    { row: "bpe", count: reading.tokens("bpe", all).length, size: sizes.bpe, unknown: 0 },
  ];
}

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./reading.js").Reader} read
 * @param {(row: string) => void} onPick
 */
export function createCounts(text, read, onPick) {
  const head = ["cut", "tokens", "vocabulary", "unknown"].map((key) => h("span", {}, text(`head_${key}`)));
  const rows = ROWS.map((row) => {
    const bar = h("span", { class: "dlc-tokenizer-bar" });
    const now = h("span", { class: "dlc-tokenizer-now" });
    const count = h("span", { class: "dlc-tokenizer-count" });
    const size = h("span", { class: "dlc-tokenizer-size" });
    const unknown = h("span", { class: "dlc-tokenizer-unknown" });
    const element = h(
      "div",
      { ...OWN_KEYS, class: "dlc-tokenizer-row", role: "radio", "data-row": row, onclick: () => pick(row) },
      h("span", { class: "dlc-tokenizer-name" }, text(`row_${row}`, { merges: read.pairs.mergeCount })),
      h("span", { class: "dlc-tokenizer-bars" }, bar, now, count),
      size,
      unknown,
    );
    return { row, element, bar, now, count, size, unknown };
  });
  const element = h(
    "div",
    { class: "dlc-part dlc-tokenizer-counts" },
    h("div", { class: "dlc-tokenizer-row dlc-tokenizer-head", "aria-hidden": "true" }, ...head),
    h("div", { role: "radiogroup", "aria-label": text("counts"), "data-grid": "counts" }, ...rows.map((row) => row.element)),
  );
  let chosen = 0;
  /** @param {string} row */
  function pick(row) {
    onPick(row);
    rows.find((one) => one.row === row)?.element.focus({ preventScroll: true });
  }
  element.addEventListener("keydown", (event) => {
    const press = event.key === "Enter" || event.key === " ";
    const next = press ? [chosen] : follow(event, event.key === "ArrowLeft" || event.key === "ArrowRight" ? [0, 0] : [chosen, 0], { rows: rows.length, columns: 1 });
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -rows.length, End: rows.length }[event.key] ?? 0;
    const place = by ? Math.min(rows.length - 1, Math.max(0, chosen + by)) : Number(next[0]);
    const row = rows[place];
    if (row && (press || place !== chosen)) pick(row.row);
  });

  return {
    element,
    /** @param {Shown} shown  @param {import("./reading.js").Reading} reading */
    draw({ state }, reading) {
      const counts = countsOf(reading, read.sizes);
      const most = Math.max(...counts.map(({ count }) => count));
      const share = (/** @type {number} */ count) => `width: ${((100 * count) / most).toFixed(2)}%`;
      const current = rowOf(state);
      const between = current === "bpe" && state["step"] < reading.merges.length;
      const now = reading.tokens("bpe", state["step"]).length;
      chosen = ROWS.indexOf(current);
      counts.forEach(({ row, count, size, unknown }, index) => {
        const view = /** @type {(typeof rows)[number]} */ (rows[index]);
        const on = row === current;
        put(view.element, { "aria-checked": String(on), tabindex: on ? 0 : -1, "data-count": count, "data-size": size, "data-unknown": unknown });
        put(view.bar, { style: share(count) });
        const partly = between && row === "bpe";
        put(view.now, { style: partly ? share(now - count) : "width: 0", "data-value": partly ? now : null });
        view.count.textContent = partly ? text("count_now", { count, now }) : String(count);
        view.size.textContent = size.toLocaleString("en");
        view.unknown.textContent = unknown ? String(unknown) : "–";
      });
      // Beside the longest bar there is room for the longest number.
      const longest = Math.max(...rows.map(({ count }) => count.textContent?.length ?? 0));
      put(element, { style: `--dlc-tokenizer-digits: ${longest}` });
    },
  };
}
