/**
 * The state that the model holds, which Python shares: where the reader is, and the settings.
 *
 * @typedef {import("./rules.js").Settings} Settings
 * @typedef {import("./rules.js").Place} Place
 * @typedef {{place: Place, settings: Settings}} State
 */
import { oncePerTurn } from "./once_per_turn.js";

const PLACE = /** @type {const} */ (["prompt", "ids", "own"]);
const SETTINGS = /** @type {const} */ (["seed", "temperature", "top_k", "top_p", "greedy"]);
const KEYS = [...PLACE, ...SETTINGS];

/**
 * @param {import("../../shared/types.js").Model} model
 * @param {(state: State) => void} onChange  Something else has changed it.
 */
export function createSync(model, onChange) {
  const pick = (/** @type {readonly string[]} */ keys) => Object.fromEntries(keys.map((key) => [key, model.get(key)]));
  /** @returns {State} */
  const read = () => ({ place: /** @type {Place} */ (pick(PLACE)), settings: /** @type {Settings} */ (pick(SETTINGS)) });

  let writing = false;
  let ended = false;
  // All that comes with one message comes in one turn.
  const tell = oncePerTurn(() => {
    if (!ended) onChange(read());
  });
  const listen = () => {
    if (!writing) tell();
  };
  for (const key of KEYS) model.on(`change:${key}`, listen);

  return {
    read,
    /** @param {State} state */
    write({ place, settings }) {
      writing = true;
      for (const [key, value] of Object.entries({ ...place, ...settings })) {
        if (JSON.stringify(model.get(key)) !== JSON.stringify(value)) model.set(key, value);
      }
      writing = false;
      model.save_changes();
    },
    destroy() {
      ended = true;
      for (const key of KEYS) model.off(`change:${key}`, listen);
    },
  };
}
