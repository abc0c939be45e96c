/** How numbers and texts are written for a reader. */

const MINUS = "\u2212";
const SUPERSCRIPT = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"];

/**
 * A number with three significant digits and a true minus sign; shorter only where fewer digits say it exactly.
 * @param {number} value
 */
export function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? MINUS : "";
  if (size === Infinity) return `${sign}∞`;
  const rounded = Number(size.toPrecision(3));
  if (rounded >= 1e6 || rounded < 1e-3) {
    const [mantissa, exponent] = /** @type {[string, string]} */ (size.toExponential(2).split("e"));
    const power = exponent.replace(/\d/g, (digit) => /** @type {string} */ (SUPERSCRIPT[Number(digit)]));
    return `${sign}${mantissa}·10${power.replace("+", "").replace("-", "⁻")}`;
  }
  if (rounded === size && String(size).length < 5) return sign + String(size);
  return sign + (rounded >= 100 ? String(rounded) : rounded.toFixed(2 - Math.floor(Math.log10(rounded))));
}

/**
 * A number in full precision with a true minus sign.
 * @param {number} value
 */
export function full(value) {
  return String(value === 0 ? 0 : value).replaceAll("-", MINUS).replace("Infinity", "∞");
}

/**
 * The same as an `<input type="number">` takes it: a plain minus sign, and an exponent in letters.
 * @param {number} value
 */
export function editable(value) {
  const text = short(value).replace(MINUS, "-");
  return Number.isNaN(Number(text)) ? String(Number(value.toPrecision(3))) : text;
}

/**
 * Replace each `{name}` in a template; a name without a value stays as it is.
 * @param {string} template
 * @param {Record<string, string | number>} values
 */
export function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * Look texts up and fill them in. A text that is missing shows its key, so that the gap is seen and nothing breaks.
 * @param {Record<string, string>} strings
 */
export function translator(strings) {
  return (/** @type {string} */ key, /** @type {Record<string, string | number>} */ values = {}) =>
    fill(strings[key] ?? key, values);
}

/** @typedef {ReturnType<typeof translator>} Translate */
