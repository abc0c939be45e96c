/**
 * What all explorables have around what is their own, in their frame: steps and play, undo and reset, a state that Python and
 * the page's address share.
 *
 * An explorable says which traits its state has and what is allowed in it, what it asks of the engine, and how it draws the
 * answers. Drawing follows the state: nobody else keeps any. While answers are on their way, the last ones stay.
 *
 * @typedef {import("./types.js").Model} Model
 * @typedef {import("./types.js").RenderContext} RenderContext
 * @typedef {import("./format.js").Translate} Translate
 * @typedef {import("./theme.js").Scales} Scales
 * @typedef {import("../engine/tensors.js").Tensors} Tensors
 * @typedef {Record<string, any>} State
 * @typedef {Record<string, any>} Answers
 * @typedef {(graph: string, inputs: import("../engine/engine.js").Inputs, channel?: string) => Promise<Tensors>} Run
 * @typedef {(graph: string, inputs: import("../engine/engine.js").Inputs, channel?: string) => Promise<import("../engine/engine.js").Answer>} Answered
 *
 * @typedef {object} Shown  What is drawn.
 * @property {State} state  What the numbers belong to; the step, and whatever else asks for no numbers, is the wanted one.
 * @property {State} wanted  What is chosen: the same, unless numbers are still on their way.
 * @property {boolean} waiting  Whether they are.
 * @property {boolean} playing
 * @property {Answers} answers  What `ask` gave.
 * @property {Scales} scales  The theme's colours.
 *
 * @typedef {object} Tools  What the parts of an explorable need of it.
 * @property {Translate} text
 * @property {Model} model
 * @property {(wish: State, goesOn?: boolean) => void} set  Change the state, as far as the rules allow it. Ends a play. What
 *   goes on with the last change, as a stroke does, is undone together with it.
 * @property {(message: string) => void} say  A sentence for the reader, until the next change; "" for none.
 * @property {() => Shown | null} shown  Null until the first numbers are there.
 *
 * @typedef {object} Parts
 * @property {Node[]} [choices]  At the head of the row of controls.
 * @property {Node[]} elements  The figure.
 * @property {(shown: Shown) => void} draw
 * @property {(shown: Shown) => import("./data_table.js").TableContent} table
 * @property {(shown: Shown) => string} announce  What a screen reader says once things have come to rest.
 * @property {() => void} [destroy]
 *
 * @typedef {object} Spec
 * @property {string} name  Of its style, `dlc-NAME`, and of the text that lists its own keys, `keys_NAME`.
 * @property {string[]} keys  The traits of its state.
 * @property {(state: State, wish: State, model: Model) => State} change  The state after a wish. What is not allowed in the
 *   wish is left out; where nothing changes, the very same object.
 * @property {(state: State, run: Run, model: Model, answered: Answered, show: (some: Answers) => void) => Promise<Answers>} ask
 *   The numbers of a state; `answered` is `run` that also tells who answered and how long it took; `show` shows those that are
 *   there while others are on their way.
 * @property {string[]} [silent]  Keys that ask for no new numbers; `step` does so only with `asksForSteps`.
 * @property {boolean} [asksForSteps]
 * @property {(shown: Shown) => number} [last]  Of an explorable with steps, which `state.step` counts from 0: the last one.
 * @property {{slow: number, fast: number}} [pace]  Of its play, in milliseconds.
 * @property {(tools: Tools) => Parts} create
 */
import { createAction } from "./controls.js";
import { h, put } from "./dom.js";
import { createFrame } from "./frame.js";
import { createPlayer } from "./player.js";
import { createStore } from "./store.js";

/**
 * @param {Spec} spec
 * @returns {{render: (context: RenderContext) => () => void}} the module of an anywidget, which the static host mounts too
 */
export const defineExplorable = (spec) => ({ render: (context) => render(spec, context) });

/** @param {Spec} spec  @param {RenderContext} context */
function render(spec, context) {
  const { model } = context;
  const { name, last } = spec;
  const frame = createFrame(context, name);
  const { text, motion, say } = frame;
  const store = createStore(spec, model, frame.engine);
  /** @type {Scales} */
  let scales;

  const player = createPlayer(() => step(1), (playing) => drawPlay(playing), spec.pace);
  /** @returns {Shown | null} */
  const shown = () => {
    const numbers = store.numbers();
    if (!numbers) return null;
    const now = { ...numbers, playing: player.playing, scales };
    const end = last?.(now) ?? Infinity;
    // How many steps there are, the answers may decide: a step beyond is the last one.
    const within = (/** @type {State} */ of) => (of["step"] > end ? { ...of, step: end } : of);
    return { ...now, state: within(now.state), wanted: within(now.wanted) };
  };
  const own = frame.ending(player.stop);
  const parts = spec.create({ text, model, set: own(store.set), say, shown });

  /** @param {number} by  @returns {boolean} whether there is another step after it */
  function step(by) {
    const now = shown();
    const end = now && last ? last(now) : 0;
    const next = Math.min(end, Math.max(0, (now?.wanted["step"] ?? 0) + by));
    store.set({ step: next });
    return next < end;
  }
  function togglePlay() {
    const now = shown();
    if (!now || !last) return;
    const atEnd = now.wanted["step"] >= last(now);
    say("");
    if (player.playing) player.stop();
    else if (motion.matches) store.set({ step: atEnd ? 0 : last(now) });
    else {
      if (atEnd) store.set({ step: 0 });
      player.start();
    }
  }
  const actions = {
    stepBack: last && createAction({ name: "stepBack", label: text("step_back"), onPress: own(() => step(-1)) }),
    step: last && createAction({ name: "step", label: text("step"), onPress: own(() => step(1)) }),
    play: last && createAction({ name: "play", label: text("play"), onPress: togglePlay }),
    undo: createAction({ name: "undo", label: text("undo"), onPress: own(store.undo) }),
    reset: createAction({ name: "reset", label: text("reset"), onPress: own(store.reset) }),
  };
  const { root, drawPlay, drawTable, start } = frame.build({
    controls: [h("div", { class: "dlc-choices" }, ...(parts.choices ?? []))],
    actions,
    keys: last ? ["keys_steps"] : [],
    elements: [frame.note, ...parts.elements],
    parameters: store.toParameters,
    table() {
      const now = shown();
      return now && parts.table(now);
    },
    leap: text("to_the_end"),
  });

  function draw() {
    const now = shown();
    if (!now || !scales) return;
    const { wanted, waiting, playing } = now;
    if (last) {
      const end = last(now);
      actions.stepBack?.enable(wanted.step > 0);
      actions.step?.enable(wanted.step < end);
      actions.play?.enable(end > 0);
      put(root, { "data-step": wanted.step, "data-last": end });
    }
    actions.undo.enable(store.canUndo());
    actions.reset.enable(store.canReset());
    put(root, { "aria-busy": waiting ? "true" : null });
    parts.draw(now);
    drawTable();
    if (!waiting && !playing) frame.announcer.say(parts.announce(now));
  }
  store.subscribe(draw);
  drawPlay(false);

  return start({
    recolour(next) {
      scales = next;
      draw();
    },
    onMotion() {
      player.stop();
      drawPlay(false);
    },
    restore: own(store.restore),
    destroy() {
      player.stop();
      parts.destroy?.();
      store.destroy();
    },
  });
}
