/**
 * The stepper's state: what the model holds, what only this view holds (where the reader points, how far the play has
 * got), and the numbers that the engine gave for it. While new numbers are on their way, the last ones stay.
 *
 * @typedef {import("../../shared/types.js").Model} Model
 * @typedef {import("../../shared/types.js").Plane} Plane
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {import("../../shared/types.js").Preset} Preset
 * @typedef {import("../../engine/engine.js").Engine} Engine
 * @typedef {import("./rules.js").State} State
 *
 * @typedef {object} Shown  Everything that a view draws.
 * @property {State} wanted  What is chosen.
 * @property {State} state  What the numbers belong to: the same, unless they are still on their way.
 * @property {boolean} waiting  Whether they are.
 * @property {Cell} at  The output pixel shown: where the reader points, or the state's position.
 * @property {boolean} pointing  Whether `at` is only pointed at.
 * @property {number | null} revealed  How many output pixels the play has computed; null when all are shown.
 * @property {Plane} padded
 * @property {Plane} output
 * @property {number} limit  The largest size in the output.
 * @property {Float32Array} weights
 * @property {Float32Array} window
 * @property {Float32Array} products
 * @property {number} sum
 */
import { float32 } from "../../engine/tensors.js";
import { decodeFloats } from "../../shared/base64.js";
import { oncePerTurn } from "../../shared/once_per_turn.js";
import { Past } from "../../shared/past.js";
import { createTraits, differs } from "../../shared/traits.js";
import { change, outputExtent, windowOver } from "./rules.js";
import { select, termsAt } from "./selection.js";

const KEYS = /** @type {const} */ (["image", "kernel", "stride", "padding", "position"]);

/**
 * @param {Model} model
 * @param {Engine} engine
 */
export function createStepper(model, engine) {
  const { shape, data } = model.get("images");
  const [count, height, width] = /** @type {[number, number, number]} */ (shape);
  const pixels = decodeFloats(data);
  const extent = { images: count, height, width };

  const traits = createTraits(model, KEYS, (told) => adopt(change(state, told, extent)));
  let state = /** @type {State} */ (traits.read());
  const initial = state;
  /** @type {Past<State>} */
  const past = new Past();
  /** @type {Cell | null} */
  let pointed = null;
  /** @type {number | null} */
  let revealed = null;

  /** @type {Set<(shown: Shown) => void>} */
  const listeners = new Set();
  let ended = false;
  const notify = oncePerTurn(() => {
    if (!ended && numbers) for (const listener of listeners) listener(shown());
  });

  /** The numbers last answered, and what they belong to. @type {{of: State, outputs: import("../../engine/tensors.js").Tensors, weights: Float32Array} | null} */
  let numbers = null;
  /** What is drawn of them: the state, which moves on with the position alone, and its part of the maps. */
  let drawn = { state, map: /** @type {ReturnType<typeof select> | null} */ (null) };

  async function ask() {
    const of = state;
    const image = pixels.subarray(of.image * height * width, (of.image + 1) * height * width);
    const weights = Float32Array.from(of.kernel.flat());
    const kernel = float32(weights, [of.kernel.length, of.kernel.length]);
    const answer = await engine.run("convolution", { image: float32(image, [height, width]), kernel });
    if (!answer || ended) return;
    numbers = { of, outputs: answer.outputs, weights };
    drawn = { state, map: null };
    pointed = null;
    revealed = null;
    notify();
  }
  /** Whether there are numbers for the image and the kernel that are wanted. */
  const answered = () => numbers?.of.image === state.image && numbers.of.kernel === state.kernel;

  /** @returns {Shown} */
  const shown = () => {
    const { outputs, weights } = /** @type {NonNullable<typeof numbers>} */ (numbers);
    const map = (drawn.map ??= select(outputs, drawn.state));
    const at = pointed ?? drawn.state.position;
    const { window, products, sum } = termsAt(outputs, drawn.state, at);
    const pointing = pointed !== null;
    return { wanted: state, waiting: !answered(), ...map, state: drawn.state, at, pointing, revealed, weights, window, products, sum };
  };

  /** @param {State} next */
  const adopt = (next) => {
    const geometry = KEYS.some((key) => key !== "position" && next[key] !== state[key]);
    const ahead = next.image !== state.image || next.kernel !== state.kernel;
    state = next;
    if (geometry) {
      pointed = null;
      revealed = null;
    }
    if (ahead) void ask();
    if (answered()) drawn = { state, map: geometry ? null : drawn.map };
    // The reader can look around among the last numbers while others are on their way.
    else drawn = { state: change(drawn.state, { position: state.position }, extent), map: drawn.map };
    notify();
  };

  /** @param {State} next */
  const take = (next) => {
    adopt(next);
    traits.write(next);
  };
  /** @param {Partial<Record<keyof State, unknown>>} wish */
  const set = (wish) => {
    const next = change(state, wish, extent);
    // Steps, which lead from place to place, have a way back of their own.
    if (KEYS.some((key) => key !== "position" && differs(next[key], state[key]))) past.remember(state);
    take(next);
  };
  void ask();

  return {
    extent,
    /** What to draw; null until the first numbers are there. */
    shown: () => (numbers ? shown() : null),
    wanted: () => state,
    set,
    /** Show another output pixel without moving there; null goes back. @param {Cell | null} cell */
    point(cell) {
      if (String(cell) === String(pointed)) return;
      pointed = cell;
      notify();
    },
    /** Stay at an output pixel. @param {Cell} cell */
    go(cell) {
      pointed = null;
      revealed = null;
      set({ position: cell });
      notify();
    },
    /** @param {Cell} pixel  Of the padded image. */
    over: (pixel) => windowOver(pixel, drawn.state, extent),
    /** Move `by` output pixels in reading order; false at the end. While playing, hide what is not computed yet. */
    step(/** @type {number} */ by, { reveal = false } = {}) {
      const { rows, columns } = outputExtent(drawn.state, extent);
      const [row, column] = drawn.state.position;
      const next = Math.min(rows * columns - 1, Math.max(0, row * columns + column + by));
      pointed = null;
      if (reveal || revealed !== null) revealed = next + 1 === rows * columns ? null : next + 1;
      set({ position: [Math.floor(next / columns), next % columns] });
      notify();
      return next + 1 < rows * columns;
    },
    /** Show the whole output again. */
    unveil() {
      revealed = null;
      notify();
    },
    undo() {
      const last = past.back();
      if (!last) return;
      pointed = null;
      revealed = null;
      take(last);
      notify();
    },
    canUndo: () => past.any,
    reset() {
      pointed = null;
      revealed = null;
      set(initial);
      notify();
    },
    /** @param {(shown: Shown) => void} listener */
    subscribe(listener) {
      listeners.add(listener);
    },
    destroy() {
      ended = true;
      listeners.clear();
      traits.destroy();
    },
  };
}

/** @typedef {ReturnType<typeof createStepper>} Stepper */
