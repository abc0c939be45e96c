/**
 * The front end of `dlcompare.widgets.GenerationDebugger`: an anywidget module, and what the static host mounts in a published
 * page.
 */
import { createAction, createChoice, createField } from "../../shared/controls.js";
import { h, put } from "../../shared/dom.js";
import { short } from "../../shared/format.js";
import { createFrame } from "../../shared/frame.js";
import { Past } from "../../shared/past.js";
import { readable } from "../../shared/token_text.js";
import { createTokenizer } from "../../shared/tokenizer.js";
import { differs } from "../../shared/traits.js";
import { createDebugger } from "./debugger.js";
import { createFigure } from "./figure.js";
import { createPromptReader } from "./prompt.js";
import { fromParameters, LIMITS, toParameters } from "./rules.js";
import { createSettingsRow } from "../../shared/drawing/settings_row.js";
import { rows } from "./table.js";
import { createWords } from "./words.js";

/** Tokens that one press writes; and a play where the reader asked for less motion. */
const MANY = 50;
const SOME = 10;
/** Milliseconds after the last key, when the prompt is read. */
const REST = 300;

/**
 * @param {import("../../shared/types.js").RenderContext} context
 * @returns {() => void} what takes the widget away again
 */
function render(context) {
  const { model } = context;
  const frame = createFrame(context, "generation");
  const { text, motion, say } = frame;
  const tokenizer = createTokenizer(model.get("tokenizer"));
  /** @type {import("./reading.js").Config} */
  const config = model.get("config");
  const prompts = createPromptReader(text, tokenizer, config);
  const words = createWords(text, tokenizer);
  const writer = createDebugger(model, frame.engine, prompts.read);
  const own = frame.ending(writer.stop);

  /** Places and settings to come back to. Steps have a way back of their own. @type {Past<import("./sync.js").State>} */
  const past = new Past();
  const now = () => ({ place: writer.place(), settings: writer.settings() });
  /** @param {import("./rules.js").Place} place */
  function jump(place) {
    past.remember(now());
    writer.jump(place);
  }
  /** @param {import("./rules.js").Wish} wish */
  function set(wish) {
    const before = now();
    writer.set(wish);
    if (writer.settings() !== before.settings) past.remember(before);
  }
  function undo() {
    const last = past.back();
    if (!last) return;
    writer.set(last.settings);
    if (differs(last.place, writer.place())) writer.jump(last.place);
  }
  const isRunning = () => Boolean(writer.shown()?.running);
  function togglePlay() {
    if (isRunning()) writer.stop();
    else if (motion.matches) writer.write(SOME, true);
    else writer.write(Infinity, false);
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  /** @param {string} prompt */
  function usePrompt(prompt) {
    clearTimeout(typing);
    const refusal = prompts.refusal(prompt);
    put(field.input, { "aria-invalid": refusal ? "true" : null });
    say(refusal ?? "");
    const ids = prompts.read(prompt);
    if (ids && prompt !== writer.shown()?.prompt) jump({ prompt, ids, own: [] });
  }
  const field = createField({
    name: "prompt",
    label: text("prompt"),
    longest: LIMITS.prompt,
    rows: 2,
    onInput(prompt) {
      clearTimeout(typing);
      typing = setTimeout(() => usePrompt(prompt), REST);
    },
  });
  field.input.addEventListener("blur", () => {
    usePrompt(field.input.value);
    const shown = writer.shown();
    if (!prompts.read(field.input.value) && shown) {
      field.show(shown.prompt);
      put(field.input, { "aria-invalid": null });
    }
  });
  /** @type {string[]} */
  const examples = [...new Set([writer.first.prompt, ...model.get("examples")])];
  const choice = createChoice({
    name: "example",
    label: text("example"),
    options: [{ value: "", text: text("own_prompt") }, ...examples.map((prompt, index) => ({ value: String(index), text: shorten(prompt) }))],
    onChoose(value) {
      const prompt = examples[Number(value)];
      if (value !== "" && prompt !== undefined) own(() => usePrompt(prompt))();
    },
  });
  const settings = createSettingsRow({
    text,
    vocabSize: config.vocab_size,
    onSet: (wish) => {
      say("");
      set(wish);
    },
    onRefuse: say,
  });

  const actions = {
    stepBack: createAction({ name: "stepBack", label: text("back"), onPress: own(writer.back) }),
    step: createAction({ name: "step", label: text("forth"), onPress: own(writer.step) }),
    play: createAction({ name: "play", label: text("play"), onPress: togglePlay }),
    fast: createAction({ name: "fast", label: text("fast", { count: MANY }), onPress: own(() => writer.write(MANY, true)) }),
    undo: createAction({ name: "undo", label: text("undo"), onPress: own(undo) }),
    reset: createAction({ name: "reset", label: text("reset"), onPress: own(reset) }),
  };
  function reset() {
    past.remember(now());
    writer.reset();
  }
  const figure = createFigure({
    text,
    words,
    config,
    onGo: own(go),
    onBack: own(writer.back),
    onChoose: own(writer.choose),
  });
  /** @param {import("./tree.js").Node} node */
  function go(node) {
    if (node !== writer.shown()?.node) past.remember(now());
    writer.go(node);
  }
  const { root, drawPlay, drawTable, start } = frame.build({
    controls: [h("div", { class: "dlc-choices" }, choice.element)],
    actions,
    keys: ["keys_steps"],
    elements: [field.element, settings.element, frame.note, figure.element],
    parameters: () => toParameters(writer.place(), prompts.read(writer.place().prompt) ?? [], writer.settings()),
    table() {
      const shown = writer.shown();
      return shown && { columns: ["token", "stage_own", "stage_tempered", "stage_k", "stage_p", "fate"].map((key) => text(key)), rows: rows(shown.sample, words) };
    },
    leap: text("fast", { count: SOME }),
  });

  /** The run of which the reader was told how fast it was: once is enough. */
  let told = 0;
  /** The sentence that ends, or stops, the writing. @param {import("./types.js").Shown} shown */
  function limits({ full, run, running }) {
    const news = run && !running && run.milliseconds !== told;
    if (news) told = run.milliseconds;
    if (full) say(text("full", { most: config.block_size }));
    else if (writer.isCrowded()) say(text("crowded"));
    else if (news) {
      const seconds = run.milliseconds / 1000;
      say(text("speed", { tokens: run.tokens, seconds: short(seconds), speed: short(Number((run.tokens / seconds).toPrecision(3))) }));
    }
    put(root, { "data-speed": run ? (1000 * run.tokens) / run.milliseconds : null });
  }

  /** What the address asks for, until the first picture is there, which has nothing to wait for. @type {Record<string, string> | null} */
  let linked = null;
  let begun = false;
  /** @param {Record<string, string>} parameters */
  function restore(parameters) {
    if (!begun) return void (linked = parameters);
    const { wish, place } = fromParameters(parameters, prompts.read, writer.place().prompt, config);
    set(wish);
    if (place) jump(place);
  }
  /** @type {import("./tree.js").Node | null} */
  let spoken = null;
  /** @param {import("./types.js").Shown} shown  @param {boolean} inHaste */
  function draw(shown, inHaste) {
    put(root, { "aria-busy": shown.waiting ? "true" : null, "data-tokens": shown.path.length });
    frame.status.hold(inHaste);
    figure.draw(shown, inHaste);
    drawPlay(isRunning());
    if (inHaste) return;
    if (!begun && !shown.waiting) {
      begun = true;
      if (linked) restore(linked);
    }
    if (!field.input.matches(":focus")) field.show(shown.prompt);
    choice.show(examples.includes(shown.prompt) ? String(examples.indexOf(shown.prompt)) : "");
    settings.draw(shown.settings);
    actions.stepBack.enable(shown.node.place > 0);
    for (const control of [actions.step, actions.play, actions.fast]) control.enable(!shown.full && !writer.isCrowded());
    actions.undo.enable(past.any);
    limits(shown);
    drawTable();
    if (shown.waiting || shown.node === spoken) return;
    spoken = shown.node;
    frame.announcer.say(`${words.ofChip(shown.node)}. ${text("announce_next", { candidate: words.ofRank(shown.sample, 1, short) })}`);
  }
  writer.subscribe(draw);
  drawPlay(false);

  return start({
    recolour: (scales) => figure.recolour(scales, getComputedStyle(root).getPropertyValue("--dlc-ink")),
    onMotion: () => drawPlay(isRunning()),
    restore: own(restore),
    destroy() {
      clearTimeout(typing);
      writer.destroy();
    },
  });
}

/** A prompt in a list. @param {string} prompt */
function shorten(prompt) {
  const characters = [...readable(prompt).replaceAll("·", " ")];
  return characters.length > 40 ? `${characters.slice(0, 39).join("")}…` : characters.join("");
}

export default { render };
