/**
 * A short list of things with a bar and a number for each of one or two kinds: the likeliest tokens before and after, say.
 * Nothing in it is pressed: it is read.
 *
 * @typedef {object} Entry
 * @property {string} label
 * @property {number[]} values  One for each kind.
 * @property {number[]} [sizes]  The bars' lengths from 0 to 1, where they are not the values.
 * @property {string} [note]  Stands behind the label.
 * @property {number} [id]  For tests: `data-id`.
 */
import { h, put } from "./dom.js";
import { full, short } from "./format.js";

/** @param {{name: string, kinds: string[]}} options  `name`: for style and tests, `data-grid`; `kinds`: as they are called, for a screen reader. */
export function createBarList({ name, kinds }) {
  const element = h("ol", { class: "dlc-bar-list", "data-grid": name, style: `--dlc-kinds: ${kinds.length}` });
  /** @type {ReturnType<typeof createRow>[]} */
  const rows = [];

  function createRow() {
    const label = h("bdi", { class: "dlc-bar-list-token" });
    const note = h("span", { class: "dlc-bar-list-note" });
    const bars = kinds.map((_, kind) => h("span", { "data-kind": kind }));
    const numbers = kinds.map((_, kind) => h("span", { class: "dlc-bar-list-number", "data-kind": kind }));
    const spoken = kinds.map((kind) => h("span", { class: "dlc-unseen" }, kinds.length > 1 ? `${kind}: ` : ""));
    const element = h(
      "li",
      { class: "dlc-bar-list-row" },
      h("span", { class: "dlc-bar-list-label" }, label, note),
      h("span", { class: "dlc-bar-list-bars" }, ...bars),
      ...numbers.map((number, kind) => h("span", { class: "dlc-bar-list-cell" }, spoken[kind], number)),
    );
    return { element, label, note, bars, numbers };
  }

  return {
    element,
    /** @param {Entry[]} entries  @param {string} label  What the list is. */
    draw(entries, label) {
      put(element, { "aria-label": label });
      for (const { element: row } of rows.splice(entries.length)) row.remove();
      while (rows.length < entries.length) {
        const row = createRow();
        rows.push(row);
        element.append(row.element);
      }
      entries.forEach(({ label: shown, values, sizes = values, note = "", id }, place) => {
        const row = /** @type {(typeof rows)[number]} */ (rows[place]);
        if (row.label.textContent !== shown) row.label.textContent = shown;
        row.note.textContent = note;
        put(row.element, { "data-id": id ?? null, "data-marked": note !== "" });
        values.forEach((value, kind) => {
          put(/** @type {Element} */ (row.bars[kind]), { style: `width: ${100 * Number(sizes[kind])}%` });
          const number = /** @type {HTMLElement} */ (row.numbers[kind]);
          number.textContent = short(value);
          put(number, { "data-value": value, title: full(value) });
        });
      });
    },
  };
}
