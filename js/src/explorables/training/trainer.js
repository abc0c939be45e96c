/**
 * The trainer: what the model holds, and the numbers of the step that is shown. What is wanted is always a state: settings
 * and a step. One question after another leads there, never two at a time. While it is on its way, the last numbers stay.
 *
 * @typedef {import("../../shared/types.js").Model} Model
 * @typedef {import("../../engine/engine.js").Engine} Engine
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("./network.js").Examples} Examples
 * @typedef {import("./rules.js").State} State
 * @typedef {import("./run.js").Run} Run
 *
 * @typedef {object} Shown  Everything that a view draws.
 * @property {State} wanted  What is chosen.
 * @property {State} state  What the numbers belong to: the same, unless they are still on their way.
 * @property {boolean} waiting  Whether they are.
 * @property {Examples} examples
 * @property {number[]} widths
 * @property {Tensors} parameters
 * @property {Tensors} outputs
 * @property {number[]} chosen  The batch of this step.
 * @property {Float32Array[]} measures  By step, as far as it has been trained.
 * @property {Float32Array[] | null} before  Those of the run before it, to compare.
 * @property {number} end  The last step that has been trained to.
 * @property {number | null} broken  The step at which the loss was no number any more.
 */
import { oncePerTurn } from "../../shared/once_per_turn.js";
import { Past } from "../../shared/past.js";
import { createTraits, differs } from "../../shared/traits.js";
import { drawUniform } from "./batches.js";
import { readSet } from "./network.js";
import { createRun } from "./run.js";
import { change, LIMITS, networkOf, reschedule, runOf, settingsAt } from "./rules.js";

const KEYS = /** @type {const} */ (["data", "activation", "depth", "width", "seed", "schedule", "step"]);
const CHANNEL = "training";
/** From so many steps on, the reader is told how far the way is. */
const LONG = 40;

/**
 * @param {Model} model
 * @param {Engine} engine
 * @param {(progress: {step: number, of: number} | null) => void} onProgress
 */
export function createTrainer(model, engine, onProgress) {
  /** @type {Record<string, import("./network.js").WrittenSet>} */
  const written = model.get("sets");
  /** @type {Map<string, Examples>} */
  const sets = new Map();
  const examplesOf = (/** @type {string} */ name) => {
    const examples = sets.get(name) ?? readSet(name, /** @type {import("./network.js").WrittenSet} */ (written[name]));
    sets.set(name, examples);
    return examples;
  };
  const begin = () => createRun(examplesOf(wanted.data), wanted, model.get("recorded")?.settings ? model.get("recorded") : null);

  const traits = createTraits(model, KEYS, (told) => adopt(change(wanted, told, Object.keys(written))));
  let wanted = /** @type {State} */ (traits.read());
  const initial = wanted;
  /** @type {Past<{wanted: State, before: Float32Array[] | null}>} */
  const past = new Past();
  let run = begin();
  run.follow(wanted.schedule);
  /** @type {Float32Array[] | null} */
  let before = null;
  /** @type {{of: Run, state: State, parameters: Tensors, outputs: Tensors, chosen: number[]} | null} */
  let numbers = null;
  let playing = false;
  let ended = false;

  /** @type {Set<(shown: Shown) => void>} */
  const listeners = new Set();
  const notify = oncePerTurn(() => {
    const now = shown();
    if (!ended && now) for (const listener of listeners) listener(now);
  });

  /** Whether the numbers are those of what is wanted. */
  const settled = () =>
    numbers !== null && numbers.of === run && numbers.state.step === wanted.step && runOf(numbers.state) === runOf(wanted);

  /** @returns {Shown | null} */
  function shown() {
    if (!numbers) return null;
    const { of, state, parameters, outputs, chosen } = numbers;
    const { examples, widths, measures, end, broken } = of;
    return { wanted, state, waiting: !settled(), examples, widths, parameters, outputs, chosen, measures, before, end, broken };
  }

  /** @returns {Promise<boolean>} whether the first weights came */
  async function start(/** @type {Run} */ of) {
    const { activation, seed } = wanted;
    /** @type {Tensors} */
    const parameters = {};
    for (const [index, uniform] of drawUniform(seed, of.widths).entries()) {
      const answer = await engine.run("first-weights", { uniform }, CHANNEL);
      if (!answer) return false;
      // He's range for ReLU, Glorot's for the others; biases begin at zero.
      const drawn = answer.outputs[activation === "relu" ? "he" : "glorot"];
      if (drawn) parameters[`w${index + 1}`] = drawn;
      const outputs = Number(uniform.dims[0]);
      parameters[`b${index + 1}`] = { type: "float32", dims: [outputs], data: new Float32Array(outputs) };
    }
    of.start(parameters);
    return true;
  }

  /** Ask the next question on the way to what is wanted. @returns {Promise<boolean>} whether there was one, and an answer */
  async function work() {
    const [of, version, state] = [run, run.version, wanted];
    if (of.broken !== null && state.step > of.broken) wanted = { ...state, step: of.broken };
    if (settled()) return false;
    const known = of.before(wanted.step);
    if (!known) return start(of);
    const whole = known.step === wanted.step;
    const { graph, inputs, chosen, parameters } = of.question(known, wanted, whole);
    const asked = { ...wanted, step: known.step };
    const left = wanted.step - known.step;
    if (left % LONG === 0 && !playing) onProgress(left > 0 ? { step: known.step, of: wanted.step } : null);
    const answer = await engine.run(graph, inputs, CHANNEL);
    if (!answer) return false;
    // An answer that came too late is no use to the run that took its place.
    if (of !== run || version !== of.version) return true;
    of.learn(known.step, answer.outputs);
    if (!whole) return true;
    numbers = { of, state: asked, parameters, outputs: answer.outputs, chosen };
    notify();
    return true;
  }

  let turn = 0;
  let working = false;
  async function pump() {
    // A question that failed waits to be asked again; what is wanted now takes its place.
    if (working && engine.status().phase !== "failed") return;
    const mine = (turn += 1);
    working = true;
    while (!ended && mine === turn && (await work()));
    if (mine !== turn || ended) return;
    working = false;
    // Something else may have been wanted just now.
    if (!settled()) return void pump();
    onProgress(null);
    if (!playing) traits.write(wanted);
    notify();
  }

  /** @param {State} next */
  function adopt(next) {
    const of = networkOf(next);
    const measured = [...run.measures];
    const sameData = next.data === wanted.data;
    wanted = next;
    if (of !== run.network) {
      run = begin();
      run.follow(next.schedule);
      before = sameData ? measured : null;
    } else if (run.follow(next.schedule)) before = measured;
    notify();
    void pump();
  }

  /** Keep what is wanted now, to come back to it; steps have a way back of their own. @param {State} next  What comes. */
  function remember(next) {
    if (KEYS.some((key) => key !== "step" && differs(next[key], wanted[key]))) past.remember({ wanted, before });
  }
  /** @param {State} next */
  function take(next) {
    remember(next);
    adopt(next);
  }
  void pump();

  return {
    /** What to draw; null until the first numbers are there. */
    shown,
    wanted: () => wanted,
    /** @param {Partial<Record<keyof State, unknown>>} wish */
    set: (wish) => take(change(wanted, wish, Object.keys(written))),
    /** Begin anew, with the learning rate and the batch of now. @param {Partial<Record<keyof State, unknown>>} wish */
    restart(wish) {
      const { rate, batch } = settingsAt(wanted.schedule, wanted.step);
      take(change({ ...wanted, schedule: [[0, rate, batch]], step: 0 }, wish, Object.keys(written)));
    },
    /** Another learning rate or batch from the present step on; false when there are too many changes. @param {{rate?: number, batch?: number}} wish */
    branch(wish) {
      const schedule = reschedule(wanted.schedule, wanted.step, wish);
      if (schedule) take({ ...wanted, schedule });
      return schedule !== null;
    },
    /** @param {number} step */
    goTo: (step) => adopt({ ...wanted, step: Math.min(LIMITS.step, run.broken ?? LIMITS.step, Math.max(0, step)) }),
    settled,
    /** While it plays, the model is left alone. @param {boolean} now */
    setPlaying(now) {
      playing = now;
      if (playing) return;
      if (settled()) traits.write(wanted);
      notify();
    },
    undo() {
      const last = past.back();
      if (!last) return;
      adopt(last.wanted);
      before = last.before;
      notify();
    },
    canUndo: () => past.any,
    reset() {
      remember(initial);
      wanted = initial;
      run = begin();
      run.follow(wanted.schedule);
      before = null;
      notify();
      void pump();
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

/** @typedef {ReturnType<typeof createTrainer>} Trainer */
