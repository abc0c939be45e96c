/**
 * The figure: what the network answers, how its losses went, and its layers, all at the step that is shown.
 *
 * @typedef {import("./trainer.js").Shown} Shown
 */
import { h } from "../../shared/dom.js";
import { createConfusion } from "./confusion.js";
import { createCurves } from "./curves.js";
import { createLayers } from "./layers.js";
import { createSurface } from "./surface.js";

/** Milliseconds between two drawings of the layers while it plays. */
const PACE = 120;

/**
 * @param {object} options
 * @param {import("../../shared/format.js").Translate} options.text
 * @param {HTMLElement} options.note  Where the reader is told what has become of the run.
 * @param {(step: number) => void} options.onScrub
 */
export function createFigure({ text, note, onScrub }) {
  const surface = createSurface({ text });
  const confusion = createConfusion({ text });
  const curves = createCurves({ text, onScrub });
  const layers = createLayers({ text });
  /** @param {string} title @param {...Node} content */
  const part = (title, ...content) => h("div", { class: "dlc-part" }, h("div", { class: "dlc-part-title" }, text(title)), ...content);
  const answers = { plane: part("plane", surface.element), images: part("confusion", confusion.element) };
  const stage = h("div", { class: "dlc-stage" }, answers.plane, answers.images, part("losses", curves.element, note));
  const inside = part("layers", layers.element);
  inside.classList.add("dlc-layers-title");

  /** @type {import("../../shared/theme.js").Scales} */
  let scales;
  let drawn = 0;
  /** @param {Shown} shown  @param {boolean} [playing]  The layers are then drawn a few times a second: nobody reads faster. */
  function draw(shown, playing = false) {
    const plane = shown.examples.side === 0;
    answers.plane.hidden = !plane;
    answers.images.hidden = plane;
    if (plane) surface.draw(shown, scales);
    else confusion.draw(shown, scales);
    curves.draw(shown);
    const now = performance.now();
    if (playing && now - drawn < PACE) return;
    drawn = now;
    layers.draw(shown, scales);
  }
  return {
    elements: [stage, inside],
    draw,
    /** @param {import("../../shared/theme.js").Scales} next */
    recolour: (next) => void (scales = next),
    destroy: curves.destroy,
  };
}
