/**
 * The text so far, token by token. One of them is looked at: what is known of it stands below, and a button goes on from
 * there.
 *
 * @typedef {import("./types.js").Shown} Shown
 * @typedef {import("./tree.js").Node} Node
 *
 * @typedef {object} TextViewOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {import("./words.js").Words} words
 * @property {(node: Node) => void} onGo
 * @property {() => void} onBack
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { short } from "../../shared/format.js";
import { createTokenRow } from "../../shared/token_row.js";
import { createPrecision } from "./precision.js";

/** @param {TextViewOptions} options */
export function createTextView({ text, words, onGo, onBack }) {
  const row = createTokenRow({
    label: text("text_label"),
    name: "text",
    onPick: look,
    onKey(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Enter" && shown?.path[at]) onGo(/** @type {Node} */ (shown.path[at]));
      else if (event.key === "Backspace") onBack();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  });
  const readout = h("p", { class: "dlc-readout", "data-readout": "text" });
  const button = h("button", { type: "button", ...OWN_KEYS, "data-control": "goOn", onclick: () => onGo(/** @type {Node} */ (shown?.path[at])) }, text("go_on"));
  const legend = h("p", { class: "dlc-text-legend" }, ...["prompt", "drawn", "own"].map((by) => h("span", { "data-by": by }, text(`by_${by}`))), h("span", { "data-by": "given" }, text("given_legend")));
  const scroll = h("div", { class: "dlc-text-scroll" }, row.element);
  const element = h("div", { class: "dlc-text-view" }, scroll, legend, h("div", { class: "dlc-with-button" }, readout, button));

  /** What stands in the row, by the node: none of it changes. @type {WeakMap<Node, import("../../shared/token_row.js").Token>} */
  const chips = new WeakMap();
  /** @param {Node} node */
  function chipOf(node) {
    const known = chips.get(node);
    if (known) return known;
    const { token, given, by } = node;
    const chip = {
      text: words.label(token),
      describe: words.ofChip(node),
      share: given === null ? null : { value: given, size: given, fill: "var(--dlc-gpt)", text: short(given) },
      mark: by,
      endsLine: words.endsLine(token),
    };
    chips.set(node, chip);
    return chip;
  }

  const written = createPrecision(element, () => shown && draw(shown));
  /** @type {Shown | null} */
  let shown = null;
  /** The token looked at. */
  let at = 0;

  /** @param {number} index */
  function look(index) {
    at = index;
    if (shown) draw(shown);
  }

  /** @param {Shown} next */
  function draw(next) {
    const { path } = next;
    row.draw(path.map(chipOf), at);
    const node = /** @type {Node} */ (path[at]);
    readout.textContent = words.ofNode(node, written());
    put(readout, { "data-place": node.place, "data-token": node.token, "data-given": node.given, "data-chance": node.chance });
    button.hidden = node === next.node;
  }

  return {
    element,
    /** @param {Shown} next */
    draw(next) {
      const moved = shown?.node !== next.node;
      shown = next;
      if (moved) at = next.path.length - 1;
      at = Math.min(at, next.path.length - 1);
      draw(next);
      if (moved) scroll.scrollTop = scroll.scrollHeight;
    },
    focus: () => row.focus(),
  };
}
