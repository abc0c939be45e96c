/** The front end of `dlcompare.widgets.PositionExplorer`. */
import { int32 } from "../../engine/tensors.js";
import { createChoice, createSwitch } from "../../shared/controls.js";
import { defineExplorable } from "../../shared/explorable.js";
import { short } from "../../shared/format.js";
import { h, put } from "../../shared/dom.js";
import { createTextField } from "../../shared/text_field.js";
import { readerOf, refusal } from "../../shared/text_reader.js";
import { createDots } from "./dots.js";
import { createRotation } from "./rotation.js";
import { change, dimensionOf, distanceOf, KINDS, widthOf } from "./rules.js";
import { createShuffle } from "./shuffle.js";
import { createVectors } from "./vectors.js";

/** How many tokens a text has; raises when it cannot be read. @param {import("../../shared/types.js").Model} model */
const limitsOf = (model) => ({ count: (/** @type {string} */ prompt) => readerOf(model)(prompt).ids.length });

export default defineExplorable({
  name: "positions",
  keys: ["prompt", "order", "kind", "causal", "token", "position", "distance", "dimension"],
  change: (state, wish, model) => change(state, wish, model.get("sizes"), (prompt) => (refusal(prompt, limitsOf(model)) ? 0 : limitsOf(model).count(/** @type {string} */ (prompt)))),
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
    const field = createTextField({ text, name: "prompt", label: text("prompt"), refusal: (prompt) => refusal(prompt, limitsOf(model)), onInput: (prompt) => set({ prompt }), say, now: () => shown()?.wanted["prompt"] });
    const vectors = createVectors(text, sizes, set);
    const dots = createDots(text, set);
    const rotation = createRotation(text, sizes);
    const shuffle = createShuffle(text, set, () => shown()?.wanted);
    const without = h("p", { class: "dlc-positions-none" }, text("without"));
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
        field.show(wanted["prompt"]);
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
