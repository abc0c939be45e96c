/**
 * The front end of `dlcompare.widgets.ConvolutionStepper`: an anywidget module, and what the static host mounts in a
 * published page.
 */
import { createAction, createChoice } from "../../shared/controls.js";
import { h, put } from "../../shared/dom.js";
import { full } from "../../shared/format.js";
import { createFrame } from "../../shared/frame.js";
import { createPlayer } from "../../shared/player.js";
import { createFigure } from "./figure.js";
import { fromParameters, LIMITS, sameKernel, toParameters } from "./rules.js";
import { createStepper } from "./state.js";

/**
 * @param {import("../../shared/types.js").RenderContext} context
 * @returns {() => void} what takes the widget away again
 */
function render(context) {
  const { model } = context;
  const frame = createFrame(context, "convolution");
  const { text, motion, say } = frame;
  /** @type {import("../../shared/types.js").Preset[]} */
  const presets = model.get("presets");
  /** @type {string[]} */
  const labels = model.get("labels");
  const stepper = createStepper(model, frame.engine);

  const player = createPlayer(
    () => stepper.step(1, { reveal: true }),
    (playing) => drawPlay(playing),
  );
  const stopPlaying = () => player.stop();
  /** Play and pause; a reader who asked for less motion takes a whole row of steps at once instead. */
  function togglePlay() {
    const shown = stepper.shown();
    if (!shown) return;
    const { output, state } = shown;
    const [row] = state.position;
    const last = state.position.join() === [output.height - 1, output.width - 1].join();
    if (motion.matches) {
      const next = row + 1 < output.height ? row + 1 : 0;
      stepper.go([next, state.position[1]]);
    } else if (player.playing) player.stop();
    else {
      if (last) stepper.go([0, 0]);
      player.start();
    }
  }

  const own = frame.ending(stopPlaying);
  const choose = own(stepper.set);
  const choices = {
    image: createChoice({
      name: "image",
      label: text("image"),
      options: labels.map((label, index) => ({ value: String(index), text: text("image_option", { index, label }) })),
      onChoose: (value) => choose({ image: Number(value) }),
    }),
    kernel: createChoice({
      name: "kernel",
      label: text("kernel"),
      options: [
        { value: "", text: text("own_kernel") },
        ...presets.map(({ id, name, group }) => ({ value: id, text: name, group })),
      ],
      onChoose: (value) => choose({ kernel: presets.find(({ id }) => id === value)?.kernel }),
    }),
    stride: createChoice({
      name: "stride",
      label: text("stride"),
      options: range(LIMITS.stride),
      onChoose: (value) => choose({ stride: Number(value) }),
    }),
    padding: createChoice({
      name: "padding",
      label: text("padding"),
      options: range(LIMITS.padding),
      onChoose: (value) => choose({ padding: Number(value) }),
    }),
  };
  const actions = {
    stepBack: createAction({ name: "stepBack", label: text("step_back"), onPress: own(() => stepper.step(-1)) }),
    step: createAction({ name: "step", label: text("step"), onPress: own(() => stepper.step(1)) }),
    play: createAction({ name: "play", label: text("play"), onPress: togglePlay }),
    undo: createAction({ name: "undo", label: text("undo"), onPress: own(stepper.undo) }),
    reset: createAction({ name: "reset", label: text("reset"), onPress: own(stepper.reset) }),
  };
  const figure = createFigure({ text, stepper, isPlaying: () => player.playing, onTouch: stopPlaying, onPlay: togglePlay, onRefuse: say });
  const { root, drawPlay, drawTable, start } = frame.build({
    controls: [h("div", { class: "dlc-choices" }, ...Object.values(choices).map(({ element }) => element))],
    actions,
    keys: ["keys_steps"],
    elements: [...figure.elements, frame.note],
    parameters: () => toParameters(stepper.wanted()),
    table() {
      const shown = stepper.shown();
      return shown && tableOf(text, shown);
    },
    leap: text("next_row"),
  });

  /** @param {import("./state.js").Shown} shown */
  const draw = (shown) => {
    const { wanted, state, at, output, sum } = shown;
    choices.image.show(String(wanted.image));
    choices.kernel.show(presets.find(({ kernel }) => sameKernel(kernel, wanted.kernel))?.id ?? "");
    choices.stride.show(String(wanted.stride));
    choices.padding.show(String(wanted.padding));
    const index = state.position[0] * output.width + state.position[1];
    actions.stepBack.enable(index > 0);
    actions.step.enable(index + 1 < output.width * output.height);
    actions.undo.enable(stepper.canUndo());
    put(root, { "data-row": at[0], "data-column": at[1], "aria-busy": shown.waiting ? "true" : null });
    figure.draw(shown);
    drawTable();
    if (!player.playing) frame.announcer.say(text("announcement", { row: at[0], column: at[1], value: full(sum) }));
  };
  stepper.subscribe(draw);
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
      figure.destroy();
      stepper.destroy();
    },
  });
}

/**
 * The sum of the output pixel that is shown, term by term.
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./state.js").Shown} shown
 */
function tableOf(text, { window, weights, products, sum, state }) {
  const size = state.kernel.length;
  const rows = Array.from(window, (pixel, index) => [`${Math.floor(index / size)}, ${index % size}`, pixel, Number(weights[index]), Number(products[index])]);
  return { columns: ["place", "window", "kernel", "products"].map((key) => text(key)), rows: [...rows, [text("sum_title"), "", "", sum]] };
}

/** @param {number[]} limits  First and last. */
const range = ([first = 0, last = 0]) =>
  Array.from({ length: last - first + 1 }, (_, i) => ({ value: String(first + i), text: String(first + i) }));

export default { render };
