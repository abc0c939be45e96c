/**
 * The explorer's state: what the model holds, what only this view holds (where the reader points), and the numbers that the
 * engine gave for it. While new numbers are on their way, the last ones stay.
 *
 * @typedef {import("../../shared/types.js").Model} Model
 * @typedef {import("../../engine/engine.js").Engine} Engine
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("./rules.js").State} State
 * @typedef {import("./rules.js").Wish} Wish
 * @typedef {import("../../shared/text_reader.js").ReadText} ReadText
 *
 * @typedef {{of: State, read: ReadText, outputs: Tensors}} Pass  One forward pass, and what it belongs to.
 *
 * @typedef {object} Shown  Everything that a view draws.
 * @property {State} wanted  What is chosen.
 * @property {State} state  What the numbers belong to: the same, unless they are still on their way.
 * @property {boolean} waiting  Whether any numbers are.
 * @property {Pass} pass
 * @property {Pass | null} trained  The pass of the model as it was trained, over the same text; null while it is on its way.
 * @property {Tensors | null} terms  The sums of the chosen token's row, term by term; null while they are on their way.
 * @property {number} at  The token looked at: where the reader points, or the one that is chosen.
 * @property {boolean} pointing  Whether it is only pointed at.
 * @property {number | null} key  The token answering that the reader points at.
 */
import { at, float32, int32 } from "../../engine/tensors.js";
import { oncePerTurn } from "../../shared/once_per_turn.js";
import { Past } from "../../shared/past.js";
import { createReader } from "../../shared/text_reader.js";
import { createTraits } from "../../shared/traits.js";
import { asTrained, change, keep, walk } from "./rules.js";

const KEYS = /** @type {const} */ (["prompt", "layer", "head", "query", "causal", "heads", "step"]);
/** What a pass depends on. */
const PASS_KEYS = /** @type {const} */ (["prompt", "layer", "head", "causal", "heads"]);

/**
 * @param {Model} model
 * @param {Engine} engine
 */
export function createExplorer(model, engine) {
  /** @type {{n_layer: number, n_head: number, d_head: number, longest: number}} */
  const sizes = model.get("sizes");
  const read = createReader(model.get("tokenizer"), sizes.longest);
  const limits = { ...sizes, count: (/** @type {string} */ prompt) => read(prompt).ids.length };

  const traits = createTraits(model, KEYS, (told) => adopt(change(state, told, limits)));
  let state = /** @type {State} */ (traits.read());
  const initial = state;
  /** @type {Past<State>} */
  const past = new Past();
  /** @type {number | null} */
  let pointed = null;
  /** @type {number | null} */
  let key = null;

  /** @type {Set<(shown: Shown) => void>} */
  const listeners = new Set();
  let ended = false;
  const notify = oncePerTurn(() => {
    const now = ended ? null : shown();
    if (now) for (const listener of listeners) listener(now);
  });

  /** @type {Pass | null} */
  let pass = null;
  /** @type {Pass | null} */
  let trained = null;
  /** @type {{pass: Pass, query: number, outputs: Tensors} | null} */
  let terms = null;
  /** The terms that are on their way. @type {{pass: Pass, query: number} | null} */
  let asking = null;
  /** What is drawn of the pass: the state that its numbers belong to, which moves on with the query and the step alone. */
  let drawn = state;

  const samePass = (/** @type {State} */ one, /** @type {State} */ other) => PASS_KEYS.every((name) => one[name] === other[name]);
  const answered = () => pass !== null && samePass(pass.of, state);

  /** @param {State} of  @param {string} channel @returns {Promise<Pass | null>} */
  async function run(of, channel) {
    const text = read(of.prompt);
    const answer = await engine.run(
      of.causal ? "attention-causal" : "attention-bidirectional",
      {
        ids: int32(text.ids, [1, text.ids.length]),
        keep: float32(keep(of, sizes), [sizes.n_layer, sizes.n_head]),
        layer: int32(of.layer),
        head: int32(of.head),
      },
      channel,
    );
    return answer && !ended ? { of, read: text, outputs: answer.outputs } : null;
  }

  async function ask() {
    const answer = await run(state, "pass");
    if (!answer) return;
    pass = answer;
    drawn = samePass(answer.of, state) ? state : { ...answer.of, step: state.step };
    pointed = key = null;
    if (asTrained(answer.of)) trained = answer;
    notify();
    void askTerms();
    if (trained?.of.prompt !== answer.of.prompt) void askTrained(answer.of);
  }

  /** @param {State} of */
  async function askTrained(of) {
    const answer = await run({ ...of, causal: true, heads: "all" }, "trained");
    if (!answer) return;
    trained = answer;
    notify();
  }

  async function askTerms() {
    const current = pass;
    const { query } = drawn;
    const known = (/** @type {{pass: Pass, query: number} | null} */ one) => one?.pass === current && one.query === query;
    if (!current || known(terms) || known(asking)) return;
    const question = { pass: current, query };
    asking = question;
    const { outputs, of } = current;
    const length = current.read.ids.length;
    const row = (/** @type {string} */ name, /** @type {number[]} */ ...places) =>
      float32(/** @type {Float32Array} */ (at(/** @type {import("../../engine/tensors.js").Tensor} */ (outputs[name]), ...places, query)));
    const rows = (/** @type {string} */ name) => float32(/** @type {Float32Array} */ (outputs[name]?.data), [length, sizes.d_head]);
    const answer = await engine.run("attention-terms", {
      query: row("query"),
      key: rows("key"),
      masked: row("masked"),
      weights: row("attention", of.layer, of.head),
      value: rows("value"),
    });
    if (asking === question) asking = null;
    if (!answer || ended) return;
    terms = { ...question, outputs: answer.outputs };
    notify();
  }

  /** @returns {Shown | null} */
  const shown = () => {
    if (!pass) return null;
    const ofText = trained?.of.prompt === pass.of.prompt ? trained : null;
    const own = terms?.pass === pass && terms.query === drawn.query ? terms.outputs : null;
    const waiting = !answered() || !ofText || !own;
    return { wanted: state, state: drawn, waiting, pass, trained: ofText, terms: own, at: pointed ?? drawn.query, pointing: pointed !== null, key };
  };

  /** @param {State} next */
  const adopt = (next) => {
    const ahead = !samePass(next, state);
    state = next;
    // The reader can look around among the last numbers while others are on their way.
    if (answered()) drawn = state;
    else if (pass) drawn = { ...pass.of, step: state.step, query: Math.min(state.query, pass.read.ids.length - 1) };
    if (ahead) void ask();
    void askTerms();
    notify();
  };

  /** @param {State} next */
  const take = (next) => {
    adopt(next);
    traits.write(next);
  };
  /** @param {Wish} wish */
  const set = (wish) => {
    const next = change(state, wish, limits);
    // Steps, which lead from token to token, have a way back of their own.
    if (PASS_KEYS.some((name) => next[name] !== state[name])) past.remember(state);
    take(next);
  };
  void ask();

  return {
    limits,
    shown,
    wanted: () => state,
    set,
    token: read.token,
    /** Look at a token without choosing it, and at what answers it; null goes back. @param {number | null} next @param {number | null} [answering] */
    point(next, answering = null) {
      if (next === pointed && answering === key) return;
      pointed = next;
      key = answering;
      notify();
    },
    /** Choose the token that asks. @param {number} query */
    go(query) {
      pointed = key = null;
      set({ query });
      notify();
    },
    /** Go some steps on; false at the end of the chosen token's calculation. @param {number} by */
    step(by) {
      pointed = key = null;
      set(walk(state, by, limits.count(state.prompt)));
      notify();
    },
    undo() {
      const last = past.back();
      if (!last) return;
      pointed = key = null;
      take(last);
      notify();
    },
    canUndo: () => past.any,
    reset() {
      pointed = key = null;
      set(initial);
      notify();
    },
    /** @param {(shown: Shown) => void} listener */
    subscribe(listener) {
      listeners.add(listener);
    },
    destroy() {
      ended = true;
      listeners.clear();
      traits.destroy();
    },
  };
}

/** @typedef {ReturnType<typeof createExplorer>} Explorer */
