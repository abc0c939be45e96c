/**
 * The state that the model holds, which Python shares: where the reader is, and the settings.
 *
 * @typedef {import("./rules.js").Settings} Settings
 * @typedef {import("./rules.js").Place} Place
 * @typedef {{place: Place, settings: Settings}} State
 */
import { createTraits } from "../../shared/traits.js";

const PLACE = /** @type {const} */ (["prompt", "ids", "own"]);
const SETTINGS = /** @type {const} */ (["seed", "temperature", "top_k", "top_p", "greedy"]);
const KEYS = [...PLACE, ...SETTINGS];

/**
 * @param {import("../../shared/types.js").Model} model
 * @param {(state: State) => void} onChange  Something else has changed it.
 */
export function createSync(model, onChange) {
  /** @param {Record<string, any>} traits @returns {State} */
  function of(traits) {
    const pick = (/** @type {readonly string[]} */ keys) => Object.fromEntries(keys.map((key) => [key, traits[key]]));
    return { place: /** @type {Place} */ (pick(PLACE)), settings: /** @type {Settings} */ (pick(SETTINGS)) };
  }
  const traits = createTraits(model, KEYS, (told) => onChange(of(told)));
  return {
    read: () => of(traits.read()),
    /** @param {State} state */
    write: ({ place, settings }) => traits.write({ ...place, ...settings }),
    destroy: traits.destroy,
  };
}
