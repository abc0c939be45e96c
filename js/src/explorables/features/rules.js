/**
 * What the state may be; which pixels a unit sees, and which unit sees a pixel.
 *
 * @typedef {import("../../shared/explorable.js").State} State  Its `source`, whose products are shown, is null for the one that
 *   adds most.
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {[number, number, number]} Unit  Channel, row, column; of a layer without places the last two are 0.
 * @typedef {{name: string, kind: string, level: number, shape: [number, number, number], field: [number, number, number] | null, sources: number}} Stage
 *   A layer: `field` has size, jump and start of what a unit sees, null for all; `sources` counts what a unit adds up.
 */
import { SIDE } from "../../shared/pixel_text.js";

const clamp = (/** @type {number} */ value, /** @type {number} */ size) => Math.min(size - 1, Math.max(0, value));

/** Whether a layer's units have places. @param {Stage} stage */
export const hasPlaces = ({ field }) => field !== null;

/** The unit of another layer at about the same place. @param {Stage} from  @param {Stage} to  @param {Unit} unit @returns {Unit} */
export function carried(from, to, [channel, row, column]) {
  const along = (/** @type {number} */ at, /** @type {1 | 2} */ axis) => clamp(Math.floor(((at + 0.5) / from.shape[axis]) * to.shape[axis]), to.shape[axis]);
  return [clamp(channel, to.shape[0]), along(row, 1), along(column, 2)];
}

/** The pixels that a unit sees: where they begin, and how many there are; padding is left out. @param {Stage} stage  @param {Unit} unit */
export function seen({ field }, [, row, column]) {
  if (!field) return { row: 0, column: 0, size: SIDE, columns: SIDE };
  const [size, jump, start] = field;
  const along = (/** @type {number} */ at) => {
    const first = start + at * jump;
    return [Math.max(0, first), Math.min(SIDE, first + size)];
  };
  const [top = 0, bottom = 0] = along(row);
  const [left = 0, right = 0] = along(column);
  return { row: top, column: left, size: bottom - top, columns: right - left };
}

/** The unit of the same channel whose square has a pixel nearest to its middle. @param {Stage} stage  @param {Unit} unit  @param {Cell} pixel @returns {Unit} */
export function over({ field, shape }, [channel, row, column], pixel) {
  if (!field) return [channel, row, column];
  const [size, jump, start] = field;
  const along = (/** @type {number} */ at, /** @type {1 | 2} */ axis) => clamp(Math.round((at - start - (size - 1) / 2) / jump), shape[axis]);
  return [channel, along(pixel[0], 1), along(pixel[1], 2)];
}

/** @param {unknown} value  @param {number} count  @returns {value is number} */
const isIndex = (value, count) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < count;
/** @param {unknown} value  @param {Stage} stage  @returns {value is Unit} */
const isUnit = (value, { shape }) => Array.isArray(value) && value.length === 3 && value.every((at, axis) => isIndex(at, Number(shape[axis])));

/**
 * @param {State} state
 * @param {State} wish
 * @param {{stages: Stage[], images: number, classes: number}} world
 * @returns {State}
 */
export function change(state, wish, { stages, images, classes }) {
  const next = { ...state };
  if (isIndex(wish["image"], images)) next["image"] = wish["image"];
  if (isIndex(wish["digit"], classes)) next["digit"] = wish["digit"];
  if (isIndex(wish["step"], stages.length)) next["step"] = wish["step"];
  const [from, to] = /** @type {[Stage, Stage]} */ ([stages[state["step"]], stages[next["step"]]]);
  if (isUnit(wish["unit"], to)) next["unit"] = String(wish["unit"]) === String(state["unit"]) ? state["unit"] : wish["unit"];
  else if (to !== from) next["unit"] = to.kind === "logits" ? [next["digit"], 0, 0] : carried(from, to, state["unit"]);
  if (wish["source"] === null || isIndex(wish["source"], to.sources)) next["source"] = wish["source"];
  else if (to !== from) next["source"] = null;
  return Object.keys(next).every((key) => next[key] === state[key]) ? state : next;
}
