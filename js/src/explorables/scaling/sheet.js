/**
 * What lies behind the marks: bands, lines, what a line foresees of a point left out, and the slope of the literature. Drawn on
 * a square of a thousand units, which is stretched over the chart.
 */
import { placeOf } from "../../shared/axis.js";
import { put, s } from "../../shared/dom.js";

const SIDE = 1000;
/** Beyond the chart by so many of its heights, a line is drawn no further. */
const FAR = 20;

export function createSheet() {
  const element = s("svg", { class: "dlc-scaling-sheet", viewBox: `0 0 ${SIDE} ${SIDE}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  return {
    element,
    /**
     * @param {import("./rules.js").Given} given
     * @param {import("../../shared/explorable.js").State} state
     * @param {import("./fits.js").Fit[]} fits
     * @param {{x: import("../../shared/axis.js").Axis, y: import("../../shared/axis.js").Axis}} axes
     */
    draw(given, state, fits, axes) {
      const grid = given.grids[state["over"]] ?? [];
      const px = (/** @type {number} */ x) => (SIDE * placeOf(x, axes.x)).toFixed(1);
      const py = (/** @type {number} */ y) => (SIDE * (1 - Math.max(-FAR, Math.min(FAR, placeOf(y, axes.y))))).toFixed(1);
      /** @param {[number, number][]} spots */
      const path = (spots) => spots.map(([x, y], index) => `${index ? "L" : "M"}${px(x)},${py(y)}`).join("");
      /** @param {number[]} values @returns {[number, number][]} */
      const over = (values) => grid.map((x, index) => [x, Number(values[index])]);

      const parts = fits.flatMap((fit) => {
        const family = given.families[fit.family] ?? "";
        if (!fit.there) return [];
        const kept = fit.members.filter((_, at) => fit.keep[at]);
        /** @type {[number, number][]} */
        const ends = [kept[0], kept.at(-1)].map((index) => [Number(given.points[Number(index)]?.x), Number(fit.at(Number(index))?.line)]);
        const [from, to] = /** @type {[[number, number], [number, number]]} */ (ends);
        const line = over(fit.all("line"));
        /** @param {string} kind */
        const band = (kind) => s("path", { class: `dlc-scaling-band is-${kind}`, "data-family": family, d: `${path([...over(fit.all(`${kind}_low`)), ...over(fit.all(`${kind}_high`)).reverse()])}Z` });
        /** @param {string} kind  @param {[number, number][]} spots */
        const stroke = (kind, spots) => s("path", { class: `dlc-scaling-line is-${kind}`, "data-family": family, "data-line": fit.family, d: path(spots) });
        const foreseen = fit.members.flatMap((index, at) => {
          const told = fit.at(index);
          if (fit.keep[at] || !told) return [];
          const x = Number(given.points[index]?.x);
          const bar = s("path", { class: "dlc-scaling-foreseen", "data-family": family, "data-foreseen": index, d: path([[x, told.low], [x, told.high]]) }); // prettier-ignore
          // A line of no length with round ends is a dot, whatever the square is stretched to.
          return [bar, s("path", { class: "dlc-scaling-dot", "data-family": family, d: `${path([[x, told.line]])}h0` })];
        });
        return [
          band("new"),
          band("line"),
          stroke("beyond", [...line.filter(([x]) => x < from[0]), from]),
          stroke("beyond", [to, ...line.filter(([x]) => x > to[0])]),
          stroke("fitted", [from, ...line.filter(([x]) => from[0] < x && x < to[0]), to]),
          ...foreseen,
        ];
      });
      const reference = s("path", { class: "dlc-scaling-reference", d: path(over(fits[0]?.all("reference_line") ?? [])) });
      element.replaceChildren(reference, ...parts);
      put(element, { "data-lines": fits.filter(({ there }) => there).length });
    },
  };
}
