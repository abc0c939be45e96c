/**
 * What the state may be, what both models read, and where an arrow key leads among the matrices. Pure.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {{user: number, reply: number, longest: number, steps: number, rank: number, strength: number, guess: number}} Sizes
 * @typedef {{trained: number, relative: number, share: number, values: number[]}} Moved  How far a matrix moved, and in which
 *   directions.
 * @typedef {{name: string, layer: number | null, kind: string, shape: [number, number], full: Moved, lora: Moved}} Change
 */
import { follow } from "../../shared/roving.js";
import { refusal } from "../../shared/text_reader.js";

/** @param {State} state  @param {number[]} ids  Of the prompt.  @param {Sizes} sizes */
export const idsOf = ({ chat }, ids, { user, reply }) => (chat ? [user, ...ids, reply] : ids);

/**
 * @param {State} state
 * @param {State} wish
 * @param {{sizes: Sizes, matrices: number, count: (prompt: string) => number}} limits
 * @returns {State}
 */
export function change(state, wish, { sizes, matrices, count }) {
  const next = { ...state };
  const whole = (/** @type {unknown} */ value, /** @type {number} */ last) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= last;
  const { prompt, chat, strength, matrix, step } = wish;
  if (refusal(prompt, { count }) === null) next["prompt"] = prompt;
  if (typeof chat === "boolean") next["chat"] = chat;
  if (typeof strength === "number" && strength >= 0 && strength <= sizes.strength) next["strength"] = strength;
  if (whole(matrix, matrices - 1)) next["matrix"] = matrix;
  if (whole(step, sizes.steps)) next["step"] = step;
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/**
 * The matrices as they are laid out: a row for each kind, a column for each layer; what has no layer stands in a row of its own.
 * @param {Change[]} changes
 * @returns {number[][]} their places
 */
export function rowsOf(changes) {
  /** @type {Map<string, number[]>} */
  const rows = new Map();
  changes.forEach(({ layer, kind }, place) => {
    const row = layer === null ? "" : kind;
    rows.set(row, [...(rows.get(row) ?? []), place]);
  });
  const outside = rows.get("") ?? [];
  rows.delete("");
  return [...rows.values(), ...(outside.length ? [outside] : [])];
}

/**
 * The matrix that a key leads to; null for a key that does not move.
 * @param {KeyboardEvent} event
 * @param {number[][]} rows
 * @param {number} matrix
 */
export function neighbour(event, rows, matrix) {
  const row = Math.max(0, rows.findIndex((places) => places.includes(matrix)));
  const column = rows[row]?.indexOf(matrix) ?? 0;
  const to = follow(event, [row, column], { rows: rows.length, columns: rows[row]?.length ?? 1 });
  if (!to) return null;
  const places = rows[to[0]] ?? [];
  return places[Math.min(to[1], places.length - 1)] ?? matrix;
}
