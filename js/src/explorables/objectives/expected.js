/**
 * What the model holds for likely at the position that is looked at: tokens, or the two classes of a pair.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./rules.js").Row} Row
 * @typedef {import("../../shared/bar_list.js").Entry} Entry
 */
import { createBarList } from "../../shared/bar_list.js";
import { h } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { largest } from "../../shared/order.js";
import { IGNORED } from "./rules.js";

/** How many of the likeliest are shown. */
const COUNT = 8;

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {{guess: Record<string, number>, right: number | null}} measured
 * @param {(id: number) => string} token
 */
export function createExpected(text, measured, token) {
  const title = h("div", { class: "dlc-part-title" });
  const list = createBarList({ name: "expected", kinds: [text("column_probability")] });
  const note = h("p", { class: "dlc-readout", "data-readout": "expected" });

  /** @param {Shown} shown  @param {Row} row @returns {Entry[]} */
  function entriesOf({ state, answers }, { targets }) {
    if (state["objective"] === "next") {
      const label = state["follows"] ? 0 : 1;
      return ["follows", "not"].map((key, place) => ({ label: text(key), id: place, values: [Number(answers["next"].data[place])], note: place === label ? text("asked") : "" }));
    }
    const p = answers["probabilities"].data;
    const target = targets[state["place"]] ?? IGNORED;
    const entry = (/** @type {number} */ id, /** @type {string} */ mark) => ({ label: token(id), id, values: [Number(p[id])], note: mark });
    const first = largest(p, COUNT);
    const entries = first.map((id) => entry(id, id === target ? text("asked") : ""));
    if (target === IGNORED || first.includes(target)) return entries;
    const rank = largest(p, p.length).indexOf(target) + 1;
    return [...entries, entry(target, text("asked_rank", { rank }))];
  }

  return {
    element: h("div", { class: "dlc-part dlc-objectives-expected" }, title, list.element, note),
    /** @param {Shown} shown  @param {Row} row */
    draw(shown, row) {
      const { state } = shown;
      const objective = state["objective"];
      title.textContent = text(`expected_${objective}`, { token: row.tokens[state["place"]] ?? "" });
      list.draw(entriesOf(shown, row), title.textContent);
      if (objective === "next") note.textContent = measured.right === null ? "" : text("honest", { right: short(100 * measured.right), exact: full(measured.right) });
      else note.textContent = row.targets[state["place"]] === IGNORED ? text(`no_target_${objective}`) : "";
    },
  };
}
