/**
 * The matrices by their names, as the reader sees them: what is given and what was answered, with the terms of each sum.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {ReturnType<typeof read>} Numbers
 */
import { GIVEN, sizeOf, TOKENS } from "./rules.js";

/** @param {Shown} shown */
export function read({ state, answers }) {
  /** @param {string} name @returns {import("../../shared/matrix_grid.js").Matrix} */
  function matrix(name) {
    const [rows, columns] = sizeOf(name);
    if (name in GIVEN) return { rows, columns, values: state[name].flat() };
    const { data } = answers[name];
    // Each row of A has a matrix of derivatives of its own.
    const values = name === "jacobian" ? slice(data, state["row"]) : data;
    return { rows, columns, values };
  }
  /** @param {string} name  @param {Cell} at */
  const at = (name, [row, column]) => {
    const { columns, values } = matrix(name);
    return Number(values[row * columns + column]);
  };
  return {
    matrix,
    at,
    /** A number of an answer that is a list, or of one with a matrix for each row. @param {string} name  @param {number} [place] */
    single: (name, place = 0) => Number(answers[name].data[place]),
    /** The number that a Jacobian's factor is, of the row that is chosen. @param {Cell} at */
    oneLess: ([row, column]) => Number(slice(answers["one_less"].data, state["row"])[row * TOKENS + column]),
    /** Term n of the sum that gives a cell. @param {string} name  @param {Cell} at  @param {number} n */
    term(name, [row, column], n) {
      const { data, dims } = answers[`terms_${name}`];
      return Number(data[(row * dims[1] + column) * dims[2] + n]);
    },
  };
}

/** @param {Float32Array} data  @param {number} row */
const slice = (data, row) => data.subarray(row * TOKENS * TOKENS, (row + 1) * TOKENS * TOKENS);
