/**
 * What an explorer's state may be, and what follows from it. Pure: no page, no model, no arithmetic of the GPT's.
 *
 * @typedef {"all" | "without" | "layer" | "only"} Heads  Which heads are at work: all; all but the chosen one; of its layer
 *   the chosen one alone; of the whole model the chosen one alone.
 *
 * @typedef {object} State
 * @property {string} prompt
 * @property {number} layer
 * @property {number} head
 * @property {number} query  The token that asks.
 * @property {boolean} causal  Whether it sees only itself and what is before it.
 * @property {Heads} heads
 * @property {number} step  How far its calculation is shown.
 *
 * @typedef {object} Limits
 * @property {number} n_layer
 * @property {number} n_head
 * @property {number} d_head
 * @property {number} longest  Tokens that are read.
 * @property {(prompt: string) => number} count  How many tokens of a prompt are read; raises when it cannot be read.
 *
 * @typedef {Partial<Record<keyof State, unknown>>} Wish
 */

import { refusal } from "../../shared/text_reader.js";

/** @type {readonly Heads[]} */
export const HEADS = ["all", "without", "layer", "only"];
/** The steps from two vectors to the head's output, by the last part of their key in the catalogue. */
export const STEPS = /** @type {const} */ (["vectors", "dots", "scaled", "masked", "weights", "terms", "sum"]);
export const LAST_STEP = STEPS.length - 1;

/**
 * The state that a wish leads to. What is not allowed is left as it was; a query beyond the text goes to its last token.
 * @param {State} state
 * @param {Wish} wish
 * @param {Limits} limits
 * @returns {State}
 */
export function change(state, wish, limits) {
  const next = { ...state };
  const whole = (/** @type {unknown} */ value, /** @type {number} */ below) =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value < below;
  if (refusal(wish.prompt, limits) === null) next.prompt = /** @type {string} */ (wish.prompt);
  if (whole(wish.layer, limits.n_layer)) next.layer = /** @type {number} */ (wish.layer);
  if (whole(wish.head, limits.n_head)) next.head = /** @type {number} */ (wish.head);
  if (whole(wish.query, Infinity)) next.query = /** @type {number} */ (wish.query);
  if (typeof wish.causal === "boolean") next.causal = wish.causal;
  if (HEADS.includes(/** @type {Heads} */ (wish.heads))) next.heads = /** @type {Heads} */ (wish.heads);
  if (whole(wish.step, STEPS.length)) next.step = /** @type {number} */ (wish.step);
  const count = limits.count(next.prompt);
  // Who writes on, after asking at the end, goes on asking at the end.
  const follows = wish.query === undefined && next.prompt !== state.prompt && state.query === limits.count(state.prompt) - 1;
  next.query = follows ? count - 1 : Math.min(next.query, count - 1);
  return next;
}

/**
 * The state some steps on, over all tokens; the same state at either end.
 * @param {Pick<State, "query" | "step">} state
 * @param {number} by
 * @param {number} count  Tokens.
 * @returns {Pick<State, "query" | "step">}
 */
export function walk({ query, step }, by, count) {
  const place = Math.min(count * STEPS.length - 1, Math.max(0, query * STEPS.length + step + by));
  return { query: Math.floor(place / STEPS.length), step: place % STEPS.length };
}

/**
 * By what each head's output is multiplied, row by row: 1 for a head at work, 0 for one switched off.
 * @param {Pick<State, "layer" | "head" | "heads">} state
 * @param {Pick<Limits, "n_layer" | "n_head">} limits
 */
export function keep({ layer, head, heads }, { n_layer, n_head }) {
  return Float32Array.from({ length: n_layer * n_head }, (_, index) => {
    const inLayer = Math.floor(index / n_head) === layer;
    const chosen = inLayer && index % n_head === head;
    return Number({ all: true, without: !chosen, layer: !inLayer || chosen, only: chosen }[heads]);
  });
}

/** Whether this is the model as it was trained. @param {Pick<State, "causal" | "heads">} state */
export const asTrained = ({ causal, heads }) => causal && heads === "all";

/**
 * The state as parameters of an address.
 * @param {State} state
 * @returns {Record<string, string>}
 */
export function toParameters({ prompt, layer, head, query, causal, heads, step }) {
  return {
    prompt,
    layer: String(layer),
    head: String(head),
    query: String(query),
    mask: causal ? "causal" : "none",
    heads,
    step: String(step),
  };
}

/**
 * What an address asks for. Anything may stand in an address: what is not well formed is left out here, what is not
 * allowed is refused by {@link change}.
 * @param {Record<string, string>} parameters
 * @returns {Wish}
 */
export function fromParameters({ prompt, layer, head, query, mask, heads, step }) {
  const number = (/** @type {string | undefined} */ text) => (text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : undefined);
  return {
    prompt,
    layer: number(layer),
    head: number(head),
    query: number(query),
    causal: mask === "causal" ? true : mask === "none" ? false : undefined,
    heads,
    step: number(step),
  };
}
