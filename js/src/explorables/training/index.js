/**
 * The front end of `dlcompare.widgets.TrainingScrubber`: an anywidget module, and what the static host mounts in a
 * published page.
 */
import { createAction } from "../../shared/controls.js";
import { put } from "../../shared/dom.js";
import { short } from "../../shared/format.js";
import { createFrame } from "../../shared/frame.js";
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
function render(context) {
  const { model } = context;
  const frame = createFrame(context, "training");
  const { text, engine, motion, note, say } = frame;
  const trainer = createTrainer(model, engine, (progress) => {
    if (progress) say(text("again", progress));
    else if (note.dataset["progress"] !== undefined) say("");
    put(note, { "data-progress": progress ? "" : null });
  });

  const runner = createRunner(trainer, motion, () => drawPlay(runner.playing));
  const own = frame.ending(runner.stop);
  const settings = createSettings({ text, sets: Object.keys(model.get("sets")), onRestart: own(trainer.restart), onBranch });
  /** Learning rate or batch: the training goes on with it from the step that is shown. @param {{rate?: number, batch?: number}} wish */
  function onBranch(wish) {
    const { end = 0 } = trainer.shown() ?? {};
    const lost = end - trainer.wanted().step;
    const { step } = trainer.wanted();
    if (!trainer.branch(wish)) say(text("too_many_changes", { most: LIMITS.changes }));
    else if (lost > 0) say(text("branched", { step, lost }));
    else say("");
  }
  const scrub = own(trainer.goTo);
  const by = (/** @type {number} */ steps) => () => scrub(trainer.wanted().step + steps);
  const actions = {
    stepBack: createAction({ name: "stepBack", label: text("step_back"), onPress: by(-1) }),
    step: createAction({ name: "step", label: text("step_once"), onPress: by(1) }),
    play: createAction({ name: "play", label: text("play"), onPress: () => (say(""), runner.toggle()) }),
    undo: createAction({ name: "undo", label: text("undo"), onPress: own(trainer.undo) }),
    reset: createAction({ name: "reset", label: text("reset"), onPress: own(trainer.reset) }),
  };
  const figure = createFigure({ text, note, onScrub: scrub });
  const { root, drawPlay, drawTable, start } = frame.build({
    controls: [settings.element],
    actions,
    keys: ["keys_steps"],
    elements: figure.elements,
    parameters: () => toParameters(trainer.wanted()),
    table() {
      const shown = trainer.shown();
      return shown && tableOf(shown, text);
    },
    leap: text("fifty"),
  });

  /** @param {import("./trainer.js").Shown} shown */
  function draw(shown) {
    const { wanted, state, waiting, end, broken, outputs } = shown;
    settings.show(wanted);
    actions.stepBack.enable(wanted.step > 0);
    const last = broken ?? LIMITS.step;
    actions.step.enable(wanted.step < last);
    actions.play.enable(wanted.step < last);
    actions.undo.enable(trainer.canUndo());
    put(root, { "data-step": state.step, "data-end": end, "aria-busy": waiting ? "true" : null });
    figure.draw(shown, runner.playing);
    drawTable();
    if (waiting || runner.playing) return;
    if (broken === state.step) say(text("broken", { step: broken }));
    else if (state.step === LIMITS.step) say(text("at_the_end", { last: LIMITS.step }));
    const [train, held] = ["train_loss", "held_loss"].map((name) => short(Number(outputs[name]?.data[0])));
    frame.announcer.say(text("announcement", { step: state.step, train: train ?? "", held: held ?? "" }));
  }
  trainer.subscribe(draw);
  drawPlay(false);
  const endFailure = engine.subscribe(({ phase }) => {
    if (phase === "failed") runner.stop();
  });

  return start({
    recolour(scales) {
      figure.recolour(scales);
      const shown = trainer.shown();
      if (shown) figure.draw(shown, runner.playing);
    },
    onMotion() {
      runner.stop();
      drawPlay(false);
    },
    restore: own((parameters) => trainer.set(fromParameters(parameters))),
    destroy() {
      runner.stop();
      endFailure();
      figure.destroy();
      trainer.destroy();
    },
  });
}

export default { render };
