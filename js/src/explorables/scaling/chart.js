/**
 * The chart: marks for the points, their seeds faint, the fitted lines with their bands, and where they lead beyond the points.
 * One mark is reached by the tab key, the others by arrow keys; a hand presses the nearest.
 *
 * @typedef {import("./rules.js").Given} Given
 * @typedef {import("./rules.js").Point} Point
 * @typedef {import("./fits.js").Fit} Fit
 * @typedef {import("../../shared/explorable.js").State} State
 *
 * @typedef {object} ChartOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {Given} given
 * @property {(point: Point) => string} describe
 * @property {(index: number) => void} onChoose
 * @property {(index: number) => void} onPress
 * @property {(index: number | null) => void} onPoint
 */
import { compact, placeOf, powersOfTen } from "../../shared/axis.js";
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { createFamilyMark } from "../../shared/family_mark.js";
import { followHand, followKeys, markUnder } from "../../shared/marks.js";
import { axesOf, neighbour } from "./rules.js";
import { createSheet } from "./sheet.js";

/** Half of the longest name of a tick: nearer to the end none stands, to stay inside. */
const HALF = "1.6rem";

/** @param {ChartOptions} options */
export function createChart({ text, given, describe, onChoose, onPress, onPoint }) {
  const marks = given.points.map((point, index) => {
    const element = h(
      "div",
      { ...OWN_KEYS, class: "dlc-spot", role: "gridcell", "data-index": index, "data-x": point.x, "data-value": point.bits, onfocus: () => onPoint(index), onblur: () => onPoint(null) },
      createFamilyMark(given.families[point.family] ?? "", 15),
    );
    return { element, index, point };
  });
  const sheet = createSheet();
  const ticks = h("div", { class: "dlc-scaling-ticks", "aria-hidden": "true" });
  const names = h("div", { class: "dlc-scaling-names", "aria-hidden": "true" });
  const faint = h("div", { class: "dlc-scaling-faint", "aria-hidden": "true" });
  const grid = h("div", { role: "grid", "data-grid": "points" });
  const plot = h("div", { class: "dlc-scaling-plot" }, ticks, sheet.element, faint, grid);
  const [upwards, along] = [h("div", { class: "dlc-scaling-upwards", "aria-hidden": "true" }, text("axis_bits")), h("div", { class: "dlc-scaling-along", "aria-hidden": "true" })];
  const element = h("div", { class: "dlc-scaling-chart" }, upwards, plot, names, along);
  /** @type {{family: string, members: number[]}[]} */
  let rows = [];
  let chosen = 0;

  /** @param {number} index  @param {(index: number) => void} deed */
  function go(index, deed) {
    deed(index);
    marks[index]?.element.focus({ preventScroll: true });
  }
  /** @param {number} index */
  const press = (index) => go(index, onPress);
  const shown = () => rows.flatMap(({ members }) => members.map((index) => /** @type {(typeof marks)[number]} */ (marks[index])));
  followHand(plot, { under: (event, from) => markUnder(shown(), event, from), givingWay: () => -1, onPress: press, onPoint });
  followKeys(element, { chosen: () => chosen, next: (from, key) => neighbour(given, rows, from, key), onMove: (index) => go(index, onChoose), onPress: press });

  return {
    element,
    /** @param {State} state  @param {Fit[]} fits  @param {number} point  The chosen one. */
    draw(state, fits, point) {
      const axes = axesOf(given, state);
      chosen = point;
      const across = (/** @type {number} */ x) => `${(100 * placeOf(x, axes.x)).toFixed(3)}%`;
      const bottom = (/** @type {number} */ y) => `bottom: ${(100 * placeOf(y, axes.y)).toFixed(3)}%`;
      const place = (/** @type {number} */ x, /** @type {number} */ y) => `left: ${across(x)}; ${bottom(y)}`;
      if (String(fits.map(({ members }) => members)) !== String(rows.map(({ members }) => members))) {
        grid.replaceChildren(
          ...fits.map(({ family, members }) => h("div", { role: "row", "aria-label": text(family) }, ...members.map((index) => /** @type {HTMLElement} */ (marks[index]?.element)))),
        );
      }
      rows = fits;
      put(grid, { "aria-label": text("chart", { over: text(state["over"]) }) });
      for (const { family, members, keep } of fits) {
        members.forEach((index, at) => {
          const { element: mark, point: one } = /** @type {(typeof marks)[number]} */ (marks[index]);
          const said = describe(one);
          put(mark, {
            style: place(one.x, one.bits),
            "data-family": given.families[family] ?? "",
            "data-out": !keep[at],
            "aria-label": keep[at] ? said : text("mark_out", { mark: said }),
            "aria-selected": String(index === chosen),
            tabindex: index === chosen ? 0 : -1,
          });
        });
      }
      ticks.replaceChildren(
        ...axes.x.ticks.map((tick) => h("span", { class: "dlc-scaling-tick-x", "data-tick-x": tick, style: `left: ${across(tick)}` })),
        ...axes.y.ticks.map((tick) => h("span", { class: "dlc-scaling-tick-y", "data-tick-y": tick, style: bottom(tick) }, h("span", {}, compact(tick)))),
      );
      const written = state["over"] === "compute" ? powersOfTen : compact;
      names.replaceChildren(...axes.x.ticks.map((tick) => h("span", { style: `left: min(${across(tick)}, 100% - ${HALF})` }, written(tick))));
      const seeds = fits.flatMap(({ family, members }) => members.flatMap((index) => (given.points[index]?.seeds ?? []).map((seed) => ({ family, x: Number(given.points[index]?.x), bits: seed.bits, kind: "seed" }))));
      const beaten = (given.others[state["over"]] ?? []).filter(({ family }) => fits.some((fit) => fit.family === family)).map((one) => ({ ...one, kind: "beaten" }));
      faint.replaceChildren(
        ...[...beaten, ...seeds].map(({ family, x, bits, kind }) => h("span", { style: place(x, bits), "data-kind": kind, "data-x": x, "data-own": bits }, createFamilyMark(given.families[family] ?? "", kind === "seed" ? 7 : 9))),
      );
      sheet.draw(given, state, fits, axes);
      along.textContent = text(`axis_${state["over"]}`);
    },
  };
}
