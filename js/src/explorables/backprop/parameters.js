/**
 * The parameters: a field for each, the derivative of the loss by it once the pass back has been there, and after the update
 * its new value.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { editable, full, short } from "../../shared/format.js";
import { collected, LIMITS, PARAMETERS } from "./rules.js";

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(name: string, value: number) => void} onNumber
 */
export function createParameters(text, onNumber) {
  const rows = [...PARAMETERS, "x1", "x2", "t"].map((name) => {
    const field = h("input", {
      type: "number",
      class: "dlc-number-field",
      ...OWN_KEYS,
      step: 0.1,
      min: -LIMITS.number,
      max: LIMITS.number,
      "data-control": name,
      "aria-label": name,
      oninput() {
        const allowed = Math.abs(field.valueAsNumber) <= LIMITS.number;
        put(field, { "aria-invalid": allowed ? null : "true" });
        if (allowed) onNumber(name, field.valueAsNumber);
      },
      onblur() {
        put(field, { "aria-invalid": null });
        field.value = field.dataset["shown"] ?? "";
      },
    });
    const [slope, next] = [h("td", { "data-part": "slope" }), h("td", { "data-part": "next" })];
    return { name, field, slope, next, element: h("tr", { "data-parameter": name }, h("th", { scope: "row" }, name), h("td", {}, field), slope, next) };
  });
  const heads = ["value", "gradient", "new_value"].map((key) => h("th", { scope: "col" }, text(key)));
  const table = (/** @type {typeof rows} */ some) => h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, text("parameter")), ...heads.map((head) => head.cloneNode(true)))), h("tbody", {}, ...some.map((row) => row.element)));
  const element = h("section", { class: "dlc-part dlc-backprop-parameters", "aria-label": text("parameters") }, table(rows.slice(0, 6)), table(rows.slice(6)));

  /** @param {Element} cell  @param {number | null} value */
  const write = (cell, value) => {
    cell.textContent = value === null ? "" : short(value);
    put(cell, { "data-value": value, title: value === null ? null : full(value) });
  };
  return {
    element,
    /** @param {Shown} shown  @param {import("./numbers.js").Numbers} numbers */
    draw({ state, wanted }, numbers) {
      const shares = collected(state["step"]);
      const wantedNumbers = { ...flat(wanted), t: wanted["target"] };
      for (const { name, field, slope, next, element: row } of rows) {
        const value = Number(/** @type {Record<string, number>} */ (wantedNumbers)[name]);
        put(field, { "data-shown": editable(value), title: full(value) });
        // A field that is being written in keeps what stands there.
        if (!field.matches(":focus") || field.valueAsNumber !== value) field.value = editable(value);
        const isParameter = PARAMETERS.includes(name);
        write(slope, isParameter && shares.has(name) ? numbers.slope(name) : null);
        write(next, isParameter && state["step"] === LIMITS.step ? numbers.next(name) : null);
        put(row, { "data-there": slope.textContent !== "" });
      }
    },
  };
}

/** The numbers of a state by their names. @param {import("./rules.js").State} state */
const flat = ({ x, hidden, output }) => Object.fromEntries([...hidden.flat(), ...output, ...x].map((value, index) => [[...PARAMETERS, "x1", "x2"][index], value]));
