/**
 * The families in order of rank, to read and to choose from; below it, those that aren't there, and why.
 *
 * @typedef {import("./rules.js").Table} Table
 * @typedef {import("./rules.js").Family} Family
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { createFamilyMark } from "../../shared/family_mark.js";
import { full, short } from "../../shared/format.js";
import { follow } from "../../shared/roving.js";

/**
 * @param {object} options
 * @param {import("../../shared/format.js").Translate} options.text
 * @param {(family: string) => Family} options.named
 * @param {(family: string) => void} options.onChoose
 * @param {(family: string | null) => void} options.onPoint
 */
export function createRanking({ text, named, onChoose, onPoint }) {
  const list = h("div", { role: "listbox", "aria-label": text("ranking"), class: "dlc-comparison-ranking" });
  const summary = h("summary", { ...OWN_KEYS, "data-control": "missing" });
  const reasons = h("ul", {});
  const missing = h("details", { class: "dlc-comparison-missing" }, summary, reasons);
  let built = "";

  /** @param {number} index */
  function choose(index) {
    const option = /** @type {HTMLElement | undefined} */ (list.children[index]);
    if (!option) return;
    onChoose(option.dataset["key"] ?? "");
    option.focus({ preventScroll: true });
  }
  list.addEventListener("keydown", (event) => {
    const from = [...list.children].indexOf(/** @type {Element} */ (event.target));
    if (from < 0) return;
    const press = event.key === "Enter" || event.key === " ";
    const found = press ? from : follow({ ...pressed(event), key: SAME[event.key] ?? event.key }, [from, 0], { rows: list.children.length, columns: 1 })?.[0];
    if (found === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(found);
  });

  return {
    element: h("section", { class: "dlc-part dlc-comparison-side" }, list, missing),
    /** @param {Table} table  @param {string} chosen */
    draw({ task, budget, rows, missing: absent }, chosen) {
      const key = `${task} ${budget}`;
      if (key !== built) {
        built = key;
        list.replaceChildren(
          ...rows.map((row, index) => {
            const value = Number(row.at[0]);
            const interval = row.interval && !row.fixed ? `${short(row.interval[0])} – ${short(row.interval[1])}` : "";
            return h(
              "div",
              { ...OWN_KEYS, role: "option", "data-key": row.family, "data-rank": row.rank, "data-value": value, title: full(value), onclick: () => choose(index), onfocus: () => onPoint(row.family), onblur: () => onPoint(null) },
              h("span", { class: "dlc-comparison-rank" }, String(row.rank)),
              createFamilyMark(named(row.family).group),
              h("span", { class: "dlc-comparison-family" }, named(row.family).title),
              h("span", { class: "dlc-comparison-value" }, h("b", {}, short(value)), h("span", {}, interval)),
            );
          }),
        );
        summary.textContent = text("missing", { count: absent.length });
        reasons.replaceChildren(...absent.map(({ family, why }) => h("li", { "data-missing": family }, text("missing_line", { name: named(family).title, why }))));
        missing.hidden = !absent.length;
      }
      for (const option of /** @type {HTMLCollectionOf<HTMLElement>} */ (list.children)) {
        const own = option.dataset["key"] === chosen;
        put(option, { "aria-selected": String(own), tabindex: own ? 0 : -1 });
      }
    },
  };
}

/** In one column, first and last of a line are those of all. */
const SAME = /** @type {Record<string, string>} */ ({ Home: "PageUp", End: "PageDown" });
const pressed = (/** @type {KeyboardEvent} */ { ctrlKey, metaKey, altKey, shiftKey }) => ({ ctrlKey, metaKey, altKey, shiftKey });
