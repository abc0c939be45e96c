/**
 * The debugger's state: the tree of texts, where in it the reader is, the settings, and what the next token is drawn from.
 *
 * What the reader wants is done in its turn: steps queue up, while a jump (another place, another prompt) gives up what was
 * still to be done. While an answer is on its way, the last numbers stay.
 *
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("./rules.js").Settings} Settings
 * @typedef {import("./rules.js").Wish} Wish
 * @typedef {import("./rules.js").Place} Place
 * @typedef {import("./tree.js").Node} Node
 * @typedef {import("./tree.js").Tree} Tree
 * @typedef {import("./tree.js").Origin} Origin
 *
 * @typedef {object} Sample  What the next token is drawn from, and the token.
 * @property {Node} of  The text that it follows.
 * @property {Settings} under
 * @property {number} uniform  The number that decides.
 * @property {Tensors} outputs  Those of the graph `sampling` among them.
 *
 * @typedef {{tokens: number, milliseconds: number}} Run  What it wrote, and how long it took.
 *
 * @typedef {object} Shown  Everything that a view draws.
 * @property {string} prompt
 * @property {Settings} settings
 * @property {Node} node  Where the reader is.
 * @property {Node[]} path  The text so far.
 * @property {Tree} tree
 * @property {Sample} sample
 * @property {number} computed  Positions that were computed to come here; 0 where the tree remembers.
 * @property {boolean} waiting  Whether numbers are on their way.
 * @property {"step" | "fast" | null} running  Whether a run is on, and at which pace.
 * @property {Run | null} run  Of the last fast run, until something else is done.
 * @property {boolean} full  Whether the context holds no more.
 */
import { float32 } from "../../engine/tensors.js";
import { createNumbers } from "./numbers.js";
import { oncePerTurn } from "./once_per_turn.js";
import { answers, drawing, reading } from "./reading.js";
import { change, common } from "./rules.js";
import { createSync } from "./sync.js";
import { childOf, createTree, idsTo, pathTo } from "./tree.js";
import { createWork } from "./work.js";

/** Tokens in the tree at most: each keeps some kilobytes. */
const MOST = 2000;
/** Milliseconds between the tokens of a run that can be followed, and between drawings of a fast one. */
const PACE = { slow: 320, quick: 110, slowSteps: 8, drawing: 100 };

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
  const hasFailed = () => engine.status().phase === "failed";
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
      sample = { of, under, uniform, outputs: answer.outputs };
    }
  }

  /**
   * Let the model read tokens after a node's, and add them to a tree.
   * @param {Tree} into  @param {Node} from  @param {number[]} tokens  @param {(index: number) => Origin} by  @param {() => boolean} wanted
   * @returns {Promise<Sample | null>} for the token after the last one; null when it is not wanted any more
   */
  async function extend(into, from, tokens, by, wanted) {
    // Only the token before it says how probable the first of them was: without its distribution it is read once more.
    const known = sample?.of === from ? sample : null;
    const again = !known && from.parent;
    const asked = again ? [from.token, ...tokens] : tokens;
    const under = settings;
    const uniform = numbers.at(from.place + tokens.length + 1);
    const answer = await engine.run("generation", { ...reading(asked, again || from, config), ...drawing(under, uniform) });
    if (!answer || !wanted()) return null;
    const all = answers(answer.outputs);
    const given = answer.outputs["given"]?.data ?? [];
    let last = from;
    tokens.forEach((token, index) => {
      const at = again ? index + 1 : index;
      last = childOf(last, token) ?? into.add(last, token, by(index), /** @type {import("./tree.js").Read} */ (all[at]));
      last.given ??= at ? Number(given[at - 1]) : known ? Number(known.outputs["own"]?.data[token]) : null;
    });
    computed = asked.length;
    return { of: last, under, uniform, outputs: answer.outputs };
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
      const next = missing.length ? await extend(into, known, missing, by, wanted) : null;
      if (!wanted() || (missing.length && !next)) return;
      [prompt, tree, node, sample] = [to, into, next?.of ?? known, next ?? sample];
      save();
      await draw(wanted);
    });
  }

  /** Go on by one token. @param {number | null} chosen  Null: the one that is drawn.  @param {() => boolean} wanted */
  async function append(chosen, wanted) {
    await draw(wanted);
    if (!wanted() || !sample || isFull() || isCrowded()) return false;
    const { outputs } = sample;
    const token = chosen ?? Number(outputs["token"]?.data[0]);
    computed = 0;
    const known = childOf(node, token);
    const next = known ? null : await extend(tree, node, [token], () => (chosen === null ? "drawn" : "own"), wanted);
    const to = known ?? next?.of;
    if (!to || !wanted()) return false;
    [node, sample] = [to, next ?? sample];
    node.chance = Number(outputs["p"]?.data[token]);
    await draw(wanted);
    return wanted();
  }
  /** @param {number | null} chosen */
  function goOn(chosen) {
    if (hasFailed()) return engine.retry();
    run = null;
    work.add(async (wanted) => {
      if (await append(chosen, wanted)) save();
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
        notify();
        if (tokens < count && !isFull()) await work.pause(tokens < PACE.slowSteps ? PACE.slow : PACE.quick);
        if (!wanted()) return;
      } else if (performance.now() - drawn > PACE.drawing) {
        drawn = performance.now();
        notify();
      }
    }
    await draw(wanted);
    if (!wanted()) return;
    if (fast) run = { tokens, milliseconds: performance.now() - start };
    running = null;
    save();
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
    if (hasFailed()) work.jump(draw);
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
    write: (count, fast) => (hasFailed() ? engine.retry() : work.add((wanted) => write(count, fast, wanted))),
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
