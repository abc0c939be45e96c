/** The front end of `dlcompare.widgets.ForwardPass`. */
import { float32 } from "../../engine/tensors.js";
import { createChoice, createSlider } from "../../shared/controls.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { createCalculation } from "./calculation.js";
import { createNetwork } from "./network.js";
import { ACTIVATIONS, change, countNeurons, LIMITS, whereIs, withWeight } from "./rules.js";

/** @typedef {import("../../engine/tensors.js").Tensors} Tensors */

/** A number of an answer. @param {Tensors} answers  @param {string} name  @param {number} place */
const at = (answers, name, place) => Number(answers[name]?.data[place]);

export default defineExplorable({
  name: "forward",
  keys: ["x", "weights", "activation", "step", "neuron"],
  silent: ["neuron"],
  change: (state, wish, model) => change(state, wish, model.get("sizes")),
  ask({ x, weights, activation }, run) {
    /** @type {Tensors} */
    const inputs = { x: float32(x) };
    weights.forEach((/** @type {number[][]} */ matrix, /** @type {number} */ index) => {
      const rows = matrix.map((row) => row.slice(0, -1));
      inputs[`w${index + 1}`] = float32(rows.flat(), [rows.length, Number(rows[0]?.length)]);
      inputs[`b${index + 1}`] = float32(matrix.map((row) => Number(row.at(-1))));
    });
    const sizes = [x.length, ...weights.map((/** @type {number[][]} */ matrix) => matrix.length)];
    return run(["forward", ...sizes, activation].join("-"), inputs, "forward");
  },
  last: ({ state }) => state["weights"].reduce((/** @type {number} */ sum, /** @type {number[][]} */ matrix) => sum + matrix.length, 0),
  pace: { slow: 700, fast: 350 },
  create({ text, model, set, shown }) {
    /** @type {number[]} */
    const sizes = model.get("sizes");
    const activation = createChoice({
      name: "activation",
      label: text("activation"),
      options: ACTIVATIONS.map((value) => ({ value, text: text(value) })),
      onChoose: (value) => set({ activation: value }),
    });
    const sliders = Array.from({ length: Number(sizes[0]) }, (_, index) =>
      createSlider({
        name: `x${index + 1}`,
        label: text("input", { place: index + 1 }),
        min: -LIMITS.input,
        max: LIMITS.input,
        step: 0.1,
        write: short,
        onMove: (value) => move(index, () => value),
      }),
    );
    /** @param {number} input  @param {(value: number) => number} to */
    const move = (input, to) => {
      const { x } = shown()?.wanted ?? {};
      set({ x: x?.map((/** @type {number} */ old, /** @type {number} */ index) => (index === input ? to(old) : old)) });
    };
    const network = createNetwork({
      text,
      sizes,
      onFlip: (input) => move(input, (value) => (value === 0 ? 1 : 0)),
      onOpen: (neuron) => set({ neuron }),
      onWeight(neuron, input) {
        set({ neuron });
        calculation.edit(input);
      },
    });
    const calculation = createCalculation({
      text,
      onWeight(input, value) {
        const now = shown();
        if (now) set({ weights: withWeight(now.wanted["weights"], whereIs(sizes, now.wanted["neuron"]), input, value) });
      },
    });

    return {
      choices: [...sliders.map(({ element }) => element), activation.element],
      elements: [network.element, calculation.element],
      draw(now) {
        activation.show(now.wanted["activation"]);
        sliders.forEach((slider, index) => slider.show(now.wanted["x"][index]));
        network.draw(now);
        calculation.draw(now, sizes);
      },
      table: ({ answers }) => ({
        columns: ["neuron", "z", "y"].map((key) => text(key)),
        rows: Array.from({ length: countNeurons(sizes) }, (_, neuron) => {
          const { layer, place } = whereIs(sizes, neuron);
          return [text("neuron_name", { layer, place: place + 1 }), at(answers, `z${layer}`, place), at(answers, `y${layer}`, place)];
        }),
      }),
      announce: ({ state, answers }) => {
        const { layer, place } = whereIs(sizes, state["neuron"]);
        const values = { layer, place: place + 1, z: short(at(answers, `z${layer}`, place)), y: short(at(answers, `y${layer}`, place)) };
        return state["neuron"] < state["step"] ? text("announcement", values) : text("not_yet", values);
      },
    };
  },
});
