/**
 * The figure: the text as tokens with the weights that one of them gives the others, all heads, the chosen head's map, what
 * the model expects next, and one token's calculation step by step.
 *
 * @typedef {import("./state.js").Shown} Shown
 * @typedef {import("./state.js").Explorer} Explorer
 * @typedef {import("./terms_moves.js").Detail} Detail
 *
 * @typedef {object} FigureOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {Explorer} explorer
 * @property {() => void} onTouch  The reader takes the figure into the own hand.
 * @property {() => void} onPlay
 */
import { h } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createTokenRow } from "../../shared/token_row.js";
import { createAttentionMap } from "./attention_map.js";
import { createHeadGrid } from "./head_grid.js";
import { createPrediction } from "./prediction.js";
import { isHidden, part, strongest } from "./selection.js";
import { createSteps } from "./steps.js";
import { createTermsTable } from "./terms_table.js";
import { nameOf, readoutOf, valueOf } from "./words.js";

/** @param {FigureOptions} options */
export function createFigure({ text, explorer, onTouch, onPlay }) {
  /** @type {Detail | null} */
  let detail = null;
  /** @type {import("../../shared/theme.js").Scales} */
  let scales;

  /** @param {number} query */
  const go = (query) => {
    onTouch();
    explorer.go(query);
  };
  /** Keys that mean the same in every part. @param {KeyboardEvent} event */
  function onKey(event) {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === " ") onPlay();
    else if (key === "Enter") table.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  /** In the grid of heads, one key switches the chosen head off and on, another leaves it alone. @param {KeyboardEvent} event */
  function onHeadKey(event) {
    const heads = /** @type {Record<string, import("./rules.js").Heads>} */ ({ x: "without", i: "layer", o: "only" })[event.key];
    if (!heads || event.ctrlKey || event.metaKey || event.altKey) return onKey(event);
    onTouch();
    explorer.set({ heads: explorer.wanted().heads === heads ? "all" : heads });
    event.preventDefault();
    event.stopPropagation();
  }

  let lastPart = { focus: () => {} };
  const tokens = createTokenRow({
    label: text("tokens_label"),
    name: "tokens",
    onPick: go,
    onPoint: (index) => explorer.point(index),
    onLeave: () => explorer.point(null),
    onKey,
  });
  const heads = createHeadGrid({
    text,
    sizes: explorer.limits,
    onPick(layer, head) {
      onTouch();
      explorer.set({ layer, head });
    },
    onKey: onHeadKey,
  });
  const map = createAttentionMap({
    text,
    onPoint: (query, key) => explorer.point(query, key),
    onLeave: () => explorer.point(null),
    onPick: go,
    onKey,
  });
  const prediction = createPrediction(text, explorer.token);
  const steps = createSteps(text, (step) => {
    onTouch();
    explorer.set({ step });
  });
  const table = createTermsTable({
    text,
    onDetail(next) {
      detail = next;
      const shown = explorer.shown();
      if (shown) drawReadout(shown);
    },
    describe: (shown, place) => ({ label: nameOf(text, shown, place), value: valueOf(shown, place) }),
    onLeave: () => lastPart.focus(),
  });
  for (const one of [tokens, heads, map]) one.element.addEventListener("focusin", () => (lastPart = one));

  const tokensTitle = h("div", { class: "dlc-part-title" });
  const looks = h("p", { class: "dlc-readout", "data-readout": "looks" });
  const tableTitle = h("div", { class: "dlc-part-title" });
  const readout = h("p", { class: "dlc-readout", "data-readout": "detail" });

  const elements = [
    h("div", { class: "dlc-part dlc-part-tokens" }, tokensTitle, tokens.element, looks),
    h(
      "div",
      { class: "dlc-stage" },
      h("div", { class: "dlc-part dlc-part-heads" }, h("div", { class: "dlc-part-title" }, text("heads_title")), heads.element),
      h("div", { class: "dlc-part dlc-part-map" }, map.title, map.element),
      prediction.element,
    ),
    h("div", { class: "dlc-part dlc-part-terms" }, tableTitle, steps.element, table.element, readout),
  ];

  /** @param {Shown} shown */
  function drawTokens({ state, pass, at, key, pointing }) {
    const { read } = pass;
    const weights = part(pass.outputs, "attention", state.layer, state.head, at);
    const cut = read.count > read.ids.length;
    const title = cut ? "tokens_cut" : read.count === 1 ? "tokens_one" : "tokens_title";
    tokensTitle.textContent = text(title, { count: read.count, read: read.ids.length });
    const asking = read.tokens[at] ?? "";
    const later = read.tokens.length - 1 - at;
    /** @param {number} index */
    const markOf = (index) => {
      if (pointing && index === at) return { mark: "pointed" };
      if (index === key) return { mark: "key" };
      return !pass.of.causal && index > at ? { mark: "later" } : {};
    };
    tokens.draw(
      read.tokens.map((token, index) => {
        const value = Number(weights[index]);
        const hidden = isHidden(pass, at, index);
        const whole = read.wholes[index];
        const described = { token, query: asking, weight: full(value) };
        return {
          text: token,
          describe: text(hidden ? "token_hidden" : "token", described),
          hint: whole ? text("token_part", { character: whole }) : text(hidden ? "token_hidden" : "token", described),
          share: hidden ? null : { value, size: value, fill: scales.even(value).fill, text: short(value) },
          ...markOf(index),
        };
      }),
      state.query,
    );
    const shown = key ?? strongest(weights);
    const words = { query: asking, key: read.tokens[shown] ?? "", weight: (key === null ? short : full)(Number(weights[shown])), layer: state.layer, head: state.head };
    const line = text(isHidden(pass, at, shown) ? "looks_hidden" : key === null ? "looks_most" : "looks", words);
    looks.textContent = pass.of.causal || !later ? line : `${line} ${text("looks_open", { later })}`;
  }

  /** @param {Shown} shown */
  function drawReadout(shown) {
    readout.textContent = detail ? readoutOf(text, shown, detail) : "";
  }

  /** @param {Shown} shown */
  function draw(shown) {
    const { state, pass } = shown;
    drawTokens(shown);
    heads.draw(shown, scales.even);
    map.draw(shown, scales);
    prediction.draw(shown);
    tableTitle.textContent = text("terms_title", { token: pass.read.tokens[state.query] ?? "", layer: state.layer, head: state.head });
    steps.draw(shown);
    table.draw(shown, scales);
    drawReadout(shown);
  }

  return {
    elements,
    draw,
    /** @param {import("../../shared/theme.js").Scales} next */
    recolour(next) {
      scales = next;
      const shown = explorer.shown();
      if (shown) draw(shown);
    },
  };
}
