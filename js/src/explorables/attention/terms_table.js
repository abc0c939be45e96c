/**
 * The chosen token's calculation as a table: a row for each token that answers, a column for each thing that the equation
 * passes through. Above the keys stands the query, below the terms their sum. Columns that the steps have not come to yet are
 * blank. One cell is reached by the tab key, the others by arrow keys, which also walk along a vector's numbers.
 *
 * @typedef {import("./state.js").Shown} Shown
 * @typedef {import("./terms_moves.js").Column} Column
 * @typedef {import("./terms_moves.js").Cell} Cell
 * @typedef {import("./terms_moves.js").Detail} Detail
 *
 * @typedef {object} TableOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {(detail: Detail | null) => void} onDetail  What is pointed at or has the focus; null: nothing.
 * @property {(shown: Shown, detail: Detail) => {label: string, value: string}} describe
 * @property {() => void} onLeave  Escape.
 */
import { signed } from "../../shared/colour.js";
import { h, put } from "../../shared/dom.js";
import { number, part, reach } from "./selection.js";
import { createNumberCell, createStripCell } from "./terms_cells.js";
import { isVector, move, sameCell } from "./terms_moves.js";

/** @type {readonly Column[]} */
const COLUMNS = ["key", "dot", "scaled", "masked", "exponential", "weight", "value", "term"];
/** The step that fills a column. @type {Record<Column, number>} */
const FIRST = { query: 0, key: 0, value: 0, dot: 1, scaled: 2, masked: 3, exponential: 4, total: 4, weight: 4, term: 5, output: 6 };
/** The steps at which a narrow page has room for a column. @type {Partial<Record<Column, string>>} */
const NARROW = { key: "0 1", value: "0 5", dot: "1 2", scaled: "2 3", masked: "3 4", exponential: "4", weight: "4 5 6", term: "5 6" };
/** @type {Cell} */
const QUERY = { column: "query", key: null };

/** @param {TableOptions} options */
export function createTermsTable({ text, onDetail, describe, onLeave }) {
  const element = h("div", { class: "dlc-terms", role: "grid", "aria-label": text("terms_label"), "data-grid": "terms" });
  /** @typedef {ReturnType<typeof createStripCell> | ReturnType<typeof createNumberCell>} View */
  /** @type {Map<string, View>} */
  const views = new Map();
  const view = (/** @type {Cell} */ { column, key }) => views.get(`${column} ${key}`);
  /** What has the focus, or would get it. @type {Detail} */
  let here = { ...QUERY, place: 0 };
  /** What a mouse or a finger points at. @type {Detail | null} */
  let pointed = null;
  let width = 0;
  /** What the cells show. @type {unknown[]} */
  let painted = [];
  /** @type {Shown | null} */
  let last = null;

  /** @param {Detail | null} detail */
  function show(detail) {
    const vector = detail !== null && isVector(detail.column);
    element.classList.toggle("has-place", vector);
    if (vector) element.style.setProperty("--dlc-place", String(detail.place));
    onDetail(detail);
  }
  /** @param {Detail} detail */
  function settle(detail) {
    const before = view(here);
    here = detail;
    const now = view(here);
    if (before !== now && before) put(before.target, { tabindex: -1 });
    if (!now) return;
    put(now.target, { tabindex: 0 });
    stand(now, here);
  }
  /** @param {View} one  @param {Detail} detail */
  function stand(one, detail) {
    if (!last) return;
    const { label, value } = describe(last, detail);
    one.stand(detail.place, label, value);
  }

  /** @param {Column} column  @param {number | null} key */
  function createView(column, key) {
    const options = {
      column,
      onPoint(/** @type {number} */ place) {
        pointed = { column, key, place };
        show(pointed);
      },
      onFocus() {
        const own = { column, key };
        // A click or a tap gives the focus to the number under it.
        if (pointed && sameCell(pointed, own)) settle(pointed);
        else if (!sameCell(here, own)) settle({ ...own, place: 0 });
        show(here);
      },
    };
    const made = isVector(column) ? createStripCell(options) : createNumberCell(options);
    views.set(`${column} ${key}`, made);
    return made.cell;
  }
  const blank = (/** @type {Column} */ column) => h("div", { class: "dlc-cell", role: "gridcell", "data-column": column });
  /** @param {string} kind  @param {HTMLElement} name  @param {(column: Column) => HTMLElement} cellFor */
  const line = (kind, name, cellFor) => {
    const cells = COLUMNS.map((column) => {
      const cell = cellFor(column);
      put(cell, { "data-narrow": NARROW[column] ?? null });
      return cell;
    });
    return h("div", { class: `dlc-line dlc-line-${kind}`, role: "row" }, name, ...cells);
  };
  const queryName = h("bdi", { class: "dlc-line-name", role: "rowheader" });
  /** @type {HTMLElement[]} */
  let names = [];

  /** @param {number} count  Tokens that answer. */
  function rebuild(count) {
    views.clear();
    const corner = h("div", { class: "dlc-line-name", role: "columnheader" }, text("column_token"));
    const head = (/** @type {Column} */ column) =>
      h("div", { class: "dlc-cell dlc-column-name", role: "columnheader", "data-column": column }, text(`column_${column}`));
    names = Array.from({ length: count }, () => h("bdi", { class: "dlc-line-name", role: "rowheader" }));
    const sums = { exponential: /** @type {const} */ ("total"), term: /** @type {const} */ ("output") };
    element.replaceChildren(
      line("head", corner, head),
      line("query", queryName, (column) => (column === "key" ? createView("query", null) : blank(column))),
      ...names.map((name, key) => line("key", name, (column) => createView(column, key))),
      line("sum", h("div", { class: "dlc-line-name", role: "rowheader" }, text("column_sum")), (column) =>
        column === "exponential" || column === "term" ? createView(sums[column], null) : blank(column),
      ),
    );
  }

  /** The cells that are there at this step, row by row. */
  const rows = () => {
    const rest = names.map((_, key) => COLUMNS.map((column) => ({ column, key })));
    const sum = [/** @type {Cell} */ ({ column: "total", key: null }), /** @type {Cell} */ ({ column: "output", key: null })];
    const there = (/** @type {Cell} */ cell) => {
      const target = view(cell)?.target;
      return target !== undefined && target.getClientRects().length > 0 && getComputedStyle(target).visibility === "visible";
    };
    return [[QUERY], ...rest, sum].map((cells) => cells.filter(there)).filter((cells) => cells.length > 0);
  };

  element.addEventListener("keydown", (event) => {
    const next = event.key === "Escape" ? null : move(event, here, rows(), width);
    if (next) {
      pointed = null;
      settle(next);
      view(next)?.target.focus();
      show(next);
    } else if (event.key === "Escape") onLeave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  element.addEventListener("pointerleave", () => {
    pointed = null;
    show(null);
  });
  element.addEventListener("focusout", () => show(null));

  return {
    element,
    /**
     * @param {Shown} shown
     * @param {import("../../shared/theme.js").Scales} scales
     */
    draw(shown, { diverging, even }) {
      const { state, pass, terms, key: answering, pointing } = (last = shown);
      const { outputs, read } = pass;
      const { query, step } = state;
      if (read.ids.length !== names.length) rebuild(read.ids.length);
      names.forEach((name, key) => put(/** @type {Element} */ (name.parentElement), { "data-pointed": !pointing && answering === key }));
      // A hand that moves over the figure points; a hundred strips are worth painting only when their numbers changed.
      const paint = [pass, terms, query, step, diverging];
      if (paint.every((part, index) => part === painted[index])) return;
      painted = paint;
      const own = {
        query: part(outputs, "query", query),
        dot: part(outputs, "dots", query),
        scaled: part(outputs, "scaled", query),
        masked: part(outputs, "masked", query),
        weight: part(outputs, "attention", pass.of.layer, pass.of.head, query),
        output: part(outputs, "mixed", query),
      };
      width = own.query.length;
      element.style.setProperty("--dlc-count", String(width));
      put(element, { "data-step": step, "data-query": query });
      for (const cell of element.querySelectorAll(".dlc-cell")) {
        const first = FIRST[/** @type {Column} */ (cell.getAttribute("data-column"))];
        put(cell, { "data-ahead": first > step, "data-now": first === step });
      }
      queryName.textContent = text("column_query", { token: read.tokens[query] ?? "" });

      /** @param {Column} column  @param {number | null} key  @param {Float32Array | null} values  @param {number} limit */
      const strip = (column, key, values, limit) => {
        const one = /** @type {ReturnType<typeof createStripCell>} */ (view({ column, key }));
        one.draw(values, diverging, limit);
        stand(one, { column, key, place: 0 });
      };
      /** @param {Column} column  @param {number | null} key  @param {number | null} value  @param {((value: number) => import("../../shared/colour.js").Colour) | null} colour */
      const cell = (column, key, value, colour) =>
        /** @type {ReturnType<typeof createNumberCell> | undefined} */ (view({ column, key }))?.draw(value, colour);

      strip("query", null, own.query, reach(own.query));
      strip("output", null, own.output, reach(own.output));
      cell("total", null, terms && number(terms, "total"), null);
      const limits = { key: reach(part(outputs, "key")), value: reach(part(outputs, "value")), term: terms ? reach(part(terms, "terms")) : 0 };
      const colours = { dot: signed(diverging, reach(own.dot)), scaled: signed(diverging, reach(own.scaled)) };
      names.forEach((name, key) => {
        const token = read.tokens[key] ?? "";
        if (name.textContent !== token) name.textContent = token;
        const hidden = state.causal && key > query;
        put(/** @type {Element} */ (name.parentElement), { "data-hidden": hidden });
        strip("key", key, part(outputs, "key", key), limits.key);
        strip("value", key, part(outputs, "value", key), limits.value);
        strip("term", key, terms && part(terms, "terms", key), limits.term);
        cell("dot", key, Number(own.dot[key]), colours.dot);
        cell("scaled", key, Number(own.scaled[key]), colours.scaled);
        cell("masked", key, Number(own.masked[key]), colours.scaled);
        cell("exponential", key, terms && number(terms, "exponentials", key), even);
        cell("weight", key, Number(own.weight[key]), even);
      });
      settle(view(here) ? here : { ...QUERY, place: 0 });
    },
    focus: () => view(here)?.target.focus(),
  };
}
