/**
 * What the state may be, and what each step does: seven operations forward, the same back, and the update.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 *
 * @typedef {object} Operation  One of the forward pass.
 * @property {string} result  The name of its value.
 * @property {[string, string][]} terms  Names of what is multiplied, for a sum; an empty second name is a factor of 1.
 * @property {[string, string][]} slopes  What it depends on, and the name of the local derivative by that.
 */

export const LIMITS = { number: 10, rate: 2, step: 15 };
export const HIDDEN = [["w11", "w12", "b1"], ["w21", "w22", "b2"]]; // prettier-ignore
export const OUTPUT = ["v1", "v2", "c"];
export const PARAMETERS = [...HIDDEN.flat(), ...OUTPUT];

/** @type {Operation[]} */
export const OPERATIONS = [
  { result: "z1", terms: [["w11", "x1"], ["w12", "x2"], ["b1", ""]], slopes: [["w11", "x1"], ["w12", "x2"], ["b1", "1"], ["x1", "w11"], ["x2", "w12"]] },
  { result: "z2", terms: [["w21", "x1"], ["w22", "x2"], ["b2", ""]], slopes: [["w21", "x1"], ["w22", "x2"], ["b2", "1"], ["x1", "w21"], ["x2", "w22"]] },
  { result: "h1", terms: [], slopes: [["z1", "slope1"]] },
  { result: "h2", terms: [], slopes: [["z2", "slope2"]] },
  { result: "y", terms: [["v1", "h1"], ["v2", "h2"], ["c", ""]], slopes: [["v1", "h1"], ["v2", "h2"], ["c", "1"], ["h1", "v1"], ["h2", "v2"]] },
  { result: "e", terms: [], slopes: [["y", "1"]] },
  { result: "L", terms: [], slopes: [["e", "e"]] },
]; // prettier-ignore

/** What a step does. @param {number} step @returns {{kind: "start" | "forward" | "backward" | "update", operation: Operation | null}} */
export function deed(step) {
  const count = OPERATIONS.length;
  if (step === 0) return { kind: "start", operation: null };
  if (step <= count) return { kind: "forward", operation: OPERATIONS[step - 1] ?? null };
  if (step <= 2 * count) return { kind: "backward", operation: OPERATIONS[2 * count - step] ?? null };
  return { kind: "update", operation: null };
}

/** The values that are known after a step. @param {number} step */
export const known = (step) => new Set(OPERATIONS.slice(0, step).map(({ result }) => result));

/**
 * How much of a derivative is there after a step: what is used twice collects its second share later.
 * @param {number} step
 * @returns {Map<string, number>} how many shares have come, by name
 */
export function collected(step) {
  /** @type {Map<string, number>} */
  const shares = new Map();
  const count = OPERATIONS.length;
  for (let at = count + 1; at <= Math.min(step, 2 * count); at++) {
    for (const [name] of deed(at).operation?.slopes ?? []) shares.set(name, (shares.get(name) ?? 0) + 1);
  }
  return shares;
}
/** How many shares a derivative has. @param {string} name */
export const shareCount = (name) => OPERATIONS.flatMap(({ slopes }) => slopes).filter(([of]) => of === name).length;

/** @param {unknown} value  @param {number} [low]  @param {number} [high]  @returns {value is number} */
const isWithin = (value, low = -LIMITS.number, high = LIMITS.number) => typeof value === "number" && value >= low && value <= high;
/** @param {unknown} row  @param {number} count */
const isRow = (row, count) => Array.isArray(row) && row.length === count && row.every((value) => isWithin(value));

/** @param {State} state  @param {State} wish @returns {State} */
export function change(state, wish) {
  const next = { ...state };
  const { x, target, hidden, output, learning_rate, step } = wish;
  const differs = (/** @type {string} */ key) => JSON.stringify(wish[key]) !== JSON.stringify(state[key]);
  if (isRow(x, 2) && differs("x")) next["x"] = x;
  if (isWithin(target)) next["target"] = target;
  if (Array.isArray(hidden) && hidden.length === 2 && hidden.every((row) => isRow(row, 3)) && differs("hidden")) next["hidden"] = hidden;
  if (isRow(output, 3) && differs("output")) next["output"] = output;
  if (isWithin(learning_rate, 0, LIMITS.rate)) next["learning_rate"] = learning_rate;
  if (Number.isInteger(step) && step >= 0 && step <= LIMITS.step) next["step"] = step;
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/** A state's part that holds a number, with another in its place. @param {State} state  @param {string} name  @param {number} value @returns {State} */
export function withNumber(state, name, value) {
  /** @param {number[]} row  @param {number} at */
  const put = (row, at) => row.map((old, index) => (index === at ? value : old));
  if (name === "t") return { target: value };
  if (name.startsWith("x")) return { x: put(state["x"], Number(name[1]) - 1) };
  if (OUTPUT.includes(name)) return { output: put(state["output"], OUTPUT.indexOf(name)) };
  return { hidden: HIDDEN.map((names, row) => (names.includes(name) ? put(state["hidden"][row], names.indexOf(name)) : state["hidden"][row])) };
}
