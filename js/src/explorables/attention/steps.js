/** The steps from vectors to the head's output: where the calculation stands, and what happens there. */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { STEPS } from "./rules.js";
import { sentenceOf } from "./words.js";

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(step: number) => void} onStep
 */
export function createSteps(text, onStep) {
  const buttons = STEPS.map((name, step) => {
    const label = text(`step_${name}`);
    const attributes = { type: "button", ...OWN_KEYS, "data-step": step, title: label, "aria-label": label };
    return h("button", { ...attributes, onclick: () => onStep(step) }, text(`sign_${name}`));
  });
  const list = h("ol", { class: "dlc-steps", "aria-label": text("steps") }, ...buttons.map((button) => h("li", {}, button)));
  const sentence = h("p", { class: "dlc-sentence" });

  return {
    element: h("div", {}, list, sentence),
    /** @param {import("./state.js").Shown} shown */
    draw(shown) {
      const { step } = shown.state;
      buttons.forEach((button, index) => {
        put(button, { "aria-current": index === step ? "step" : null, "data-done": index < step });
      });
      const said = sentenceOf(text, shown);
      if (sentence.textContent !== said) sentence.textContent = said;
    },
  };
}
