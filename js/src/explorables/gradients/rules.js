/**
 * What the state may be, and the random numbers of a seed.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {{depth: number, length: number, width: number, matrices: Record<string, number>}} Sizes
 */
import { createChance } from "../../shared/chance.js";

export const LIMITS = { scale: { least: 0.25, most: 2 }, bias: 4, seed: 999 };

/** @param {unknown} value  @param {number} low  @param {number} high  @returns {value is number} */
const isWhole = (value, low, high) => Number.isInteger(value) && Number(value) >= low && Number(value) <= high;
/** @param {unknown} value  @param {number} low  @param {number} high  @returns {value is number} */
const isWithin = (value, low, high) => typeof value === "number" && value >= low && value <= high;

/** @param {State} state  @param {State} wish  @param {Sizes} sizes @returns {State} */
export function change(state, wish, sizes) {
  const next = { ...state };
  const { depth, length, scale, gate_bias, residual, seed, layer, time } = wish;
  if (isWhole(depth, 1, sizes.depth)) next["depth"] = depth;
  if (isWhole(length, 1, sizes.length)) next["length"] = length;
  if (isWithin(scale, LIMITS.scale.least, LIMITS.scale.most)) next["scale"] = scale;
  if (isWithin(gate_bias, 0, LIMITS.bias)) next["gate_bias"] = gate_bias;
  if (typeof residual === "boolean") next["residual"] = residual;
  if (isWhole(seed, 0, LIMITS.seed)) next["seed"] = seed;
  if (isWhole(layer, 0, next["depth"])) next["layer"] = layer;
  if (isWhole(time, 1, next["length"])) next["time"] = time;
  // A network that becomes smaller keeps the place inside.
  next["layer"] = Math.min(next["layer"], next["depth"]);
  next["time"] = Math.min(next["time"], next["length"]);
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/**
 * The numbers from 0 to 1 of a seed, in the order in which Python draws them: of each layer as many matrices as the network
 * that has most, then the sequence.
 * @param {number} seed  @param {Sizes} sizes
 */
export function drawn(seed, { depth, length, width, matrices }) {
  const { uniform } = createChance(seed);
  const most = Math.max(...Object.values(matrices));
  const square = width * width;
  const all = Float32Array.from({ length: depth * most * square }, uniform);
  const inputs = Float32Array.from({ length: length * width }, uniform);
  return {
    inputs,
    /** Those of a network that has fewer matrices in a layer: the first ones. @param {number} count */
    weights(count) {
      const chosen = new Float32Array(depth * count * square);
      for (let layer = 0; layer < depth; layer++) chosen.set(all.subarray(layer * most * square, (layer * most + count) * square), layer * count * square);
      return chosen;
    },
  };
}

/** Powers of ten between which all values lie, and those that an axis names. @param {number[]} values */
export function decades(values) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  const low = Math.min(-1, Math.floor(Math.min(0, ...logs)));
  const high = Math.max(0, Math.ceil(Math.max(0, ...logs) - 1e-9));
  const stride = Math.ceil((high - low) / 6);
  const ticks = Array.from({ length: Math.floor(high / stride) - Math.ceil(low / stride) + 1 }, (_, index) => (Math.ceil(low / stride) + index) * stride);
  return { low, high, ticks };
}
