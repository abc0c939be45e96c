/**
 * Chance in a run: its first weights, and which examples the batch of a step holds. The twin of Python's
 * `dlcompare.widgets.training_run`, which tells how the draws depend on the seed.
 *
 * @typedef {import("./rules.js").Change} Change
 */
import { float32 } from "../../engine/tensors.js";
import { createChance } from "../../shared/chance.js";
import { settingsAt } from "./rules.js";

/** Streams of chance per seed: the first weights, and one for each step. */
const STREAMS = 4096;

/**
 * Uniform numbers for the weights of each layer, in the order of the layers, row by row.
 * @param {number} seed
 * @param {number[]} widths  Of the input, the hidden layers and the output.
 */
export function drawUniform(seed, widths) {
  const chance = createChance(seed * STREAMS);
  return widths.slice(1).map((outputs, layer) => {
    const inputs = /** @type {number} */ (widths[layer]);
    return float32(Float32Array.from({ length: outputs * inputs }, () => chance.uniform()), [outputs, inputs]);
  });
}

/** The order of an epoch is asked for at each of its steps. */
let known = { stream: -1, count: 0, order: /** @type {number[]} */ ([]) };

/** @param {number} stream  @param {number} count */
function orderOf(stream, count) {
  if (known.stream !== stream || known.count !== count)
    known = { stream, count, order: createChance(stream).permutation(count) };
  return known.order;
}

/**
 * @param {Change[]} schedule
 * @param {number} step
 * @param {number} seed
 * @param {number} count  How many examples there are.
 */
export function batchAt(schedule, step, seed, count) {
  const { batch } = settingsAt(schedule, step);
  // Another size of the batch begins a new epoch.
  const start = schedule.reduce((begun, [from, , size], index) => (from <= step && size !== schedule[index - 1]?.[2] ? from : begun), 0);
  const within = (step - start) % Math.floor(count / batch);
  return orderOf(seed * STREAMS + 1 + step - within, count).slice(within * batch, (within + 1) * batch);
}
