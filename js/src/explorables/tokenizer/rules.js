/**
 * What the state may be.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 */

export const LIMITS = { text: 200 };
export const CUTS = ["characters", "words", "bpe"];

/** Why a text cannot be read; null when it can. @param {unknown} text @returns {"empty" | "long" | "half" | null} */
export function refusal(text) {
  if (typeof text !== "string" || text === "") return "empty";
  if (text.length > LIMITS.text && [...text].length > LIMITS.text) return "long";
  return /\p{Surrogate}/u.test(text) ? "half" : null;
}

/** @param {unknown} value  @param {number} most  @returns {value is number} */
const isWhole = (value, most) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;

/**
 * A step cuts by BPE, whose merges it counts. Who has merged all goes on to merge all in another text.
 * @param {State} state
 * @param {State} wish
 * @param {(text: string) => {byteCount: number, merges: {length: number}}} read
 * @returns {State}
 */
export function change(state, wish, read) {
  const next = { ...state };
  if (refusal(wish["text"]) === null) next["text"] = wish["text"];
  const { byteCount, merges } = read(next["text"]);
  const last = merges.length;
  if (next["text"] !== state["text"]) {
    const all = state["step"] === read(state["text"]).merges.length;
    next["step"] = all ? last : Math.min(state["step"], last);
    next["at"] = state["at"] === null ? null : Math.min(state["at"], byteCount - 1);
  }
  if (isWhole(wish["step"], last)) {
    if (wish["step"] !== next["step"]) next["cut"] = "bpe";
    next["step"] = wish["step"];
  }
  if (CUTS.includes(wish["cut"])) next["cut"] = wish["cut"];
  if (wish["at"] === null || isWhole(wish["at"], byteCount - 1)) next["at"] = wish["at"];
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/** The token that holds a byte; -1 for none. @param {{first: number, after: number}[]} tokens  @param {number | null} at */
export const tokenAt = (tokens, at) => (at === null ? -1 : tokens.findIndex(({ first, after }) => first <= at && at < after));

/**
 * The words in which a merge happens, each once, before and after it.
 * @template {{first: number, after: number, text: string}} Token
 * @param {Token[]} before
 * @param {Token[]} after
 * @param {Token[]} words  Nothing is merged across their ends.
 * @returns {{before: Token[], after: Token[], times: number}[]}
 */
export function changed(before, after, words) {
  const inside = (/** @type {Token} */ word, /** @type {Token[]} */ tokens) => tokens.filter(({ first, after: end }) => first >= word.first && end <= word.after);
  /** @type {Map<string, {before: Token[], after: Token[], times: number}>} */
  const found = new Map();
  for (const word of words) {
    const known = found.get(word.text);
    const one = known ?? { before: inside(word, before), after: inside(word, after), times: 0 };
    if (one.before.length === one.after.length) continue;
    one.times += 1;
    found.set(word.text, one);
  }
  return [...found.values()];
}

/** What is counted side by side: bytes are BPE before its first merge. */
export const ROWS = ["characters", "words", "bytes", "bpe"];

/** The row that a state shows. @param {State} state */
export const rowOf = ({ cut, step }) => (cut === "bpe" && step === 0 ? "bytes" : String(cut));

/** The wish for a row. @param {string} row  @param {number} last @returns {State} */
export function wishFor(row, last) {
  if (row === "bytes") return { cut: "bpe", step: 0 };
  return row === "bpe" ? { cut: "bpe", step: last } : { cut: row };
}
