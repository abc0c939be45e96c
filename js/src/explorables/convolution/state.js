/**
 * The stepper's state: what the model holds, what only this view holds (where the reader points, how far the play has
 * got), and what follows from both by the arithmetic.
 *
 * @typedef {import("../../shared/types.js").Model} Model
 * @typedef {import("../../shared/types.js").Plane} Plane
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {import("../../shared/types.js").Preset} Preset
 * @typedef {import("./rules.js").State} State
 *
 * @typedef {object} Shown  Everything that a view draws.
 * @property {State} state
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
import { decodeFloats } from "../../shared/base64.js";
import { convolve, products, sum, windowAt } from "./arithmetic.js";
import { change, windowOver } from "./rules.js";

const KEYS = /** @type {const} */ (["image", "kernel", "stride", "padding", "position"]);

/** @param {Model} model */
export function createStepper(model) {
  const { shape, data } = model.get("images");
  const [count, height, width] = /** @type {[number, number, number]} */ (shape);
  const pixels = decodeFloats(data);
  const extent = { images: count, height, width };

  const read = () => /** @type {State} */ (Object.fromEntries(KEYS.map((key) => [key, model.get(key)])));
  let state = read();
  const initial = state;
  /** @type {Cell | null} */
  let pointed = null;
  /** @type {number | null} */
  let revealed = null;

  /** @param {State} s */
  const compute = (s) => {
    const values = pixels.subarray(s.image * height * width, (s.image + 1) * height * width);
    const result = convolve({ height, width, values }, s.kernel, s.stride, s.padding);
    return { ...result, limit: result.output.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) };
  };
  let map = compute(state);

  /** @type {Set<(shown: Shown) => void>} */
  const listeners = new Set();
  let queued = false;
  let ended = false;
  /** Many changes in one turn are drawn once. */
  const notify = () => {
    if (queued) return;
    queued = true;
    queueMicrotask(() => {
      queued = false;
      if (!ended) for (const listener of listeners) listener(shown());
    });
  };

  /** @returns {Shown} */
  const shown = () => {
    const at = pointed ?? state.position;
    const { padded, output, weights, limit } = map;
    const window = windowAt(padded, state.kernel.length, state.stride, at);
    const terms = products(window, weights);
    const pointing = pointed !== null;
    return { state, at, pointing, revealed, padded, output, limit, weights, window, products: terms, sum: sum(terms) };
  };

  /** @param {State} next */
  const adopt = (next) => {
    const recompute = KEYS.some((key) => key !== "position" && next[key] !== state[key]);
    state = next;
    if (recompute) {
      map = compute(state);
      revealed = null;
      pointed = null;
    }
    notify();
  };

  let writing = false;
  const fromModel = () => {
    if (!writing) adopt(change(state, read(), extent));
  };
  for (const key of KEYS) model.on(`change:${key}`, fromModel);

  /** @param {Partial<Record<keyof State, unknown>>} wish */
  const set = (wish) => {
    const next = change(state, wish, extent);
    const before = state;
    adopt(next);
    const changed = KEYS.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(next[key]));
    writing = true;
    for (const key of changed) model.set(key, next[key]);
    writing = false;
    if (changed.length) model.save_changes();
  };

  return {
    extent,
    shown,
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
    over: (pixel) => windowOver(pixel, state, extent),
    /** Move `by` output pixels in reading order; false at the end. While playing, hide what is not computed yet. */
    step(/** @type {number} */ by, { reveal = false } = {}) {
      const { height: rows, width: columns } = map.output;
      const index = state.position[0] * columns + state.position[1];
      const next = Math.min(rows * columns - 1, Math.max(0, index + by));
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
      for (const key of KEYS) model.off(`change:${key}`, fromModel);
    },
  };
}

/** @typedef {ReturnType<typeof createStepper>} Stepper */
