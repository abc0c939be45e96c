/**
 * One model: its date, its sizes in full, and where it was described.
 *
 * @typedef {import("./rules.js").Model} Model
 */
import { h, put } from "../../shared/dom.js";

/** @param {import("../../shared/format.js").Translate} text  @param {(model: Model) => string} date */
export function createDetail(text, date) {
  const name = h("p", { class: "dlc-timeline-name" });
  const numbers = Object.fromEntries(["date", "layers", "width", "parameters"].map((key) => [key, h("dd", { "data-part": key })]));
  const list = h("dl", {}, ...Object.entries(numbers).flatMap(([key, cell]) => [h("dt", {}, text(key)), cell]));
  const paper = h("p", {});
  const key = h("p", { class: "dlc-timeline-soft" });
  const note = h("p", { class: "dlc-timeline-soft" });
  const element = h("section", { class: "dlc-part dlc-timeline-detail", "aria-label": text("detail") }, name, list, paper, key, note);
  return {
    element,
    /** @param {Model} model  @param {boolean} pointed  Whether a hand only points at it. */
    draw(model, pointed) {
      const { authors, title, year, month } = model.paper;
      name.textContent = model.name;
      put(element, { "data-key": model.paper.key, "data-pointed": pointed });
      /** @param {string} part  @param {string} written  @param {string} said  @param {number} value */
      const write = (part, written, said, value) => {
        const cell = /** @type {HTMLElement} */ (numbers[part]);
        cell.replaceChildren(written, ...(said ? [" ", h("span", { class: "dlc-timeline-soft" }, said)] : []));
        put(cell, { "data-value": value });
      };
      write("date", month === null ? text("date_year", { year }) : date(model), "", model.when);
      write("layers", String(model.layers), text(model.lane === "classic" ? "layers_about" : "blocks_about"), model.layers);
      write("width", model.width.toLocaleString("en"), text("width_about"), model.width);
      write("parameters", model.parameters.toLocaleString("en"), "", model.parameters);
      paper.textContent = text("paper_line", { authors, year, title });
      key.textContent = text("key", { key: model.paper.key });
      note.textContent = model.note ? text("note", { note: model.note }) : "";
    },
  };
}
