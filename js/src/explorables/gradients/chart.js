/**
 * The norms along one direction as lines on a logarithmic axis, one for each network, with a line at the chosen place. Pressing
 * goes there; by keyboard one goes in the maps.
 *
 * @typedef {object} Line
 * @property {string} network
 * @property {number[]} values  From the first place on; 0 where nothing arrives, which is left out.
 *
 * @typedef {object} Content
 * @property {string} title
 * @property {Line[]} lines
 * @property {number} first  The number of the first place.
 * @property {number} chosen
 * @property {{low: number, high: number, ticks: number[]}} decades
 * @property {string} axis  What the places are.
 */
import { h, put, s } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { followWidth } from "../../shared/width.js";

const EDGE = { left: 40, right: 12, top: 10, bottom: 34 };
const HEIGHT = 230;
/** Marks, so that colour is not needed to tell lines apart. */
const MARKS = /** @type {Record<string, string>} */ ({
  mlp: "M-3.5,-3.5h7v7h-7z",
  rnn: "M0,-4.5L4.2,3.5H-4.2z",
  lstm: "M0,4.5L4.2,-3.5H-4.2z",
  gru: "M0,-4.8L4.8,0L0,4.8L-4.8,0z",
  gpt: "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",
});
/** How a network's lines look, for its name. @param {string} network */
export const createGlyph = (network) =>
  s(
    "svg",
    { class: `dlc-gradients-glyph is-${network}`, width: 26, height: 12, viewBox: "-13 -6 26 12", "aria-hidden": "true" },
    s("path", { d: "M-13,0H13", class: "dlc-gradients-path" }),
    s("path", { d: MARKS[network], class: "dlc-gradients-mark" }),
  );
/** @param {number} power */
const ten = (power) => short(10 ** power);

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {string} name
 * @param {(place: number) => void} onPick
 */
export function createChart(text, name, onPick) {
  const title = h("div", { class: "dlc-part-title" });
  const grid = s("g", { class: "dlc-gradients-axes" });
  const at = s("path", { class: "dlc-gradients-at" });
  const lines = s("g", {});
  const svg = s("svg", { class: "dlc-gradients-chart", role: "img", height: HEIGHT, "data-chart": name }, grid, at, lines);
  const element = h("section", { class: "dlc-part" }, title, svg);
  let width = 0;
  /** @type {Content | null} */
  let last = null;

  const count = () => Math.max(...(last?.lines.map(({ values }) => values.length) ?? [1]));
  const x = (/** @type {number} */ place) => EDGE.left + ((width - EDGE.left - EDGE.right) * (place + 0.5)) / count();
  svg.addEventListener("pointerdown", (event) => {
    if (!last || event.button !== 0) return;
    const share = (event.clientX - svg.getBoundingClientRect().left - EDGE.left) / (width - EDGE.left - EDGE.right);
    onPick(last.first + Math.min(count() - 1, Math.max(0, Math.floor(share * count()))));
  });

  function place() {
    if (!last || !width) return;
    const { decades, first, chosen, axis } = last;
    const bottom = HEIGHT - EDGE.bottom;
    const y = (/** @type {number} */ power) => EDGE.top + ((bottom - EDGE.top) * (decades.high - power)) / (decades.high - decades.low);
    put(svg, { width, viewBox: `0 0 ${width} ${HEIGHT}` });
    const every = Math.ceil(count() / Math.max(1, Math.floor((width - EDGE.left) / 34)));
    grid.replaceChildren(
      ...decades.ticks.flatMap((power) => [s("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(power), y2: y(power) }), s("text", { x: EDGE.left - 5, y: y(power) + 4, "text-anchor": "end" }, powerText(power))]),
      ...Array.from({ length: count() }, (_, index) => index)
        .filter((index) => index % every === 0)
        .map((index) => s("text", { x: x(index), y: bottom + 15, "text-anchor": "middle" }, String(first + index))),
      s("text", { x: (EDGE.left + width - EDGE.right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, axis),
    );
    put(at, { d: `M${x(chosen - first)},${EDGE.top}V${bottom}` });
    lines.replaceChildren(
      ...last.lines.map(({ network, values }) => {
        const points = values.map((value, index) => ({ value, index })).filter(({ value }) => value > 0);
        const d = points.map(({ value, index }, place) => `${place ? "L" : "M"}${x(index).toFixed(1)},${y(Math.log10(value)).toFixed(1)}`).join("");
        const marks = points.map(({ value, index }) =>
          s("path", { d: MARKS[network], transform: `translate(${x(index).toFixed(1)} ${y(Math.log10(value)).toFixed(1)})`, class: "dlc-gradients-mark", "data-place": first + index, "data-value": value }, s("title", {}, `${text(network)}: ${full(value)}`)),
        );
        return s("g", { class: `dlc-gradients-line is-${network}`, "data-network": network }, s("path", { d, class: "dlc-gradients-path" }), ...marks);
      }),
    );
  }
  const endWidth = followWidth(element, (now) => {
    width = now;
    place();
  });

  return {
    element,
    /** @param {Content} content */
    draw(content) {
      last = content;
      title.textContent = content.title;
      const numbers = content.lines.map(({ network, values }) => `${text(network)} ${short(Number(values[content.chosen - content.first]))}`).join(", ");
      put(svg, { "aria-label": text("chart_label", { title: content.title, numbers }) });
      place();
    },
    destroy: endWidth,
  };
}

/** @param {number} power */
const powerText = (power) => (Math.abs(power) > 2 ? `10${[...String(power)].map((digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)])).join("")}` : ten(power));
