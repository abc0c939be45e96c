/**
 * What the networks read, side by side: a column for each, with its answer, the probability of each digit as a bar and a
 * number, and what it costs.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./asking.js").Network} Network
 * @typedef {import("./asking.js").Reading} Reading
 */
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { best, DIGITS } from "./rules.js";

/** The least probability that is written in digits. */
const LEAST = 0.001;

/** @param {import("../../shared/format.js").Translate} text  @param {Network[]} networks */
export function createAnswers(text, networks) {
  const heads = networks.map(({ kind, family }) => h("th", { scope: "col", "data-family": family }, text(`head_${kind}`)));
  const answers = networks.map(({ kind }) => h("td", { class: "dlc-digits-answer", "data-answer": kind }));
  const cells = DIGITS.map((digit) =>
    networks.map(({ kind, family }) => {
      const [bar, number] = [h("span", { class: "dlc-digits-bar", "data-family": family }), h("span", { class: "dlc-digits-number" })];
      return { element: h("td", { "data-of": kind, "data-digit": digit }, h("span", { class: "dlc-digits-track" }, bar), number), bar, number };
    }),
  );
  const times = networks.map(({ kind }) => h("td", { "data-time": kind }));
  const fixed = (/** @type {"parameters" | "multiply_adds"} */ key) =>
    h("tr", {}, h("th", { scope: "row" }, text(key)), ...networks.map((network) => h("td", { "data-value": network[key], title: full(network[key]) }, counted(network[key]))));
  const element = h(
    "table",
    { class: "dlc-digits-table", "aria-label": text("answers") },
    h("thead", {}, h("tr", {}, h("td", {}), ...heads)),
    h("tbody", {}, h("tr", {}, h("th", { scope: "row" }, text("answer")), ...answers), ...cells.map((row, digit) => h("tr", {}, h("th", { scope: "row" }, String(digit)), ...row.map(({ element: cell }) => cell)))),
    h("tfoot", {}, fixed("parameters"), fixed("multiply_adds"), h("tr", { title: text("time_hint") }, h("th", { scope: "row" }, text("time")), ...times)),
  );

  return {
    element,
    /** @param {Shown} shown */
    draw({ answers: { readings } }) {
      networks.forEach(({ kind }, column) => {
        const { probabilities, milliseconds } = /** @type {Reading} */ (readings[column]);
        const chosen = best(probabilities);
        const answer = /** @type {Element} */ (answers[column]);
        answer.textContent = String(chosen);
        put(answer, { "data-value": chosen });
        cells.forEach((row, digit) => {
          const { element: cell, bar, number } = /** @type {(typeof row)[0]} */ (row[column]);
          const p = Number(probabilities[digit]);
          put(cell, { "data-value": p, "data-best": digit === chosen, title: text("probability", { name: text(kind), digit, value: full(p) }) });
          put(bar, { style: `width: ${(100 * p).toFixed(2)}%` });
          number.textContent = p < LEAST ? `< ${LEAST}` : short(p);
        });
        const time = /** @type {Element} */ (times[column]);
        time.textContent = milliseconds === null ? "–" : short(milliseconds);
        put(time, { "data-value": milliseconds, title: milliseconds === null ? text("time_hint") : full(milliseconds) });
      });
    },
  };
}

/** A count as people write it: 101,770 as 102 k. @param {number} count */
const counted = (count) => (count >= 1e6 ? `${short(count / 1e6)} M` : count >= 1e3 ? `${short(count / 1e3)} k` : String(count));
