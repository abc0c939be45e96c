/**
 * The front end of `dlcompare.widgets.GenerationDebugger`: an anywidget module, and what the static host mounts in a published
 * page.
 */
import { createEngine } from "../../engine/engine.js";
import { createEngineStatus } from "../../engine/status.js";
import { createAnnouncer } from "../../shared/announcer.js";
import { createAction, createChoice, createField } from "../../shared/controls.js";
import { createDataTable } from "../../shared/data_table.js";
import { h, put, uniqueId } from "../../shared/dom.js";
import { short, translator } from "../../shared/format.js";
import { createKeyHelp } from "../../shared/key_help.js";
import { shareLink } from "../../shared/share.js";
import { createShortcuts } from "../../shared/shortcuts.js";
import { followTheme, reducedMotion } from "../../shared/theme.js";
import { readable } from "../../shared/token_text.js";
import { createTokenizer } from "../../shared/tokenizer.js";
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
function render({ model, el, page }) {
  const text = translator(model.get("strings"));
  const tokenizer = createTokenizer(model.get("tokenizer"));
  /** @type {import("./reading.js").Config} */
  const config = model.get("config");
  const engine = createEngine({ model, page });
  const status = createEngineStatus(engine, text);
  const prompts = createPromptReader(text, tokenizer, config);
  const words = createWords(text, tokenizer);
  const writer = createDebugger(model, engine, prompts.read);
  const announcer = createAnnouncer();
  const motion = reducedMotion();
  const note = h("p", { class: "dlc-note", role: "status" });
  /** @param {string} message */
  const say = (message) => {
    if (note.textContent !== message) note.textContent = message;
  };

  /** Whatever the reader does ends a run. @param {() => void} then */
  const own = (then) => () => {
    writer.stop();
    say("");
    then();
  };
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
    if (ids && prompt !== writer.shown()?.prompt) writer.jump({ prompt, ids, own: [] });
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
      writer.set(wish);
    },
    onRefuse: say,
  });

  const back = createAction({ name: "stepBack", label: text("back"), onPress: own(writer.back) });
  const forth = createAction({ name: "step", label: text("forth"), onPress: own(writer.step) });
  const play = createAction({ name: "play", label: text("play"), onPress: () => togglePlay() });
  const fast = createAction({ name: "fast", label: text("fast", { count: MANY }), onPress: own(() => writer.write(MANY, true)) });
  const reset = createAction({ name: "reset", label: text("reset"), onPress: own(writer.reset) });
  const share =
    page &&
    createAction({
      name: "share",
      label: text("share"),
      hint: text("share_hint"),
      onPress: () => void shareLink(page.link(toParameters(writer.place(), prompts.read(writer.place().prompt) ?? [], writer.settings())), text).then(say),
    });
  const table = createDataTable(text, () => {
    const shown = writer.shown();
    return shown && { columns: ["token", "stage_own", "stage_tempered", "stage_k", "stage_p", "fate"].map((key) => text(key)), rows: rows(shown.sample, words) };
  });
  const help = createKeyHelp(text, "keys_generation", "keys_steps", "keys_all");
  const drawPlay = () => {
    if (isRunning()) play.become("pause", text("pause"));
    else if (motion.matches) play.become("nextRow", text("fast", { count: SOME }));
    else play.become("play", text("play"));
  };

  const figure = createFigure({
    text,
    words,
    config,
    onGo: (node) => own(() => writer.go(node))(),
    onBack: own(writer.back),
    onChoose: (token) => own(() => writer.choose(token))(),
  });
  const titleId = uniqueId("title");
  const root = h(
    "div",
    { class: "dlc dlc-generation", role: "group", "aria-labelledby": titleId, "aria-busy": "true" },
    h("p", { class: "dlc-title", id: titleId }, text("title")),
    h(
      "div",
      { class: "dlc-controls", role: "group", "aria-label": text("controls") },
      h("div", { class: "dlc-choices" }, choice.element),
      h("div", { class: "dlc-actions" }, ...[back, forth, play, fast, reset, share, help.action].map((control) => control?.element)),
    ),
    help.panel,
    field.element,
    settings.element,
    note,
    figure.element,
    status.element,
    table.element,
    h("p", { class: "dlc-caption" }, text("caption")),
    announcer.element,
  );
  root.addEventListener("keydown", help.onKey);
  root.addEventListener("keydown", createShortcuts({ stepBack: back, step: forth, play, reset }));

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

  /** What the address asks for, until the first picture is there, which has nothing to wait for. */
  let linked = page && Object.keys(page.parameters()).length ? page.parameters() : null;
  /** @param {Record<string, string>} parameters */
  const restore = (parameters) => {
    const { wish, place } = fromParameters(parameters, prompts.read, writer.place().prompt, config);
    own(() => writer.set(wish))();
    if (place) writer.jump(place);
  };
  /** @type {import("./tree.js").Node | null} */
  let spoken = null;
  /** @param {import("./types.js").Shown} shown  @param {boolean} inHaste */
  function draw(shown, inHaste) {
    put(root, { "aria-busy": shown.waiting ? "true" : null, "data-tokens": shown.path.length });
    status.hold(inHaste);
    figure.draw(shown, inHaste);
    drawPlay();
    if (inHaste) return;
    if (linked && !shown.waiting) {
      restore(linked);
      linked = null;
    }
    if (!field.input.matches(":focus")) field.show(shown.prompt);
    choice.show(examples.includes(shown.prompt) ? String(examples.indexOf(shown.prompt)) : "");
    settings.draw(shown.settings);
    back.enable(shown.node.place > 0);
    for (const control of [forth, play, fast]) control.enable(!shown.full && !writer.isCrowded());
    limits(shown);
    table.draw();
    if (shown.waiting || shown.node === spoken) return;
    spoken = shown.node;
    announcer.say(`${words.ofChip(shown.node)}. ${text("announce_next", { candidate: words.ofRank(shown.sample, 1, short) })}`);
  }
  writer.subscribe(draw);

  el.replaceChildren(root);
  const endTheme = followTheme(root, (scales) => figure.recolour(scales, getComputedStyle(root).getPropertyValue("--dlc-ink")));
  drawPlay();
  motion.addEventListener("change", drawPlay);

  const endAddress = page?.onChange(restore);

  return () => {
    clearTimeout(typing);
    endAddress?.();
    motion.removeEventListener("change", drawPlay);
    endTheme();
    announcer.destroy();
    writer.destroy();
    status.destroy();
    engine.destroy();
    root.remove();
  };
}

/** A prompt in a list. @param {string} prompt */
function shorten(prompt) {
  const characters = [...readable(prompt).replaceAll("·", " ")];
  return characters.length > 40 ? `${characters.slice(0, 39).join("")}…` : characters.join("");
}

export default { render };
