/**
 * Everything that a step's figure shows, as rows of a table.
 *
 * @typedef {import("./trainer.js").Shown} Shown
 */
import { settingsAt } from "./rules.js";
import { numbersAt } from "./layers.js";
import { nameOf } from "./layer.js";

/** Weights that the table lists of each layer at most; the first layer of the digits has thousands. */
const LONGEST = 400;
const MEASURED = ["loss", "train_loss", "held_loss", "train_accuracy", "held_accuracy"];

/** @param {Shown} shown  @param {import("../../shared/format.js").Translate} text @returns {import("../../shared/data_table.js").TableContent} */
export function tableOf(shown, text) {
  const { state, outputs, widths } = shown;
  const { rate, batch } = settingsAt(state.schedule, state.step);
  const alone = (/** @type {string} */ name, /** @type {number} */ value) => [name, value, "", ""];
  const rows = [
    alone(text("step"), state.step),
    alone(text("rate"), rate),
    alone(text("batch"), batch),
    ...MEASURED.map((name) => alone(text(name), Number(outputs[name]?.data[0]))),
  ];
  for (let layer = 1; layer < widths.length; layer++) {
    const [inputs, neurons] = [Number(widths[layer - 1]), Number(widths[layer])];
    rows.push(alone(text("norm_of", { layer }), Number(outputs["norms"]?.data[layer - 1])));
    for (let index = 0; index < Math.min(LONGEST, (inputs + 1) * neurons); index++) {
      const place = { layer, neuron: Math.floor(index / (inputs + 1)), input: index % (inputs + 1) };
      const { value, gradient, after } = numbersAt(shown, place);
      rows.push([nameOf(text, place, inputs), value, gradient, after]);
    }
  }
  return { columns: ["number", "value", "gradient", "after"].map((key) => text(key)), rows };
}
