/**
 * The chart: a lane for each kind of models, time to the right, and upwards what is measured. A mark for each model; those of
 * one paper are joined. One mark is reached by the tab key, the others by arrow keys; a hand chooses the nearest.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./rules.js").Model} Model
 *
 * @typedef {object} ChartOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {Model[]} models
 * @property {string[]} lanes
 * @property {(model: Model) => string} describe
 * @property {(index: number) => void} onChoose
 * @property {(index: number | null) => void} onPoint
 */
import { compact, placeOf } from "../../shared/axis.js";
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { createFamilyMark } from "../../shared/family_mark.js";
import { followHand, followKeys, markUnder } from "../../shared/marks.js";
import { axisOf, groupsOf, neighbour, timeOf } from "./rules.js";

/** The part of the width beyond which a name ends at its mark, to stay inside. */
const EDGE = 0.85;

/** @param {ChartOptions} options */
export function createChart({ text, models, lanes, describe, onChoose, onPoint }) {
  const time = timeOf(models);
  const left = (/** @type {number} */ when) => `${(time.place(when) * 100).toFixed(3)}%`;
  let chosen = 0;

  const marks = models.map((model, index) => {
    const element = h(
      "div",
      {
        ...OWN_KEYS,
        class: "dlc-spot",
        role: "gridcell",
        "data-index": index,
        "data-parameters": model.parameters,
        "data-layers": model.layers,
        "data-width": model.width,
        "data-when": model.when,
        "aria-label": describe(model),
        onfocus: () => onPoint(index),
        onblur: () => onPoint(null),
      },
      createFamilyMark(model.family, 15),
    );
    return { element, index, model };
  });
  const views = lanes.map((lane) => {
    const own = marks.filter(({ model }) => model.lane === lane);
    const grid = h("div", { class: "dlc-timeline-grid", "aria-hidden": "true" });
    const joints = h("div", { class: "dlc-timeline-joints", "aria-hidden": "true" });
    const plot = h("div", { class: "dlc-timeline-plot", role: "presentation" }, grid, joints, ...own.map(({ element }) => element));
    const name = h("span", { class: "dlc-timeline-lane-name", role: "rowheader" }, text(`lane_${lane}`));
    const element = h("div", { class: "dlc-timeline-lane", role: "row", "data-lane": lane }, name, plot);
    followHand(plot, { under: (event, from) => markUnder(own, event, from), givingWay: () => chosen, onPress: choose, onPoint });
    return { lane, element, plot, grid, joints, members: own.map(({ model }) => model) };
  });
  const years = h("div", { class: "dlc-timeline-years", "aria-hidden": "true" }, ...time.ticks.map((year) => h("span", { style: `left: ${left(year)}` }, String(year))));
  const element = h("div", { class: "dlc-timeline-chart" }, h("div", { role: "grid", "aria-label": text("chart"), "data-grid": "models" }, ...views.map((view) => view.element)), years);

  /** @param {number} index */
  function choose(index) {
    onChoose(index);
    marks[index]?.element.focus({ preventScroll: true });
  }
  followKeys(element, { chosen: () => chosen, next: (from, key) => neighbour(models, lanes, from, key), onMove: choose });

  let painted = "";
  /** @type {{label: HTMLElement, members: number[]}[]} */
  let labels = [];
  /** @param {"parameters" | "layers" | "width"} measure  @param {string} scale */
  function paint(measure, scale) {
    if (painted === `${measure} ${scale}`) return;
    painted = `${measure} ${scale}`;
    const value = (/** @type {Model} */ model) => model[measure];
    const axes = views.map(({ members }) => axisOf(members.map(value), models.map(value), scale));
    const size = axes.reduce((sum, axis) => sum + axis.size, 0);
    const groups = groupsOf(models, measure);
    labels = [];
    views.forEach(({ lane, plot, grid, joints }, index) => {
      const axis = /** @type {import("./rules.js").LaneAxis} */ (axes[index]);
      const height = (/** @type {number} */ number) => 100 * placeOf(number, axis);
      const bottom = (/** @type {number} */ number) => `bottom: ${height(number).toFixed(3)}%`;
      put(plot, { style: `--dlc-share: ${(axis.size / size).toFixed(4)}`, "data-low": axis.low, "data-high": axis.high });
      for (const { element: mark, model } of marks) {
        if (model.lane === lane) put(mark, { style: `left: ${left(model.when)}; ${bottom(value(model))}`, "data-value": value(model) });
      }
      grid.replaceChildren(
        ...axis.ticks.map((tick) => h("span", { class: "dlc-timeline-tick", style: bottom(tick), "data-tick": tick }, h("span", {}, compact(tick)))),
        ...time.ticks.map((year) => h("span", { class: "dlc-timeline-year", style: `left: ${left(year)}` })),
        ...time.breaks.map((place) => h("span", { class: "dlc-timeline-break", style: `left: ${(100 * place).toFixed(3)}%` })),
      );
      const own = groups.filter(({ highest }) => models[highest]?.lane === lane);
      joints.replaceChildren(
        ...own.flatMap(({ members, name, lowest, highest }) => {
          const [low, high] = [/** @type {Model} */ (models[lowest]), /** @type {Model} */ (models[highest])];
          const place = `left: ${left(high.when)}`;
          const long = height(value(high)) - height(value(low));
          const { year, month } = high.paper;
          const label = h("span", { class: "dlc-timeline-label", "data-edge": time.place(high.when) > EDGE, style: `${place}; ${bottom(value(high))}` }, name);
          labels.push({ label, members });
          return [
            h("span", { class: "dlc-timeline-joint", style: `${place}; ${bottom(value(low))}; height: ${long.toFixed(3)}%` }),
            month === null ? h("span", { class: "dlc-timeline-span", style: `left: ${left(year)}; width: calc(${left(year + 1)} - ${left(year)}); ${bottom(value(high))}` }) : "",
            label,
          ];
        }),
      );
    });
  }

  return {
    element,
    /** @param {Shown} shown */
    draw({ state }) {
      chosen = state["step"];
      paint(state["measure"], state["scale"]);
      for (const { element: mark, index } of marks) {
        put(mark, { "aria-selected": String(index === chosen), tabindex: index === chosen ? 0 : -1, "data-later": index > chosen });
      }
      for (const { label, members } of labels) put(label, { "data-chosen": members.includes(chosen) });
    },
  };
}
