/**
 * Colour scales: stops are joined in OKLab, where equal steps look equal; each colour comes with the ink, black or white,
 * that reads best on it (at least 4.5 : 1 for any colour).
 */

/** @typedef {{fill: string, ink: string}} Colour */
/** @typedef {(fraction: number) => Colour} Scale  From 0 to 1; beyond, the end's colour. */

/** @param {number} channel  0 to 1, sRGB. */
const toLinear = (channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
/** @param {number} channel  0 to 1, linear. */
const toGamma = (channel) => (channel <= 0.0031308 ? 12.92 * channel : 1.055 * channel ** (1 / 2.4) - 0.055);

/** @typedef {[number, number, number]} Triple */

/**
 * @param {string} hex  `#rrggbb`
 * @returns {Triple}
 */
export function linear(hex) {
  const digits = hex.trim();
  if (!/^#[0-9a-f]{6}$/i.test(digits)) throw new Error(`colour is ${JSON.stringify(hex)}; allowed is #rrggbb`);
  return /** @type {Triple} */ ([1, 3, 5].map((at) => toLinear(parseInt(digits.slice(at, at + 2), 16) / 255)));
}

/** @param {Triple} rgb  @returns {Triple} */
function toOklab([r, g, b]) {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const z = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * z,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * z,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * z,
  ];
}

/** @param {Triple} lab  @returns {Triple} */
function fromOklab([L, a, b]) {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const z = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * z,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * z,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * z,
  ];
}

/** @param {Triple} rgb */
const luminance = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

/**
 * WCAG's contrast between two colours, 1 to 21.
 * @param {string} one
 * @param {string} other
 */
export function contrast(one, other) {
  const [high, low] = [luminance(linear(one)), luminance(linear(other))].sort((a, b) => b - a);
  return (/** @type {number} */ (high) + 0.05) / (/** @type {number} */ (low) + 0.05);
}

const STEPS = 256;

/**
 * A scale through evenly spaced stops.
 * @param {string[]} stops  Two or more of `#rrggbb`.
 * @returns {Scale}
 */
export function scale(stops) {
  if (stops.length < 2) throw new Error(`stops has ${stops.length} colours; allowed are two or more`);
  const labs = stops.map((stop) => toOklab(linear(stop)));
  const table = Array.from({ length: STEPS + 1 }, (_, step) => {
    const along = (step / STEPS) * (stops.length - 1);
    const from = Math.min(Math.floor(along), stops.length - 2);
    const start = /** @type {Triple} */ (labs[from]);
    const end = /** @type {Triple} */ (labs[from + 1]);
    const lab = start.map((value, i) => value + (along - from) * (/** @type {number} */ (end[i]) - value));
    const channels = fromOklab(/** @type {Triple} */ (lab)).map((c) => Math.round(255 * toGamma(Math.min(1, Math.max(0, c)))));
    const fill = "#" + channels.map((c) => c.toString(16).padStart(2, "0")).join("");
    return { fill, ink: contrast(fill, "#000000") >= contrast(fill, "#ffffff") ? "#000000" : "#ffffff" };
  });
  return (fraction) => {
    const bounded = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
    return /** @type {Colour} */ (table[Math.round(bounded * STEPS)]);
  };
}

/**
 * A scale for signed values with zero exactly in the middle.
 * @param {Scale} diverging
 * @param {number} limit  The size of the largest value; 0 where all are 0.
 * @returns {(value: number) => Colour}
 */
export function signed(diverging, limit) {
  return (value) => diverging(limit > 0 ? 0.5 + value / (2 * limit) : 0.5);
}
