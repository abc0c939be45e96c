/**
 * What the state may be, and where things stand in the chart.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {import("../../shared/axis.js").Axis} Axis
 *
 * @typedef {object} Point  As `dlcompare.widgets.scaling` tells it.
 * @property {string} over  The series that it is in.
 * @property {string} family
 * @property {number} x  Parameters, characters or operations.
 * @property {number} parameters
 * @property {number} characters
 * @property {number} steps
 * @property {number} tokens
 * @property {number} flops
 * @property {number} bits
 * @property {number} nats
 * @property {number[]} rates
 * @property {{seed: number, bits: number}[]} seeds
 *
 * @typedef {object} Given  What there is to show.
 * @property {Point[]} points
 * @property {Record<string, {family: string, x: number, bits: number}[]>} others
 * @property {Record<string, number[]>} grids
 * @property {Record<string, number>} references
 * @property {Record<string, string>} families
 * @property {number} fewest
 */
import { linearAxis, logAxis } from "../../shared/axis.js";
import { short } from "../../shared/format.js";

export const SCALES = ["log", "linear"];
export const BOTH = "both";
/** Room in the chart: below the lowest loss, for the line beyond the runs, and above the highest; beyond the largest run. */
const ROOM = { below: 0.75, above: 1.06, right: 1.05 };

/** @param {import("../../shared/types.js").Model} model @returns {Given} */
export const given = (model) => /** @type {any} */ (Object.fromEntries(["points", "others", "grids", "references", "families", "fewest"].map((key) => [key, model.get(key)])));

/** What a point is drawn against, as it is written: counts in full, operations in powers of ten. @param {string} over  @param {number} x */
export const along = (over, x) => (over === "compute" ? short(x) : x.toLocaleString("en"));

/** What `family` may be. @param {Given} given */
export function choices({ families }) {
  const names = Object.keys(families);
  return names.length > 1 ? [BOTH, ...names] : names;
}

/**
 * The points that are shown, by family: their numbers, from few to many.
 * @param {Given} given
 * @param {{over: string, family: string}} state
 */
export const rowsOf = ({ points, families }, { over, family }) =>
  Object.keys(families)
    .filter((one) => family === BOTH || family === one)
    .map((one) => ({ family: one, members: points.flatMap((point, index) => (point.over === over && point.family === one ? [index] : [])) }));

/** The point that is read out: the chosen one, where it is shown; else the last one of the first family. @param {Given} given  @param {State} state */
export function chosenIn(given, state) {
  const rows = rowsOf(given, /** @type {any} */ (state));
  return rows.some(({ members }) => members.includes(state["point"])) ? state["point"] : Number(rows[0]?.members.at(-1));
}

/** @param {State} state  @param {State} wish  @param {Given} given @returns {State} */
export function change(state, wish, given) {
  const next = { ...state };
  const { over, family, scale, left_out, point } = wish;
  const isPoint = (/** @type {unknown} */ one) => Number.isInteger(one) && Number(one) >= 0 && Number(one) < given.points.length;
  if (typeof over === "string" && Object.hasOwn(given.grids, over)) next["over"] = over;
  if (choices(given).includes(family)) next["family"] = family;
  if (SCALES.includes(scale)) next["scale"] = scale;
  if (Array.isArray(left_out) && left_out.every(isPoint)) {
    const sorted = [...new Set(left_out)].sort((one, other) => one - other);
    if (String(sorted) !== String(state["left_out"])) next["left_out"] = sorted;
  }
  if (isPoint(point) && chosenIn(given, { ...next, point }) === point) next["point"] = point;
  next["point"] = chosenIn(given, next);
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/** What is left out once a point is pressed. @param {State} state  @param {number} index @returns {number[]} */
export const pressed = ({ left_out }, index) => (left_out.includes(index) ? left_out.filter((/** @type {number} */ one) => one !== index) : [...left_out, index]);

/** What is left out once each shown family's largest point that counts is too; null where none counts. @param {Given} given  @param {State} state */
export function withoutLargest(given, state) {
  const largest = rowsOf(given, /** @type {any} */ (state)).flatMap(({ members }) => members.filter((index) => !state["left_out"].includes(index)).slice(-1));
  return largest.length ? { left_out: [...state["left_out"], ...largest], point: Number(largest[0]) } : null;
}

/**
 * The point that a key leads to; null for a key that does not move.
 * @param {Given} given
 * @param {{family: string, members: number[]}[]} rows
 * @param {number} from
 * @param {string} key
 */
export function neighbour({ points }, rows, from, key) {
  const row = rows.findIndex(({ members }) => members.includes(from));
  const members = rows[row]?.members ?? [];
  const last = members.length - 1;
  const at = members.indexOf(from);
  const x = (/** @type {number} */ index) => Math.log(Number(points[index]?.x));
  const across = (/** @type {number} */ by) => {
    const there = rows[row + by]?.members ?? [];
    return there.reduce((best, one) => (Math.abs(x(one) - x(from)) < Math.abs(x(best) - x(from)) ? one : best), there[0] ?? from);
  };
  switch (key) {
    case "ArrowLeft":
      return Number(members[Math.max(0, at - 1)]);
    case "ArrowRight":
      return Number(members[Math.min(last, at + 1)]);
    case "ArrowUp":
      return across(-1);
    case "ArrowDown":
      return across(1);
    case "Home":
      return Number(members[0]);
    case "End":
      return Number(members[last]);
    default:
      return null;
  }
}

/**
 * Both axes of what is shown.
 * @param {Given} given
 * @param {State} state
 * @returns {{x: Axis, y: Axis}}
 */
export function axesOf(given, state) {
  const { over, scale } = state;
  const rows = rowsOf(given, /** @type {any} */ (state));
  const points = rows.flatMap(({ members }) => members.map((index) => /** @type {Point} */ (given.points[index])));
  const others = (given.others[over] ?? []).filter(({ family }) => rows.some((row) => row.family === family));
  const bits = [...points.flatMap(({ seeds }) => seeds.map((seed) => seed.bits)), ...others.map((one) => one.bits)];
  const [least, most] = [Math.min(...bits) * ROOM.below, Math.max(...bits) * ROOM.above];
  // From one end to the other, with the round numbers between; of losses, which span less than a power of ten, at equal amounts.
  /** @param {number} low  @param {number} high  @param {number[]} ticks @returns {Axis} */
  const within = (low, high, ticks) => ({ low, high, ticks: ticks.filter((tick) => low <= tick && tick <= high), log: scale === "log" });
  if (scale === "linear") {
    const right = Math.max(...points.map(({ x }) => x)) * ROOM.right;
    return { x: within(0, right, linearAxis(0, right).ticks), y: within(0, most, linearAxis(0, most).ticks) };
  }
  const grid = given.grids[over] ?? [];
  const [low, high] = [Number(grid[0]), Number(grid.at(-1))];
  return { x: within(low, high, logAxis(low, high).ticks), y: within(least, most, linearAxis(least, most, 8).ticks) };
}
