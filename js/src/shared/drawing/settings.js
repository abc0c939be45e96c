/**
 * How a token is drawn: what the settings may be, and where they stand on their sliders. Pure functions.
 *
 * @typedef {{seed: number, temperature: number, top_k: number, top_p: number, greedy: boolean}} Settings
 * @typedef {{[Key in keyof Settings]?: unknown}} Wish
 */

/** The same bounds as in `dlcompare.widgets.generation`. */
export const LIMITS = { temperature: [0.1, 3], topP: [0.01, 1], seed: Number.MAX_SAFE_INTEGER };

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
export const isWhole = (value, low, high) => isNumber(value, low, high) && Number.isInteger(value);

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
