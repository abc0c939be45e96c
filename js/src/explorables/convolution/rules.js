/**
 * What the stepper's state may be, and how it is written in an address. Pure functions: no model, no page.
 *
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {{image: number, kernel: number[][], stride: number, padding: number, position: Cell}} State
 * @typedef {{images: number, height: number, width: number}} Extent  How many images there are, and their size.
 */

/** The same bounds as in `dlcompare.widgets.convolution`. */
export const LIMITS = { kernel: 5, weight: 100, stride: [1, 3], padding: [0, 2] };

/**
 * How many windows fit along one side: ⌊(size + 2·padding − kernel) / stride⌋ + 1.
 * @param {number} size
 * @param {number} kernel
 * @param {number} stride
 * @param {number} padding
 */
export function outputSize(size, kernel, stride, padding) {
  return Math.floor((size + 2 * padding - kernel) / stride) + 1;
}

/** @param {number} value  @param {number} low  @param {number} high */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** @param {unknown} value @returns {value is number} */
export const isWeight = (value) => typeof value === "number" && Math.abs(value) <= LIMITS.weight;

/** @param {unknown} value @returns {value is number[][]} */
export function isKernel(value) {
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= LIMITS.kernel &&
    value.every((row) => Array.isArray(row) && row.length === value.length && row.every(isWeight))
  );
}

/** @param {unknown} value  @param {number} low  @param {number} high */
const isWhole = (value, low, high) => Number.isInteger(value) && Number(value) >= low && Number(value) <= high;

/**
 * The output's height and width.
 * @param {State} state
 * @param {Extent} extent
 */
export function outputExtent(state, { height, width }) {
  const size = state.kernel.length;
  return {
    rows: outputSize(height, size, state.stride, state.padding),
    columns: outputSize(width, size, state.stride, state.padding),
  };
}

/**
 * The state with the valid part of a change, its position kept within the output.
 *
 * When stride, padding or the kernel's size changes and no new position is given, the window stays as near as it can to
 * where it was on the image.
 * @param {State} state
 * @param {Partial<Record<keyof State, unknown>>} change
 * @param {Extent} extent
 * @returns {State}
 */
export function change(state, change, extent) {
  const next = { ...state };
  const { image, kernel, stride, padding, position } = change;
  if (isWhole(image, 0, extent.images - 1)) next.image = Number(image);
  if (isKernel(kernel)) next.kernel = kernel;
  if (isWhole(stride, LIMITS.stride[0] ?? 1, LIMITS.stride[1] ?? 3)) next.stride = Number(stride);
  if (isWhole(padding, LIMITS.padding[0] ?? 0, LIMITS.padding[1] ?? 2)) next.padding = Number(padding);
  const { rows, columns } = outputExtent(next, extent);
  const given = Array.isArray(position) && position.length === 2 && position.every((at) => isWhole(at, 0, 1e6));
  const [row, column] = given ? /** @type {Cell} */ (position) : follow(state, next);
  next.position = [clamp(row, 0, rows - 1), clamp(column, 0, columns - 1)];
  return next;
}

/**
 * The output pixel whose window lies where the old one lay.
 * @param {State} from
 * @param {State} to
 * @returns {Cell}
 */
function follow(from, to) {
  const middle = (/** @type {State} */ { kernel, padding }) => (kernel.length - 1) / 2 - padding;
  const at = (/** @type {number} */ index) => Math.round((index * from.stride + middle(from) - middle(to)) / to.stride);
  const same = from.stride === to.stride && middle(from) === middle(to);
  return same ? from.position : [at(from.position[0]), at(from.position[1])];
}

/**
 * The output pixel whose window is centred nearest to a pixel of the padded image.
 * @param {Cell} pixel
 * @param {State} state
 * @param {Extent} extent
 * @returns {Cell}
 */
export function windowOver([row, column], state, extent) {
  const { rows, columns } = outputExtent(state, extent);
  const nearest = (/** @type {number} */ at) => Math.round((at - (state.kernel.length - 1) / 2) / state.stride);
  return [clamp(nearest(row), 0, rows - 1), clamp(nearest(column), 0, columns - 1)];
}

/** Whether two kernels are the same in float32. @param {number[][]} one @param {number[][]} other */
export function sameKernel(one, other) {
  const [a, b] = [one.flat(), other.flat()];
  return a.length === b.length && a.every((weight, i) => Math.fround(weight) === Math.fround(Number(b[i])));
}

// Nine significant digits name every float32 exactly.
const write = (/** @type {number} */ weight) => String(Number(weight.toPrecision(9)));

/**
 * The state as parameters of an address.
 * @param {State} state
 * @returns {Record<string, string>}
 */
export function toParameters(state) {
  return {
    image: String(state.image),
    kernel: state.kernel.map((row) => row.map(write).join(",")).join(";"),
    stride: String(state.stride),
    padding: String(state.padding),
    at: state.position.join(","),
  };
}

const DECIMAL = /^-?\d*\.?\d+(e-?\d+)?$/;

/**
 * What an address asks for. Anything may stand in an address: what is not well formed is left out here, what is not
 * allowed is refused by {@link change}.
 * @param {Record<string, string>} parameters
 * @returns {Partial<Record<keyof State, unknown>>}
 */
export function fromParameters({ image, kernel, stride, padding, at }) {
  const number = (/** @type {string} */ text) => (DECIMAL.test(text) ? Number(text) : NaN);
  const numbers = (/** @type {string} */ text) => text.split(",").map(number);
  return {
    image: image === undefined ? undefined : number(image),
    kernel: kernel === undefined || kernel.length > 2000 ? undefined : kernel.split(";").map(numbers),
    stride: stride === undefined ? undefined : number(stride),
    padding: padding === undefined ? undefined : number(padding),
    position: at === undefined ? undefined : numbers(at),
  };
}
