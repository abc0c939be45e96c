/** The front end of `dlcompare.widgets.RecurrentStepper`. */
import { int32 } from "../../engine/tensors.js";
import { createChoice } from "../../shared/controls.js";
import { h } from "../../shared/dom.js";
import { defineExplorable } from "../../shared/explorable.js";
import { full, short } from "../../shared/format.js";
import { strongest } from "../../shared/order.js";
import { createTextField } from "../../shared/text_field.js";
import { createTokenRow } from "../../shared/token_row.js";
import { readable } from "../../shared/token_text.js";
import { createTokenizer } from "../../shared/tokenizer.js";
import { createEquations } from "./equations.js";
import { createNext } from "./next.js";
import { read } from "./numbers.js";
import { change, gateOf, partOf, refusal, wentOn } from "./rules.js";
import { createSum } from "./sum.js";
import { createVectors } from "./vectors.js";

/** @typedef {import("../../shared/types.js").Model} Model */

/** @param {Model} model @returns {import("./rules.js").Limits} */
function limitsOf(model) {
  const known = new Set(model.get("tokenizer").characters);
  return { kinds: model.get("kinds"), ...model.get("sizes"), knows: (text) => [...text].every((character) => known.has(character)) };
}

export default defineExplorable({
  name: "recurrent",
  keys: ["prompt", "kind", "part", "unit", "step"],
  change: (state, wish, model) => change(state, wish, limitsOf(model)),
  ask(state, run, model) {
    const ids = createTokenizer(model.get("tokenizer")).encode(state["prompt"]);
    const filled = Array.from({ length: model.get("sizes").longest }, (_, place) => ids[place] ?? 0);
    return run(`recurrent-${state["kind"]}`, { ids: int32(filled), unit: int32(state["unit"]), gate: int32(gateOf(state)) }, "recurrent");
  },
  last: ({ wanted }) => [...wanted["prompt"]].length - 1,
  pace: { slow: 700, fast: 350 },
  create({ text, model, set, say, shown }) {
    const limits = limitsOf(model);
    const tokenizer = createTokenizer(model.get("tokenizer"));
    const field = createTextField({
      text,
      name: "prompt",
      label: text("prompt"),
      refusal: (prompt) => refusal(prompt, limits),
      longest: limits.longest,
      rows: 2,
      onInput: (prompt) => set({ prompt }),
      say,
      now: () => shown()?.wanted["prompt"],
    });
    const kind = createChoice({
      name: "kind",
      label: text("kind"),
      options: limits.kinds.map((value) => ({ value, text: text(value) })),
      onChoose: (value) => set({ kind: value }),
    });
    const timeTitle = h("div", { class: "dlc-part-title" });
    const time = createTokenRow({ label: text("time"), name: "time", onPick: (step) => set({ step }) });
    const vectors = createVectors({ text, onChoose: set });
    const equations = createEquations(text, (part) => set({ part }));
    const sum = createSum(text);
    const next = createNext({
      text,
      tokenizer,
      onChoose(character) {
        const now = shown();
        if (!now) return;
        const { prompt, dropped } = wentOn(now.wanted["prompt"], now.wanted["step"], character, limits.longest);
        set({ prompt, step: [...prompt].length - 1 });
        if (dropped) say(text("dropped", { longest: limits.longest }));
      },
    });

    /** The open unit through the text. @param {import("../../shared/explorable.js").Shown} drawn  @param {import("./numbers.js").Numbers} numbers */
    function drawTime({ state, scales }, numbers) {
      const { name, signed } = partOf(numbers.kind, state["part"]);
      const limit = numbers.limit(name, numbers.unit);
      timeTitle.textContent = text("time_title", { part: text(name), unit: numbers.unit });
      const tokens = numbers.characters.map((character, place) => {
        const value = Number(numbers.row(name, place)[numbers.unit]);
        const { fill } = signed ? scales.diverging(0.5 + value / limit / 2) : scales.even(value);
        const described = text("at_character", { character: readable(character), part: text(name), value: full(value) });
        return { text: readable(character), describe: described, hint: described, share: { value, size: Math.abs(value) / limit, fill, text: "", signed } };
      });
      time.draw(tokens, numbers.step);
    }

    return {
      choices: [field.element, kind.element],
      elements: [
        h("section", { class: "dlc-part dlc-recurrent-time", "aria-label": text("time") }, timeTitle, time.element),
        h("div", { class: "dlc-recurrent-step" }, vectors.element, next.element),
        equations.element,
        sum.element,
      ],
      draw(now) {
        const numbers = read(now);
        field.show(now.wanted["prompt"]);
        kind.show(now.wanted["kind"]);
        drawTime(now, numbers);
        vectors.draw(now, numbers);
        equations.draw(now, numbers);
        sum.draw(now, numbers);
        next.draw(numbers);
      },
      table(now) {
        const { characters, row, unit } = read(now);
        const { part } = now.state;
        return {
          columns: [text("character"), text("unit_value", { part: text(part), unit }), text("likeliest"), text("probability")],
          rows: characters.map((character, place) => {
            const probabilities = row("probabilities", place);
            const best = strongest(probabilities);
            return [readable(character), Number(row(part, place)[unit]), readable(tokenizer.token(best)), Number(probabilities[best])];
          }),
        };
      },
      announce(now) {
        const { character, unit, value, now: numbers } = read(now);
        const probabilities = numbers("probabilities");
        const best = strongest(probabilities);
        return text("announcement", {
          character,
          part: text(now.state["part"]),
          unit,
          value: short(value(now.state["part"])),
          next: readable(tokenizer.token(best)),
          p: short(Number(probabilities[best])),
        });
      },
    };
  },
});
