/**
 * The front end of `dlcompare.widgets.TrainingScrubber`: an anywidget module, and what the static host mounts in a
 * published page.
 */
import { createEngine } from "../../engine/engine.js";
import { createEngineStatus } from "../../engine/status.js";
import { createAnnouncer } from "../../shared/announcer.js";
import { createAction } from "../../shared/controls.js";
import { createDataTable } from "../../shared/data_table.js";
import { h, put, uniqueId } from "../../shared/dom.js";
import { short, translator } from "../../shared/format.js";
import { createKeyHelp } from "../../shared/key_help.js";
import { shareLink } from "../../shared/share.js";
import { createShortcuts } from "../../shared/shortcuts.js";
import { reducedMotion } from "../../shared/theme.js";
import { createFigure } from "./figure.js";
import { tableOf } from "./numbers.js";
import { createRunner } from "./playing.js";
import { fromParameters, LIMITS, toParameters } from "./rules.js";
import { createSettings } from "./settings.js";
import { createTrainer } from "./trainer.js";

/**
 * @param {import("../../shared/types.js").RenderContext} context
 * @returns {() => void} what takes the widget away again
 */
function render({ model, el, page }) {
  const text = translator(model.get("strings"));
  const engine = createEngine({ model, ...(page && { page }) });
  const status = createEngineStatus(engine, text);
  const announcer = createAnnouncer();
  const motion = reducedMotion();
  const note = h("p", { class: "dlc-note", role: "status" });
  const say = (/** @type {string} */ message) => {
    if (note.textContent !== message) note.textContent = message;
  };
  const trainer = createTrainer(model, engine, (progress) => {
    if (progress) say(text("again", progress));
    else if (note.dataset["progress"] !== undefined) say("");
    put(note, { "data-progress": progress ? "" : null });
  });

  const runner = createRunner(trainer, motion, drawPlay);
  const settings = createSettings({ text, sets: Object.keys(model.get("sets")), onRestart, onBranch });
  /** Data or network. @param {Parameters<typeof trainer.restart>[0]} wish */
  function onRestart(wish) {
    runner.stop();
    say("");
    trainer.restart(wish);
  }
  /** Learning rate or batch: the training goes on with it from the step that is shown. @param {{rate?: number, batch?: number}} wish */
  function onBranch(wish) {
    const { end = 0 } = trainer.shown() ?? {};
    const lost = end - trainer.wanted().step;
    const { step } = trainer.wanted();
    if (!trainer.branch(wish)) say(text("too_many_changes", { most: LIMITS.changes }));
    else if (lost > 0) say(text("branched", { step, lost }));
    else say("");
  }
  /** @param {number} step */
  function scrub(step) {
    runner.stop();
    say("");
    trainer.goTo(step);
  }
  const by = (/** @type {number} */ steps) => () => scrub(trainer.wanted().step + steps);
  const back = createAction({ name: "stepBack", label: text("step_back"), onPress: by(-1) });
  const forth = createAction({ name: "step", label: text("step_once"), onPress: by(1) });
  const play = createAction({ name: "play", label: text("play"), onPress: () => (say(""), runner.toggle()) });
  const reset = createAction({
    name: "reset",
    label: text("reset"),
    onPress: () => {
      runner.stop();
      say("");
      trainer.reset();
    },
  });
  const share =
    page &&
    createAction({
      name: "share",
      label: text("share"),
      hint: text("share_hint"),
      onPress: () => void shareLink(page.link(toParameters(trainer.wanted())), text).then(say),
    });
  const help = createKeyHelp(text, "keys_training", "keys_steps", "keys_all");
  function drawPlay() {
    if (motion.matches) play.become("nextRow", text("fifty"));
    else if (runner.playing) play.become("pause", text("pause"));
    else play.become("play", text("play"));
  }
  const table = createDataTable(text, () => {
    const shown = trainer.shown();
    return shown && tableOf(shown, text);
  });
  const figure = createFigure({ text, note, onScrub: scrub });

  const titleId = uniqueId("title");
  const root = h(
    "div",
    { class: "dlc dlc-training", role: "group", "aria-labelledby": titleId },
    h("p", { class: "dlc-title", id: titleId }, text("title")),
    h(
      "div",
      { class: "dlc-controls", role: "group", "aria-label": text("controls") },
      settings.element,
      h("div", { class: "dlc-actions" }, ...[back, forth, play, reset, share, help.action].map((control) => control?.element)),
    ),
    help.panel,
    ...figure.elements,
    status.element,
    table.element,
    h("p", { class: "dlc-caption" }, text("caption")),
    announcer.element,
  );
  root.addEventListener("keydown", help.onKey);
  root.addEventListener("keydown", createShortcuts({ stepBack: back, step: forth, play, reset }));

  /** @param {import("./trainer.js").Shown} shown */
  function draw(shown) {
    const { wanted, state, waiting, end, broken, outputs } = shown;
    settings.show(wanted);
    back.enable(wanted.step > 0);
    const last = broken ?? LIMITS.step;
    forth.enable(wanted.step < last);
    play.enable(wanted.step < last);
    put(root, { "data-step": state.step, "data-end": end, "aria-busy": waiting ? "true" : null });
    figure.draw(shown, runner.playing);
    table.draw();
    if (waiting || runner.playing) return;
    if (broken === state.step) say(text("broken", { step: broken }));
    else if (state.step === LIMITS.step) say(text("at_the_end", { last: LIMITS.step }));
    const [train, held] = ["train_loss", "held_loss"].map((name) => short(Number(outputs[name]?.data[0])));
    announcer.say(text("announcement", { step: state.step, train: train ?? "", held: held ?? "" }));
  }
  trainer.subscribe(draw);

  el.replaceChildren(root);
  figure.start(root, () => trainer.shown());
  drawPlay();
  const endFailure = engine.subscribe(({ phase }) => {
    if (phase === "failed") runner.stop();
  });
  const onMotion = () => {
    runner.stop();
    drawPlay();
  };
  motion.addEventListener("change", onMotion);

  const restore = (/** @type {Record<string, string>} */ parameters) => {
    runner.stop();
    say("");
    trainer.set(fromParameters(parameters));
  };
  if (page && Object.keys(page.parameters()).length) restore(page.parameters());
  const endAddress = page?.onChange(restore);

  return () => {
    runner.stop();
    endAddress?.();
    endFailure();
    motion.removeEventListener("change", onMotion);
    figure.destroy();
    announcer.destroy();
    trainer.destroy();
    status.destroy();
    engine.destroy();
    root.remove();
  };
}

export default { render };
