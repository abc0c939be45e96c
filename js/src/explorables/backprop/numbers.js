/**
 * All numbers of a step by their names, as the reader sees them: values, local derivatives, derivatives of the loss, and what
 * a term or a way contributes.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {ReturnType<typeof read>} Numbers
 */
import { HIDDEN, OUTPUT } from "./rules.js";

/** @param {Shown} shown */
export function read({ state, answers }) {
  /** @param {string} name  @param {number} [at] */
  const out = (name, at = 0) => Number(answers[name].data[at]);
  /** @type {Record<string, number>} */
  const values = { y: out("y"), e: out("e"), L: out("loss"), t: state["target"], 1: 1 };
  /** @type {Record<string, number>} */
  const slopes = { y: out("d_y"), e: out("d_e") };
  /** @type {Record<string, number>} */
  const next = {};
  /** What a term adds to a sum, by the names of its factors. @type {Record<string, number>} */
  const terms = {};
  /** What comes back by one way, by the names of where it ends and where it comes from. @type {Record<string, number>} */
  const ways = {};
  for (const i of [0, 1]) {
    const n = i + 1;
    Object.assign(values, { [`x${n}`]: state["x"][i], [`z${n}`]: out("z", i), [`h${n}`]: out("h", i), [`slope${n}`]: out("slope", i) });
    Object.assign(slopes, { [`x${n}`]: out("d_x", i), [`z${n}`]: out("d_z", i), [`h${n}`]: out("d_h", i) });
    terms[`v${n} h${n}`] = out("products_output", i);
    for (const j of [0, 1]) {
      terms[`w${n}${j + 1} x${j + 1}`] = out("products_hidden", 2 * i + j);
      ways[`x${j + 1} z${n}`] = out("ways_x", 2 * i + j);
    }
  }
  const parameter = (/** @type {string} */ name, /** @type {"hidden" | "output"} */ of, /** @type {number} */ at, /** @type {number} */ value) => {
    values[name] = value;
    slopes[name] = out(`d_${of}`, at);
    next[name] = out(`new_${of}`, at);
  };
  HIDDEN.forEach((names, row) => names.forEach((name, at) => parameter(name, "hidden", 3 * row + at, state["hidden"][row][at])));
  OUTPUT.forEach((name, at) => parameter(name, "output", at, state["output"][at]));
  return {
    value: (/** @type {string} */ name) => Number(values[name]),
    /** The derivative of the loss by it. */
    slope: (/** @type {string} */ name) => (name === "L" ? 1 : Number(slopes[name])),
    next: (/** @type {string} */ name) => Number(next[name]),
    /** @param {string} one  @param {string} other */
    term: (one, other) => (other ? Number(terms[`${one} ${other}`]) : Number(values[one])),
    /** What reaches `of` by way of `from`: of what is used once, all of its derivative. @param {string} of  @param {string} from */
    way: (of, from) => ways[`${of} ${from}`] ?? Number(slopes[of]),
    newLoss: out("new_loss"),
  };
}
