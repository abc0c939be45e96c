/**
 * Axes: from one round number to another, by equal amounts or by powers of ten; where a value stands on one, how a round
 * number is written there, and which mark a hand points at.
 *
 * @typedef {{low: number, high: number, ticks: number[], log: boolean}} Axis
 */

/** What the round numbers are, times a power of ten. */
const ROUND = [1, 2, 5];
/** By powers of ten: from how wide an axis on only the powers themselves are ticks. */
const WIDE = 1e3;

/** The round numbers, 1, 2 and 5 times a power of ten, around all between two positive ones. @param {number} low  @param {number} high */
function roundNumbers(low, high) {
  const numbers = [];
  for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.ceil(Math.log10(high)) + 1; power++) {
    for (const times of ROUND) numbers.push(Number(`${times}e${power}`));
  }
  return numbers;
}

/**
 * An axis by equal amounts that holds all from `low` to `high`.
 * @param {number} low
 * @param {number} high
 * @param {number} [count]  Steps between ticks that the values take at most.
 * @returns {Axis}
 */
export function linearAxis(low, high, count = 5) {
  const span = high > low ? high - low : Math.abs(low) || 1;
  const step = Number(roundNumbers(span / 100, span).find((number) => span / number <= count));
  const [first, last] = [Math.floor(low / step), Math.max(Math.ceil(high / step), Math.floor(low / step) + 1)];
  // A step is 1, 2 or 5 times a power of ten, but not so in binary: 3 · 0.1 is not 0.3.
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
  return { low: Number(ticks[0]), high: Number(ticks.at(-1)), ticks, log: false };
}

/**
 * An axis by powers of ten that holds all from `low` to `high`, both positive.
 * @param {number} low
 * @param {number} high
 * @param {{least?: number, powers?: boolean}} [options]  How many times its beginning its end is at least; whether only
 *   powers of ten are ticks, without which its width decides.
 * @returns {Axis}
 */
export function logAxis(low, high, { least = 10, powers } = {}) {
  const numbers = roundNumbers(low, high * least);
  const from = Number(numbers.findLast((number) => number <= low));
  const to = Number(numbers.find((number) => number >= Math.max(high, from * least)));
  const inside = numbers.filter((number) => from <= number && number <= to);
  return { low: from, high: to, ticks: powers ?? to / from > WIDE ? inside.filter((number) => Number.isInteger(Math.log10(number))) : inside, log: true };
}

/** Where a value stands, from 0 at the axis's beginning to 1. @param {number} value  @param {Axis} axis */
export const placeOf = (value, { low, high, log }) => (log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));

const UNITS = /** @type {const} */ ([[1e9, "B"], [1e6, "M"], [1e3, "k"]]); // prettier-ignore
/** A round number as it stands at an axis. @param {number} value */
export function compact(value) {
  for (const [size, unit] of UNITS) if (value >= size) return `${value / size}${unit}`;
  return String(value);
}

/** A round number by powers of ten: 10¹², 2·10⁻³. @param {number} value */
export function powersOfTen(value) {
  if (value === 0) return "0";
  const [digits, power] = /** @type {[string, string]} */ (value.toExponential().split("e"));
  const raised = power.replace("+", "").replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹".charAt(Number(digit)));
  return digits === "1" ? `10${raised}` : `${digits}·10${raised}`;
}

/**
 * The mark that a hand points at: the nearest one within reach. Of several in the same place, the one after the chosen one.
 * @param {{index: number, x: number, y: number}[]} marks
 * @param {number} x
 * @param {number} y
 * @param {number} chosen
 * @param {number} [reach]
 */
export function nearest(marks, x, y, chosen, reach = 28) {
  const far = marks.map((mark) => ({ index: mark.index, distance: Math.hypot(mark.x - x, mark.y - y) }));
  const least = Math.min(...far.map(({ distance }) => distance));
  if (!(least <= reach)) return null;
  const there = far.filter(({ distance }) => distance <= least + 0.5).map(({ index }) => index);
  return there[(there.indexOf(chosen) + 1) % there.length] ?? null;
}
