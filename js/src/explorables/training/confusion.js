/**
 * What became of the images that are held out: a table of what each shows and what it was taken for, and some of the images
 * of the cell that is looked at.
 *
 * @typedef {import("./trainer.js").Shown} Shown
 */
import { at } from "../../engine/tensors.js";
import { h, put } from "../../shared/dom.js";
import { createNumberGrid } from "../../shared/number_grid.js";
import { paint } from "./paint.js";

const EXAMPLES = 8;

/** @param {{text: import("../../shared/format.js").Translate}} options */
export function createConfusion({ text }) {
  /** @type {{row: number, column: number} | null} */
  let place = null;
  /** @type {{shown: Shown, scales: import("../../shared/theme.js").Scales} | null} */
  let last = null;
  const grid = createNumberGrid({
    label: text("confusion_label"),
    name: "confusion",
    onDetail: (detail) => {
      if (!detail) return;
      place = detail;
      drawExamples();
    },
  });
  const sentence = h("p", { class: "dlc-reading", role: "status" });
  const images = h("div", { class: "dlc-thumbnails" });
  const digits = (/** @type {string} */ name) =>
    h("div", { class: `dlc-digits dlc-digits-${name}`, "aria-hidden": "true" }, ...Array.from({ length: 10 }, (_, digit) => h("span", {}, String(digit))));
  const element = h(
    "div",
    { class: "dlc-confusion" },
    h("span", { class: "dlc-axis-name dlc-axis-answers", "aria-hidden": "true" }, text("confusion_answers")),
    digits("answers"),
    h("span", { class: "dlc-axis-name dlc-axis-truth", "aria-hidden": "true" }, text("confusion_truth")),
    digits("truth"),
    grid.element,
    sentence,
    images,
  );

  /** The cell with the most mistakes. @param {ArrayLike<number>} counts */
  function worst(counts) {
    let most = { row: 0, column: 0, count: -1 };
    for (let index = 0; index < counts.length; index++) {
      const [row, column, count] = [Math.floor(index / 10), index % 10, Number(counts[index])];
      if (row !== column && count > most.count) most = { row, column, count };
    }
    return most;
  }

  function drawExamples() {
    if (!last) return;
    const { shown, scales } = last;
    const { heldX, heldY, side } = shown.examples;
    const counts = /** @type {import("../../engine/tensors.js").Tensor} */ (shown.outputs["confusion"]);
    const { row, column } = place ?? worst(counts.data);
    const answers = /** @type {import("../../engine/tensors.js").Tensor} */ (shown.outputs["answers"]).data;
    const count = Number(counts.data[row * 10 + column]);
    sentence.textContent = text("confusion_cell", { count, truth: row, answer: column });
    put(sentence, { "data-row": row, "data-column": column, "data-value": count });
    const found = [...heldY.data.keys()].filter((index) => heldY.data[index] === row && answers[index] === column).slice(0, EXAMPLES);
    const drawn = found.map((index) => {
      const canvas = h("canvas", { role: "img", "aria-label": text("confusion_image", { truth: row, answer: column }) });
      paint(canvas, side, at(heldX, index), (value) => scales.even(value).fill);
      return canvas;
    });
    images.replaceChildren(...drawn);
  }

  return {
    element,
    /** @param {Shown} shown  @param {import("../../shared/theme.js").Scales} scales */
    draw(shown, scales) {
      last = { shown, scales };
      const { data } = /** @type {import("../../engine/tensors.js").Tensor} */ (shown.outputs["confusion"]);
      const most = Math.max(...data);
      grid.draw(data, (value) => scales.even(value / most));
      drawExamples();
    },
  };
}
