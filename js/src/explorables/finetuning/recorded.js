/**
 * What was recorded while the models were fine-tuned: the loss on held-out replies on the way, and at the ends.
 *
 * @typedef {{curves: Record<"full" | "lora", [number, number][]>, results: ({of: string} & Record<string, number | null>)[]}} Recorded
 */
import { h, s } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { WAYS } from "./weights.js";

const SIZE = { width: 320, height: 190, left: 40, right: 12, top: 12, bottom: 34 };
const COLUMNS = ["before", "full", "lora", "scratch"];

/** @param {import("../../shared/format.js").Translate} text  @param {Recorded} recorded */
export function createRecorded(text, { curves, results }) {
  const points = WAYS.flatMap((way) => curves[way]);
  const steps = points.map(([step]) => step);
  const bits = points.map(([, value]) => value);
  const [last, least, most] = [Math.max(...steps), Math.min(...bits), Math.max(...bits)];
  const x = (/** @type {number} */ step) => SIZE.left + (step / last) * (SIZE.width - SIZE.left - SIZE.right);
  const y = (/** @type {number} */ value) => SIZE.top + ((most - value) / (most - least || 1)) * (SIZE.height - SIZE.top - SIZE.bottom);
  const lines = WAYS.map((way) =>
    s(
      "g",
      { "data-way": way },
      s("polyline", { points: curves[way].map(([step, value]) => `${x(step)},${y(value)}`).join(" ") }),
      ...curves[way].map(([step, value]) =>
        s("circle", { cx: x(step), cy: y(value), r: 4, "data-step": step, "data-value": value }, s("title", {}, text("point", { way: text(way), step, value: full(value) }))),
      ),
    ),
  );
  const mark = (/** @type {number} */ atX, /** @type {number} */ atY, /** @type {string} */ anchor, /** @type {string} */ label) => s("text", { x: atX, y: atY, "text-anchor": anchor }, label);
  const base = SIZE.height - SIZE.bottom;
  const drawing = s(
    "svg",
    { class: "dlc-finetuning-curves", viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img", "aria-label": sentence() },
    s("path", { class: "dlc-axes", d: `M${SIZE.left},${SIZE.top}V${base}H${SIZE.width - SIZE.right}` }),
    mark(SIZE.left - 5, y(most) + 4, "end", short(most)),
    mark(SIZE.left - 5, y(least) + 4, "end", short(least)),
    mark(SIZE.left, base + 15, "middle", "0"),
    mark(x(last), base + 15, "end", String(last)),
    mark((SIZE.left + x(last)) / 2, base + 28, "middle", text("curves_step")),
    ...lines,
    ...WAYS.map((way) => {
      const [step = 0, value = least] = curves[way].at(-1) ?? [];
      const atEnd = step > 0.8 * last;
      return mark(x(step) + (atEnd ? 4 : 10), y(value) + (atEnd ? -12 : 4), atEnd ? "end" : "start", text(way));
    }),
  );
  function sentence() {
    const ends = WAYS.map((way) => {
      const [first, end] = [curves[way][0], curves[way].at(-1)];
      return text("curve", { way: text(way), first: short(Number(first?.[1])), from: Number(first?.[0]), end: short(Number(end?.[1])), to: Number(end?.[0]) });
    });
    return [text("curves_title"), ...ends].join(" ");
  }
  const table = h(
    "table",
    { class: "dlc-finetuning-results" },
    h("thead", {}, h("tr", {}, h("td", {}), ...results.map(({ of }) => h("th", { scope: "col" }, text(`of_${of}`))))),
    h(
      "tbody",
      {},
      ...COLUMNS.map((column) =>
        h(
          "tr",
          { "data-row": column },
          h("th", { scope: "row" }, text(`result_${column}`)),
          ...results.map((result) => {
            const value = result[column];
            return typeof value === "number" ? h("td", { "data-value": value, title: full(value) }, short(value)) : h("td", {}, "–");
          }),
        ),
      ),
    ),
  );
  return {
    element: h(
      "div",
      { class: "dlc-finetuning-recorded" },
      ...(points.length ? [h("div", { class: "dlc-part" }, h("p", { class: "dlc-part-title" }, text("curves_title")), drawing)] : []),
      h("div", { class: "dlc-part" }, h("p", { class: "dlc-part-title" }, text("results_title")), table),
    ),
  };
}
