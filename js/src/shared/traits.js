/** The traits in which Python and the page share a state: read, followed while the other side changes them, written back. */
import { oncePerTurn } from "./once_per_turn.js";

/**
 * @param {import("./types.js").Model} model
 * @param {readonly string[]} keys
 * @param {(state: Record<string, any>) => void} onChange  The other side has changed something.
 */
export function createTraits(model, keys, onChange) {
  const read = () => Object.fromEntries(keys.map((key) => [key, model.get(key)]));
  let writing = false;
  let ended = false;
  // All that comes with one message comes in one turn.
  const tell = oncePerTurn(() => {
    if (!ended) onChange(read());
  });
  const listen = () => {
    if (!writing) tell();
  };
  for (const key of keys) model.on(`change:${key}`, listen);

  return {
    read,
    /** Write what differs from what the model holds. @param {Record<string, any>} state */
    write(state) {
      const changed = keys.filter((key) => differs(model.get(key), state[key]));
      if (!changed.length) return;
      writing = true;
      for (const key of changed) model.set(key, state[key]);
      writing = false;
      model.save_changes();
    },
    destroy() {
      ended = true;
      for (const key of keys) model.off(`change:${key}`, listen);
    },
  };
}

/** Whether two values of a state are not the same, whatever objects hold them. @param {any} one  @param {any} other */
export const differs = (one, other) => one !== other && JSON.stringify(one) !== JSON.stringify(other);
