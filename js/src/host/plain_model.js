/**
 * The model that a published page has: a plain object with anywidget's interface and no kernel behind it.
 *
 * @param {Record<string, unknown>} state
 * @returns {import("../shared/types.js").Model}
 */
export function createPlainModel(state) {
  const values = new Map(Object.entries(state));
  /** @type {Map<string, Set<(...args: any[]) => void>>} */
  const listeners = new Map();
  /** @param {string} event @param {...unknown} details */
  const emit = (event, ...details) => {
    for (const listener of [...(listeners.get(event) ?? [])]) listener(...details);
  };
  /** @type {import("../shared/types.js").Model} */
  const model = {
    get: (key) => values.get(key),
    set(key, value) {
      if (Object.is(values.get(key), value)) return;
      values.set(key, value);
      emit(`change:${key}`, model, value);
      emit("change", model);
    },
    on(event, callback) {
      const known = listeners.get(event) ?? new Set();
      listeners.set(event, known.add(callback));
    },
    off(event, callback) {
      for (const [name, known] of listeners) {
        if (event && event !== name) continue;
        if (callback) known.delete(callback);
        else known.clear();
      }
    },
    // Nobody listens at the other end: what is set is already everything there is.
    save_changes() {},
    send() {},
  };
  return model;
}
