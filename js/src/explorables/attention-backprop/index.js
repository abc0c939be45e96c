/** The front end of `dlcompare.widgets.AttentionBackprop`. */
import { float32, int32 } from "../../engine/tensors.js";
import { createChoice, createSwitch } from "../../shared/controls.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { createEditor } from "./editor.js";
import { cellName } from "./names.js";
import { read } from "./numbers.js";
import { createOverview } from "./overview.js";
import { createPaths } from "./paths.js";
import { change, counts, GIVEN, LIMITS, LOSSES, opened, TOKENS, WIDTH } from "./rules.js";
import { createStage } from "./stage.js";
import { createWorking } from "./working.js";

/** What comes back to X, in the order of the table's columns. */
const WAYS = ["dxr", "dxq", "dxk", "dxv", "dx"];

export default defineExplorable({
  name: "attention-backprop",
  keys: [...Object.keys(GIVEN), "causal", "loss_on", "step", "part", "row", "column", "middle", "edited"],
  silent: ["part", "row", "column", "middle", "edited"],
  change,
  ask: (state, run) =>
    run("attention-backprop", {
      ...Object.fromEntries(Object.entries(GIVEN).map(([name, size]) => [name, float32(state[name].flat(), size)])),
      causal: int32(Number(state["causal"])),
      counts: float32(counts(state)),
    }),
  last: () => LIMITS.step,
  pace: { slow: 1800, fast: 1400 },
  create({ text, set, shown }) {
    const causal = createSwitch({ name: "causal", label: text("causal"), onChange: (on) => set({ causal: on }) });
    const loss = createChoice({
      name: "lossOn",
      label: text("loss_on"),
      options: LOSSES.map((value) => ({ value, text: text(`loss_${value}`) })),
      onChoose: (value) => set({ loss_on: value }),
    });
    const overview = createOverview(text, (step) => set({ step }));
    const stage = createStage(text, set);
    const working = createWorking(text);
    const paths = createPaths(text);
    const editor = createEditor(text, set, () => shown()?.wanted);
    return {
      choices: [loss.element, causal.element],
      elements: [overview.element, stage.element, working.element, paths.element, editor.element],
      draw(now) {
        const numbers = read(now);
        causal.show(now.wanted["causal"]);
        loss.show(now.wanted["loss_on"]);
        overview.draw(now, numbers);
        stage.draw(now, numbers);
        working.draw(now, numbers);
        paths.draw(now, numbers);
        editor.draw(now);
      },
      table(now) {
        const numbers = read(now);
        const cells = Array.from({ length: TOKENS * WIDTH }, (_, place) => /** @type {[number, number]} */ ([Math.floor(place / WIDTH), place % WIDTH]));
        return {
          columns: ["x", ...WAYS].map((key) => text(`column_${key}`)),
          rows: cells.map((cell) => [cellName("x", cell), ...WAYS.map((way) => numbers.at(way, cell))]),
        };
      },
      announce(now) {
        const open = opened(now.state);
        if (!open) return text("deed_start");
        const { part, cell } = open;
        const name = part.kind === "loss" ? "L" : cellName(part.result, cell);
        return text("announcement", { name, value: short(read(now).at(part.result, cell)) });
      },
    };
  },
});
