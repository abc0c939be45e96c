/** The front end of `dlcompare.widgets.PositionExplorer`. */
import { int32 } from "../../engine/tensors.js";
import { createChoice, createField, createSwitch } from "../../shared/controls.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { h, put } from "../../shared/dom.js";
import { refusal } from "../attention/rules.js";
import { createReader } from "../attention/text.js";
import { createDots } from "./dots.js";
import { createRotation } from "./rotation.js";
import { change, dimensionOf, distanceOf, KINDS, LONGEST_PROMPT, widthOf } from "./rules.js";
import { createShuffle } from "./shuffle.js";
import { createVectors } from "./vectors.js";

/** Readers of texts, by the model that holds their tokenizer. @type {WeakMap<object, ReturnType<typeof createReader>>} */
const readers = new WeakMap();

/** @param {import("../../shared/types.js").Model} model */
function readerOf(model) {
  const reader = readers.get(model) ?? createReader(model.get("tokenizer"), model.get("sizes").longest);
  readers.set(model, reader);
  return reader;
}
/** Why a text cannot be read; null when it can. @param {unknown} prompt  @param {import("../../shared/types.js").Model} model */
const refused = (prompt, model) => {
  if (typeof prompt === "string" && [...prompt].length > LONGEST_PROMPT) return "long";
  return refusal(prompt, { count: (text) => readerOf(model)(text).ids.length });
};

export default defineExplorable({
  name: "positions",
  keys: ["prompt", "order", "kind", "causal", "token", "position", "distance", "dimension"],
  change: (state, wish, model) => change(state, wish, model.get("sizes"), (prompt) => (refused(prompt, model) === null ? readerOf(model)(/** @type {string} */ (prompt)).ids.length : 0)),
  ask(state, run, model) {
    const { ids } = readerOf(model)(state["prompt"]);
    return run("positions", {
      ids: int32(ids),
      order: int32(state["order"]),
      kind: int32(KINDS.indexOf(state["kind"])),
      causal: int32(Number(state["causal"])),
      token: int32(state["token"]),
      position: int32(state["position"]),
      distance: int32(distanceOf(state)),
      pair: int32(Math.floor(dimensionOf(state, widthOf("rotary", model.get("sizes"))) / 2)),
    });
  },
  create({ text, model, set, say, shown }) {
    const sizes = model.get("sizes");
    const kind = createChoice({
      name: "kind",
      label: text("kind"),
      options: KINDS.map((value) => ({ value, text: text(`kind_${value}`) })),
      onChoose: (value) => set({ kind: value }),
    });
    const causal = createSwitch({ name: "causal", label: text("causal"), onChange: (on) => set({ causal: on }) });
    const field = createField({
      name: "prompt",
      label: text("prompt"),
      longest: LONGEST_PROMPT,
      onInput(prompt) {
        set({ prompt });
        const reason = refused(prompt, model);
        if (reason) say(text(`prompt_${reason}`));
      },
    });
    // What was refused gives way to what is shown.
    field.input.addEventListener("blur", () => {
      if (!refused(field.input.value, model)) return;
      field.show(shown()?.wanted["prompt"] ?? "");
      say("");
    });
    const vectors = createVectors(text, sizes, set);
    const dots = createDots(text, set);
    const rotation = createRotation(text, sizes);
    const shuffle = createShuffle(text, set, () => shown()?.wanted);
    const without = h("p", { class: "dlc-positions-none" }, text("without"));
    let written = "";
    const tokensOf = (/** @type {import("./rules.js").State} */ state) => readerOf(model)(state["prompt"]).tokens;
    return {
      choices: [kind.element, causal.element, field.element],
      elements: [shuffle.element, vectors.element, dots.element, rotation.element, without],
      draw(now) {
        const { state, wanted } = now;
        const tokens = tokensOf(state);
        const token = tokens[state["token"]] ?? "";
        kind.show(wanted["kind"]);
        causal.show(wanted["causal"]);
        // Only what was changed elsewhere: a reader's own text stays under the reader's hand.
        if (wanted["prompt"] !== written) field.show((written = wanted["prompt"]));
        put(without, { hidden: state["kind"] !== "none" });
        shuffle.draw(now, tokens);
        vectors.draw(now);
        dots.draw(now, token);
        rotation.draw(now, token);
      },
      table({ state, answers }) {
        const tokens = tokensOf(state);
        return {
          columns: ["token", "size", "apart"].map((key) => text(`column_${key}`)),
          rows: state["order"].map((/** @type {number} */ from, /** @type {number} */ place) => [tokens[from], Number(answers["sizes"].data[place]), Number(answers["apart"].data[place])]),
        };
      },
      announce: ({ state, answers }) => text("verdict", { kind: text(`kind_${state["kind"]}`), mask: text(state["causal"] ? "mask_on" : "mask_off"), value: short(Number(answers["largest"].data[0])) }),
    };
  },
});
