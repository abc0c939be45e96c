/**
 * One point: what was trained, what it came to, and where the line runs there.
 *
 * @typedef {import("./rules.js").Point} Point
 */
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";

const COUNTS = /** @type {const} */ (["parameters", "characters", "steps", "tokens"]);
const PARTS = [...COUNTS, "flops", "rates", "bits", "nats", "seeds", "line", "apart", "fit"];
/** What a part is called, where its name is another's. */
const NAMES = /** @type {Record<string, string>} */ ({ characters: "data", flops: "compute" });

/** @param {import("../../shared/format.js").Translate} text  @param {(point: Point) => string} nameOf */
export function createDetail(text, nameOf) {
  const name = h("p", { class: "dlc-scaling-name" });
  const cells = Object.fromEntries(PARTS.map((key) => [key, h("dd", { "data-part": key })]));
  const list = h("dl", {}, ...PARTS.flatMap((key) => [h("dt", {}, text(NAMES[key] ?? key)), /** @type {HTMLElement} */ (cells[key])]));
  const element = h("section", { class: "dlc-part dlc-scaling-detail", "aria-label": text("detail") }, name, list);
  /** @param {string} part  @param {string} written  @param {number[]} [values] */
  function write(part, written, values) {
    const cell = /** @type {HTMLElement} */ (cells[part]);
    cell.textContent = written;
    put(cell, { "data-values": values ? values.join(" ") : null, title: values ? values.map(full).join("; ") : null });
  }
  return {
    element,
    /**
     * @param {Point} point
     * @param {ReturnType<import("./fits.js").Fit["at"]>} told
     * @param {{out: boolean, pointed: boolean, family: string}} how  `pointed`: whether a hand only points at it.
     */
    draw(point, told, { out, pointed, family }) {
      name.textContent = nameOf(point);
      put(element, { "data-pointed": pointed, "data-family": family });
      for (const key of COUNTS) write(key, point[key].toLocaleString("en"), [point[key]]);
      for (const key of /** @type {const} */ (["flops", "bits", "nats"])) write(key, short(point[key]), [point[key]]);
      write("rates", point.rates.map(short).join(", "), point.rates);
      const bits = point.seeds.map((seed) => seed.bits);
      write("seeds", bits.map(short).join(", "), bits);
      if (told) {
        const numbers = [told.line, told.low, told.high];
        const [line, low, high] = /** @type {[string, string, string]} */ (numbers.map(short));
        write("line", text("line_between", { line, low, high }), numbers);
        write("apart", short(told.apart), [told.apart]);
      } else for (const key of ["line", "apart"]) write(key, text("no_line"));
      write("fit", text(out ? "out" : "counts"));
    },
  };
}
