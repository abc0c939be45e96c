/** The front end of `dlcompare.widgets.BackpropStepper`. */
import { float32 } from "../../engine/tensors.js";
import { createSlider } from "../../shared/controls.js";
import { h, OWN_KEYS } from "../../shared/dom.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { createGraphView } from "./graph_view.js";
import { read } from "./numbers.js";
import { createParameters } from "./parameters.js";
import { change, deed, HIDDEN, LIMITS, OUTPUT, PARAMETERS, withNumber } from "./rules.js";
import { createWorking } from "./working.js";

export default defineExplorable({
  name: "backprop",
  keys: ["x", "target", "hidden", "output", "learning_rate", "step"],
  change,
  ask: ({ x, target, hidden, output, learning_rate }, run) =>
    run("backprop", {
      x: float32(x),
      target: float32(target),
      hidden: float32(hidden.flat(), [2, 3]),
      output: float32(output),
      learning_rate: float32(learning_rate),
    }),
  last: () => LIMITS.step,
  pace: { slow: 1200, fast: 900 },
  create({ text, set, shown }) {
    const rate = createSlider({
      name: "learningRate",
      label: text("learning_rate"),
      min: 0,
      max: LIMITS.rate,
      step: 0.05,
      write: short,
      onMove: (learning_rate) => set({ learning_rate }),
    });
    const graph = createGraphView(text, (step) => set({ step }));
    const working = createWorking(text);
    const parameters = createParameters(text, (name, value) => {
      const now = shown();
      if (now) set(withNumber(now.wanted, name, value));
    });
    const goOn = h(
      "button",
      {
        type: "button",
        ...OWN_KEYS,
        "data-control": "takeStep",
        onclick() {
          const now = shown();
          if (!now) return;
          const { next } = read(now);
          set({ hidden: HIDDEN.map((names) => names.map(next)), output: OUTPUT.map(next) });
        },
      },
      text("take_step"),
    );
    return {
      choices: [rate.element],
      elements: [graph.element, working.element, parameters.element, goOn],
      draw(now) {
        const numbers = read(now);
        rate.show(now.wanted["learning_rate"]);
        graph.draw(now, numbers);
        working.draw(now, numbers);
        parameters.draw(now, numbers);
      },
      table(now) {
        const { value, slope, next } = read(now);
        return {
          columns: ["parameter", "value", "gradient", "new_value"].map((key) => text(key)),
          rows: PARAMETERS.map((name) => [name, value(name), slope(name), next(name)]),
        };
      },
      announce(now) {
        const { kind, operation } = deed(now.state["step"]);
        const numbers = read(now);
        const name = operation?.result ?? "L";
        if (kind === "forward") return text("box", { name, value: short(numbers.value(name)) });
        if (kind === "backward") return text("box_slope", { name, value: short(numbers.slope(name)) });
        return kind === "update" ? text("announce_update", { before: short(numbers.value("L")), after: short(numbers.newLoss) }) : text("start");
      },
    };
  },
});
