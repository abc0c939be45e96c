/** The front end of `dlcompare.widgets.DigitPad`. */
import { createChoice } from "../../shared/controls.js";
import { h, OWN_KEYS } from "../../shared/dom.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { createAnswers } from "./answers.js";
import { ask } from "./asking.js";
import { createPad } from "./pad.js";
import { best, BLANK, change, DIGITS, drawn, moved, TOOLS } from "./rules.js";

/** Buttons that move the drawing: rows down and columns to the right. @type {[string, string, number, number][]} */
const MOVES = [["left", "←", 0, -1], ["up", "↑", -1, 0], ["down", "↓", 1, 0], ["right", "→", 0, 1]]; // prettier-ignore

export default defineExplorable({
  name: "digits",
  keys: ["image", "tool"],
  silent: ["tool"],
  change,
  ask: (state, _, model, answered) => ask(state, model, answered),
  create({ text, model, set, shown }) {
    /** @type {import("./asking.js").Network[]} */
    const networks = model.get("models");
    /** @type {{label: number, image: string}[]} */
    const examples = model.get("examples");
    const now = () => shown()?.wanted["image"] ?? BLANK;

    const example = createChoice({
      name: "example",
      label: text("example"),
      options: [{ value: "", text: text("own_drawing") }, ...examples.map(({ label }, index) => ({ value: String(index), text: text("example_option", { label, index: index + 1 }) }))],
      onChoose: (value) => set({ image: examples[Number(value)]?.image }),
    });
    const tools = createChoice({
      name: "tool",
      label: text("tool"),
      options: TOOLS.map((value) => ({ value, text: text(value) })),
      onChoose: (tool) => set({ tool }),
    });
    /** Whether the stroke that goes on has changed anything yet: undo takes it back as one. */
    let begun = false;
    const pad = createPad({
      text,
      onStroke(cells, begins) {
        const before = now();
        const image = drawn(before, cells, shown()?.wanted["tool"]);
        if (begins) begun = false;
        if (image === before) return;
        set({ image }, begun);
        begun = true;
      },
      onErase: (cell) => set({ image: drawn(now(), [cell], "eraser") }),
    });
    const button = (/** @type {string} */ name, /** @type {string} */ sign, /** @type {() => void} */ onclick) =>
      h("button", { type: "button", ...OWN_KEYS, "data-control": name, "aria-label": text(name), title: text(name), onclick }, sign);
    const buttons = h(
      "div",
      { class: "dlc-digits-buttons", role: "group", "aria-label": text("pad") },
      button("clear", text("clear"), () => set({ image: BLANK })),
      ...MOVES.map(([name, sign, down, right]) => button(name, sign, () => set({ image: moved(now(), down, right) }))),
    );
    const answers = createAnswers(text, networks);
    const padPart = h("section", { class: "dlc-part dlc-digits-pad" }, h("div", { class: "dlc-part-title" }, text("pad")), pad.element, pad.readout, buttons);

    return {
      choices: [example.element, tools.element],
      elements: [h("div", { class: "dlc-digits-stage" }, padPart, h("section", { class: "dlc-part" }, answers.element))],
      draw(all) {
        example.show(String(examples.findIndex(({ image }) => image === all.wanted["image"])).replace("-1", ""));
        tools.show(all.wanted["tool"]);
        pad.draw(all);
        answers.draw(all);
      },
      table: ({ answers: { readings } }) => ({
        columns: [text("digit"), ...networks.map(({ kind }) => text(kind))],
        rows: DIGITS.map((digit) => [String(digit), ...readings.map((/** @type {import("./asking.js").Reading} */ { probabilities }) => Number(probabilities[digit]))]),
      }),
      announce: ({ answers: { readings } }) =>
        networks
          .map(({ kind }, index) => {
            const { probabilities } = readings[index];
            return text("announce", { name: text(kind), digit: best(probabilities), probability: short(Number(probabilities[best(probabilities)])) });
          })
          .join("; "),
    };
  },
});
