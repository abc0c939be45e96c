/**
 * The numbers of an answer by what they are, at the step that is shown.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {ReturnType<typeof read>} Numbers
 */
import { at } from "../../engine/tensors.js";
import { readable } from "../../shared/token_text.js";
import { partsOf } from "./rules.js";

/** What a part reaches at most; a cell has no bound. */
const BOUND = 1;

/** @param {Shown} shown */
export function read({ state, answers }) {
  const characters = [...state["prompt"]];
  // While the numbers of a longer text are on their way, the step may be beyond the one that they belong to.
  const step = Math.min(state["step"], characters.length - 1);
  const { unit, kind } = state;
  /** A row of an answer. @param {string} name  @param {number} place */
  const row = (name, place) => /** @type {Float32Array} */ (at(answers[name], place));
  /** @param {string} name */
  const now = (name) => row(name, step);
  /** One number of an answer that has one per step, or one in all. @param {string} name */
  const one = (name) => Number(answers[name].data[answers[name].dims.length ? step : 0]);
  const before = (/** @type {string} */ name, /** @type {number} */ place) => (step ? Number(row(name, step - 1)[place]) : 0);
  return {
    kind,
    unit,
    step,
    characters,
    /** The character that is read now, as it is shown. */
    character: readable(characters[step] ?? ""),
    parts: partsOf(kind),
    row,
    now,
    one,
    /** @param {string} name  @param {number} [place] */
    value: (name, place = unit) => Number(now(name)[place]),
    before,
    /** What the unit's gate is a function of. @param {number} gate */
    sum: (gate) => Number(now("sums")[gate]),
    /** The vector that a gate's weights meet: the embedding, or the state before. @param {"x" | "h"} of  @param {number} place */
    met: (of, place) => (of === "x" ? Number(now("x")[place]) : before("hidden", place)),
    /** The largest size of a part, or of one unit of it, through the whole text. @param {string} name  @param {number} [place] */
    limit(name, place) {
      if (name !== "cell") return BOUND;
      const rows = characters.map((_, index) => row(name, index));
      const values = rows.flatMap((each) => (place === undefined ? Array.from(each) : [Number(each[place])]));
      return Math.max(...values.map(Math.abs)) || BOUND;
    },
  };
}
