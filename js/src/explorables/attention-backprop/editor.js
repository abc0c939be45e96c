/** What is given, as fields: one matrix at a time, and two buttons that change all of its numbers. */
import { createChoice } from "../../shared/controls.js";
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { editable, full } from "../../shared/format.js";
import { cellName, matrixName } from "./names.js";
import { GIVEN, LIMITS, withNumber } from "./rules.js";

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(wish: import("./rules.js").State) => void} set
 * @param {() => import("./rules.js").State | undefined} wanted
 */
export function createEditor(text, set, wanted) {
  const choice = createChoice({
    name: "edited",
    label: text("edited"),
    options: Object.keys(GIVEN).map((name) => ({ value: name, text: `${matrixName(name)}, ${text(`name_${name}`)}` })),
    onChoose: (edited) => set({ edited }),
  });
  /** @param {(value: number) => number} to */
  const all = (to) => {
    const now = wanted();
    if (now) set({ [now["edited"]]: now[now["edited"]].map((/** @type {number[]} */ line) => line.map(to)) });
  };
  /** @param {string} name  @param {(value: number) => number} to */
  const button = (name, to) => {
    const element = h("button", { type: "button", ...OWN_KEYS, "data-control": name, onclick: () => element.getAttribute("aria-disabled") !== "true" && all(to) }, text(name));
    return element;
  };
  const zero = button("zero", () => 0);
  const double = button("double", (value) => 2 * value);
  const fields = h("div", { class: "dlc-attention-backprop-fields" });
  const element = h("section", { class: "dlc-part dlc-attention-backprop-editor", "aria-label": text("editor") }, h("div", { class: "dlc-attention-backprop-edits" }, choice.element, zero, double), fields);
  /** @type {HTMLInputElement[][]} */
  let made = [];
  let standing = "";

  /** @param {string} name */
  function build(name) {
    if (name === standing) return;
    standing = name;
    const [rows, columns] = /** @type {import("../../shared/types.js").Cell} */ (GIVEN[name]);
    made = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (_, column) => {
        const field = h("input", {
          type: "number",
          class: "dlc-number-field",
          ...OWN_KEYS,
          step: 0.1,
          min: -LIMITS.number,
          max: LIMITS.number,
          "data-control": `number${row + 1}${column + 1}`,
          "aria-label": cellName(name, [row, column]),
          oninput() {
            const allowed = Math.abs(field.valueAsNumber) <= LIMITS.number;
            put(field, { "aria-invalid": allowed ? null : "true" });
            const now = wanted();
            if (allowed && now) set({ [name]: withNumber(now[name], [row, column], field.valueAsNumber) });
          },
          onblur() {
            put(field, { "aria-invalid": null });
            field.value = field.dataset["shown"] ?? "";
          },
        });
        return field;
      }),
    );
    put(fields, { style: `--dlc-columns: ${columns}` });
    fields.replaceChildren(...made.flat());
  }
  return {
    element,
    /** @param {import("../../shared/explorable.js").Shown} shown */
    draw({ wanted: state }) {
      const name = state["edited"];
      choice.show(name);
      build(name);
      /** @type {number[][]} */
      const matrix = state[name];
      made.forEach((line, row) =>
        line.forEach((field, column) => {
          const value = Number(matrix[row]?.[column]);
          put(field, { "data-shown": editable(value), title: full(value) });
          // A field that is being written in keeps what stands there.
          if (!field.matches(":focus") || field.valueAsNumber !== value) field.value = editable(value);
        }),
      );
      const sizes = matrix.flat().map(Math.abs);
      const most = Math.max(...sizes);
      put(zero, { "aria-disabled": most === 0 ? "true" : null });
      put(double, { "aria-disabled": most === 0 || 2 * most > LIMITS.number ? "true" : null });
    },
  };
}
