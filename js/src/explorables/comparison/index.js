/** The front end of `dlcompare.widgets.ComparisonLab`. Its numbers come with it: there is nothing to compute. */
import { createChoice } from "../../shared/controls.js";
import { h } from "../../shared/dom.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { createDetail } from "./detail.js";
import { createPlot } from "./plot.js";
import { createRanking } from "./ranking.js";
import { AXES, change, SCALES, tableOf } from "./rules.js";

/**
 * @typedef {import("./rules.js").Family} Family
 * @typedef {import("./rules.js").Task} Task
 * @typedef {import("./rules.js").Row} Row
 * @typedef {import("./rules.js").Table} Table
 */
const KEYS = ["task", "budget", "x", "y", "scale", "family"];

export default defineExplorable({
  name: "comparison",
  keys: KEYS,
  silent: KEYS,
  change: (state, wish, model) => change(state, wish, model.get("tables")),
  ask: () => Promise.resolve({}),
  create({ text, model, set, shown }) {
    /** @type {Task[]} */
    const tasks = model.get("tasks");
    /** @type {{name: string, title: string}[]} */
    const budgets = model.get("budgets");
    /** @type {Map<string, Family>} */
    const families = new Map(model.get("families").map((/** @type {Family} */ family) => [family.name, family]));
    const named = (/** @type {string} */ family) => /** @type {Family} */ (families.get(family));
    const told = (/** @type {{name: string, title: string}[]} */ all) => all.map(({ name, title }) => ({ value: name, text: title }));
    const options = {
      task: told(tasks),
      budget: told(budgets),
      x: AXES.map((value) => ({ value, text: text(`axis_${value}`) })),
      y: AXES.map((value) => ({ value, text: text(`axis_${value}`) })),
      scale: SCALES.map((value) => ({ value, text: text(`scale_${value}`) })),
    };
    // Where there is nothing to choose from, there is no choice.
    const choices = Object.entries(options)
      .filter(([, all]) => all.length > 1)
      .map(([name, all]) => ({ name, ...createChoice({ name, label: text(name), options: all, onChoose: (value) => set({ [name]: value }) }) }));

    const now = (/** @type {import("../../shared/explorable.js").State} */ state) => ({
      task: /** @type {Task} */ (tasks.find(({ name }) => name === state["task"])),
      budget: budgets.find(({ name }) => name === state["budget"])?.title ?? "",
      table: tableOf(model.get("tables"), state) ?? { task: state["task"], budget: state["budget"], rows: [], missing: [] },
    });
    const words = (/** @type {Task} */ task, /** @type {Row} */ row) => ({ name: named(row.family).title, rank: row.rank, metric: task.metric, value: short(Number(row.at[0])) });

    /** @type {string | null} */
    let pointed = null;
    function drawDetail() {
      const state = shown()?.state;
      if (!state) return;
      const { task, table } = now(state);
      const row = table.rows.find(({ family }) => family === (pointed ?? state["family"])) ?? table.rows.find(({ family }) => family === state["family"]);
      detail.element.hidden = !row;
      if (row) detail.draw(row, table.rows.length, task.metric, row.family !== state["family"]);
    }
    const reactions = {
      onChoose: (/** @type {string} */ family) => set({ family }),
      onPoint(/** @type {string | null} */ family) {
        if (family === pointed) return;
        pointed = family;
        plot.point(family);
        drawDetail();
      },
    };
    const describe = (/** @type {Row} */ row) => text("mark", words(now(shown()?.state ?? {}).task, row));
    const plot = createPlot({ text, named, describe, ...reactions });
    const ranking = createRanking({ text, named, ...reactions });
    const detail = createDetail(text, named, model.get("made"));
    const question = h("p", { class: "dlc-comparison-question" });
    const legend = h("p", { class: "dlc-signs", "aria-hidden": "true" }, ...["interval", "seed"].map((sign) => h("span", {}, h("span", { class: `dlc-comparison-sign is-${sign}` }), text(`legend_${sign}`))));
    return {
      choices: choices.map(({ element }) => element),
      elements: [question, h("div", { class: "dlc-comparison-stage" }, ranking.element, h("div", { class: "dlc-part" }, plot.element, legend)), detail.element],
      draw({ state, wanted }) {
        const { task, budget, table } = now(state);
        for (const { name, show } of choices) show(wanted[name]);
        question.textContent = text("judged", { summary: task.summary, budget, metric: task.metric, direction: text(task.higher ? "more" : "less") });
        ranking.draw(table, state["family"]);
        plot.draw({ task, rows: table.rows, state });
        plot.point(pointed);
        drawDetail();
      },
      table({ state }) {
        const { task, table } = now(state);
        return {
          columns: ["family", "rank", "metric", "low", "high", "runs", ...AXES.slice(1).map((axis) => `axis_${axis}`)].map((key) => text(key, { metric: task.metric })),
          rows: table.rows.map((row) => [named(row.family).title, row.rank, Number(row.at[0]), ...(row.interval ?? ["–", "–"]), row.runs.length, ...row.at.slice(1).map((value) => value ?? "–")]),
        };
      },
      announce({ state }) {
        const { task, budget, table } = now(state);
        const row = table.rows.find(({ family }) => family === state["family"]);
        const place = { task: task.title, budget };
        return row ? text("announcement", { ...place, ...words(task, row), count: table.rows.length }) : text("announcement_empty", place);
      },
      destroy() {
        plot.destroy();
        detail.destroy();
      },
    };
  },
});
