/**
 * The numbers behind a figure as a table that opens on request: for screen readers, and for whoever wants to read them off.
 * It is filled only while it is open.
 *
 * @typedef {{columns: string[], rows: (string | number)[][]}} TableContent  The first cell of each row is its head.
 */
import { h, OWN_KEYS } from "./dom.js";
import { full, short } from "./format.js";

/**
 * @param {import("./format.js").Translate} text
 * @param {() => TableContent | null} content  What it shows now.
 */
export function createDataTable(text, content) {
  const place = h("div", { tabindex: 0, role: "region", "aria-label": text("table") });
  const summary = h("summary", { ...OWN_KEYS, "data-control": "table" }, text("table"));
  const element = h("details", { class: "dlc-table", ontoggle: () => draw() }, summary, place);

  function draw() {
    const shown = element.open ? content() : null;
    if (!shown) return place.replaceChildren();
    const head = h("tr", {}, ...shown.columns.map((column) => h("th", { scope: "col" }, column)));
    const rows = shown.rows.map(([first, ...others]) =>
      h("tr", {}, h("th", { scope: "row" }, written(first ?? "")), ...others.map((value) => cell(value))),
    );
    place.replaceChildren(h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows)));
  }
  return { element, draw };
}

const written = (/** @type {string | number} */ value) => (typeof value === "number" ? short(value) : value);
const cell = (/** @type {string | number} */ value) =>
  typeof value === "number" ? h("td", { title: full(value), "data-value": value }, short(value)) : h("td", {}, value);
