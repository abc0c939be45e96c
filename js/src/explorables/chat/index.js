/** The front end of `dlcompare.widgets.ChatStepper`. */
import { createChoice, createSlider } from "../../shared/controls.js";
import { createSettingsRow } from "../../shared/drawing/settings_row.js";
import { h } from "../../shared/dom.js";
import { defineExplorable } from "../../shared/explorable.js";
import { createSide } from "./side.js";
import { change, choose, last, LIMITS, standingAt, refusal, say as said } from "./rules.js";
import { createSayForm } from "./say_form.js";
import { talkOf } from "./talk.js";
import { createTranscript } from "./transcript.js";
import { createWords } from "./words.js";

/** @param {import("../../shared/types.js").Model} model @returns {import("./rules.js").Speech} */
function speechOf(model) {
  const { template, config } = talkOf(model);
  return { write: template.write, blockSize: config.block_size, vocabSize: config.vocab_size };
}

/** The two sides, with the way in which each reads. @param {import("../../shared/explorable.js").State} state @returns {["whole" | "beside", import("./talk.js").Way][]} */
const sidesOf = (state) => [["whole", "whole"], ["beside", state["beside"]]]; // prettier-ignore

export default defineExplorable({
  name: "chat",
  keys: ["turns", "choices", "beside", "context", "longest", "seed", "temperature", "top_k", "top_p", "greedy", "step"],
  change: (state, wish, model) => change(state, wish, speechOf(model)),
  ask: (state, run, model, _answered, show) => talkOf(model).answer(state, run, show),
  last: ({ answers }) => last(/** @type {any} */ (answers)),
  pace: { slow: 320, fast: 110 },
  create({ text, model, set, say, shown }) {
    const talk = talkOf(model);
    const speech = speechOf(model);
    const words = createWords(text, talk.tokenizer, talk.template);
    const wanted = () => shown()?.wanted ?? null;
    const firstTurns = model.get("turns").join("\n");

    const beside = createChoice({
      name: "beside",
      label: text("beside"),
      options: LIMITS.besides.map((value) => ({ value, text: text(value) })),
      onChoose: (value) => set({ beside: value }),
    });
    const form = createSayForm(text, {
      longest: LIMITS.characters,
      first: model.get("suggestion"),
      onSay(turn) {
        const now = wanted();
        if (!now) return false;
        const reason = refusal(turn, now, speech);
        const spelled = words.spelled(shown());
        if (!reason && !spelled) set(said(now, turn));
        else say(reason ? text(reason.key, reason.values) : text("refused_spelled"));
        return !reason && !spelled;
      },
      onClear: () => set({ turns: [], choices: [], step: 0 }),
    });
    /** A slider that may leave a turn without room. @param {string} name  @param {number} min  @param {number} max  @param {number} step */
    const size = (name, min, max, step) =>
      createSlider({
        name,
        label: text(name),
        min,
        max,
        step,
        write: (count) => text("tokens_few", { count }),
        onMove(count) {
          set({ [name]: count });
          const now = wanted();
          if (now && now[name] !== count && model.get(name) !== count) say(text("refused_setting"));
          sizes.forEach((slider) => slider.show(model.get(slider.name)));
        },
      });
    const sizes = [
      { name: "context", ...size("context", LIMITS.context, talk.config.block_size, 8) },
      { name: "longest", ...size("longest", ...LIMITS.longest, 1) },
    ];
    const settings = createSettingsRow({
      text,
      vocabSize: talk.config.vocab_size,
      onSet: set,
      onRefuse: say,
      further: sizes.map(({ element }) => element),
    });
    const transcript = createTranscript(text, (step) => set({ step }));
    const sides = ["whole", "beside"].map((name) =>
      createSide(name, {
        text,
        words,
        onStep: (step) => set({ step }),
        onChoose:
          name === "whole"
            ? (turn, place, token) => {
                const now = wanted();
                if (now) set(choose(now, turn, place, token));
              }
            : undefined,
      }),
    );
    const key = h("p", { class: "dlc-bars-key" }, h("span", { "data-key": "own" }, text("before")), h("span", { "data-key": "p" }, text("after")));
    const legend = h("p", { class: "dlc-chat-legend" }, ...["mark", "user", "reply", "unread"].map((role) => h("span", { "data-role": role }, text(`legend_${role}`))));

    return {
      choices: [beside.element],
      elements: [
        form.element,
        transcript.element,
        settings.element,
        h("div", { class: "dlc-chat-keys" }, legend, key),
        h("div", { class: "dlc-chat-sides" }, ...sides.map(({ element }) => element)),
      ],
      draw(now) {
        const { wanted: state } = now;
        beside.show(state["beside"]);
        settings.draw(/** @type {any} */ (state));
        sizes.forEach((slider) => slider.show(state[slider.name]));
        form.draw(state["turns"].length > 0, state["turns"].join("\n") === firstTurns);
        transcript.draw(now, words.soFar);
        const answers = /** @type {import("./talk.js").Answers} */ (now.answers);
        const position = standingAt(answers, now.state["step"]);
        for (const [index, [name, way]] of sidesOf(now.state).entries()) sides[index]?.draw({ way, replies: answers[name], position, state: now.state });
      },
      table({ state, answers }) {
        const heads = sidesOf(state).flatMap(([, way]) => ["token", "stage_own", "stage_p"].map((head) => `${text(head)}, ${text(`${way}_short`)}`));
        return { columns: [text("place"), ...heads], rows: words.rows(/** @type {any} */ (answers), state["step"]) };
      },
      announce({ state, answers }) {
        const all = /** @type {import("./talk.js").Answers} */ (answers);
        const position = standingAt(all, state["step"]);
        if (!position || !position.places) return text("announce_start");
        const [whole, other] = sidesOf(state).map(([name]) => words.announce(all[name], position));
        return text("announce", { whole: whole ?? "", other: other ?? "", beside: text(`${state["beside"]}_short`) });
      },
    };
  },
});
