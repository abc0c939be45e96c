/**
 * An explorable's state and the numbers that belong to it: what the model holds, which Python shares, what was before, and
 * what the engine answered last.
 *
 * @typedef {import("./explorable.js").State} State
 * @typedef {import("./explorable.js").Answers} Answers
 */

import { oncePerTurn } from "./once_per_turn.js";
import { Past } from "./past.js";
import { createTraits, differs } from "./traits.js";

/** A newer question took this one's place. */
class Superseded extends Error {}

/**
 * @param {Pick<import("./explorable.js").Spec, "keys" | "change" | "ask" | "silent" | "asksForSteps">} spec
 * @param {import("./types.js").Model} model
 * @param {import("../engine/engine.js").Engine} engine
 */
export function createStore({ keys, change, ask, silent = [], asksForSteps = false }, model, engine) {
  const quiet = new Set([...(asksForSteps ? [] : ["step"]), ...silent]);
  const traits = createTraits(model, keys, (told) => adopt(change(state, told, model)));
  /** @type {State} */
  const initial = traits.read();
  let state = initial;
  /** @type {Past<State>} */
  const past = new Past();
  /** @type {{of: State, answers: Answers, turn: number, more: boolean} | null} */
  let numbers = null;
  let turn = 0;
  let ended = false;

  /** @type {Set<() => void>} */
  const listeners = new Set();
  const notify = oncePerTurn(() => {
    if (!ended) for (const listener of listeners) listener();
  });

  /** Which turn asked last, by the channel. @type {Map<string, number>} */
  const askers = new Map();
  /** @param {number} mine @returns {import("./explorable.js").Answered} */
  const answeredOf = (mine) => async (graph, inputs, channel = graph) => {
    // Whoever asks one question after the other must not take the place of a newer state's.
    if ((askers.get(channel) ?? 0) > mine) throw new Superseded();
    askers.set(channel, mine);
    const answer = await engine.run(graph, inputs, channel);
    if (!answer || ended) throw new Superseded();
    return answer;
  };
  async function compute() {
    const of = state;
    const mine = (turn += 1);
    try {
      const answered = answeredOf(mine);
      /** @param {Answers} answers  @param {boolean} more  Whether more are to come. */
      const show = (answers, more) => {
        // While a slider moves, each answer is shown, but none after a newer one.
        if (ended || mine < (numbers?.turn ?? 0)) return;
        numbers = { of, answers, turn: mine, more };
        notify();
      };
      const run = async (/** @type {Parameters<typeof answered>} */ ...question) => (await answered(...question)).outputs;
      show(await ask(of, run, model, answered, (some) => show(some, true)), false);
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

  /** @param {State} next */
  function take(next) {
    adopt(next);
    traits.write(next);
  }
  /** @param {State} wish  @param {boolean} [goesOn]  Whether it goes on with the last change: undo takes both back. */
  function set(wish, goesOn = false) {
    const next = change(state, wish, model);
    // Steps have a way back of their own.
    if (!goesOn && keys.some((key) => key !== "step" && next[key] !== state[key])) past.remember(state);
    take(next);
  }
  void compute();

  return {
    state: () => state,
    /** What there is to draw; null before the first answers. */
    numbers() {
      if (!numbers) return null;
      const { of, answers, more } = numbers;
      const kept = Object.fromEntries(keys.map((key) => [key, quiet.has(key) ? state[key] : of[key]]));
      return { state: kept, wanted: state, waiting: more || keys.some((key) => !quiet.has(key) && of[key] !== state[key]), answers };
    },
    set,
    undo() {
      const last = past.back();
      if (last) take(last);
      notify();
    },
    canUndo: () => past.any,
    reset: () => set(initial),
    canReset: () => keys.some((key) => differs(state[key], initial[key])),
    /** What differs from the first state, as texts for an address. @returns {Record<string, string>} */
    toParameters() {
      const changed = keys.filter((key) => differs(state[key], initial[key]));
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
      traits.destroy();
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
