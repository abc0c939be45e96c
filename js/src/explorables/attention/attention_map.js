/**
 * The chosen head's matrix, a cell for each pair of tokens: rows ask, columns answer. It shows what the calculation has come
 * to: dot products, scores, weights.
 *
 * @typedef {import("./state.js").Shown} Shown
 * @typedef {import("../../shared/types.js").Cell} Cell
 *
 * @typedef {object} MapOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {(query: number, key: number) => void} onPoint
 * @property {() => void} onLeave
 * @property {(query: number, key: number) => void} onPick
 * @property {(event: KeyboardEvent) => void} onKey  Any key but those that move.
 */
import { signed } from "../../shared/colour.js";
import { h, put } from "../../shared/dom.js";
import { full } from "../../shared/format.js";
import { createLegend } from "../../shared/legend.js";
import { createPixelGrid } from "../../shared/pixel_grid.js";
import { follow } from "../../shared/roving.js";
import { isHidden, matrixAfter, reach } from "./selection.js";

/** @param {MapOptions} options */
export function createAttentionMap({ text, onPoint, onLeave, onPick, onKey }) {
  /** The column that the keyboard is at. */
  let column = 0;
  let focused = false;
  /** @type {Shown | null} */
  let last = null;

  const grid = createPixelGrid({
    label: text("map_label"),
    name: "map",
    onPoint: ([query, key]) => onPoint(query, key),
    onLeave,
    onPick: ([query, key]) => {
      column = key;
      onPick(query, key);
    },
    onKey(event) {
      const side = last?.pass.read.ids.length ?? 0;
      const next = last && follow(event, [last.state.query, Math.min(column, side - 1)], { rows: side, columns: side });
      if (!next) return onKey(event);
      event.preventDefault();
      event.stopPropagation();
      column = next[1];
      onPick(...next);
    },
  });
  grid.element.addEventListener("focusin", () => {
    focused = true;
    if (last) draw(last, scales);
  });
  grid.element.addEventListener("focusout", () => {
    focused = false;
    if (last) draw(last, scales);
  });
  const title = h("div", { class: "dlc-part-title" });
  const legend = createLegend();
  const left = h("div", { class: "dlc-map-left", "aria-hidden": "true" });
  const top = h("div", { class: "dlc-map-top", "aria-hidden": "true" });
  const asks = h("span", { class: "dlc-map-axis", "aria-hidden": "true" }, text("map_asks"));
  const answers = h("span", { class: "dlc-map-axis", "aria-hidden": "true" }, text("map_answers"));
  const element = h("div", { class: "dlc-map" }, h("div", { class: "dlc-map-corner" }, answers, asks), top, left, grid.element, h("div"), legend.element);

  /** @param {Element} side  @param {string[]} tokens  @param {number} lit */
  function label(side, tokens, lit) {
    while (side.children.length > tokens.length) side.lastElementChild?.remove();
    while (side.children.length < tokens.length) side.append(h("bdi"));
    tokens.forEach((token, index) => {
      const place = /** @type {Element} */ (side.children[index]);
      if (place.textContent !== token) place.textContent = token;
      place.classList.toggle("is-lit", index === lit);
    });
  }

  /** @type {import("../../shared/theme.js").Scales} */
  let scales;
  /** The cells' colours, made anew only when what they depend on changes, which is when cells are painted anew. */
  let colours = { of: /** @type {unknown[]} */ ([]), plane: /** @type {import("./selection.js").Matrix["plane"] | null} */ (null), colour: (/** @type {number} */ _value, /** @type {Cell} */ _cell) => "" };

  /**
   * @param {Shown} shown
   * @param {import("../../shared/theme.js").Scales} with_
   */
  function draw(shown, with_) {
    last = shown;
    scales = with_;
    const { pass, state, at, key, pointing } = shown;
    const { plane, name, veiled } = matrixAfter(pass, state.step);
    const { tokens } = pass.read;
    const side = tokens.length;
    const limit = reach(plane.values);
    const of = [pass, name, scales];
    if (of.some((value, index) => value !== colours.of[index])) {
      const bySign = signed(scales.diverging, limit);
      const hides = name === "masked" || name === "weights";
      colours = {
        of,
        plane,
        colour: (value, [query, answer]) => {
          if (hides && isHidden(pass, query, answer)) return "transparent";
          return (name === "weights" ? scales.even(value) : bySign(value)).fill;
        },
      };
    }
    const shows = name === "masked" && !pass.of.causal ? "open" : name;
    title.textContent = text(`map_${shows}`, { layer: pass.of.layer, head: pass.of.head });
    put(element, { "data-side": side > 20 ? "long" : "short", style: `--dlc-side: ${side}`, "data-matrix": name });
    const looked = key ?? (focused ? Math.min(column, side - 1) : null);
    label(left, tokens, at);
    label(top, tokens, looked ?? -1);
    grid.draw({
      plane: colours.plane ?? plane,
      colour: colours.colour,
      describe: (value, [query, answer]) =>
        text("map_cell", { query: tokens[query] ?? "", key: tokens[answer] ?? "", value: full(value), row: query, column: answer }),
      border: 0,
      signs: name !== "weights",
      faint: limit / 25,
      pointing,
      revealed: veiled ? 0 : null,
      focus: [state.query, Math.min(column, side - 1)],
      mark: looked === null ? { row: at, column: 0, size: 1, columns: side } : { row: at, column: looked, size: 1 },
    });
    if (name === "weights") legend.draw(scales.even, [0, 1], false);
    else legend.draw(scales.diverging, [-limit, limit], true);
  }

  return { title, element, draw, focus: grid.focus };
}
