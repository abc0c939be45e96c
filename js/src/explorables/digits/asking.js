/**
 * Asking the networks: one after the other, so that the time of each is its own. While one drawing is being read, only the
 * newest that waits is kept; the ones between are never read.
 *
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {import("../../shared/explorable.js").Answered} Answered
 * @typedef {{probabilities: ArrayLike<number>, milliseconds: number | null}} Reading  Without a time where it was asked
 *   before, when the page was built.
 * @typedef {{kind: string, family: string, parameters: number, multiply_adds: number}} Network
 */
import { float32 } from "../../engine/tensors.js";
import { fromText, SIDE } from "../../shared/pixel_text.js";

/** Of each explorable: who is asked, what comes last, and which networks are loaded. @type {WeakMap<object, {turn: Promise<unknown>, newest: State | null, loaded: Set<string>}>} */
const known = new WeakMap();

/**
 * @param {State} state
 * @param {import("../../shared/types.js").Model} model
 * @param {Answered} answered
 * @returns {Promise<{readings: Reading[]}>} never settled for a drawing that a newer one has overtaken
 */
export function ask(state, model, answered) {
  const own = known.get(model) ?? { turn: Promise.resolve(), newest: null, loaded: new Set() };
  known.set(model, own);
  own.newest = state;
  return new Promise((resolve, reject) => {
    own.turn = own.turn.then(async () => {
      if (own.newest !== state) return;
      try {
        resolve({ readings: await read(state, model.get("models"), answered, own.loaded) });
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** @param {State} state  @param {Network[]} networks  @param {Answered} answered  @param {Set<string>} loaded */
async function read(state, networks, answered, loaded) {
  const image = float32(Float32Array.from(fromText(state["image"]) ?? [], (level) => level / 255), [SIDE, SIDE]);
  /** @type {Reading[]} */
  const readings = [];
  for (const { kind } of networks) {
    const once = () => answered(`digits-${kind}`, { image }, "digits");
    let answer = await once();
    if (answer.by !== "record" && !loaded.has(kind)) {
      // The first time, memory is set out as well: that says nothing about the network.
      loaded.add(kind);
      answer = await once();
    }
    const { by, outputs, milliseconds, computing = milliseconds } = answer;
    readings.push({ probabilities: outputs["probabilities"]?.data ?? [], milliseconds: by === "record" ? null : computing });
  }
  return readings;
}
