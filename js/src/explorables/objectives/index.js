/** The front end of `dlcompare.widgets.ObjectiveViewer`. */
import { int32 } from "../../engine/tensors.js";
import { createChoice } from "../../shared/controls.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { createTextField } from "../../shared/text_field.js";
import { readerOf, refusal } from "../../shared/text_reader.js";
import { createFigure } from "./figure.js";
import { askedAt, change, OBJECTIVES, pressed, rowOf } from "./rules.js";

/**
 * @typedef {import("../../shared/types.js").Model} Model
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */

const counter = (/** @type {Model} */ model) => (/** @type {string} */ prompt) => readerOf(model)(prompt).ids.length;

export default defineExplorable({
  name: "objectives",
  keys: ["objective", "first", "second", "hidden", "follows", "place"],
  change: (state, wish, model) => change(state, wish, counter(model)),
  ask(state, run, model) {
    const { ids, segments, targets } = rowOf(state, model.get("sizes"), readerOf(model));
    const row = [1, ids.length];
    const place = int32(state["place"]);
    if (state["objective"] === "causal") return run("objective-causal", { ids: int32(ids, row), place });
    const label = int32(Number(!state["follows"]));
    return run("objective-encoder", { ids: int32(ids, row), segments: int32(segments, row), targets: int32(targets), place, label });
  },
  create({ text, model, set, say, shown }) {
    /** @type {import("./rules.js").Sizes} */
    const sizes = model.get("sizes");
    const read = readerOf(model);
    const count = counter(model);
    const token = (/** @type {number} */ id) => (id < sizes.vocab_size ? read.token(id) : String(sizes.names[id - sizes.vocab_size]));
    const fields = ["first", "second"].map((key) =>
      createTextField({ text, name: key, label: text(key), refusal: (value) => refusal(value, { count }), onInput: (prompt) => set({ [key]: prompt }), say, now: () => shown()?.wanted[key] }),
    );
    const objective = createChoice({
      name: "objective",
      label: text("objective"),
      options: OBJECTIVES.map((value) => ({ value, text: text(`objective_${value}`) })),
      onChoose: (value) => set({ objective: value }),
    });
    const label = createChoice({
      name: "follows",
      label: text("label"),
      options: ["follows", "not"].map((value) => ({ value, text: text(value) })),
      onChoose: (value) => set({ follows: value === "follows" }),
    });
    const figure = createFigure({
      text,
      measured: model.get("measured"),
      token,
      onLook: (place) => set({ place }),
      onPress(place) {
        const now = shown();
        if (now) set(pressed(now.wanted, place, count(now.wanted["first"])));
      },
      shown,
      rowOf: ({ state }) => rowOf(state, sizes, read),
    });

    return {
      choices: [...fields.map(({ element }) => element), objective.element, label.element],
      elements: [figure.element],
      draw(now) {
        const { wanted } = now;
        const next = wanted["objective"] === "next";
        fields.forEach((field, index) => field.show(wanted[index ? "second" : "first"]));
        objective.show(wanted["objective"]);
        label.show(wanted["follows"] ? "follows" : "not");
        for (const control of [fields[1], label]) if (control) control.element.hidden = !next;
        figure.draw(now);
      },
      table: (now) => ({ columns: ["read", "target", "probability", "loss"].map((key) => text(`column_${key}`)), rows: rowsOf(now) }),
      announce({ state, answers }) {
        const next = state["objective"] === "next";
        return text(`announce_${state["objective"]}`, { loss: short(Number(answers[next ? "next_loss" : "loss"].data[0])), p: short(Number(answers["next"]?.data[0])) });
      },
    };

    /** @param {Shown} now */
    function rowsOf({ state, answers }) {
      if (state["objective"] === "next") {
        const place = state["follows"] ? 0 : 1;
        return [[token(sizes.cls), text(place ? "not" : "follows"), Number(answers["next"].data[place]), Number(answers["next_loss"].data[0])]];
      }
      const row = rowOf(state, sizes, read);
      return askedAt(row).map((place) => [row.tokens[place] ?? "", token(Number(row.targets[place])), Number(answers["given"].data[place]), Number(answers["losses"].data[place])]);
    }
  },
});
