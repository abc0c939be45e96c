/**
 * An explorable's state and the numbers that belong to it: what the model holds, which Python shares, what was before, and
 * what the engine answered last.
 *
 * @typedef {import("./explorable.js").State} State
 * @typedef {import("./explorable.js").Answers} Answers
 */

/** Changes that can be undone. */
const KEPT = 200;

/** A newer question took this one's place. */
class Superseded extends Error {}

/**
 * @param {Pick<import("./explorable.js").Spec, "keys" | "change" | "ask" | "silent">} spec
 * @param {import("./types.js").Model} model
 * @param {import("../engine/engine.js").Engine} engine
 */
export function createStore({ keys, change, ask, silent = [] }, model, engine) {
  const quiet = new Set(["step", ...silent]);
  const read = () => Object.fromEntries(keys.map((key) => [key, model.get(key)]));
  const initial = read();
  let state = initial;
  /** @type {State[]} */
  let before = [];
  /** @type {{of: State, answers: Answers, turn: number} | null} */
  let numbers = null;
  let turn = 0;
  let ended = false;

  /** @type {Set<() => void>} */
  const listeners = new Set();
  let queued = false;
  /** Many changes in one turn are drawn once. */
  function notify() {
    if (queued) return;
    queued = true;
    queueMicrotask(() => {
      queued = false;
      if (!ended) for (const listener of listeners) listener();
    });
  }

  /** By channel, the latest turn that has asked there. @type {Map<string, number>} */
  const latest = new Map();
  /**
   * What one turn asks with. Where it asks one question after the other, its later ones must not take a newer turn's place.
   * @param {number} mine
   * @returns {import("./explorable.js").Run}
   */
  const asker = (mine) => async (graph, inputs, channel = graph) => {
    if ((latest.get(channel) ?? 0) > mine) throw new Superseded();
    latest.set(channel, mine);
    const answer = await engine.run(graph, inputs, channel);
    if (!answer || ended) throw new Superseded();
    return answer.outputs;
  };
  async function compute() {
    const of = state;
    const mine = (turn += 1);
    try {
      const answers = await ask(of, asker(mine), model);
      // While a slider moves, each answer is shown, but none after a newer one.
      if (ended || mine <= (numbers?.turn ?? 0)) return;
      numbers = { of, answers, turn: mine };
      notify();
    } catch (error) {
      if (!(error instanceof Superseded)) throw error;
    }
  }

  /** @param {State} next */
  function adopt(next) {
    if (next === state) return;
    const asks = keys.some((key) => next[key] !== state[key] && !quiet.has(key));
    state = next;
    if (asks) void compute();
    notify();
  }
  let writing = false;
  const fromModel = () => {
    if (!writing) adopt(change(state, read(), model));
  };
  for (const key of keys) model.on(`change:${key}`, fromModel);

  /** @param {State} next */
  function take(next) {
    const changed = keys.filter((key) => next[key] !== state[key]);
    if (!changed.length) return;
    adopt(next);
    writing = true;
    for (const key of changed) model.set(key, next[key]);
    writing = false;
    model.save_changes();
  }
  /** @param {State} wish */
  function set(wish) {
    const next = change(state, wish, model);
    // Steps have a way back of their own.
    if (keys.some((key) => key !== "step" && next[key] !== state[key])) before = [...before, state].slice(-KEPT);
    take(next);
  }
  void compute();

  return {
    state: () => state,
    /** What there is to draw; null before the first answers. */
    numbers() {
      if (!numbers) return null;
      const { of, answers } = numbers;
      const kept = Object.fromEntries(keys.map((key) => [key, quiet.has(key) ? state[key] : of[key]]));
      return { state: kept, wanted: state, waiting: keys.some((key) => !quiet.has(key) && of[key] !== state[key]), answers };
    },
    set,
    undo() {
      const last = before.pop();
      if (last) take(last);
      notify();
    },
    canUndo: () => before.length > 0,
    reset: () => set(initial),
    canReset: () => keys.some((key) => state[key] !== initial[key]),
    /** What differs from the first state, as texts for an address. @returns {Record<string, string>} */
    toParameters() {
      const changed = keys.filter((key) => JSON.stringify(state[key]) !== JSON.stringify(initial[key]));
      const write = (/** @type {any} */ value) => (typeof value === "string" ? value : JSON.stringify(value));
      return Object.fromEntries((changed.length ? changed : keys.slice(0, 1)).map((key) => [key, write(state[key])]));
    },
    /** Go to the state that an address tells. @param {Record<string, string>} parameters */
    restore(parameters) {
      const told = keys.filter((key) => parameters[key] !== undefined);
      const value = (/** @type {string} */ key) => (typeof initial[key] === "string" ? parameters[key] : parse(parameters[key]));
      set({ ...initial, ...Object.fromEntries(told.map((key) => [key, value(key)])) });
    },
    /** @param {() => void} listener */
    subscribe(listener) {
      listeners.add(listener);
    },
    destroy() {
      ended = true;
      listeners.clear();
      for (const key of keys) model.off(`change:${key}`, fromModel);
    },
  };
}

/** @param {string | undefined} text  @returns {unknown} undefined for what is no JSON */
function parse(text) {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
