/**
 * What the state may be, and where a model stands in the chart.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 *
 * @typedef {object} Model
 * @property {string} name
 * @property {string} family
 * @property {string} lane
 * @property {number} layers
 * @property {number} width
 * @property {number} parameters
 * @property {string} note
 * @property {number} when  Its date in years.
 * @property {{key: string, authors: string, title: string, year: number, month: number | null}} paper
 *
 * @typedef {import("../../shared/axis.js").Axis & {size: number}} LaneAxis  `size`: its height, relative to other lanes.
 * @typedef {{ticks: number[], breaks: number[], place: (when: number) => number}} Time  Places from 0 to 1.
 */
import { linearAxis, logAxis } from "../../shared/axis.js";

export const MEASURES = ["parameters", "layers", "width"];
export const SCALES = ["log", "linear"];
/** Years between two ticks, and without a model, after which the axis of time is broken; years around a model. */
const YEARS = { tick: 2, gap: 6, around: 0.8 };
/** The share of the width that a break takes. */
const BREAK = 0.05;
/** By powers of ten: room above the highest value for its name, and below the lowest; and the least that an axis spans. */
const ROOM = 2.6;
const FOOT = 0.6;
const LEAST = 12;

/** @param {State} state  @param {State} wish  @param {number} count  Models. @returns {State} */
export function change(state, wish, count) {
  const next = { ...state };
  if (MEASURES.includes(wish["measure"])) next["measure"] = wish["measure"];
  if (SCALES.includes(wish["scale"])) next["scale"] = wish["scale"];
  const { step } = wish;
  if (Number.isInteger(step) && step >= 0 && step < count) next["step"] = step;
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/**
 * The axis of a lane, upwards: from one round number to another, with room beyond the values. By powers of ten it shows the
 * lane's own values, at least so many powers; by equal amounts all lanes have the same axis, to be compared.
 * @param {number[]} values  The lane's.
 * @param {number[]} all  Those of all lanes.
 * @param {string} scale
 * @returns {LaneAxis}
 */
export function axisOf(values, all, scale) {
  if (scale === "linear") return { ...linearAxis(0, Math.max(...all) * 1.15), size: 1 };
  const powers = Math.max(...all) / Math.min(...all) > 1e3;
  const axis = logAxis(Math.min(...values) * FOOT, Math.max(...values) * ROOM, { least: LEAST, powers });
  return { ...axis, size: Math.log10(axis.high / axis.low) };
}

/**
 * The axis of time. Where there is no model for years, it is broken; elsewhere all years are equally long.
 * @param {Model[]} models  In the order of time.
 * @returns {Time}
 */
export function timeOf(models) {
  /** @type {{from: number, to: number}[]} */
  const stretches = [];
  for (const { when } of models) {
    const last = stretches.at(-1);
    if (last && when - last.to < YEARS.gap) last.to = when;
    else stretches.push({ from: when, to: when });
  }
  for (const stretch of stretches) {
    stretch.from -= YEARS.around;
    stretch.to += YEARS.around;
  }
  const years = stretches.reduce((sum, { from, to }) => sum + to - from, 0);
  const perYear = (1 - BREAK * (stretches.length - 1)) / years;
  let at = 0;
  const placed = stretches.map(({ from, to }) => {
    const start = at;
    at += (to - from) * perYear + BREAK;
    return { from, to, start };
  });
  /** @param {number} when */
  const place = (when) => {
    const { from, start } = placed.findLast((one) => when >= one.from) ?? /** @type {(typeof placed)[number]} */ (placed[0]);
    return start + (when - from) * perYear;
  };
  const ticks = placed.flatMap(({ from, to }) => {
    const first = Math.ceil(from / YEARS.tick) * YEARS.tick;
    return Array.from({ length: Math.max(0, Math.floor((to - first) / YEARS.tick) + 1) }, (_, index) => first + YEARS.tick * index);
  });
  return { ticks, place, breaks: placed.slice(1).map(({ start }) => start - BREAK / 2) };
}

/**
 * The model that a key leads to; null for a key that does not move.
 * @param {Model[]} models
 * @param {string[]} lanes
 * @param {number} from
 * @param {string} key
 */
export function neighbour(models, lanes, from, key) {
  const last = models.length - 1;
  const { lane, when } = /** @type {Model} */ (models[from]);
  const across = (/** @type {number} */ by) => {
    const other = lanes[lanes.indexOf(lane) + by];
    const there = models.map((model, index) => ({ model, index })).filter(({ model }) => model.lane === other);
    if (!there.length) return from;
    return there.reduce((best, one) => (Math.abs(one.model.when - when) < Math.abs(best.model.when - when) ? one : best)).index;
  };
  switch (key) {
    case "ArrowLeft":
      return Math.max(0, from - 1);
    case "ArrowRight":
      return Math.min(last, from + 1);
    case "ArrowUp":
      return across(-1);
    case "ArrowDown":
      return across(1);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}

/** What several names begin with, up to where the last word is cut; a single one as it is. @param {string[]} names */
export function commonName(names) {
  const [first = "", ...others] = names;
  if (!others.length) return first;
  const same = [...first].findIndex((letter, index) => others.some((name) => name[index] !== letter));
  return first.slice(0, same < 0 ? first.length : same).replace(/[ /-][^ /-]*$/, "");
}

/** Models of one paper stand above each other: the groups, each with its lowest and highest. @param {Model[]} models  @param {string} measure */
export function groupsOf(models, measure) {
  /** @type {Map<string, number[]>} */
  const groups = new Map();
  models.forEach((model, index) => groups.set(`${model.lane} ${model.paper.key}`, [...(groups.get(`${model.lane} ${model.paper.key}`) ?? []), index]));
  const value = (/** @type {number} */ index) => /** @type {any} */ (models[index])[measure];
  return [...groups.values()].map((members) => {
    const sorted = [...members].sort((one, other) => value(one) - value(other));
    const name = commonName(members.map((index) => /** @type {Model} */ (models[index]).name));
    return { members, name, lowest: Number(sorted[0]), highest: Number(sorted.at(-1)) };
  });
}
