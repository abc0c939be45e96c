/**
 * The debugger's state: the tree of texts, where in it the reader is, the settings, and what the next token is drawn from.
 *
 * What the reader wants is done in its turn: steps queue up, while a jump (another place, another prompt) gives up what was
 * still to be done. While an answer is on its way, the last numbers stay.
 *
 * @typedef {import("./rules.js").Settings} Settings
 * @typedef {import("./rules.js").Wish} Wish
 * @typedef {import("./rules.js").Place} Place
 * @typedef {import("./tree.js").Node} Node
 * @typedef {import("./tree.js").Tree} Tree
 * @typedef {import("./tree.js").Origin} Origin
 *
 * @typedef {import("./types.js").Draft} Draft
 * @typedef {import("./types.js").Sample} Sample
 * @typedef {import("./types.js").Run} Run
 * @typedef {import("./types.js").Shown} Shown
 */
import { float32 } from "../../engine/tensors.js";
import { createNumbers } from "../../shared/drawing/numbers.js";
import { drawing } from "../../shared/drawing/questions.js";
import { change } from "../../shared/drawing/settings.js";
import { value } from "../../shared/drawing/words.js";
import { oncePerTurn } from "../../shared/once_per_turn.js";
import { answers, reading } from "./reading.js";
import { common } from "./rules.js";
import { createSync } from "./sync.js";
import { childOf, createTree, idsTo, pathTo } from "./tree.js";
import { createWork } from "./work.js";

/** Tokens in the tree at most: each keeps some kilobytes. */
const MOST = 2000;
/** Milliseconds between the tokens of a run that can be followed, and between drawings of a fast one. */
const PACE = { slow: 320, quick: 110, slowSteps: 8, drawing: 400 };

/**
 * @param {import("../../shared/types.js").Model} model
 * @param {import("../../engine/engine.js").Engine} engine
 * @param {(prompt: string) => number[] | null} read  The tokens of a prompt; null for one that cannot be read.
 */
export function createDebugger(model, engine, read) {
  /** @type {import("./reading.js").Config} */
  const config = model.get("config");
  const sync = createSync(model, adopt);
  const first = sync.read();
  let { settings } = first;
  let numbers = createNumbers(settings.seed);
  /** What the tree grows from; and what is wanted, while that is still being read. */
  let prompt = first.place.prompt;
  let wantedPrompt = prompt;
  let tree = createTree();
  let node = tree.root;
  /** @type {Draft | null} */
  let draft = null;
  /** @type {Sample | null} */
  let sample = null;
  let computed = 0;
  /** @type {Run | null} */
  let run = null;
  /** @type {{fast: boolean, stop: boolean} | null} */
  let running = null;
  let ended = false;

  const work = createWork();
  /** @type {Set<(shown: Shown, fast: boolean) => void>} */
  const listeners = new Set();
  const notify = oncePerTurn(() => {
    const shown = ended ? null : now();
    if (shown) for (const listener of listeners) listener(shown, running?.fast === true);
  });
  const isFull = () => node.place + 1 >= config.block_size;
  const isCrowded = () => tree.size >= MOST;
  /** What has failed waits to be asked again, and with it all that stands behind it. */
  const isStuck = () => work.active() && engine.status().phase === "failed";
  /** @returns {Shown | null} */
  const now = () =>
    sample && {
      prompt: wantedPrompt,
      settings,
      node,
      path: pathTo(node),
      tree,
      sample,
      computed,
      waiting: work.active(),
      running: running && (running.fast ? "fast" : "step"),
      run,
      full: isFull(),
    };

  /** Ask what the next token is drawn from, until that is what is wanted. @param {() => boolean} wanted */
  async function draw(wanted) {
    while (sample?.of !== node || sample.under !== settings) {
      const [of, under] = [node, settings];
      const uniform = numbers.at(of.place + 1);
      const { logits } = /** @type {import("./tree.js").Read} */ (of.read);
      const answer = await engine.run("sampling", { logits: float32(logits), ...drawing(under, uniform) });
      if (!answer || !wanted()) return;
      const { outputs } = answer;
      sample = { of, under, uniform, outputs };
      const token = value(sample, "token", 0);
      draft = { of, under, token, given: value(sample, "own", token), chance: value(sample, "p", token) };
    }
  }

  /**
   * Let the model read tokens after a node's, and add them to a tree.
   * @param {Tree} into  @param {Node} from  @param {number[]} tokens  @param {(index: number) => Origin} by
   * @param {number | null} given  The probability of the first of them, where it is known.  @param {() => boolean} wanted
   * @returns {Promise<Draft | null>} after the last one; null when it is not wanted any more
   */
  async function extend(into, from, tokens, by, given, wanted) {
    // Only the token before it says how probable the first one was: it is read once more.
    const again = given === null ? from.parent : null;
    const asked = again ? [from.token, ...tokens] : tokens;
    const under = settings;
    const uniform = numbers.at(from.place + tokens.length + 1);
    const answer = await engine.run("generation", () => ({ ...reading(asked, again ?? from, config), ...drawing(under, uniform) }));
    if (!answer || !wanted()) return null;
    const all = answers(answer.outputs);
    const { token, chances, given: others } = answer.outputs;
    let last = from;
    tokens.forEach((id, index) => {
      const at = again ? index + 1 : index;
      last = childOf(last, id) ?? into.add(last, id, by(index), /** @type {import("./tree.js").Read} */ (all[at]));
      last.given ??= at ? Number(others?.data[at - 1]) : given;
    });
    computed = asked.length;
    return { of: last, under, token: Number(token?.data[0]), given: Number(chances?.data[0]), chance: Number(chances?.data[1]) };
  }

  /** Go to a text, wherever it parts from what was tried. @param {Place} to  @param {boolean} [anew]  In a tree of its own. */
  function jump({ prompt: to, ids, own }, anew = to !== prompt) {
    running = null;
    wantedPrompt = to;
    const into = anew ? createTree() : tree;
    const promptLength = common(read(to) ?? [], ids);
    work.jump(async (wanted) => {
      const known = into.find(ids);
      const missing = ids.slice(known.place + 1);
      /** @param {number} index @returns {Origin} */
      const by = (index) => {
        const place = known.place + 1 + index;
        return own.includes(place) ? "own" : place < promptLength ? "prompt" : "drawn";
      };
      computed = 0;
      const next = missing.length ? await extend(into, known, missing, by, null, wanted) : null;
      if (!wanted() || (missing.length && !next)) return;
      [prompt, tree, node, draft] = [to, into, next?.of ?? known, next ?? draft];
      save();
      await draw(wanted);
    });
  }

  /** Go on by one token. @param {number | null} chosen  Null: the one that is drawn.  @param {() => boolean} wanted */
  async function append(chosen, wanted) {
    if (chosen !== null || draft?.of !== node || draft.under !== settings) await draw(wanted);
    if (!wanted() || !draft || isFull() || isCrowded()) return false;
    const { token, given, chance } = chosen === null ? draft : { token: chosen, given: at("own", chosen), chance: at("p", chosen) };
    computed = 0;
    const known = childOf(node, token);
    const next = known ? null : await extend(tree, node, [token], () => (chosen === null ? "drawn" : "own"), given, wanted);
    const to = known ?? next?.of;
    if (!to || !wanted()) return false;
    [node, draft] = [to, next ?? draft];
    node.chance = chance;
    return true;
  }
  /** @param {string} name  @param {number} token */
  const at = (name, token) => (sample ? value(sample, name, token) : NaN);
  /** @param {number | null} chosen */
  function goOn(chosen) {
    if (isStuck()) return engine.retry();
    run = null;
    work.add(async (wanted) => {
      if (!(await append(chosen, wanted))) return;
      save();
      await draw(wanted);
    });
  }

  /** @param {number} count  @param {boolean} fast  @param {() => boolean} wanted */
  async function write(count, fast, wanted) {
    const mine = { fast, stop: false };
    running = mine;
    run = null;
    notify();
    const start = performance.now();
    let [tokens, drawn] = [0, start];
    while (tokens < count && !mine.stop && !isFull() && (await append(null, wanted))) {
      tokens += 1;
      if (!fast) {
        save();
        await draw(wanted);
        notify();
        if (tokens < count && !isFull()) await work.pause(tokens < PACE.slowSteps ? PACE.slow : PACE.quick);
        if (!wanted()) return;
      } else if (performance.now() - drawn > PACE.drawing) {
        drawn = performance.now();
        notify();
      }
    }
    if (!wanted()) return;
    if (fast) run = { tokens, milliseconds: performance.now() - start };
    running = null;
    save();
    await draw(wanted);
  }

  /** @returns {Place} */
  function where() {
    const path = pathTo(node);
    const own = path.filter(({ by }) => by === "own").map(({ place }) => place);
    return { prompt, ids: path.map(({ token }) => token), own };
  }
  const save = () => sync.write({ place: where(), settings });

  /** @param {Wish} wish  @returns {boolean} whether anything changes */
  function apply(wish) {
    const next = change(settings, wish, config.vocab_size);
    if (next === settings) return false;
    if (next.seed !== numbers.seed) numbers = createNumbers(next.seed);
    settings = next;
    run = null;
    return true;
  }

  /** @param {Wish} wish */
  function set(wish) {
    if (!apply(wish)) return;
    notify();
    if (node === tree.root) return;
    save();
    // What is at work asks with the newest settings before it ends; what has failed does not end.
    if (isStuck()) work.jump(draw);
    else if (!work.active()) work.add(draw);
  }

  /** Take over what Python says. @param {import("./sync.js").State} state */
  function adopt({ place, settings: given }) {
    apply(given);
    const moved = place.ids.join() !== idsTo(node).join();
    if (place.prompt !== prompt && !moved) jump({ prompt: place.prompt, ids: read(place.prompt) ?? place.ids, own: [] });
    else jump(place);
  }

  work.onChange(notify);
  jump(first.place);

  return {
    shown: now,
    first: first.place,
    place: where,
    settings: () => settings,
    set,
    jump,
    /** Go to a text that was tried. @param {Node} to */
    go: (to) => jump({ prompt, ids: idsTo(to), own: [] }),
    back() {
      if (node.place > 0 && node.parent) jump({ prompt, ids: idsTo(node.parent), own: [] });
    },
    /** Draw one token. */
    step: () => goOn(null),
    /** Choose a token oneself. @param {number} token */
    choose: (token) => goOn(token),
    /** Draw several. @param {number} count  @param {boolean} fast */
    write: (count, fast) => (isStuck() ? engine.retry() : work.add((wanted) => write(count, fast, wanted))),
    stop() {
      if (!running) return;
      running.stop = true;
      work.wake();
    },
    isCrowded,
    reset() {
      apply(first.settings);
      run = null;
      jump(first.place, true);
    },
    /** @param {(shown: Shown, fast: boolean) => void} listener */
    subscribe(listener) {
      listeners.add(listener);
    },
    destroy() {
      ended = true;
      listeners.clear();
      work.destroy();
      sync.destroy();
    },
  };
}

/** @typedef {ReturnType<typeof createDebugger>} Debugger */
