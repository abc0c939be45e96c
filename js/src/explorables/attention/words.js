/**
 * What is said about the calculation: what happens in a step, and a number that is pointed at, in full.
 *
 * @typedef {import("../../shared/format.js").Translate} Translate
 * @typedef {import("./state.js").Shown} Shown
 * @typedef {import("./terms_moves.js").Detail} Detail
 */
import { full, short } from "../../shared/format.js";
import { STEPS } from "./rules.js";
import { isHidden, number, part, strongest } from "./selection.js";

/** What stands for a number that is on its way. */
const COMING = "…";

/** What happens in the present step, with its numbers. @param {Translate} text  @param {Shown} shown */
export function sentenceOf(text, { state, pass, terms }) {
  const { tokens } = pass.read;
  const { query } = state;
  const name = /** @type {(typeof STEPS)[number]} */ (STEPS[state.step]);
  const values = name === "dots" || name === "scaled" || name === "masked" ? part(pass.outputs, name, query) : weightsOfRow(pass, query);
  const key = strongest(values);
  const later = tokens.length - 1 - query;
  const words = {
    query: tokens[query] ?? "",
    key: tokens[key] ?? "",
    value: short(Number(values[key])),
    d_head: part(pass.outputs, "query", query).length,
    root: short(number(pass.outputs, "root")),
    total: terms ? short(number(terms, "total")) : COMING,
    later,
  };
  if (name === "masked") return text(`sentence_masked_${state.causal ? "causal" : "open"}${later ? "" : "_last"}`, words);
  const off = name === "sum" && state.heads === "without";
  return text(`sentence_${name}`, words) + (off ? ` ${text("sentence_off")}` : "");
}

/** @param {Shown["pass"]} pass  @param {number} query */
const weightsOfRow = ({ outputs, of }, query) => part(outputs, "attention", of.layer, of.head, query);

/** The exact number at a place of the calculation. @param {Shown} shown  @param {Detail} detail @returns {string} */
export function valueOf({ state, pass: { outputs, of }, terms }, { column, key, place }) {
  const { query } = state;
  const row = key ?? 0;
  const coming = (/** @type {string} */ name, /** @type {number[]} */ ...places) => (terms ? full(number(terms, name, ...places)) : COMING);
  switch (column) {
    case "query":
      return full(number(outputs, "query", query, place));
    case "output":
      return full(number(outputs, "mixed", query, place));
    case "key":
    case "value":
      return full(number(outputs, column, row, place));
    case "dot":
      return full(number(outputs, "dots", query, row));
    case "scaled":
    case "masked":
      return full(number(outputs, column, query, row));
    case "weight":
      return full(number(outputs, "attention", of.layer, of.head, query, row));
    case "total":
      return coming("total");
    case "exponential":
      return coming("exponentials", row);
    case "term":
      return coming("terms", row, place);
  }
}

/** What the number at a place is. @param {Translate} text  @param {Shown} shown  @param {Detail} detail */
export function nameOf(text, { state, pass }, { column, key, place }) {
  const { tokens } = pass.read;
  return text(`name_${column}`, { query: tokens[state.query] ?? "", key: tokens[key ?? 0] ?? "", place });
}

/** The number at a place and how it comes about. @param {Translate} text  @param {Shown} shown  @param {Detail} detail */
export function readoutOf(text, shown, detail) {
  const { state, pass, terms } = shown;
  const { column, key, place } = detail;
  const line = text("readout", { name: nameOf(text, shown, detail), value: valueOf(shown, detail) });
  const other = (/** @type {import("./terms_moves.js").Column} */ name) => valueOf(shown, { column: name, key, place });
  if (column === "key") {
    const product = terms ? full(number(terms, "products", key ?? 0, place)) : COMING;
    return `${line} ${text("readout_product", { a: other("query"), b: other("key"), product })}`;
  }
  if (column === "term") return `${line} ${text("readout_term", { weight: other("weight"), value: other("value") })}`;
  if (column === "masked" && isHidden(pass, state.query, key ?? 0)) return `${line} ${text("readout_hidden")}`;
  return line;
}
