/**
 * What the state may be, and what belongs to it: the table of a task and a budget, its axes, and where keys lead.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {import("../../shared/axis.js").Axis} Axis
 *
 * @typedef {object} Task
 * @property {string} name
 * @property {string} title
 * @property {string} summary
 * @property {string} metric
 * @property {string} unit
 * @property {[number, number] | null} bounds  Of the metric, where it has any.
 * @property {boolean} higher  Whether more is better.
 * @property {{what: string, family: string, stated: number | null} | null} bar  What is to be beaten.
 *
 * @typedef {{name: string, title: string, short: string, group: string}} Family
 *
 * @typedef {object} Run
 * @property {number} seed
 * @property {(number | null)[]} at  Its figures, in the order of AXES.
 * @property {number} steps
 * @property {[number, number][]} curve  Steps, and the loss on the validation part.
 *
 * @typedef {object} Setup
 * @property {string | null} model
 * @property {number | null} width
 * @property {number | null} layers
 * @property {number | null} batch
 * @property {number | null} decay
 * @property {number | null} rate
 * @property {[number, number | null][]} tried  Learning rates and their losses.
 * @property {string} sizes
 *
 * @typedef {object} Row
 * @property {string} family
 * @property {string} budget
 * @property {number} rank
 * @property {string[]} better  The families that are surely better.
 * @property {(number | null)[]} at  Means of its figures, in the order of AXES.
 * @property {[number, number] | null} interval  Of the first figure.
 * @property {boolean} fixed  Whether no seed changes it, and so there is no interval.
 * @property {number | null} asked  Of how many examples of the test part its figure is, where the interval is that of such a sample.
 * @property {Run[]} runs
 * @property {Setup} setup
 * @property {number[]} made  Numbers of the machines and versions.
 *
 * @typedef {object} Table
 * @property {string} task
 * @property {string} budget
 * @property {Row[]} rows  The best first.
 * @property {{family: string, why: string}[]} missing
 */
import { linearAxis, logAxis } from "../../shared/axis.js";

export const AXES = ["quality", "parameters", "flops", "seconds", "memory", "examples"];
export const SCALES = ["log", "linear"];
/** Beyond the values, as a share of their span: room, and how far intervals may widen the axis. */
const ROOM = 0.04;
const INTERVALS = 0.6;

/** @param {Table[]} tables  @param {State} state */
export const tableOf = (tables, state) => tables.find(({ task, budget }) => task === state["task"] && budget === state["budget"]);

/**
 * @param {State} state
 * @param {State} wish
 * @param {Table[]} tables
 * @returns {State}
 */
export function change(state, wish, tables) {
  const next = { ...state };
  const has = (/** @type {"task" | "budget"} */ key, /** @type {unknown} */ name) => tables.some((table) => table[key] === name);
  if (has("task", wish["task"])) next["task"] = wish["task"];
  if (has("budget", wish["budget"])) next["budget"] = wish["budget"];
  if (SCALES.includes(wish["scale"])) next["scale"] = wish["scale"];
  if (AXES.includes(wish["x"])) next["x"] = wish["x"];
  if (AXES.includes(wish["y"])) next["y"] = wish["y"];
  if (next["x"] === next["y"]) {
    if (next["x"] !== state["x"]) next["y"] = state["x"];
    else next["x"] = state["y"];
  }
  if (tables.some(({ rows }) => rows.some(({ family }) => family === wish["family"]))) next["family"] = wish["family"];
  const rows = tableOf(tables, next)?.rows ?? [];
  if (!rows.some(({ family }) => family === next["family"])) next["family"] = rows[0]?.family ?? "";
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/**
 * Where something stands on an axis; null for what has no such figure, or none that powers of ten could show.
 * @param {{at: (number | null)[]}} of
 * @param {string} name  Of the axis.
 * @param {boolean} log
 */
export function valueOf({ at }, name, log) {
  const value = at[AXES.indexOf(name)] ?? null;
  return value === null || (log && value <= 0) ? null : value;
}

/** The figure that is to be beaten, as measured in a table. @param {Task} task  @param {Row[]} rows */
export const barOf = ({ bar }, rows) => rows.find(({ family }) => family === bar?.family)?.at[0] ?? null;

/**
 * The axis for a table: all means and single runs are on it, the lines that are to be beaten too, and intervals as far as
 * they don't push all else together. Null where nothing has such a figure.
 * @param {string} name
 * @param {string} scale
 * @param {Task} task
 * @param {Row[]} rows
 * @returns {Axis | null}
 */
export function axisFor(name, scale, task, rows) {
  const quality = name === "quality";
  const log = !quality && scale === "log";
  const values = rows.flatMap((row) => [row, ...row.runs]).map((one) => valueOf(one, name, log));
  if (quality) values.push(barOf(task, rows), task.bar?.stated ?? null);
  const there = values.filter((value) => value !== null);
  if (!there.length) return null;
  let [low, high] = [Math.min(...there), Math.max(...there)];
  if (log) return logAxis(low * 0.9, high * 1.1, { powers: high / low > 50 });
  if (!quality) return linearAxis(0, high * (1 + ROOM));
  const span = high - low || Math.abs(high) || 1;
  const [least, most] = task.bounds ?? [0, Infinity];
  const ends = rows.flatMap(({ interval }) => interval ?? []);
  low = Math.max(least, Math.min(low - ROOM * span, Math.max(low - INTERVALS * span, Math.min(low, ...ends))));
  high = Math.min(most, Math.max(high + ROOM * span, Math.min(high + INTERVALS * span, Math.max(high, ...ends))));
  return linearAxis(low, high);
}

/**
 * The mark that a key leads to: the next one in that direction, the best or the last; null for a key that does not move.
 * @param {{index: number, x: number, y: number}[]} marks  Places on the screen, the best first.
 * @param {number} from
 * @param {string} key
 */
export function neighbour(marks, from, key) {
  if (key === "Home") return 0;
  if (key === "End") return marks.length - 1;
  const along = { ArrowLeft: ["x", -1], ArrowRight: ["x", 1], ArrowUp: ["y", -1], ArrowDown: ["y", 1] }[key];
  if (!along) return null;
  const [axis, sign] = /** @type {["x" | "y", number]} */ (along);
  const order = [...marks].sort((one, other) => sign * (one[axis] - other[axis]) || one.index - other.index);
  const at = order.findIndex(({ index }) => index === from);
  return order[Math.min(order.length - 1, at + 1)]?.index ?? from;
}
