/**
 * What the state may be, and what follows from it. Pure: no page, no model, no arithmetic of the GPT's.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 *
 * @typedef {object} Sizes
 * @property {number} longest  Tokens that are read.
 * @property {number} d_model
 * @property {number} d_head
 */

/** In the graph's order. */
export const KINDS = ["none", "sinusoidal", "learned", "rotary"];
export const POSITIONS = 64;

/** How many dimensions the vectors of a kind have. @param {string} kind  @param {Sizes} sizes */
export const widthOf = (kind, { d_model, d_head }) => (kind === "rotary" ? d_head : d_model);

/** The dimension that is looked at, of a vector of some width. @param {State} state  @param {number} width */
export const dimensionOf = ({ dimension }, width) => Math.min(dimension, width - 1);

/** How far before the position the other one lies: no further than to the first. @param {State} state */
export const distanceOf = ({ position, distance }) => Math.min(position, distance);

/** An order of other tokens: those that are gone left out, new ones at the end. @param {number[]} order  @param {number} count */
export const fitted = (order, count) => [...order.filter((place) => place < count), ...places(count).filter((place) => !order.includes(place))];

/** The order of the text itself. @param {number} count */
export const places = (count) => Array.from({ length: count }, (_, place) => place);

/** Whether it is one of a text's orders. @param {unknown} order  @param {number} count */
export const isOrder = (order, count) => Array.isArray(order) && order.length === count && places(count).every((place) => order.includes(place));

/** A token of the new order one place later, and from the end to the beginning. @param {number[]} order  @param {number} token */
export const onwards = (order, token) => (order.at(-1) === token ? moved(order, token, -order.length) : moved(order, token, 1));

/** A token of the new order some places later. @param {number[]} order  @param {number} token  @param {number} by */
export function moved(order, token, by) {
  const from = order.indexOf(token);
  const to = Math.min(order.length - 1, Math.max(0, from + by));
  const others = order.filter((place) => place !== token);
  return [...others.slice(0, to), token, ...others.slice(to)];
}

/**
 * @param {State} state
 * @param {State} wish
 * @param {Sizes} sizes
 * @param {(prompt: unknown) => number} count  How many tokens of a text are read; 0 for one that cannot be read.
 * @returns {State}
 */
export function change(state, wish, sizes, count) {
  const next = { ...state };
  const { prompt, order, kind, causal, token, position, distance, dimension } = wish;
  const whole = (/** @type {unknown} */ value, /** @type {number} */ below) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < below;
  if (count(prompt) > 0) next["prompt"] = prompt;
  const tokens = count(next["prompt"]);
  if (isOrder(order, tokens)) next["order"] = order;
  if (next["order"].length !== tokens) next["order"] = fitted(next["order"], tokens);
  if (JSON.stringify(next["order"]) === JSON.stringify(state["order"])) next["order"] = state["order"];
  if (KINDS.includes(kind)) next["kind"] = kind;
  if (typeof causal === "boolean") next["causal"] = causal;
  if (whole(token, sizes.longest)) next["token"] = token;
  next["token"] = Math.min(next["token"], tokens - 1);
  if (whole(position, POSITIONS)) next["position"] = position;
  if (whole(distance, POSITIONS)) next["distance"] = distance;
  if (whole(dimension, sizes.d_model)) next["dimension"] = dimension;
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}
