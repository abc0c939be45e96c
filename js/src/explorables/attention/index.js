/**
 * The front end of `dlcompare.widgets.AttentionExplorer`: an anywidget module, and what the static host mounts in a published
 * page.
 */
import { createAction, createChoice } from "../../shared/controls.js";
import { h, put } from "../../shared/dom.js";
import { full } from "../../shared/format.js";
import { createFrame } from "../../shared/frame.js";
import { createPlayer } from "../../shared/player.js";
import { createTextField } from "../../shared/text_field.js";
import { refusal } from "../../shared/text_reader.js";
import { createFigure } from "./figure.js";
import { fromParameters, HEADS, LAST_STEP, toParameters } from "./rules.js";
import { number, part, strongest } from "./selection.js";
import { createExplorer } from "./state.js";

/** Milliseconds for a step: each has a sentence to read. */
const PACE = { slow: 1600, fast: 1600 };

/**
 * @param {import("../../shared/types.js").RenderContext} context
 * @returns {() => void} what takes the widget away again
 */
function render(context) {
  const frame = createFrame(context, "attention");
  const { text, motion, say } = frame;
  const explorer = createExplorer(context.model, frame.engine);

  const player = createPlayer(
    () => {
      explorer.step(1);
      return explorer.wanted().step < LAST_STEP;
    },
    (playing) => drawPlay(playing),
    PACE,
  );
  const stopPlaying = () => player.stop();
  /** Play and pause; a reader who asked for less motion takes the next token instead, calculated to the end. */
  function togglePlay() {
    const shown = explorer.shown();
    if (!shown) return;
    const { query, step } = shown.state;
    if (motion.matches) explorer.go(query + 1 < shown.pass.read.ids.length ? query + 1 : 0);
    else if (player.playing) player.stop();
    else {
      if (step === LAST_STEP) explorer.set({ step: 0 });
      player.start();
    }
  }

  const own = frame.ending(stopPlaying);
  const choose = own(explorer.set);
  const field = createTextField({
    text,
    name: "prompt",
    label: text("prompt"),
    refusal: (prompt) => refusal(prompt, explorer.limits),
    rows: 2,
    onInput: (prompt) => choose({ prompt }),
    say,
    now: () => explorer.wanted().prompt,
  });
  const choices = {
    mask: createChoice({
      name: "mask",
      label: text("mask"),
      options: ["causal", "none"].map((value) => ({ value, text: text(`mask_${value}`) })),
      onChoose: (value) => choose({ causal: value === "causal" }),
    }),
    heads: createChoice({
      name: "heads",
      label: text("heads"),
      options: HEADS.map((value) => ({ value, text: text(`heads_${value}`) })),
      onChoose: (value) => choose({ heads: value }),
    }),
  };
  const actions = {
    stepBack: createAction({ name: "stepBack", label: text("step_back"), onPress: own(() => explorer.step(-1)) }),
    step: createAction({ name: "step", label: text("step"), onPress: own(() => explorer.step(1)) }),
    play: createAction({ name: "play", label: text("play"), onPress: togglePlay }),
    undo: createAction({ name: "undo", label: text("undo"), onPress: own(explorer.undo) }),
    reset: createAction({ name: "reset", label: text("reset"), onPress: own(explorer.reset) }),
  };
  const figure = createFigure({ text, explorer, onTouch: stopPlaying, onPlay: togglePlay });
  const { root, drawPlay, drawTable, start } = frame.build({
    controls: [field.element, h("div", { class: "dlc-choices" }, ...Object.values(choices).map(({ element }) => element))],
    actions,
    keys: ["keys_steps"],
    elements: [frame.note, ...figure.elements],
    parameters: () => toParameters(explorer.wanted()),
    table() {
      const shown = explorer.shown();
      return shown && tableOf(text, shown);
    },
    leap: text("next_token"),
  });

  explorer.subscribe((shown) => {
    const { wanted, state, pass } = shown;
    field.show(wanted.prompt);
    choices.mask.show(wanted.causal ? "causal" : "none");
    choices.heads.show(wanted.heads);
    const count = pass.read.ids.length;
    actions.stepBack.enable(state.query > 0 || state.step > 0);
    actions.step.enable(state.query + 1 < count || state.step < LAST_STEP);
    actions.undo.enable(explorer.canUndo());
    put(root, {
      "data-layer": state.layer,
      "data-head": state.head,
      "data-query": state.query,
      "data-at": shown.at,
      "data-step": state.step,
      "aria-busy": shown.waiting ? "true" : null,
    });
    figure.draw(shown);
    drawTable();
    if (!player.playing) frame.announcer.say(announcement(text, shown, explorer.token));
  });
  drawPlay(false);

  return start({
    recolour: figure.recolour,
    onMotion() {
      stopPlaying();
      drawPlay(false);
    },
    restore: (parameters) => choose(fromParameters(parameters)),
    destroy() {
      stopPlaying();
      explorer.destroy();
    },
  });
}

/**
 * What the chosen token looks at most, and what is expected next.
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./state.js").Shown} shown
 * @param {(id: number) => string} token
 */
function announcement(text, { state, pass: { outputs, read, of } }, token) {
  const weights = part(outputs, "attention", of.layer, of.head, state.query);
  const key = strongest(weights);
  const words = { query: read.tokens[state.query] ?? "", key: read.tokens[key] ?? "", weight: full(Number(weights[key])) };
  const probabilities = part(outputs, "probabilities");
  const next = strongest(probabilities);
  const expected = { next: token(next), probability: full(Number(probabilities[next])) };
  return text("announcement", { ...words, ...expected, layer: of.layer, head: of.head });
}

/**
 * The chosen token's row of every matrix.
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./state.js").Shown} shown
 */
function tableOf(text, { state, pass: { outputs, read, of }, terms }) {
  const { query } = state;
  const rows = read.tokens.map((token, key) => [
    token,
    ...["dots", "scaled", "masked"].map((name) => number(outputs, name, query, key)),
    terms ? number(terms, "exponentials", key) : "",
    number(outputs, "attention", of.layer, of.head, query, key),
  ]);
  return { columns: ["token", "dot", "scaled", "masked", "exponential", "weight"].map((name) => text(`column_${name}`)), rows };
}

export default { render };
