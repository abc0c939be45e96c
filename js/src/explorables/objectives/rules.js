/**
 * What the state may be, and what a model reads and is asked for in it. Pure: no page, no model, no arithmetic.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {import("../../shared/text_reader.js").Reader} Reader
 *
 * @typedef {{cls: number, sep: number, mask: number, names: string[], vocab_size: number, longest: number}} Sizes  The ids of
 *   the encoder's own marks; the names of the tokens that only it has, from `vocab_size` on.
 *
 * @typedef {object} Row  What the model reads, position by position.
 * @property {number[]} ids
 * @property {string[]} tokens  As they are shown.
 * @property {(string | null)[]} wholes  Of a token that is only a part of a character, that character.
 * @property {number[]} segments
 * @property {number[]} targets  What the loss asks for; -100 for nothing.
 */
import { refusal } from "../../shared/text_reader.js";

export const OBJECTIVES = ["causal", "masked", "next"];
/** A target that stands for nothing. */
export const IGNORED = -100;

/**
 * @param {State} state
 * @param {Sizes} sizes
 * @param {Reader} read
 * @returns {Row}
 */
export function rowOf({ objective, first, second, hidden }, sizes, read) {
  const { ids, tokens, wholes } = read(first);
  const zeros = (/** @type {number} */ count) => Array(count).fill(0);
  if (objective === "causal") return { ids, tokens, wholes, segments: zeros(ids.length), targets: [...ids.slice(1), IGNORED] };
  const gone = new Set(objective === "masked" ? hidden : []);
  const mark = (/** @type {number} */ id) => String(sizes.names[id - sizes.vocab_size]);
  const row = {
    ids: [sizes.cls, ...ids.map((id, place) => (gone.has(place) ? sizes.mask : id)), sizes.sep],
    tokens: [mark(sizes.cls), ...tokens.map((token, place) => (gone.has(place) ? mark(sizes.mask) : token)), mark(sizes.sep)],
    wholes: [null, ...wholes.map((whole, place) => (gone.has(place) ? null : whole)), null],
    segments: zeros(ids.length + 2),
    targets: [IGNORED, ...ids.map((id, place) => (gone.has(place) ? id : IGNORED)), IGNORED],
  };
  if (objective === "masked") return row;
  const more = read(second);
  return {
    ids: [...row.ids, ...more.ids, sizes.sep],
    tokens: [...row.tokens, ...more.tokens, mark(sizes.sep)],
    wholes: [...row.wholes, ...more.wholes, null],
    segments: [...row.segments, ...zeros(more.ids.length + 1).map(() => 1)],
    targets: [...row.targets, ...zeros(more.ids.length + 1).map(() => IGNORED)],
  };
}

/** Where a reader looks first: at something that is asked for. @param {State} state  @param {number} count  Tokens of the first text. */
export function firstPlace({ objective, hidden }, count) {
  if (objective === "causal") return Math.max(0, count - 2);
  return objective === "masked" && hidden.length ? hidden[0] + 1 : 0;
}

/** @param {State} state  @param {(text: string) => number} count */
const lengthOf = ({ objective, first, second }, count) => count(first) + { causal: 0, masked: 2, next: 3 + count(second) }[/** @type {"causal"} */ (objective)];

/** @param {unknown} value  @param {number} below  @returns {value is number} */
const isWhole = (value, below) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < below;
/** @param {unknown} value  @param {number} below  @returns {value is number[]} */
const arePlaces = (value, below) => Array.isArray(value) && value.every((place) => isWhole(place, below)) && new Set(value).size === value.length;

/**
 * @param {State} state
 * @param {State} wish
 * @param {(text: string) => number} count  How many tokens of a text are read; raises when it cannot be read.
 * @returns {State}
 */
export function change(state, wish, count) {
  const next = { ...state };
  const { objective, follows, place } = wish;
  if (OBJECTIVES.includes(objective)) next["objective"] = objective;
  for (const key of ["first", "second"]) if (refusal(wish[key], { count }) === null) next[key] = wish[key];
  const read = count(next["first"]);
  /** @type {number[]} */
  const hidden = arePlaces(wish["hidden"], Infinity) ? [...wish["hidden"]].sort((a, b) => a - b) : next["hidden"];
  const kept = hidden.filter((at) => at < read);
  if (kept.join() !== state["hidden"].join()) next["hidden"] = kept;
  if (typeof follows === "boolean") next["follows"] = follows;
  if (isWhole(place, Infinity)) next["place"] = place;
  else if (next["objective"] !== state["objective"]) next["place"] = firstPlace(next, read);
  next["place"] = Math.min(next["place"], lengthOf(next, count) - 1);
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/**
 * What pressing a position asks for: to look there, and, where masked LM may hide the token, to hide or show it.
 * @param {State} state
 * @param {number} place
 * @param {number} count  Tokens of the first text.
 * @returns {State}
 */
export function pressed({ objective, hidden }, place, count) {
  const token = place - 1;
  if (objective !== "masked" || token < 0 || token >= count) return { place };
  const others = hidden.filter((/** @type {number} */ other) => other !== token);
  return { place, hidden: others.length < hidden.length ? others : [...hidden, token] };
}

/** The positions that the loss asks at. @param {Pick<Row, "targets">} row */
export const askedAt = ({ targets }) => targets.flatMap((target, place) => (target === IGNORED ? [] : [place]));
