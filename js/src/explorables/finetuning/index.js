/** The front end of `dlcompare.widgets.FineTuning`. */
import { float32, int32 } from "../../engine/tensors.js";
import { createChoice, createSlider } from "../../shared/controls.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { createTextField } from "../../shared/text_field.js";
import { readerOf, refusal } from "../../shared/text_reader.js";
import { createRecorded } from "./recorded.js";
import { change, idsOf } from "./rules.js";
import { createWeights } from "./weights.js";
import { createWriting, likeliest, WHOSE } from "./writing.js";

/** @param {import("../../shared/types.js").Model} model */
const limitsOf = (model) => ({
  sizes: model.get("sizes"),
  matrices: model.get("changes").length,
  count: (/** @type {string} */ prompt) => readerOf(model)(prompt).ids.length,
});

export default defineExplorable({
  name: "finetuning",
  keys: ["prompt", "chat", "strength", "matrix", "step"],
  silent: ["matrix"],
  change: (state, wish, model) => change(state, wish, limitsOf(model)),
  async ask(state, run, model, _answered, show) {
    const { sizes } = limitsOf(model);
    const ids = idsOf(state, readerOf(model)(state["prompt"]).ids, sizes);
    const texts = [[...ids], [...ids]];
    const strength = float32(state["strength"]);
    const steps = [];
    for (let step = 0; step <= sizes.steps; step++) {
      const outputs = await run("finetuning", { ids: int32(texts.flat(), [2, ids.length + step]), strength });
      steps.push(outputs);
      show({ ids, steps: [...steps] });
      const { dims, data } = /** @type {import("../../engine/tensors.js").Tensor} */ (outputs["top"]);
      texts.forEach((written, model) => written.push(Number(data[model * Number(dims[1])])));
    }
    return { ids, steps };
  },
  last: ({ answers }) => answers["steps"].length - 1,
  pace: { slow: 700, fast: 700 },
  create({ text, model, set, say, shown }) {
    const { sizes, count } = limitsOf(model);
    const { token } = readerOf(model);
    const prompt = createTextField({ text, name: "prompt", label: text("prompt"), refusal: (value) => refusal(value, { count }), onInput: (value) => set({ prompt: value }), say, now: () => shown()?.wanted["prompt"] });
    const chat = createChoice({
      name: "chat",
      label: text("chat"),
      options: ["plain", "chat"].map((value) => ({ value, text: text(`chat_${value}`) })),
      onChoose: (value) => set({ chat: value === "chat" }),
    });
    const strength = createSlider({
      name: "strength",
      label: text("strength"),
      min: 0,
      max: sizes.strength,
      step: 0.05,
      write: short,
      onMove: (value) => set({ strength: value }),
    });
    const writing = createWriting(text, token, sizes);
    const weights = createWeights(text, model.get("changes"), sizes.rank, (matrix) => set({ matrix }));
    const recorded = createRecorded(text, model.get("recorded"));
    return {
      choices: [prompt.element, chat.element, strength.element],
      elements: [writing.element, weights.element, recorded.element],
      draw(now) {
        const { wanted } = now;
        prompt.show(wanted["prompt"]);
        chat.show(wanted["chat"] ? "chat" : "plain");
        strength.show(wanted["strength"]);
        writing.draw(now);
        weights.draw(now);
      },
      table: (now) => ({
        columns: ["whose", "token", "before", "after"].map((key) => text(`column_${key}`)),
        rows: WHOSE.flatMap((whose, of) => likeliest(now, of).map(({ id, values }) => [text(whose), token(id), ...values])),
      }),
      announce(now) {
        const [before, after] = [0, 1].map((of) => token(Number(likeliest(now, of)[0]?.id)));
        return text("announcement", { before: before ?? "", after: after ?? "" });
      },
    };
  },
});
