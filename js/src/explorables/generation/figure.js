/**
 * The figure: the text so far, what the next token is drawn from, the cache, and the tree of all that was tried. While a run
 * writes as fast as it can, only the text is drawn.
 *
 * @typedef {import("./types.js").Shown} Shown
 *
 * @typedef {object} FigureOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {import("./words.js").Words} words
 * @property {import("./reading.js").Config} config
 * @property {(node: import("./tree.js").Node) => void} onGo
 * @property {() => void} onBack
 * @property {(token: number) => void} onChoose
 */
import { h } from "../../shared/dom.js";
import { short } from "../../shared/format.js";
import { createBars } from "../../shared/drawing/bars.js";
import { createCacheStrip } from "./cache_strip.js";
import { createDrawStrip } from "./draw_strip.js";
import { createTextView } from "./text_view.js";
import { createTreeView } from "./tree_view.js";
import { createVocabulary } from "./vocabulary.js";

/** @param {FigureOptions} options */
export function createFigure({ text, words, config, onGo, onBack, onChoose }) {
  const count = config.vocab_size;
  const written = createTextView({ text, words, onGo, onBack });
  const bars = createBars({ text, words, onChoose });
  const vocabulary = createVocabulary({ text, words, count, onChoose });
  const strip = createDrawStrip(text, words, count);
  const cache = createCacheStrip(text, words, config);
  const tree = createTreeView({ text, words, onGo });
  const entropy = h("p", { class: "dlc-readout", "data-readout": "entropy" });

  /** @param {string} name  @param {string} title  @param {...Node} content */
  const part = (name, title, ...content) => h("section", { class: `dlc-part dlc-part-${name}`, "aria-label": title }, h("div", { class: "dlc-part-title" }, title), ...content);
  const key = h("p", { class: "dlc-bars-key" }, h("span", { "data-key": "own" }, text("before")), h("span", { "data-key": "p" }, text("after")));
  const element = h(
    "div",
    { class: "dlc-stage" },
    part("text", text("text"), written.element),
    part("bars", text("next"), key, bars.element),
    h(
      "div",
      { class: "dlc-side" },
      part("vocabulary", text("vocabulary", { count: count.toLocaleString("en") }), vocabulary.element, entropy),
      part("draw", text("draw_title"), strip.element),
      part("cache", text("cache"), cache.element),
    ),
    part("tree", text("tree"), tree.element),
  );

  /** What was last drawn: drawing it again is worth avoiding. @type {unknown[]} */
  let drawn = [];
  return {
    element,
    /** @param {Shown} shown  @param {boolean} fast */
    draw(shown, fast) {
      const { sample, node, path, tree: all } = shown;
      const now = [sample, node, all, all.size, path.length];
      if (now.every((part, index) => part === drawn[index])) return;
      written.draw(shown);
      if (fast) return;
      drawn = now;
      bars.draw(sample);
      vocabulary.draw(sample);
      strip.draw(sample);
      cache.draw(shown);
      tree.draw(shown);
      const [before, after] = /** @type {Float32Array} */ (sample.outputs["entropy"]?.data);
      entropy.textContent = text("entropy", { before: short(before ?? 0), after: short(after ?? 0) });
      entropy.dataset["values"] = `${before} ${after}`;
    },
    recolour: cache.recolour,
  };
}
