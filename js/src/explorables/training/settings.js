/**
 * The choices: what is learned by which network, and how.
 *
 * @typedef {import("./rules.js").State} State
 *
 * @typedef {object} SettingsOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {string[]} sets
 * @property {(wish: Partial<Record<keyof State, unknown>>) => void} onRestart  Another network, or other data.
 * @property {(wish: {rate?: number, batch?: number}) => void} onBranch  From the present step on.
 */
import { createChoice, createSlider } from "../../shared/controls.js";
import { h } from "../../shared/dom.js";
import { LIMITS, settingsAt } from "./rules.js";

/** @param {SettingsOptions} options */
export function createSettings({ text, sets, onRestart, onBranch }) {
  /** @param {"data" | "activation" | "depth" | "width" | "seed"} name  @param {{value: string, text: string}[]} options */
  const choice = (name, options) =>
    createChoice({
      name,
      label: text(name),
      options,
      onChoose: (value) => onRestart({ [name]: name === "data" || name === "activation" ? value : Number(value) }),
    });
  const numbers = (/** @type {number[]} */ values) => values.map((value) => ({ value: String(value), text: String(value) }));
  const choices = {
    data: choice("data", sets.map((name) => ({ value: name, text: text(`set_${name}`) }))), // prettier-ignore
    activation: choice("activation", LIMITS.activations.map((name) => ({ value: name, text: text(name) }))), // prettier-ignore
    depth: choice("depth", numbers(LIMITS.depths)),
    width: choice("width", numbers(LIMITS.widths)),
    seed: choice("seed", numbers(Array.from({ length: LIMITS.seed + 1 }, (_, seed) => seed))),
  };
  /** A slider over a list of values. @param {"rate" | "batch"} name  @param {number[]} values  @param {(value: number) => string} write */
  const slider = (name, values, write) => {
    const made = createSlider({
      name,
      label: text(name),
      min: 0,
      max: values.length - 1,
      step: 1,
      write: (place) => write(Number(values[place])),
      onMove: (place) => onBranch({ [name]: Number(values[place]) }),
    });
    return { element: made.element, show: (/** @type {number} */ value) => made.show(values.indexOf(value)) };
  };
  const sliders = {
    rate: slider("rate", LIMITS.rates, String),
    batch: slider("batch", LIMITS.batches, (batch) => (batch === LIMITS.batches.at(-1) ? text("whole", { batch }) : String(batch))),
  };
  return {
    element: h(
      "div",
      { class: "dlc-choices" },
      ...[...Object.values(choices), ...Object.values(sliders)].map(({ element }) => element),
    ),
    /** @param {State} state */
    show({ data, activation, depth, width, seed, schedule, step }) {
      choices.data.show(data);
      choices.activation.show(activation);
      choices.depth.show(String(depth));
      choices.width.show(String(width));
      choices.seed.show(String(seed));
      const { rate, batch } = settingsAt(schedule, step);
      sliders.rate.show(rate);
      sliders.batch.show(batch);
    },
  };
}
