/**
 * The fits as they came, one for each family that is shown, and their numbers at the points.
 *
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("./rules.js").Given} Given
 *
 * @typedef {object} Fit
 * @property {string} family
 * @property {number[]} members  The points' numbers.
 * @property {boolean[]} keep  Whether each counts.
 * @property {boolean} there  Whether enough count for a line.
 * @property {(name: string) => number} one  A number of the fit.
 * @property {(name: string) => number[]} all  Several.
 * @property {(index: number) => {line: number, low: number, high: number, apart: number} | null} at  At a point.
 */
import { rowsOf } from "./rules.js";

/** @param {Given} given  @param {import("../../shared/explorable.js").Shown} shown @returns {Fit[]} */
export const fitsOf = (given, { state, answers }) =>
  rowsOf(given, /** @type {any} */ (state)).map(({ family, members }) => {
    /** @type {Tensors} */
    const outputs = answers[family];
    const all = (/** @type {string} */ name) => [...(outputs[name]?.data ?? [])];
    const one = (/** @type {string} */ name) => Number(outputs[name]?.data[0]);
    const there = Number.isFinite(one("alpha"));
    return {
      family,
      members,
      keep: members.map((index) => !state["left_out"].includes(index)),
      there,
      one,
      all,
      at(index) {
        const place = members.indexOf(index);
        if (!there || place < 0) return null;
        const [line, low, high, apart] = ["point_line", "point_new_low", "point_new_high", "apart"].map((name) => Number(outputs[name]?.data[place]));
        return /** @type {any} */ ({ line, low, high, apart });
      },
    };
  });
