/**
 * The dialogue: each reply, token by token, in one of three ways to read. Python does the same (`widgets/chat_talk.py`), and
 * asks the same graph. What was computed is kept, as is what came with the page.
 *
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("../../shared/explorable.js").State} State
 * @typedef {import("../../shared/explorable.js").Run} Run
 * @typedef {"whole" | "turn" | "article"} Way
 *
 * @typedef {object} Drawn  One token of a reply.
 * @property {number} token  The one that was taken.
 * @property {number} drawn  What the draw gave.
 * @property {boolean} chosen  Whether the reader chose it.
 * @property {number} uniform  The seed's number for its place.
 * @property {number} reads  Tokens that the model read.
 * @property {number} cached  How many of them came from its cache.
 * @property {Tensors} outputs  What the graph `reply` says of it.
 *
 * @typedef {object} Reply
 * @property {number[]} ids  The conversation up to the place where the reply begins, in the template.
 * @property {number} cut  How many of these the model does not read.
 * @property {number} turnsCut  How many turns these are.
 * @property {Drawn[]} steps
 * @property {string} text  As it goes into the conversation.
 * @property {boolean} ended  Whether it ended itself.
 * @property {boolean} writing  Whether more of it is on its way.
 *
 * @typedef {{whole: Reply[], beside: Reply[]}} Answers
 */
import { float32, int32, readAll } from "../../engine/tensors.js";
import { createNumbers } from "../../shared/drawing/numbers.js";
import { cache, drawing } from "../../shared/drawing/questions.js";
import { createTokenizer } from "../../shared/tokenizer.js";
import { LIMITS } from "./rules.js";
import { createTemplate, keptTurns, markIn, strip } from "./template.js";

/** Replies that are kept. */
const KEPT = 300;

/** @param {import("../../shared/types.js").Model} model */
export function createTalk(model) {
  const tokenizer = createTokenizer(model.get("tokenizer"));
  const template = createTemplate(tokenizer);
  /** @type {import("../../shared/drawing/questions.js").Config} */
  const config = model.get("config");
  /** @type {Map<string, Tensors[]>} */
  const memory = new Map();
  let numbers = createNumbers(0);
  /** @param {State} state  @param {number} turn  @returns {(place: number) => number} the seed's number for each place of a reply */
  function numbersOf(state, turn) {
    if (numbers.seed !== state["seed"]) numbers = createNumbers(state["seed"]);
    const own = numbers;
    return (place) => own.at(turn * LIMITS.longest[1] + place);
  }

  /**
   * All that decides a reply.
   * @param {State} state  @param {Way} way  @param {number} turn  @param {number[]} read
   */
  const keyOf = (state, way, turn, read) =>
    JSON.stringify([way === "article", turn, read, way === "whole" ? choicesIn(state, turn) : [], ...["longest", "seed", "temperature", "top_k", "top_p", "greedy"].map((key) => state[key])]);
  const { state: first, replies: known = [] } = model.get("known") ?? {};
  for (const { way, turn, read, steps } of known) memory.set(keyOf(first, way, turn, read), unstack(readAll(steps)));

  /**
   * What the graph says of each token of a reply.
   * @param {State} state  @param {Way} way  @param {number} turn  @param {number[]} read
   * @param {Run} run
   * @param {(steps: Tensors[]) => void} tell  With each token, while there are more.
   */
  async function stepsOf(state, way, turn, read, run, tell) {
    const key = keyOf(state, way, turn, read);
    const known = memory.get(key);
    if (known) return known;
    const chosen = new Map(way === "whole" ? choicesIn(state, turn) : []);
    const uniformOf = numbersOf(state, turn);
    /** @type {Tensors[]} */
    const steps = [];
    /** @type {Float32Array[]} */
    let rows = [];
    let ids = read;
    for (let place = 0; place < state["longest"]; place++) {
      const inputs = {
        ids: int32(ids, [1, ids.length]),
        past: cache(rows, config),
        chosen: int32(chosen.get(place) ?? -1),
        ...drawing(/** @type {any} */ (state), uniformOf(place)),
      };
      const { new: fresh, ...outputs } = await run("reply", inputs);
      steps.push(outputs);
      const token = Number(outputs["token"]?.data[0]);
      if (template.stop.has(token)) break;
      tell(steps);
      // Without what was read before, no cache either.
      rows = way === "article" ? [] : [...rows, ...rowsOf(/** @type {import("../../engine/tensors.js").Tensor} */ (fresh))];
      ids = [token];
    }
    if (memory.size >= KEPT) memory.clear();
    memory.set(key, steps);
    return steps;
  }

  /** One side of the dialogue, which is written turn by turn. @param {State} state  @param {Way} way */
  function createSide(state, way) {
    /** @type {string[]} */
    const said = [];
    /** @type {Reply[]} */
    const replies = [];
    return {
      replies,
      /**
       * Begin the reply to a turn.
       * @param {number} turn  @param {string} text
       * @returns {((run: Run, tell: () => void) => Promise<void>) | null} what writes it and tells of each token; null where
       *   the conversation has ended.
       */
      begin(turn, text) {
        if (said.some(markIn)) return null;
        said.push(text);
        const ids = template.write(said);
        const kept = (way === "whole" && keptTurns(template.write, said, state["context"] - state["longest"])) || [text];
        const read = template.write(kept);
        const chosen = new Map(way === "whole" ? choicesIn(state, turn) : []);
        const uniformOf = numbersOf(state, turn);
        const [cut, turnsCut] = [ids.length - read.length, said.length - kept.length];
        /** @param {Tensors[]} outputs  @param {boolean} writing @returns {Reply} */
        const replyOf = (outputs, writing) => {
          const tokens = outputs.map(({ token }) => Number(token?.data[0]));
          const ended = template.stop.has(Number(tokens.at(-1)));
          const steps = outputs.map((of, place) => ({
            token: Number(tokens[place]),
            drawn: Number(of["drawn"]?.data[0]),
            chosen: chosen.has(place),
            uniform: uniformOf(place),
            reads: way === "article" && place ? 1 : read.length + place,
            cached: way === "article" || !place ? 0 : read.length + place - 1,
            outputs: of,
          }));
          return { ids, cut, turnsCut, steps, text: strip(tokenizer.decode(ended ? tokens.slice(0, -1) : tokens)), ended, writing };
        };
        replies.push(replyOf([], true));
        return async (run, tell) => {
          const outputs = await stepsOf(state, way, turn, read, run, (some) => {
            replies[turn] = replyOf(some, true);
            tell();
          });
          const reply = replyOf(outputs, false);
          replies[turn] = reply;
          said.push(reply.text);
        };
      },
    };
  }

  return {
    tokenizer,
    template,
    config,
    /**
     * @param {State} state
     * @param {Run} run
     * @param {(some: Answers) => void} [show]  With each token of the last replies, once all before are there.
     * @returns {Promise<Answers>}
     */
    async answer(state, run, show = () => {}) {
      const sides = { whole: createSide(state, "whole"), beside: createSide(state, state["beside"]) };
      const soFar = () => ({ whole: [...sides.whole.replies], beside: [...sides.beside.replies] });
      /** @type {string[]} */
      const turns = state["turns"];
      for (const [turn, text] of turns.entries()) {
        const tell = () => {
          if (turn === turns.length - 1) show(soFar());
        };
        for (const write of [sides.whole.begin(turn, text), sides.beside.begin(turn, text)]) await write?.(run, tell);
      }
      return soFar();
    },
  };
}

/** The reader's choices in a reply: places and tokens. @param {State} state  @param {number} turn @returns {[number, number][]} */
export const choicesIn = (state, turn) => state["choices"].filter((/** @type {number[]} */ [of]) => of === turn).map((/** @type {number[]} */ [, place, token]) => [place, token]);

/** The rows of a tensor, each for itself. @param {import("../../engine/tensors.js").Tensor} tensor */
function rowsOf({ dims: [count = 0], data }) {
  const width = data.length / count;
  return Array.from({ length: count }, (_, row) => /** @type {Float32Array} */ (data.slice(row * width, (row + 1) * width)));
}

/** What was put one upon the other, each for itself again. @param {Tensors} stacked @returns {Tensors[]} */
function unstack(stacked) {
  const count = Object.values(stacked)[0]?.dims[0] ?? 0;
  return Array.from({ length: count }, (_, place) =>
    Object.fromEntries(
      Object.entries(stacked).map(([name, { dims, data }]) => {
        const width = data.length / count;
        const part = data.slice(place * width, (place + 1) * width);
        return [name, part instanceof Float32Array ? float32(part, dims.slice(1)) : int32(part, dims.slice(1))];
      }),
    ),
  );
}

/** @typedef {ReturnType<typeof createTalk>} Talk */

/** One for each explorable. @type {WeakMap<import("../../shared/types.js").Model, Talk>} */
const talks = new WeakMap();

/** @param {import("../../shared/types.js").Model} model */
export function talkOf(model) {
  const known = talks.get(model) ?? createTalk(model);
  talks.set(model, known);
  return known;
}
