/**
 * What a run's settings may be, how they change at a step, and how they are written in an address. Pure functions: no
 * model, no page. The twin of Python's `dlcompare.widgets.training_run`.
 *
 * @typedef {[step: number, rate: number, batch: number]} Change  From which step on which learning rate and batch hold.
 * @typedef {object} State
 * @property {string} data  The name of the set.
 * @property {string} activation
 * @property {number} depth  Hidden layers.
 * @property {number} width  Neurons in each.
 * @property {number} seed
 * @property {Change[]} schedule
 * @property {number} step  How many steps have been taken.
 */

/** The same as in `dlcompare.widgets.training` and `dlcompare.widgets.training_run`. */
export const LIMITS = {
  activations: ["relu", "tanh", "sigmoid"],
  depths: [1, 2, 3, 4],
  widths: [2, 4, 8, 16],
  rates: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
  batches: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  seed: 9,
  step: 2000,
  changes: 60,
};

/** @param {unknown} value  @param {number} low  @param {number} high @returns {value is number} */
const isWhole = (value, low, high) => Number.isInteger(value) && Number(value) >= low && Number(value) <= high;

/** @param {unknown} value @returns {value is Change[]} */
export function isSchedule(value) {
  if (!Array.isArray(value) || value.length < 1 || value.length > LIMITS.changes) return false;
  return value.every((entry, index) => {
    if (!Array.isArray(entry) || entry.length !== 3) return false;
    const [step, rate, batch] = entry;
    const first = index ? value[index - 1][0] + 1 : 0;
    return isWhole(step, first, index ? LIMITS.step : 0) && LIMITS.rates.includes(rate) && LIMITS.batches.includes(batch);
  });
}

/** The learning rate and the batch that hold at a step. @param {Change[]} schedule  @param {number} step */
export function settingsAt(schedule, step) {
  const [, rate, batch] = /** @type {Change} */ (schedule.findLast(([from]) => from <= step));
  return { rate, batch };
}

/**
 * The schedule with another learning rate or batch from a step on; what was planned after that step is gone. Null when
 * there are too many changes already.
 * @param {Change[]} schedule
 * @param {number} step
 * @param {{rate?: number, batch?: number}} wish
 * @returns {Change[] | null}
 */
export function reschedule(schedule, step, wish) {
  const { rate, batch } = { ...settingsAt(schedule, step), ...wish };
  const before = schedule.filter(([from]) => from < step);
  const last = before.at(-1);
  const next = last && last[1] === rate && last[2] === batch ? before : [...before, /** @type {Change} */ ([step, rate, batch])];
  return next.length > LIMITS.changes ? null : next;
}

/** The part of a schedule that matters up to a step. @param {Change[]} schedule  @param {number} step */
export const upTo = (schedule, step) => schedule.filter(([from]) => from <= step);

/**
 * The state with the valid part of a change.
 * @param {State} state
 * @param {Partial<Record<keyof State, unknown>>} wish
 * @param {string[]} sets  Names of the sets that there are.
 * @returns {State}
 */
export function change(state, wish, sets) {
  const { data, activation, depth, width, seed, schedule, step } = wish;
  const next = { ...state };
  if (typeof data === "string" && sets.includes(data)) next.data = data;
  if (typeof activation === "string" && LIMITS.activations.includes(activation)) next.activation = activation;
  if (LIMITS.depths.includes(/** @type {number} */ (depth))) next.depth = Number(depth);
  if (LIMITS.widths.includes(/** @type {number} */ (width))) next.width = Number(width);
  if (isWhole(seed, 0, LIMITS.seed)) next.seed = seed;
  if (isSchedule(schedule)) next.schedule = schedule;
  if (isWhole(step, 0, LIMITS.step)) next.step = step;
  return next;
}

/** What a run's first weights depend on: two states that agree in it begin alike. @param {Omit<State, "step" | "schedule">} state */
export const networkOf = ({ data, activation, depth, width, seed }) => JSON.stringify([data, activation, depth, width, seed]);

/** What the numbers of a step depend on: the network, and the schedule up to there. @param {State} state */
export const runOf = (state) => networkOf(state) + JSON.stringify(upTo(state.schedule, state.step));

/** The first step at which two schedules differ; null where they are the same. @param {Change[]} one  @param {Change[]} other */
export function firstDifference(one, other) {
  const index = one.findIndex((change, at) => change.join() !== other[at]?.join());
  const at = index < 0 ? one.length : index;
  const steps = [one[at], other[at]].flatMap((change) => (change ? [change[0]] : []));
  return steps.length ? Math.min(...steps) : null;
}

/**
 * The state as parameters of an address.
 * @param {State} state
 * @returns {Record<string, string>}
 */
export function toParameters({ data, activation, depth, width, seed, schedule, step }) {
  return {
    data,
    activation,
    depth: String(depth),
    width: String(width),
    seed: String(seed),
    rates: upTo(schedule, step).map((entry) => entry.join(",")).join(";"),
    step: String(step),
  };
}

const DECIMAL = /^\d{1,4}(\.\d{1,3})?$/;

/**
 * What an address asks for. Anything may stand in an address: what is not well formed is left out here, what is not
 * allowed is refused by {@link change}.
 * @param {Record<string, string>} parameters
 * @returns {Partial<Record<keyof State, unknown>>}
 */
export function fromParameters({ data, activation, depth, width, seed, rates, step }) {
  const number = (/** @type {string | undefined} */ text) => (text !== undefined && DECIMAL.test(text) ? Number(text) : undefined);
  const entries = rates === undefined || rates.length > 1500 ? [] : rates.split(";");
  return {
    data,
    activation,
    depth: number(depth),
    width: number(width),
    seed: number(seed),
    schedule: entries.map((entry) => entry.split(",").map(number)),
    step: number(step),
  };
}
