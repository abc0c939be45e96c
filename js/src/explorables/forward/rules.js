/**
 * What the state may be, and where a neuron stands. Neurons are counted from 0 through all layers after the input.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {{layer: number, place: number}} Where  The layer from 1, the place in it from 0.
 */

export const LIMITS = { input: 2, weight: 10 };
export const ACTIVATIONS = ["relu", "tanh", "sigmoid"];

/** @param {number[]} sizes */
export const countNeurons = (sizes) => sizes.slice(1).reduce((sum, size) => sum + size, 0);

/** @param {number[]} sizes  @param {number} neuron @returns {Where} */
export function whereIs(sizes, neuron) {
  let place = neuron;
  let layer = 1;
  while (layer < sizes.length - 1 && place >= Number(sizes[layer])) {
    place -= Number(sizes[layer]);
    layer += 1;
  }
  return { layer, place };
}

/** @param {number[]} sizes  @param {Where} where */
export const numberOf = (sizes, { layer, place }) => countNeurons(sizes.slice(0, layer)) + place;

/** The neuron that an arrow key leads to. @param {number[]} sizes  @param {number} neuron  @param {string} key @returns {number | null} */
export function neighbour(sizes, neuron, key) {
  const { layer, place } = whereIs(sizes, neuron);
  const size = Number(sizes[layer]);
  const along = (/** @type {number} */ to) => {
    if (to < 1 || to >= sizes.length) return neuron;
    // The one at the same height.
    const at = Math.min(Number(sizes[to]) - 1, Math.floor(((place + 0.5) / size) * Number(sizes[to])));
    return numberOf(sizes, { layer: to, place: at });
  };
  switch (key) {
    case "ArrowUp":
      return place > 0 ? neuron - 1 : neuron;
    case "ArrowDown":
      return place + 1 < size ? neuron + 1 : neuron;
    case "ArrowLeft":
      return along(layer - 1);
    case "ArrowRight":
      return along(layer + 1);
    case "Home":
      return 0;
    case "End":
      return countNeurons(sizes) - 1;
    default:
      return null;
  }
}

/** @param {unknown} value  @param {number} largest  @returns {value is number} */
const isWithin = (value, largest) => typeof value === "number" && Math.abs(value) <= largest;
/** @param {unknown} value  @param {number} most  @returns {value is number} */
const isWhole = (value, most) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;

/**
 * @param {State} state
 * @param {State} wish
 * @param {number[]} sizes
 * @returns {State}
 */
export function change(state, wish, sizes) {
  const next = { ...state };
  const { x, weights, activation, step, neuron } = wish;
  const same = (/** @type {string} */ key) => JSON.stringify(wish[key]) === JSON.stringify(state[key]);
  if (Array.isArray(x) && x.length === sizes[0] && x.every((value) => isWithin(value, LIMITS.input)) && !same("x")) next["x"] = x;
  const fits = (/** @type {any} */ matrix, /** @type {number} */ layer) =>
    Array.isArray(matrix) &&
    matrix.length === sizes[layer + 1] &&
    matrix.every((row) => Array.isArray(row) && row.length === Number(sizes[layer]) + 1 && row.every((value) => isWithin(value, LIMITS.weight)));
  if (Array.isArray(weights) && weights.length === sizes.length - 1 && weights.every(fits) && !same("weights")) next["weights"] = weights;
  if (ACTIVATIONS.includes(activation)) next["activation"] = activation;
  const count = countNeurons(sizes);
  if (isWhole(neuron, count - 1)) next["neuron"] = neuron;
  if (isWhole(step, count) && step !== state["step"]) {
    next["step"] = step;
    // A step opens what it computes.
    if (neuron === undefined) next["neuron"] = Math.max(0, step - 1);
  }
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}

/**
 * The weights with another number in one place.
 * @param {number[][][]} weights
 * @param {Where} where
 * @param {number} input  The bias comes last.
 * @param {number} value
 */
export const withWeight = (weights, { layer, place }, input, value) =>
  weights.map((matrix, l) =>
    l === layer - 1 ? matrix.map((row, i) => (i === place ? row.map((old, j) => (j === input ? value : old)) : row)) : matrix,
  );
