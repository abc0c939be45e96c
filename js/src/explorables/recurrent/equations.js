/**
 * The open unit's equations with its numbers in them, a line for each part. Pressing a line chooses the part.
 *
 * @typedef {import("./numbers.js").Numbers} Numbers
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";

/** @param {import("../../shared/format.js").Translate} text  @param {(part: string) => void} onChoose */
export function createEquations(text, onChoose) {
  const title = h("div", { class: "dlc-part-title" });
  const lines = h("div", { class: "dlc-recurrent-lines" });
  const element = h("section", { class: "dlc-part dlc-recurrent-open", "aria-label": text("open") }, title, lines);
  /** @type {{name: string, working: HTMLElement, button: HTMLElement}[]} */
  let made = [];
  let kind = "";

  /** A number. @param {number} value  @param {string} name */
  const number = (value, name) => h("b", { "data-value": value, "data-number": name, title: full(value) }, short(value));
  /** One that follows a sign. @param {number} value  @param {string} name  @returns {(string | Node)[]} */
  const bracketed = (value, name) => (value < 0 ? ["(", number(value, name), ")"] : [number(value, name)]);
  /** What stands together in a line. @param {...(string | Node)} parts */
  const piece = (...parts) => h("span", { class: "dlc-recurrent-piece" }, ...parts);

  /** The sum of two products, worked out. @param {string} formula  @param {[number, number, number, string][]} products  @param {number} result */
  function twoProducts(formula, products, result) {
    const factors = products.flatMap(([one, other, , name], index) => [index ? " + " : "= ", number(one, `${name}_one`), " × ", ...bracketed(other, `${name}_other`)]);
    const terms = products.flatMap(([, , product, name], index) => (index ? [" + ", ...bracketed(product, name)] : ["= ", number(product, name)]));
    return [piece(formula), piece(...factors), piece(...terms), piece("= ", number(result, "result"))];
  }

  /** @param {import("./rules.js").Part} part  @param {Numbers} numbers @returns {Node[]} */
  function worked({ name, sign, gate, bend }, { value, before, sum, one, kind: of, unit }) {
    const result = value(name);
    if (gate !== null) return [piece(`${sign} = ${bend}(`, number(sum(gate), "sum"), ")"), piece("= ", number(result, "result"))];
    if (name === "cell") {
      const products = /** @type {[number, number, number, string][]} */ ([
        [value("forget_gate"), before("cell", unit), one("kept"), "kept"],
        [value("input_gate"), value("candidate"), one("written"), "written"],
      ]);
      return twoProducts("c = f · c₋ + i · g", products, result);
    }
    if (of === "lstm") {
      const factors = piece("= ", number(value("output_gate"), "output_gate"), " × ", ...bracketed(one("tanh_cell"), "tanh_cell"));
      return [piece("h = o · tanh(c)"), factors, piece("= ", number(result, "result"))];
    }
    const products = /** @type {[number, number, number, string][]} */ ([
      [value("update_gate"), before("hidden", unit), one("kept"), "kept"],
      [one("rest"), value("candidate"), one("written"), "written"],
    ]);
    return twoProducts("h = z · h₋ + (1 − z) · n", products, result);
  }

  return {
    element,
    /** @param {import("../../shared/explorable.js").Shown} shown  @param {Numbers} numbers */
    draw({ wanted }, numbers) {
      if (numbers.kind !== kind) {
        kind = numbers.kind;
        made = numbers.parts.map(({ name }) => {
          const working = h("span", { class: "dlc-recurrent-working" });
          const button = h("button", { type: "button", ...OWN_KEYS, class: "dlc-recurrent-line", "data-part": name, onclick: () => onChoose(name) }, h("span", { class: "dlc-recurrent-name" }, text(name)), working);
          return { name, working, button };
        });
        lines.replaceChildren(...made.map(({ button }) => button));
      }
      title.textContent = text("open_title", { unit: numbers.unit, character: numbers.character });
      numbers.parts.forEach((part, index) => {
        const { working, button } = /** @type {(typeof made)[number]} */ (made[index]);
        working.replaceChildren(...worked(part, numbers).flatMap((node) => [node, " "]));
        put(button, { "aria-pressed": String(part.name === wanted["part"]) });
      });
    },
  };
}
