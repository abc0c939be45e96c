/** The front end of `dlcompare.widgets.FeatureMaps`. */
import { float32, int32 } from "../../engine/tensors.js";
import { createChoice } from "../../shared/controls.js";
import { h, put } from "../../shared/dom.js";
import { defineExplorable } from "../../shared/explorable.js";
import { full, short } from "../../shared/format.js";
import { fromText, SIDE } from "../../shared/pixel_text.js";
import { createMaps } from "./maps.js";
import { createPictures } from "./pictures.js";
import { change, hasPlaces, over } from "./rules.js";
import { createUnitView } from "./unit_view.js";

/**
 * @typedef {import("./rules.js").Stage} Stage
 * @typedef {import("../../shared/types.js").Model} Model
 */

/** @param {Model} model @returns {Stage[]} */
const stagesOf = (model) => model.get("stages");
/** @param {Model} model @returns {{label: number, image: string}[]} */
const examplesOf = (model) => model.get("examples");
const imageOf = (/** @type {Model} */ model, /** @type {number} */ index) => examplesOf(model)[index]?.image ?? "";

export default defineExplorable({
  name: "features",
  keys: ["image", "step", "unit", "source", "digit"],
  silent: ["source"],
  asksForSteps: true,
  change: (state, wish, model) => change(state, wish, { stages: stagesOf(model), images: examplesOf(model).length, classes: model.get("classes") }),
  async ask({ image, step, unit, digit }, run, model) {
    const pixels = float32(Float32Array.from(fromText(imageOf(model, image)) ?? [], (level) => level / 255), [SIDE, SIDE]);
    const [channel, row, column] = unit.map((/** @type {number} */ at) => int32(at));
    const [features, saliency] = await Promise.all([
      run(`features-${stagesOf(model)[step]?.name}`, { image: pixels, channel, row, column }, "features"),
      run("saliency", { image: pixels, digit: int32(digit) }),
    ]);
    return { features, saliency };
  },
  last: () => 7,
  pace: { slow: 1800, fast: 1400 },
  create({ text, model, set, shown }) {
    const stages = stagesOf(model);
    const nameOf = (/** @type {Stage} */ { kind, level }) => text(kind, { level });
    const image = createChoice({
      name: "image",
      label: text("image"),
      options: examplesOf(model).map(({ label }, index) => ({ value: String(index), text: text("image_option", { label, index: index + 1 }) })),
      onChoose: (value) => set({ image: Number(value) }),
    });
    const layer = createChoice({
      name: "layer",
      label: text("layer"),
      options: stages.map((stage, index) => ({ value: String(index), text: nameOf(stage) })),
      onChoose: (value) => set({ step: Number(value) }),
    });
    const digit = createChoice({
      name: "digit",
      label: text("digit_label"),
      options: Array.from({ length: model.get("classes") }, (_, index) => ({ value: String(index), text: text("digit_option", { digit: index }) })),
      onChoose: (value) => set({ digit: Number(value) }),
    });
    /** The wanted state with its layer. */
    const now = () => {
      const { unit, step } = shown()?.wanted ?? { unit: [0, 0, 0], step: 0 };
      return { unit, stage: /** @type {Stage} */ (stages[step]) };
    };
    const pictures = createPictures({
      text,
      now,
      onPixel(pixel) {
        const { unit, stage } = now();
        set({ unit: over(stage, unit, pixel) });
      },
      onPlace: ([row, column]) => set({ unit: [now().unit[0], row, column] }),
    });
    const maps = createMaps(text, () => now().unit[0], (channel) => set({ unit: [channel, ...now().unit.slice(1)] }));
    const unitView = createUnitView(text, (source) => set({ source }));
    const answer = h("p", { class: "dlc-features-answer" });
    const best = (/** @type {ArrayLike<number>} */ values) => Array.prototype.indexOf.call(values, Math.max(...Array.from(values)));

    return {
      choices: [image.element, layer.element, digit.element],
      elements: [answer, pictures.element, maps.element, unitView.element],
      draw(all) {
        const { state, wanted, answers } = all;
        const stage = /** @type {Stage} */ (stages[state["step"]]);
        image.show(String(wanted["image"]));
        layer.show(String(wanted["step"]));
        digit.show(String(wanted["digit"]));
        const probabilities = answers["saliency"].probabilities.data;
        const read = best(probabilities);
        answer.textContent = text("answer", { digit: read, probability: short(Number(probabilities[read])) });
        put(answer, { "data-value": read, "data-probability": Number(probabilities[read]), title: full(Number(probabilities[read])) });
        pictures.draw(all, stage, imageOf(model, state["image"]), nameOf(stage));
        maps.draw(all, stage);
        unitView.draw(all, stage);
      },
      table({ state, answers: { features } }) {
        const pools = stages[state["step"]]?.kind === "pooling";
        const numbers = Array.from(/** @type {Float32Array} */ ((pools ? features.window : features.shares).data));
        const rows = numbers.map((value, index) => [pools ? `${Math.floor(index / 2)}, ${index % 2}` : String(index), value]);
        const ends = (pools ? ["y"] : ["bias", "z", "y"]).map((key) => [text(key), Number(features[key].data[0])]);
        return { columns: [text("source"), text("share")], rows: [...rows, ...ends] };
      },
      announce({ state, answers: { features } }) {
        const stage = /** @type {Stage} */ (stages[state["step"]]);
        const [channel, row, column] = state["unit"];
        const values = { stage: nameOf(stage), channel, map: text("map", { channel }), row, column, y: short(Number(features.y.data[0])) };
        return text(hasPlaces(stage) ? "announce" : "announce_flat", values);
      },
    };
  },
});
