/**
 * The norms of the answers, by network, layer and step.
 *
 * @typedef {ReturnType<typeof read>} Numbers
 */

/** @param {import("../../shared/explorable.js").Shown} shown */
export function read({ state, wanted, answers }) {
  const { depth, length } = state;
  /** @param {string} network  @param {number} layer  From 0, the input.  @param {number} time  From 1. */
  function norm(network, layer, time) {
    const { data, dims } = answers[network]["norms"];
    return Number(data[layer * dims[1] + time - 1]);
  }
  return {
    answers,
    depth,
    length,
    // While the numbers of a larger network are on their way, the place may be outside.
    layer: Math.min(wanted["layer"], depth),
    time: Math.min(wanted["time"], length),
    norm,
    /** @param {string} network */
    all: (network) => Array.from({ length: (depth + 1) * length }, (_, index) => norm(network, Math.floor(index / length), (index % length) + 1)),
  };
}
