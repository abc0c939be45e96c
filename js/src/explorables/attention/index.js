/**
 * The front end of `dlcompare.widgets.AttentionExplorer`: an anywidget module, and what the static host mounts in a published
 * page.
 */
import { createEngine } from "../../engine/engine.js";
import { createEngineStatus } from "../../engine/status.js";
import { createAnnouncer } from "../../shared/announcer.js";
import { createAction, createChoice } from "../../shared/controls.js";
import { createDataTable } from "../../shared/data_table.js";
import { h, put, uniqueId } from "../../shared/dom.js";
import { full, translator } from "../../shared/format.js";
import { createKeyHelp } from "../../shared/key_help.js";
import { createPlayer } from "../../shared/player.js";
import { shareLink } from "../../shared/share.js";
import { createShortcuts } from "../../shared/shortcuts.js";
import { createTextField } from "../../shared/text_field.js";
import { followTheme, reducedMotion } from "../../shared/theme.js";
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
function render({ model, el, page }) {
  const text = translator(model.get("strings"));
  const engine = createEngine({ model, page });
  const status = createEngineStatus(engine, text);
  const explorer = createExplorer(model, engine);
  const announcer = createAnnouncer();
  const motion = reducedMotion();
  const note = h("p", { class: "dlc-note", role: "status" });
  const say = (/** @type {string} */ message) => (note.textContent = message);

  const player = createPlayer(
    () => {
      explorer.step(1);
      return explorer.wanted().step < LAST_STEP;
    },
    () => drawPlay(),
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

  /** @param {import("./rules.js").Wish} wish */
  const choose = (wish) => {
    stopPlaying();
    say("");
    explorer.set(wish);
  };
  const field = createTextField({
    text,
    name: "prompt",
    label: text("prompt"),
    limits: explorer.limits,
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
  const step = (/** @type {number} */ by) => () => {
    stopPlaying();
    explorer.step(by);
  };
  const back = createAction({ name: "stepBack", label: text("step_back"), onPress: step(-1) });
  const forth = createAction({ name: "step", label: text("step"), onPress: step(1) });
  const play = createAction({ name: "play", label: text("play"), onPress: togglePlay });
  const reset = createAction({
    name: "reset",
    label: text("reset"),
    onPress: () => {
      stopPlaying();
      say("");
      explorer.reset();
    },
  });
  const share =
    page &&
    createAction({
      name: "share",
      label: text("share"),
      hint: text("share_hint"),
      onPress: () => void shareLink(page.link(toParameters(explorer.wanted())), text).then(say),
    });
  const help = createKeyHelp(text, "keys_attention", "keys_steps", "keys_all");
  const drawPlay = () => {
    if (motion.matches) play.become("nextRow", text("next_token"));
    else if (player.playing) play.become("pause", text("pause"));
    else play.become("play", text("play"));
  };
  const table = createDataTable(text, () => {
    const shown = explorer.shown();
    return shown && tableOf(text, shown);
  });

  const figure = createFigure({ text, explorer, onTouch: stopPlaying, onPlay: togglePlay });
  const titleId = uniqueId("title");
  const root = h(
    "div",
    { class: "dlc dlc-attention", role: "group", "aria-labelledby": titleId },
    h("p", { class: "dlc-title", id: titleId }, text("title")),
    h(
      "div",
      { class: "dlc-controls", role: "group", "aria-label": text("controls") },
      field.element,
      h("div", { class: "dlc-choices" }, ...Object.values(choices).map(({ element }) => element)),
      h(
        "div",
        { class: "dlc-actions" },
        ...[back, forth, play, reset, share, help.action].map((control) => control?.element),
      ),
    ),
    help.panel,
    note,
    ...figure.elements,
    status.element,
    table.element,
    h("p", { class: "dlc-caption" }, text("caption")),
    announcer.element,
  );
  root.addEventListener("keydown", help.onKey);
  root.addEventListener("keydown", createShortcuts({ stepBack: back, step: forth, play, reset }));

  explorer.subscribe((shown) => {
    const { wanted, state, pass } = shown;
    field.show(wanted.prompt);
    choices.mask.show(wanted.causal ? "causal" : "none");
    choices.heads.show(wanted.heads);
    const count = pass.read.ids.length;
    back.enable(state.query > 0 || state.step > 0);
    forth.enable(state.query + 1 < count || state.step < LAST_STEP);
    put(root, {
      "data-layer": state.layer,
      "data-head": state.head,
      "data-query": state.query,
      "data-at": shown.at,
      "data-step": state.step,
      "aria-busy": shown.waiting ? "true" : null,
    });
    figure.draw(shown);
    table.draw();
    if (!player.playing) announcer.say(announcement(text, shown, explorer.token));
  });

  el.replaceChildren(root);
  const endTheme = followTheme(root, figure.recolour);
  drawPlay();
  const onMotion = () => {
    stopPlaying();
    drawPlay();
  };
  motion.addEventListener("change", onMotion);

  const restore = (/** @type {Record<string, string>} */ parameters) => choose(fromParameters(parameters));
  if (page && Object.keys(page.parameters()).length) restore(page.parameters());
  const endAddress = page?.onChange(restore);

  return () => {
    player.stop();
    endAddress?.();
    motion.removeEventListener("change", onMotion);
    endTheme();
    announcer.destroy();
    explorer.destroy();
    status.destroy();
    engine.destroy();
    root.remove();
  };
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
