/**
 * What the state may be, and what each step does: seven operations forward, eleven back.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {import("../../shared/types.js").Cell} Cell
 *
 * @typedef {object} Part  What gives one matrix.
 * @property {string} result  Its name among the answers.
 * @property {"products" | "mask" | "softmax" | "sum" | "loss" | "error" | "copy" | "jacobian"} kind  How it comes about.
 * @property {string[]} operands  What it is made from.
 * @property {[string, string]} [cells]  Of products: which cell of either operand goes into term n of the cell in row r and
 *   column c, as "rn" for row r, column n.
 * @property {number} [count]  How many terms a sum of products has.
 * @property {string | undefined} [sum]  The sum's own name, where it is then divided by the root of the width.
 *
 * @typedef {{name: string, kind: "forward" | "backward", parts: Part[]}} Step
 */

export const TOKENS = 4;
export const WIDTH = 3;
/** What the reader can change, with rows and columns. @type {Record<string, Cell>} */
export const GIVEN = { x: [TOKENS, WIDTH], wq: [WIDTH, WIDTH], wk: [WIDTH, WIDTH], wv: [WIDTH, WIDTH], target: [TOKENS, WIDTH] };
export const LOSSES = ["every", "last"];

/** @param {string} result  @param {string} left  @param {string} right  @param {number} count  @param {string} [sum] @returns {Part} */
function products(result, left, right, count, sum) {
  const [one = "", itsCell = ""] = left.split(" ");
  const [other = "", otherCell = ""] = right.split(" ");
  return { result, kind: "products", operands: [one, other], cells: [itsCell, otherCell], count, sum };
}
const PROJECTIONS = ["q", "k", "v"];

/** @type {Step[]} */
export const STEPS = [
  { name: "project", kind: "forward", parts: PROJECTIONS.map((p) => products(p, "x rn", `w${p} nc`, WIDTH)) },
  { name: "scores", kind: "forward", parts: [products("s", "q rn", "k cn", WIDTH, "dots")] },
  { name: "mask", kind: "forward", parts: [{ result: "m", kind: "mask", operands: ["s"] }] },
  { name: "softmax", kind: "forward", parts: [{ result: "a", kind: "softmax", operands: ["m"] }] },
  { name: "mix", kind: "forward", parts: [products("o", "a rn", "v nc", TOKENS)] },
  { name: "residual", kind: "forward", parts: [{ result: "y", kind: "sum", operands: ["x", "o"] }] },
  { name: "loss", kind: "forward", parts: [{ result: "loss", kind: "loss", operands: ["y", "target"] }] },
  { name: "error", kind: "backward", parts: [{ result: "dy", kind: "error", operands: ["y", "target"] }] },
  { name: "fork", kind: "backward", parts: ["do", "dxr"].map((result) => ({ result, kind: "copy", operands: ["dy"] })) },
  { name: "values", kind: "backward", parts: [products("dv", "a nr", "do nc", TOKENS)] },
  { name: "weights", kind: "backward", parts: [products("da", "do rn", "v cn", WIDTH)] },
  { name: "jacobian", kind: "backward", parts: [{ result: "jacobian", kind: "jacobian", operands: ["a"] }] },
  { name: "scores_back", kind: "backward", parts: [products("ds", "da rn", "jacobian nc", TOKENS)] },
  { name: "queries", kind: "backward", parts: [products("dq", "ds rn", "k nc", TOKENS, "sums_dq")] },
  { name: "keys", kind: "backward", parts: [products("dk", "ds nr", "q nc", TOKENS, "sums_dk")] },
  { name: "matrices", kind: "backward", parts: PROJECTIONS.map((p) => products(`dw${p}`, "x nr", `d${p} nc`, TOKENS)) },
  { name: "ways", kind: "backward", parts: PROJECTIONS.map((p) => products(`dx${p}`, `d${p} rn`, `w${p} cn`, WIDTH)) },
  { name: "paths", kind: "backward", parts: [{ result: "dx", kind: "sum", operands: ["dxr", "dxq", "dxk", "dxv"] }] },
];
export const LIMITS = { number: 10, step: STEPS.length };

/** The step that gives a matrix, 0 for what is given. @param {string} name */
export const stepOf = (name) => STEPS.findIndex(({ parts }) => parts.some(({ result }) => result === name)) + 1;
/** Whether a matrix is there after a step. @param {string} name  @param {number} step */
export const isKnown = (name, step) => stepOf(name) <= step;
/** The step that a state shows; null at the start. @param {State} state */
export const shownStep = ({ step }) => STEPS[step - 1] ?? null;

/** Rows and columns of a matrix. @param {string} name @returns {Cell} */
export function sizeOf(name) {
  if (name === "loss") return [1, 1];
  const [given] = Object.keys(GIVEN).filter((key) => name === key || name === `d${key}`);
  if (given) return /** @type {Cell} */ (GIVEN[given]);
  return /^d?[sma]$|^jacobian$/.test(name) ? [TOKENS, TOKENS] : [TOKENS, WIDTH];
}

/**
 * What is open after a step: a part of it, and a cell of what that gives. In the softmax's matrix of derivatives, which each row
 * has one of, the row of the cell is the middle index.
 * @param {State} state @returns {{part: Part, index: number, cell: Cell} | null}
 */
export function opened(state) {
  const step = shownStep(state);
  if (!step) return null;
  const index = Math.min(state["part"], step.parts.length - 1);
  const part = /** @type {Part} */ (step.parts[index]);
  const [rows, columns] = sizeOf(part.result);
  const row = part.kind === "jacobian" ? state["middle"] : state["row"];
  return { part, index, cell: [Math.min(row, rows - 1), Math.min(state["column"], columns - 1)] };
}

/** The cell of an operand that a term takes. @param {string} pattern  @param {Cell} cell  @param {number} n @returns {Cell} */
export function cellAt(pattern, [r, c], n) {
  const at = (/** @type {string | undefined} */ letter) => (letter === "r" ? r : letter === "c" ? c : n);
  return [at(pattern[0]), at(pattern[1])];
}

/** Whether a cell of an operand goes into what is open. @param {State} state  @param {string} name  @param {Cell} at */
export function isUsed(state, name, [row, column]) {
  const now = opened(state);
  if (!now || !now.part.operands.includes(name)) return false;
  const { part, cell } = now;
  switch (part.kind) {
    case "products": {
      const pattern = part.cells?.[part.operands.indexOf(name)] ?? "";
      return Array.from({ length: Number(part.count) }, (_, n) => cellAt(pattern, cell, n)).some(([r, c]) => r === row && c === column);
    }
    case "softmax":
      return row === cell[0];
    case "loss":
      return state["loss_on"] === "every" || row === TOKENS - 1;
    case "jacobian":
      return row === state["row"] && (column === cell[0] || column === cell[1]);
    default:
      return row === cell[0] && column === cell[1];
  }
}

/** What each token's loss is multiplied by. @param {State} state */
export const counts = ({ loss_on }) => Array.from({ length: TOKENS }, (_, token) => Number(loss_on === "every" || token === TOKENS - 1));

/** @param {unknown} value  @param {Cell} size */
const isMatrix = (value, [rows, columns]) =>
  Array.isArray(value) &&
  value.length === rows &&
  value.every((row) => Array.isArray(row) && row.length === columns && row.every((number) => typeof number === "number" && Math.abs(number) <= LIMITS.number));
/** @param {unknown} value  @param {number} most */
const isWhole = (value, most) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;

/** @param {State} state  @param {State} wish @returns {State} */
export function change(state, wish) {
  const next = { ...state };
  const differs = (/** @type {string} */ key) => JSON.stringify(wish[key]) !== JSON.stringify(state[key]);
  for (const [key, size] of Object.entries(GIVEN)) if (isMatrix(wish[key], size) && differs(key)) next[key] = wish[key];
  if (typeof wish["causal"] === "boolean") next["causal"] = wish["causal"];
  if (LOSSES.includes(wish["loss_on"])) next["loss_on"] = wish["loss_on"];
  if (Object.keys(GIVEN).includes(wish["edited"])) next["edited"] = wish["edited"];
  if (isWhole(wish["step"], LIMITS.step)) next["step"] = wish["step"];
  if (isWhole(wish["part"], PROJECTIONS.length - 1)) next["part"] = wish["part"];
  for (const key of ["row", "column", "middle"]) if (isWhole(wish[key], TOKENS - 1)) next[key] = wish[key];
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/** A matrix with another number in one place. @param {number[][]} matrix  @param {Cell} at  @param {number} value */
export const withNumber = (matrix, [row, column], value) => matrix.map((line, r) => (r === row ? line.map((old, c) => (c === column ? value : old)) : line));
