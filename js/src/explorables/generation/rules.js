/**
 * What the debugger's settings may be, where they stand on their sliders, and how a state is written in an address. Pure
 * functions: no model, no page.
 *
 * @typedef {{seed: number, temperature: number, top_k: number, top_p: number, greedy: boolean}} Settings
 * @typedef {{[Key in keyof Settings]?: unknown}} Wish
 *
 * @typedef {object} Place  Where in which text the reader is.
 * @property {string} prompt
 * @property {number[]} ids  The text so far.
 * @property {number[]} own  The places of the tokens that the reader chose.
 */

/** The same bounds as in `dlcompare.widgets.generation`; and characters that the field for the prompt takes. */
export const LIMITS = { temperature: [0.1, 3], topP: [0.01, 1], seed: Number.MAX_SAFE_INTEGER, prompt: 1000 };

const [COLDEST, HOTTEST] = /** @type {[number, number]} */ (LIMITS.temperature);
const HALF = 40;
/** The temperatures on the slider: on both sides of 1, which is in the middle, each step by an equal factor. */
export const TEMPERATURES = Array.from({ length: 2 * HALF + 1 }, (_, place) => {
  const along = (place - HALF) / HALF;
  return Number((along < 0 ? COLDEST ** -along : HOTTEST ** along).toPrecision(3));
});

/** The choices of top-k on the slider, the last of which, 0, keeps all. @param {number} vocabSize */
export function topKs(vocabSize) {
  const round = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 70, 100, 150, 200, 300, 400, 500, 700];
  return [...round.filter((k) => k < vocabSize), 0];
}

/** The choices of top-p on the slider: every hundredth. */
export const TOP_PS = Array.from({ length: 100 }, (_, place) => (place + 1) / 100);

/** Where on a slider a value stands, or would, between its neighbours. @param {readonly number[]} places  @param {number} value */
export function nearest(places, value) {
  let best = 0;
  places.forEach((other, place) => {
    if (Math.abs(other - value) < Math.abs(Number(places[best]) - value)) best = place;
  });
  return best;
}

/** @param {unknown} value  @param {number} low  @param {number} high @returns {value is number} */
const isNumber = (value, low, high) => typeof value === "number" && value >= low && value <= high;
/** @param {unknown} value  @param {number} low  @param {number} high @returns {value is number} */
const isWhole = (value, low, high) => isNumber(value, low, high) && Number.isInteger(value);

/**
 * The settings with the valid part of a wish.
 * @param {Settings} settings  @param {Wish} wish  @param {number} vocabSize
 * @returns {Settings} the same object where nothing changes
 */
export function change(settings, { seed, temperature, top_k, top_p, greedy }, vocabSize) {
  const next = { ...settings };
  if (isWhole(seed, 0, LIMITS.seed)) next.seed = seed;
  if (isNumber(temperature, COLDEST, HOTTEST)) next.temperature = temperature;
  if (isWhole(top_k, 0, vocabSize)) next.top_k = top_k;
  if (isNumber(top_p, Number(LIMITS.topP[0]), Number(LIMITS.topP[1]))) next.top_p = top_p;
  if (typeof greedy === "boolean") next.greedy = greedy;
  const same = Object.entries(next).every(([key, value]) => settings[/** @type {keyof Settings} */ (key)] === value);
  return same ? settings : next;
}

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
