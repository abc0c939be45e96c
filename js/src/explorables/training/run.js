/**
 * A run: one network from its first weights on, with what is known of its steps.
 *
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("./network.js").Examples} Examples
 * @typedef {import("./rules.js").Change} Change
 * @typedef {import("./rules.js").State} State
 *
 * @typedef {object} Recorded  The beginning of a run that travels with the page.
 * @property {State} settings
 * @property {number} every  Of which steps, and of the last, there are parameters.
 * @property {string} parameters
 * @property {string} measures
 */
import { decodeFloats } from "../../shared/base64.js";
import { createHistory } from "./history.js";
import { pack, sizeOf, stepQuestion, unpack, widthsOf } from "./network.js";
import { firstDifference, networkOf } from "./rules.js";

/** What is measured at every step, by the names of the graph's outputs: the same as in `dlcompare.widgets.training_run`. */
export const MEASURES = ["train_loss", "held_loss", "train_accuracy", "held_accuracy"];

/** @param {string} text  @param {number} length */
function decodeRows(text, length) {
  const all = decodeFloats(text);
  return Array.from({ length: all.length / length }, (_, row) => all.slice(row * length, (row + 1) * length));
}

/**
 * @param {Examples} examples
 * @param {State} state
 * @param {Recorded | null} recorded
 */
export function createRun(examples, state, recorded) {
  const network = networkOf(state);
  const widths = widthsOf(examples, state);
  const history = createHistory();
  let { schedule } = state;
  /** The last step that has been trained to. */
  let end = 0;
  /** The step at which the loss was no number any more. @type {number | null} */
  let broken = null;
  let version = 0;

  if (recorded && networkOf(recorded.settings) === network) {
    ({ schedule } = recorded.settings);
    decodeRows(recorded.measures, MEASURES.length).forEach((values, step) => history.measure(step, values));
    end = history.measures.length - 1;
    decodeRows(recorded.parameters, sizeOf(widths)).forEach((row, index) => history.put(Math.min(index * recorded.every, end), row));
    if (!Number.isFinite(history.measures[end]?.[0])) broken = end;
  }

  return {
    examples,
    network,
    widths,
    get end() {
      return end;
    },
    get broken() {
      return broken;
    },
    get measures() {
      return history.measures;
    },
    /** Changes when answers that are still on their way would no longer belong to it. */
    get version() {
      return version;
    },
    /**
     * Take another schedule. What was trained after the first step at which the two differ is gone.
     * @param {Change[]} next
     * @returns {boolean} whether anything was
     */
    follow(next) {
      const from = firstDifference(schedule, next);
      schedule = next;
      if (from === null) return false;
      version += 1;
      const lost = end > from;
      history.truncate(from);
      end = Math.min(end, from);
      if (broken !== null && broken > from) broken = null;
      return lost;
    },
    /** The known step that is nearest before `step`, or null: not even the first weights are there. @param {number} step */
    before: (step) => history.before(step),
    /** Take the first weights. @param {Tensors} parameters */
    start: (parameters) => history.put(0, pack(parameters, widths)),
    /**
     * @param {import("./history.js").Known} known
     * @param {State} wanted
     * @param {boolean} whole  Whether the picture is wanted.
     */
    question({ step, parameters }, wanted, whole) {
      const named = unpack(parameters, widths);
      return { parameters: named, ...stepQuestion(examples, { ...wanted, step }, named, whole) };
    },
    /** Take what the graph gave for a step. @param {number} step  @param {Tensors} outputs */
    learn(step, outputs) {
      const values = MEASURES.map((name) => Number(outputs[name]?.data[0]));
      history.measure(step, values);
      end = Math.max(end, step);
      if (!Number.isFinite(values[0])) broken = step;
      else history.put(step + 1, pack(outputs, widths, "new_"));
    },
  };
}

/** @typedef {ReturnType<typeof createRun>} Run */
