/**
 * The front end of `dlcompare.widgets.ConvolutionStepper`: an anywidget module, and what the static host mounts in a
 * published page.
 */
import { createEngine } from "../../engine/engine.js";
import { createEngineStatus } from "../../engine/status.js";
import { createAnnouncer } from "../../shared/announcer.js";
import { createAction, createChoice } from "../../shared/controls.js";
import { createFigure } from "./figure.js";
import { fromParameters, LIMITS, sameKernel, toParameters } from "./rules.js";
import { createStepper } from "./state.js";
import { createDataTable } from "../../shared/data_table.js";
import { h, put, uniqueId } from "../../shared/dom.js";
import { full, translator } from "../../shared/format.js";
import { createKeyHelp } from "../../shared/key_help.js";
import { createPlayer } from "../../shared/player.js";
import { shareLink } from "../../shared/share.js";
import { createShortcuts } from "../../shared/shortcuts.js";
import { followTheme, reducedMotion } from "../../shared/theme.js";

/**
 * @param {import("../../shared/types.js").RenderContext} context
 * @returns {() => void} what takes the widget away again
 */
function render({ model, el, page }) {
  const text = translator(model.get("strings"));
  /** @type {import("../../shared/types.js").Preset[]} */
  const presets = model.get("presets");
  /** @type {string[]} */
  const labels = model.get("labels");
  const engine = createEngine({ model, page });
  const status = createEngineStatus(engine, text);
  const stepper = createStepper(model, engine);
  const announcer = createAnnouncer();
  const motion = reducedMotion();
  const note = h("p", { class: "dlc-note", role: "status" });
  const say = (/** @type {string} */ message) => (note.textContent = message);

  const player = createPlayer(
    () => stepper.step(1, { reveal: true }),
    () => drawPlay(),
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
  const choose = (/** @type {Parameters<typeof stepper.set>[0]} */ wish) => {
    stopPlaying();
    say("");
    stepper.set(wish);
  };
  const step = (/** @type {number} */ by) => () => {
    stopPlaying();
    stepper.step(by);
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
      stepper.reset();
    },
  });
  const share =
    page &&
    createAction({
      name: "share",
      label: text("share"),
      hint: text("share_hint"),
      onPress: () => void shareLink(page.link(toParameters(stepper.wanted())), text).then(say),
    });
  const table = createDataTable(text, () => {
    const shown = stepper.shown();
    if (!shown) return null;
    const { window, weights, products, sum, state } = shown;
    const size = state.kernel.length;
    const rows = Array.from(window, (pixel, index) => [
      `${Math.floor(index / size)}, ${index % size}`,
      pixel,
      Number(weights[index]),
      Number(products[index]),
    ]);
    return {
      columns: ["place", "window", "kernel", "products"].map((key) => text(key)),
      rows: [...rows, [text("sum_title"), "", "", sum]],
    };
  });
  const help = createKeyHelp(text, "keys_convolution", "keys_steps", "keys_all");
  const drawPlay = () => {
    if (motion.matches) play.become("nextRow", text("next_row"));
    else if (player.playing) play.become("pause", text("pause"));
    else play.become("play", text("play"));
  };

  const figure = createFigure({
    text,
    stepper,
    isPlaying: () => player.playing,
    onTouch: stopPlaying,
    onPlay: togglePlay,
    onRefuse: say,
  });
  const titleId = uniqueId("title");
  const root = h(
    "div",
    { class: "dlc dlc-convolution", role: "group", "aria-labelledby": titleId },
    h("p", { class: "dlc-title", id: titleId }, text("title")),
    h(
      "div",
      { class: "dlc-controls", role: "group", "aria-label": text("controls") },
      h("div", { class: "dlc-choices" }, ...Object.values(choices).map(({ element }) => element)),
      h(
        "div",
        { class: "dlc-actions" },
        ...[back, forth, play, reset, share, help.action].map((control) => control?.element),
      ),
    ),
    help.panel,
    ...figure.elements,
    note,
    status.element,
    table.element,
    h("p", { class: "dlc-caption" }, text("caption")),
    announcer.element,
  );
  root.addEventListener("keydown", help.onKey);
  root.addEventListener("keydown", createShortcuts({ stepBack: back, step: forth, play, reset }));

  /** @param {import("./state.js").Shown} shown */
  const draw = (shown) => {
    const { wanted, state, at, output, sum } = shown;
    choices.image.show(String(wanted.image));
    choices.kernel.show(presets.find(({ kernel }) => sameKernel(kernel, wanted.kernel))?.id ?? "");
    choices.stride.show(String(wanted.stride));
    choices.padding.show(String(wanted.padding));
    const index = state.position[0] * output.width + state.position[1];
    back.enable(index > 0);
    forth.enable(index + 1 < output.width * output.height);
    put(root, { "data-row": at[0], "data-column": at[1], "aria-busy": shown.waiting ? "true" : null });
    figure.draw(shown);
    table.draw();
    if (!player.playing) announcer.say(text("announcement", { row: at[0], column: at[1], value: full(sum) }));
  };
  stepper.subscribe(draw);

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
    figure.destroy();
    announcer.destroy();
    stepper.destroy();
    status.destroy();
    engine.destroy();
    root.remove();
  };
}

/** @param {number[]} limits  First and last. */
const range = ([first = 0, last = 0]) =>
  Array.from({ length: last - first + 1 }, (_, i) => ({ value: String(first + i), text: String(first + i) }));

export default { render };
