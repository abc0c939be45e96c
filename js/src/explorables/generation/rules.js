/**
 * Where in which text the reader is, and how a state is written in an address. Pure functions: no model, no page.
 *
 * @typedef {import("../../shared/drawing/settings.js").Settings} Settings
 * @typedef {import("../../shared/drawing/settings.js").Wish} Wish
 *
 * @typedef {object} Place  Where in which text the reader is.
 * @property {string} prompt
 * @property {number[]} ids  The text so far.
 * @property {number[]} own  The places of the tokens that the reader chose.
 */
import { LIMITS as SETTINGS, isWhole } from "../../shared/drawing/settings.js";

/** Characters that the field for the prompt takes. */
const LONGEST_PROMPT = 1000;
export const LIMITS = { ...SETTINGS, prompt: LONGEST_PROMPT };

/** How many tokens two texts have in common from the start. @param {number[]} one  @param {number[]} other */
export function common(one, other) {
  let length = 0;
  while (length < one.length && length < other.length && one[length] === other[length]) length += 1;
  return length;
}

/**
 * A state as parameters of an address. `keep` says how many of the prompt's tokens the text has, where not all; `path` are
 * those that follow, with a `y` before each that the reader chose.
 * @param {Place} place  @param {number[]} promptIds  @param {Settings} settings
 * @returns {Record<string, string>}
 */
export function toParameters({ prompt, ids, own }, promptIds, { seed, temperature, top_k, top_p, greedy }) {
  const keep = common(promptIds, ids);
  const path = ids.slice(keep).map((id, index) => (own.includes(keep + index) ? `y${id}` : String(id)));
  return {
    prompt,
    seed: String(seed),
    temperature: String(temperature),
    topk: String(top_k),
    topp: String(top_p),
    ...(greedy && { greedy: "1" }),
    ...(keep < promptIds.length && { keep: String(keep) }),
    ...(path.length && { path: path.join(",") }),
  };
}

const DECIMAL = /^\d{1,4}(\.\d{1,20})?$/;
const WHOLE = /^\d{1,16}$/;
const STEP = /^y?\d{1,6}$/;

/** @param {string | undefined} text  @param {RegExp} form */
const number = (text, form) => (text !== undefined && form.test(text) ? Number(text) : undefined);

/**
 * What an address asks for. Anything may stand in an address: what is not well formed is left out, and without the whole of
 * a path there is none of it.
 * @param {Record<string, string>} parameters
 * @param {(prompt: string) => number[] | null} read  The tokens of a prompt; null for one that cannot be read.
 * @param {string} present  The prompt where the address names none.
 * @param {{vocab_size: number, block_size: number}} config
 * @returns {{wish: Wish, place: Place | null}}
 */
export function fromParameters(parameters, read, present, { vocab_size, block_size }) {
  const { seed, temperature, topk, topp, greedy, keep, path } = parameters;
  const wish = {
    seed: number(seed, WHOLE),
    temperature: number(temperature, DECIMAL),
    top_k: number(topk, WHOLE),
    top_p: number(topp, DECIMAL),
    greedy: greedy === undefined ? undefined : { 0: false, 1: true }[greedy],
  };
  const prompt = parameters["prompt"] ?? present;
  const promptIds = prompt.length <= LIMITS.prompt ? read(prompt) : null;
  if (!promptIds) return { wish, place: null };
  const steps = path === undefined ? [] : path.length > 8 * block_size ? ["?"] : path.split(",");
  const kept = keep === undefined ? promptIds.length : number(keep, WHOLE) ?? -1;
  const following = steps.map((step) => (STEP.test(step) ? Number(step.replace("y", "")) : -1));
  const ids = [...promptIds.slice(0, Math.max(0, kept)), ...following];
  const fits =
    isWhole(kept, 0, promptIds.length) && isWhole(ids.length, 1, block_size) && following.every((id) => isWhole(id, 0, vocab_size - 1));
  if (!fits) return { wish, place: { prompt, ids: promptIds, own: [] } };
  const own = steps.flatMap((step, index) => (step.startsWith("y") ? [kept + index] : []));
  return { wish, place: { prompt, ids, own } };
}
