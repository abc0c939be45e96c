/**
 * What the state may be, and what each kind of cell computes.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {"rnn" | "lstm" | "gru"} Kind
 * @typedef {{kinds: string[], units: number, longest: number, knows: (text: string) => boolean}} Limits
 *
 * @typedef {object} Part  One of what a cell computes at each step, in order.
 * @property {string} name
 * @property {string} sign  Its letter in the equations.
 * @property {number | null} gate  Its place among the stacked matrices; null: it has none, and is made of other parts.
 * @property {string} bend  What its sum goes through.
 * @property {boolean} signed  Whether it can be negative.
 */

/** @type {Record<string, Part[]>} */
export const PARTS = {
  rnn: [{ name: "hidden", sign: "h", gate: 0, bend: "tanh", signed: true }],
  lstm: [
    { name: "forget_gate", sign: "f", gate: 1, bend: "σ", signed: false },
    { name: "input_gate", sign: "i", gate: 0, bend: "σ", signed: false },
    { name: "candidate", sign: "g", gate: 2, bend: "tanh", signed: true },
    { name: "output_gate", sign: "o", gate: 3, bend: "σ", signed: false },
    { name: "cell", sign: "c", gate: null, bend: "", signed: true },
    { name: "hidden", sign: "h", gate: null, bend: "", signed: true },
  ],
  gru: [
    { name: "reset_gate", sign: "r", gate: 0, bend: "σ", signed: false },
    { name: "update_gate", sign: "z", gate: 1, bend: "σ", signed: false },
    { name: "candidate", sign: "n", gate: 2, bend: "tanh", signed: true },
    { name: "hidden", sign: "h", gate: null, bend: "", signed: true },
  ],
};

/** @param {string} kind */
export const partsOf = (kind) => PARTS[kind] ?? [];
/** @param {string} kind  @param {string} name */
export const partOf = (kind, name) => /** @type {Part} */ (partsOf(kind).find((part) => part.name === name) ?? partsOf(kind).at(-1));
/** The gate that is asked for: of a part without one the first, of which nothing is shown. @param {State} state */
export const gateOf = ({ kind, part }) => partOf(kind, part).gate ?? 0;

/** Why a text is not read, or null. @param {unknown} prompt  @param {Limits} limits @returns {"empty" | "long" | "unknown" | null} */
export function refusal(prompt, { longest, knows }) {
  const text = typeof prompt === "string" ? prompt : "";
  if (!text) return "empty";
  if ([...text].length > longest) return "long";
  return knows(text) ? null : "unknown";
}

/** @param {unknown} value  @param {number} most @returns {value is number} */
const isWhole = (value, most) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;

/** @param {State} state  @param {State} wish  @param {Limits} limits @returns {State} */
export function change(state, wish, limits) {
  const next = { ...state };
  const { prompt, kind, part, unit, step } = wish;
  if (typeof prompt === "string" && !refusal(prompt, limits)) next["prompt"] = prompt;
  if (limits.kinds.includes(kind)) next["kind"] = kind;
  const names = partsOf(next["kind"]).map(({ name }) => name);
  if (names.includes(part)) next["part"] = part;
  // Another kind of cell may not have the part that was chosen.
  if (!names.includes(next["part"])) next["part"] = "hidden";
  if (isWhole(unit, limits.units - 1)) next["unit"] = unit;
  const last = [...next["prompt"]].length - 1;
  if (isWhole(step, last)) next["step"] = step;
  // A reader who writes sees what the last character did.
  else if (next["prompt"] !== state["prompt"]) next["step"] = last;
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/**
 * The text up to a step, gone on with another character. One that is full loses its first.
 * @param {string} prompt  @param {number} step  @param {string} character  @param {number} longest
 */
export function wentOn(prompt, step, character, longest) {
  const characters = [...[...prompt].slice(0, step + 1), character];
  return { prompt: characters.slice(-longest).join(""), dropped: characters.length > longest };
}

/** Where an arrow key leads among rows of strips. @param {string} key  @param {{row: number, place: number}} from  @param {number} rows  @param {number} count */
export function moved(key, { row, place }, rows, count) {
  switch (key) {
    case "ArrowLeft":
      return { row, place: Math.max(0, place - 1) };
    case "ArrowRight":
      return { row, place: Math.min(count - 1, place + 1) };
    case "ArrowUp":
      return { row: Math.max(0, row - 1), place };
    case "ArrowDown":
      return { row: Math.min(rows - 1, row + 1), place };
    case "Home":
      return { row, place: 0 };
    case "End":
      return { row, place: count - 1 };
    default:
      return null;
  }
}
