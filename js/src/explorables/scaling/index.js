/** The front end of `dlcompare.widgets.ScalingCurve`. */
import { float32 } from "../../engine/tensors.js";
import { createChoice } from "../../shared/controls.js";
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { createChart } from "./chart.js";
import { createDetail } from "./detail.js";
import { fitsOf } from "./fits.js";
import { createLaws } from "./laws.js";
import { createLegend } from "./legend.js";
import { along, change, choices, chosenIn, given, pressed, rowsOf, SCALES, withoutLargest } from "./rules.js";

/** @typedef {import("./rules.js").Point} Point */

export default defineExplorable({
  name: "scaling",
  keys: ["over", "family", "scale", "left_out", "point"],
  silent: ["scale", "point"],
  change: (state, wish, model) => change(state, wish, given(model)),
  async ask(state, run, model) {
    const all = given(model);
    const { over, left_out } = state;
    const answers = rowsOf(all, /** @type {any} */ (state)).map(async ({ family, members }) => {
      const points = members.map((index) => /** @type {Point} */ (all.points[index]));
      const inputs = {
        x: float32(points.map(({ x }) => x)),
        loss: float32(points.map(({ bits }) => bits)),
        keep: float32(members.map((index) => Number(!left_out.includes(index)))),
        grid: float32(all.grids[over] ?? []),
        reference: float32(Number(all.references[over])),
      };
      return [family, await run("power-law", inputs, family)];
    });
    return Object.fromEntries(await Promise.all(answers));
  },
  create({ text, model, set, shown }) {
    const all = given(model);
    const point = (/** @type {number} */ index) => /** @type {Point} */ (all.points[index]);
    /** @param {string} name  @param {string} label  @param {string[]} values  @param {(value: string) => string} word */
    const choice = (name, label, values, word) =>
      createChoice({ name, label: text(label), options: values.map((value) => ({ value, text: word(value) })), onChoose: (value) => set({ [name]: value }) });
    const controls = {
      over: choice("over", "over", Object.keys(all.grids), text),
      family: choice("family", "choose_family", choices(all), text),
      scale: choice("scale", "scale", SCALES, (value) => text(`scale_${value}`)),
    };
    const largest = h(
      "button",
      {
        type: "button",
        ...OWN_KEYS,
        class: "dlc-scaling-largest",
        "data-control": "largest",
        onclick() {
          const now = shown();
          const wish = now && withoutLargest(all, now.wanted);
          if (wish) set(wish);
        },
      },
      text("largest"),
    );
    const words = (/** @type {Point} */ { family, x, over, bits }) => ({ family: text(family), x: along(over, x), over: text(over), bits: short(bits) });
    const nameOf = (/** @type {Point} */ one) => text("point_of", words(one));
    const detail = createDetail(text, nameOf);
    const laws = createLaws(text, all);
    const legend = createLegend(text, all);
    /** @type {number | null} */
    let pointed = null;
    function drawDetail() {
      const now = shown();
      if (!now) return;
      const fits = fitsOf(all, now);
      const chosen = chosenIn(all, now.state);
      const seen = pointed !== null && fits.some(({ members }) => members.includes(Number(pointed))) ? pointed : chosen;
      const fit = fits.find(({ members }) => members.includes(seen));
      const how = { out: now.state["left_out"].includes(seen), pointed: seen !== chosen, family: all.families[point(seen).family] ?? "" };
      detail.draw(point(seen), fit?.at(seen) ?? null, how);
    }
    const chart = createChart({
      text,
      given: all,
      describe: (one) => text("mark", words(one)),
      onChoose: (index) => set({ point: index }),
      onPress(index) {
        const now = shown();
        if (now) set({ left_out: pressed(now.wanted, index), point: index });
      },
      onPoint(index) {
        if (index === pointed) return;
        pointed = index;
        drawDetail();
      },
    });
    /** @param {import("../../shared/explorable.js").Shown} now */
    const said = (now) =>
      fitsOf(all, now).map((fit) => {
        const numbers = Object.fromEntries(["alpha", "alpha_low", "alpha_high"].map((key) => [key, short(fit.one(key))]));
        return text(fit.there ? "law" : "too_few", { family: text(fit.family), fewest: all.fewest, ...numbers });
      });

    return {
      choices: [...Object.values(controls).map(({ element }) => element), largest],
      elements: [chart.element, legend.element, laws.element, laws.verdicts, detail.element],
      draw(now) {
        const { state, wanted } = now;
        for (const [key, control] of Object.entries(controls)) control.show(wanted[key]);
        put(largest, { "aria-disabled": withoutLargest(all, wanted) ? null : "true" });
        const fits = fitsOf(all, now);
        chart.draw(state, fits, chosenIn(all, state));
        laws.draw(state, fits);
        legend.draw(state, fits);
        drawDetail();
      },
      table(now) {
        const heads = ["family", "parameters", "data", "steps", "compute", "bits", "line", "apart", "fit"];
        return {
          columns: heads.map((head) => text(head)),
          rows: fitsOf(all, now).flatMap((fit) =>
            fit.members.map((index, at) => {
              const { parameters, characters, steps, flops, bits } = point(index);
              const told = fit.at(index);
              const counts = [parameters, characters, steps].map((count) => count.toLocaleString("en"));
              return [text(fit.family), ...counts, short(flops), bits, told?.line ?? "–", told?.apart ?? "–", text(fit.keep[at] ? "counts" : "out")];
            }),
          ),
        };
      },
      announce: (now) => text("announcement", { laws: said(now).join(" "), point: nameOf(point(chosenIn(all, now.state))) }),
    };
  },
});
