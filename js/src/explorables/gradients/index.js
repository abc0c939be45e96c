/** The front end of `dlcompare.widgets.GradientFlow`. */
import { float32, int32 } from "../../engine/tensors.js";
import { createSlider, createSwitch } from "../../shared/controls.js";
import { h, OWN_KEYS } from "../../shared/dom.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { createChart } from "./chart.js";
import { createMaps } from "./maps.js";
import { read } from "./numbers.js";
import { change, decades, drawn, LIMITS } from "./rules.js";

export default defineExplorable({
  name: "gradients",
  keys: ["depth", "length", "scale", "gate_bias", "residual", "seed", "layer", "time"],
  silent: ["layer", "time"],
  change: (state, wish, model) => change(state, wish, model.get("sizes")),
  async ask({ depth, length, scale, gate_bias, residual, seed }, run, model) {
    /** @type {import("./rules.js").Sizes} */
    const sizes = model.get("sizes");
    const numbers = drawn(seed, sizes);
    const shared = {
      inputs: float32(numbers.inputs, [sizes.length, sizes.width]),
      scale: float32(scale),
      gate_bias: float32(gate_bias),
      residual: float32(Number(residual)),
      depth: int32(depth),
      length: int32(length),
    };
    const answers = Object.entries(sizes.matrices).map(async ([network, count]) => {
      const draws = float32(numbers.weights(count), [sizes.depth, count, sizes.width, sizes.width]);
      return [network, await run(`gradient-${network}`, { draws, ...shared }, network)];
    });
    return Object.fromEntries(await Promise.all(answers));
  },
  create({ text, model, set, shown }) {
    /** @type {import("./rules.js").Sizes} */
    const sizes = model.get("sizes");
    const networks = Object.keys(sizes.matrices);
    /** @param {string} name  @param {number} min  @param {number} max  @param {number} step */
    const slider = (name, min, max, step) => createSlider({ name, label: text(name), min, max, step, write: short, onMove: (value) => set({ [name]: value }) });
    const sliders = [
      slider("depth", 1, sizes.depth, 1),
      slider("length", 1, sizes.length, 1),
      slider("scale", LIMITS.scale.least, LIMITS.scale.most, 0.05),
      slider("gate_bias", 0, LIMITS.bias, 0.5),
    ];
    const residual = createSwitch({ name: "residual", label: text("residual"), onChange: (on) => set({ residual: on }) });
    const other = h(
      "button",
      {
        type: "button",
        ...OWN_KEYS,
        class: "dlc-gradients-other",
        "data-control": "seed",
        onclick() {
          const now = shown();
          if (now) set({ seed: (now.wanted["seed"] + 1) % (LIMITS.seed + 1) });
        },
      },
      text("other_weights"),
    );
    const maps = createMaps({ text, networks, onPlace: set });
    const byTime = createChart(text, "time", (time) => set({ time }));
    const byDepth = createChart(text, "depth", (layer) => set({ layer }));
    /** @param {import("./numbers.js").Numbers} numbers */
    const said = ({ norm, layer, time }) => networks.map((network) => `${text(network)} ${short(norm(network, layer, time))}`).join(", ");

    return {
      choices: [...sliders.map(({ element }) => element), residual.element, other],
      elements: [maps.element, h("div", { class: "dlc-gradients-charts" }, byTime.element, byDepth.element)],
      draw(now) {
        const { wanted } = now;
        const numbers = read(now);
        const { norm, layer, time, depth, length } = numbers;
        ["depth", "length", "scale", "gate_bias"].forEach((name, index) => sliders[index]?.show(wanted[name]));
        residual.show(wanted["residual"]);
        maps.draw(now, numbers);
        const range = decades(networks.flatMap((network) => numbers.all(network)));
        const rows = networks.map((network) => ({ network, values: Array.from({ length }, (_, index) => norm(network, layer, index + 1)) }));
        const columns = networks.map((network) => ({ network, values: Array.from({ length: depth + 1 }, (_, index) => norm(network, index, time)) }));
        byTime.draw({ title: text("by_time", { layer }), lines: rows, first: 1, chosen: time, decades: range, axis: text("step") });
        byDepth.draw({ title: text("by_depth", { time }), lines: columns, first: 0, chosen: layer, decades: range, axis: text("layers_axis") });
      },
      table(now) {
        const { norm, layer, length } = read(now);
        return {
          columns: [text("step"), ...networks.map((network) => text(network))],
          rows: Array.from({ length }, (_, index) => [String(index + 1), ...networks.map((network) => norm(network, layer, index + 1))]),
        };
      },
      announce(now) {
        const numbers = read(now);
        return text("announcement", { layer: numbers.layer, time: numbers.time, numbers: said(numbers) });
      },
      destroy() {
        byTime.destroy();
        byDepth.destroy();
      },
    };
  },
});
