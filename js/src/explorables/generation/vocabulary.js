/**
 * All tokens, the most probable first, as two curves over their ranks, both axes by powers of ten: an outline for what the
 * model says, filled for what is drawn from. Lines say where top-k and top-p cut. A cursor stands at one token.
 *
 * @typedef {object} VocabularyOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {import("./words.js").Words} words
 * @property {number} count  Tokens in the vocabulary.
 * @property {(token: number) => void} onChoose
 */
import { h, OWN_KEYS, put, s } from "../../shared/dom.js";
import { createPrecision } from "./precision.js";
import { createScrubber } from "./scrubber.js";
import { FATES, value } from "../../shared/drawing/words.js";

const WIDTH = 1000;
const HEIGHT = 400;
/** Powers of ten from the lower edge to the upper. */
const POWERS = [-6, 0];
const SUPERSCRIPT = { 0: "1", "-2": "10⁻²", "-4": "10⁻⁴", "-6": "10⁻⁶" };

/** @param {VocabularyOptions} options */
export function createVocabulary({ text, words, count, onChoose }) {
  const span = Math.log(count + 0.5) - Math.log(0.5);
  /** The left edge of a rank. @param {number} rank */
  const x = (rank) => ((Math.log(rank - 0.5) - Math.log(0.5)) / span) * WIDTH;
  const [low = 0, high = 0] = POWERS;
  /** @param {number} p */
  const y = (p) => HEIGHT * (1 - (Math.min(high, Math.max(low, Math.log10(p))) - low) / (high - low));

  const own = s("path", { class: "dlc-curve-own" });
  const p = s("path", { class: "dlc-curve-p" });
  const cuts = s("path", { class: "dlc-curve-cuts" });
  const cursor = s("path", { class: "dlc-curve-cursor" });
  const lines = Object.keys(SUPERSCRIPT).map((power) => y(10 ** Number(power)));
  const grid = s("path", { class: "dlc-curve-grid", d: lines.map((at) => `M0,${at}H${WIDTH}`).join("") });
  const svg = s(
    "svg",
    { class: "dlc-curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    ...[grid, p, own, cuts, cursor],
  );
  const scale = Object.entries(SUPERSCRIPT).map(([power, label]) =>
    h("span", { style: `top: ${(100 * y(10 ** Number(power))) / HEIGHT}%` }, label),
  );
  // A label at the very end would stick out.
  const ranks = [1, 10, 100, 1000, 10_000].filter((rank) => x(rank) < 0.93 * WIDTH);
  const foot = ranks.map((rank) => h("span", { style: `left: ${(50 * (x(rank) + x(rank + 1))) / WIDTH}%` }, String(rank)));
  const legend = h("div", { class: "dlc-curve-cut-names" });
  const scrubber = createScrubber(
    {
      name: "vocabulary",
      label: text("vocabulary_label"),
      first: 1,
      placeAt: (along) => Math.floor(0.5 + Math.exp(Math.log(0.5) + along * span)),
      onMove: stand,
      onEnter: () => take(),
    },
    svg,
    h("div", { class: "dlc-curve-scale", "aria-hidden": "true" }, ...scale),
  );
  const readout = h("p", { class: "dlc-readout", "data-readout": "vocabulary" });
  const button = h("button", { type: "button", ...OWN_KEYS, "data-control": "take", onclick: () => take() });
  const element = h(
    "div",
    {},
    scrubber.element,
    h("div", { class: "dlc-curve-foot", "aria-hidden": "true" }, ...foot),
    legend,
    h("div", { class: "dlc-with-button" }, readout, button),
  );

  let rank = 1;
  /** @type {import("./types.js").Sample | null} */
  let sample = null;
  const written = createPrecision(element, () => stand(rank));
  const token = () => (sample ? value(sample, "order", rank - 1) : NaN);
  const take = () => void (sample && onChoose(token()));

  /** Let the cursor stand at a rank. @param {number} next */
  function stand(next) {
    rank = next;
    if (!sample) return;
    const said = words.ofRank(sample, rank);
    put(cursor, { d: `M${(x(rank) + x(rank + 1)) / 2},0V${HEIGHT}` });
    scrubber.stand(rank, count, said);
    readout.textContent = words.ofRank(sample, rank, written());
    const [own, p] = ["own", "p"].map((name) => value(/** @type {import("./types.js").Sample} */ (sample), name, token()));
    put(readout, { "data-token": token(), "data-own": own ?? 0, "data-p": p ?? 0 });
    button.textContent = text("take", { token: words.label(token()) });
  }

  return {
    element,
    /** @param {import("./types.js").Sample} next */
    draw(next) {
      const other = sample?.of !== next.of;
      sample = next;
      const order = Array.from({ length: count }, (_, index) => value(next, "order", index));
      /** A curve of steps. @param {string} name @param {number} end  How many ranks. */
      const steps = (name, end) => order.slice(0, end).map((id, index) => `L${x(index + 1).toFixed(1)},${y(value(next, name, id)).toFixed(1)}H${x(index + 2).toFixed(1)}`);
      const fates = order.map((id) => FATES[value(next, "cut", id)]);
      const there = (/** @type {string[]} */ ...names) => fates.filter((fate) => names.includes(fate ?? "")).length;
      const kept = there("kept");
      put(own, { d: `M0,${HEIGHT}${steps("own", count).join("")}` });
      put(p, { d: `M0,${HEIGHT}${steps("p", kept).join("")}V${HEIGHT}Z` });
      /** How many tokens each cut leaves. @type {[string, number][]} */
      const left = [
        ["cut_by_top_k", kept + there("cut_by_top_p")],
        ["cut_by_top_p", kept],
        ["cut_by_greedy", kept],
      ];
      const made = left.filter(([name]) => there(name));
      put(cuts, { d: made.map(([, last]) => `M${x(last + 1)},0V${HEIGHT}`).join("") });
      legend.replaceChildren(
        ...made.map(([name, last]) => h("span", { "data-cut": name, "data-value": last }, text(`${name}_line`, { count: last }))),
      );
      stand(other ? 1 : rank);
    },
  };
}
