/** What matrices and their cells are called in the figure. */

/** @type {Record<string, string>} */
const NAMES = { x: "X", wq: "Wq", wk: "Wk", wv: "Wv", target: "T", loss: "L", jacobian: "J" };
const SUBSCRIPTS = ["₁", "₂", "₃", "₄"];

/** Where what comes back to X comes from. */
const SOURCES = { r: "Y", q: "Q", k: "K", v: "V" };

/** A matrix: X, Wq, ∂L/∂Q, ∂L/∂X ← Q. @param {string} name @returns {string} */
export function matrixName(name) {
  const way = /^dx([rqkv])$/.exec(name);
  if (way) return `∂L/∂X ← ${SOURCES[/** @type {keyof typeof SOURCES} */ (way[1])]}`;
  if (/^d[a-z]/.test(name)) return `∂L/∂${matrixName(name.slice(1))}`;
  return NAMES[name] ?? name.toUpperCase();
}

/** A cell: x₂₁, ∂L/∂q₂₁. @param {string} name  @param {import("../../shared/types.js").Cell} cell */
export function cellName(name, [row, column]) {
  const place = `${SUBSCRIPTS[row]}${SUBSCRIPTS[column]}`;
  const whole = matrixName(name);
  if (name === "jacobian") return `${whole}${place}`;
  const [, slope = "", letter = "", source = ""] = /^(∂L\/∂)?(\S+)(.*)$/.exec(whole) ?? [];
  return `${slope}${letter.charAt(0).toLowerCase()}${letter.slice(1)}${place}${source}`;
}

/** The place of a token, as a subscript. @param {number} place */
export const subscript = (place) => SUBSCRIPTS[place] ?? "";
