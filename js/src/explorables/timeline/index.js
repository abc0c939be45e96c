/** The front end of `dlcompare.widgets.ModelTimeline`. Its numbers come with it: there is nothing to compute. */
import { createChoice } from "../../shared/controls.js";
import { h } from "../../shared/dom.js";
import { defineExplorable } from "../../shared/explorable.js";
import { createChart } from "./chart.js";
import { createDetail } from "./detail.js";
import { change, MEASURES, SCALES } from "./rules.js";

/** @typedef {import("./rules.js").Model} Model */

export default defineExplorable({
  name: "timeline",
  keys: ["measure", "scale", "step"],
  silent: ["measure", "scale"],
  change: (state, wish, model) => change(state, wish, model.get("models").length),
  ask: (_state, _run, model) => Promise.resolve({ last: model.get("models").length - 1 }),
  last: ({ answers }) => answers["last"],
  pace: { slow: 900, fast: 600 },
  create({ text, model, set, shown }) {
    /** @type {Model[]} */
    const models = model.get("models");
    const date = (/** @type {Model} */ { paper: { year, month } }) => (month === null ? String(year) : `${text(`month_${month}`)} ${year}`);
    const layers = (/** @type {Model} */ one) => text(one.lane === "classic" ? "layers_count" : "blocks", { count: one.layers });
    const words = (/** @type {Model} */ one) => ({ name: one.name, date: date(one), layers: layers(one), width: one.width.toLocaleString("en"), parameters: one.parameters.toLocaleString("en") });
    const choices = {
      measure: createChoice({ name: "measure", label: text("measure"), options: MEASURES.map((value) => ({ value, text: text(value) })), onChoose: (measure) => set({ measure }) }),
      scale: createChoice({ name: "scale", label: text("scale"), options: SCALES.map((value) => ({ value, text: text(`scale_${value}`) })), onChoose: (scale) => set({ scale }) }),
    };
    const detail = createDetail(text, date);
    /** @type {number | null} */
    let pointed = null;
    function drawDetail() {
      const now = shown();
      if (!now) return;
      const index = pointed ?? now.state["step"];
      detail.draw(/** @type {Model} */ (models[index]), index !== now.state["step"]);
    }
    const chart = createChart({
      text,
      models,
      lanes: model.get("lanes"),
      describe: (one) => text("mark", words(one)),
      onChoose: (step) => set({ step }),
      onPoint(index) {
        if (index === pointed) return;
        pointed = index;
        drawDetail();
      },
    });
    const explained = (/** @type {string} */ sign) => h("span", {}, h("span", { class: `dlc-timeline-${sign}`, "aria-hidden": "true" }), text(`legend_${sign}`));
    const legend = h("p", { class: "dlc-signs" }, ...["hollow", "bar", "cut"].map(explained));
    return {
      choices: Object.values(choices).map(({ element }) => element),
      elements: [chart.element, legend, detail.element],
      draw(now) {
        choices.measure.show(now.wanted["measure"]);
        choices.scale.show(now.wanted["scale"]);
        chart.draw(now);
        drawDetail();
      },
      table: () => ({
        columns: ["model", "date", "layers", "width", "parameters", "paper"].map((key) => text(key)),
        rows: models.map((one) => [one.name, date(one), String(one.layers), one.width.toLocaleString("en"), one.parameters.toLocaleString("en"), one.paper.key]),
      }),
      announce: ({ state }) => text("announcement", words(/** @type {Model} */ (models[state["step"]]))),
    };
  },
});
