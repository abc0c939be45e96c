/**
 * What is known of a run: the parameters at its steps, and what was measured at each. Parameters of large networks would
 * take too much memory: then only those of every second step are kept, of every fourth, and so on. A step between is found
 * again by training on from the last one before it that is kept; from the same settings the same comes out.
 *
 * @typedef {{step: number, parameters: Float32Array}} Known
 */

/** Numbers that may be kept: 16 MB. */
const CAPACITY = 4_000_000;

/** @param {number} [capacity] */
export function createHistory(capacity = CAPACITY) {
  /** @type {Map<number, Float32Array>} */
  const kept = new Map();
  let every = 1;
  /** The latest, to go on from. @type {Known | null} */
  let last = null;
  /** By step; steps are measured one after another. @type {Float32Array[]} */
  let measures = [];

  return {
    /** @param {number} step  @param {Float32Array} parameters */
    put(step, parameters) {
      last = { step, parameters };
      if (step % every === 0) kept.set(step, parameters);
      while (kept.size > 1 && kept.size * parameters.length > capacity) {
        every *= 2;
        for (const known of [...kept.keys()]) if (known % every) kept.delete(known);
      }
    },
    /** The last known step up to `step`. @param {number} step @returns {Known | null} */
    before(step) {
      /** @type {Known | null} */
      let best = last && last.step <= step ? last : null;
      for (let at = step; at >= 0 && at > (best?.step ?? -1); at--) {
        const parameters = kept.get(at);
        if (parameters) best = { step: at, parameters };
      }
      return best;
    },
    /** @param {number} step  @param {ArrayLike<number>} values */
    measure(step, values) {
      if (step <= measures.length) measures[step] = Float32Array.from(values);
    },
    get measures() {
      return measures;
    },
    /** Forget what comes after a step. @param {number} step */
    truncate(step) {
      for (const known of [...kept.keys()]) if (known > step) kept.delete(known);
      if (last && last.step > step) last = null;
      measures = measures.slice(0, step + 1);
    },
    get every() {
      return every;
    },
  };
}

/** @typedef {ReturnType<typeof createHistory>} History */
