/**
 * What the state may be, what a reader's wish makes of it, and where in the dialogue a step stands. Pure functions.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {import("./talk.js").Answers} Answers
 *
 * @typedef {object} Speech  What decides whether a turn can be said.
 * @property {import("./template.js").Write} write
 * @property {number} blockSize
 * @property {number} vocabSize
 *
 * @typedef {{turn: number, places: number, start: number}} Position  A reply, how many of its places are there, and how many
 *   steps go before it.
 */
import { change as changeSettings, isWhole } from "../../shared/drawing/settings.js";
import { markIn, strip } from "./template.js";

/** The same bounds as in `dlcompare.widgets.chat`. */
export const LIMITS = { turns: 24, characters: 200, context: 64, longest: /** @type {[number, number]} */ ([8, 60]), step: 24 * 60, besides: ["article", "turn"] };

const SETTINGS = /** @type {const} */ (["seed", "temperature", "top_k", "top_p", "greedy"]);

/** Why a turn cannot be said: a key of the texts, with what is filled in; or null. @param {string} turn  @param {State} state  @param {Speech} speech */
export function refusal(turn, state, { write }) {
  const words = strip(turn);
  const mark = markIn(words);
  if (!words) return { key: "refused_empty", values: {} };
  if (state["turns"].length >= LIMITS.turns) return { key: "refused_full", values: { most: LIMITS.turns } };
  if (mark) return { key: "refused_mark", values: { mark } };
  try {
    const count = write([words]).length;
    const room = state["context"] - state["longest"];
    if (count > room) return { key: "refused_room", values: { count, room, context: state["context"], longest: state["longest"] } };
  } catch {
    return { key: "refused_half", values: {} };
  }
  return null;
}

/** @param {unknown} turns  @param {State} state  @param {Speech} speech  @returns {turns is string[]} */
function areTurns(turns, state, speech) {
  if (!Array.isArray(turns) || turns.length > LIMITS.turns) return false;
  const alone = { ...state, turns: [] };
  return turns.every((turn) => typeof turn === "string" && turn === strip(turn) && [...turn].length <= LIMITS.characters && !refusal(turn, alone, speech));
}

/** @param {unknown} choices  @param {Speech} speech  @returns {choices is [number, number, number][]} */
function areChoices(choices, { vocabSize }) {
  if (!Array.isArray(choices)) return false;
  const most = [LIMITS.turns - 1, LIMITS.longest[1] - 1, vocabSize - 1];
  const isChoice = (/** @type {unknown} */ choice) => Array.isArray(choice) && choice.length === 3 && choice.every((n, index) => isWhole(n, 0, Number(most[index])));
  if (!choices.every(isChoice)) return false;
  const order = choices.map(([turn, place]) => turn * LIMITS.longest[1] + place);
  return order.every((place, index) => index === 0 || place > Number(order[index - 1]));
}

/** @param {State} state  @param {State} wish  @param {Speech} speech @returns {State} */
export function change(state, wish, speech) {
  const next = { ...state };
  const settings = /** @type {import("../../shared/drawing/settings.js").Settings} */ (Object.fromEntries(SETTINGS.map((key) => [key, state[key]])));
  Object.assign(next, changeSettings(settings, wish, speech.vocabSize));
  if (LIMITS.besides.includes(wish["beside"])) next["beside"] = wish["beside"];
  if (isWhole(wish["step"], 0, LIMITS.step)) next["step"] = wish["step"];
  const differs = (/** @type {string} */ key) => JSON.stringify(wish[key]) !== JSON.stringify(state[key]);
  if (areChoices(wish["choices"], speech) && differs("choices")) next["choices"] = wish["choices"];

  // These belong together: all of them, or none.
  const room = { turns: state["turns"], context: state["context"], longest: state["longest"] };
  if (isWhole(wish["context"], LIMITS.context, speech.blockSize)) room.context = wish["context"];
  if (isWhole(wish["longest"], ...LIMITS.longest)) room.longest = wish["longest"];
  if (Array.isArray(wish["turns"]) && differs("turns")) room.turns = wish["turns"];
  if (areTurns(room.turns, { ...next, ...room }, speech)) Object.assign(next, room);
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/** The reader says something; the whole reply is to be seen. @param {State} state  @param {string} turn */
export const say = (state, turn) => ({ turns: [...state["turns"], strip(turn)], step: LIMITS.step });

/**
 * The reader chooses a token at a place of a reply, or leaves it to the draw again. What was chosen after it belonged to
 * another text.
 * @param {State} state  @param {number} turn  @param {number} place  @param {number} token
 */
export function choose(state, turn, place, token) {
  /** @type {[number, number, number][]} */
  const choices = state["choices"];
  const before = choices.filter(([of, at]) => of < turn || (of === turn && at < place));
  const again = choices.some(([of, at, id]) => of === turn && at === place && id === token);
  return { choices: again ? before : [...before, [turn, place, token]] };
}

/** How many steps each reply takes: those of the longer one, side by side. @param {Answers} answers */
export const lengths = ({ whole, beside }) => whole.slice(0, beside.length).map(({ steps }, turn) => Math.max(steps.length, Number(beside[turn]?.steps.length)));

/** How many steps there are. @param {Answers} answers */
export const last = (answers) => lengths(answers).reduce((sum, length) => sum + length, 0);

/** Where a step stands; null in an empty conversation. @param {Answers} answers  @param {number} step @returns {Position | null} */
export function standingAt(answers, step) {
  const all = lengths(answers);
  let start = 0;
  for (const [turn, length] of all.entries()) {
    if (step <= start + length || turn === all.length - 1) return { turn, places: Math.min(length, step - start), start };
    start += length;
  }
  return null;
}
