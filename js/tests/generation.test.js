import assert from "node:assert/strict";
import { test } from "node:test";
import { createDebugger } from "../src/explorables/generation/debugger.js";
import { answers, cacheOf } from "../src/explorables/generation/reading.js";
import { common, fromParameters, toParameters } from "../src/explorables/generation/rules.js";
import { layout, neighbour } from "../src/explorables/generation/tree_layout.js";
import { createTree, idsTo, pathTo } from "../src/explorables/generation/tree.js";
import { createWork } from "../src/explorables/generation/work.js";
import { float32, int32 } from "../src/engine/tensors.js";
import { parseFragment, writeFragment } from "../src/host/page_address.js";
import { createPlainModel } from "../src/host/plain_model.js";
import { createChance } from "../src/shared/chance.js";
import { createNumbers } from "../src/shared/drawing/numbers.js";
import { change, nearest, TEMPERATURES, topKs } from "../src/shared/drawing/settings.js";

/** @type {import("../src/explorables/generation/rules.js").Settings} */
const settings = { seed: 3, temperature: 0.8, top_k: 0, top_p: 1, greedy: false };
const size = { vocab_size: 10, block_size: 12 };
/** A letter is a token. @param {string} prompt */
const read = (prompt) => (/^[a-j]{1,11}$/.test(prompt) ? [...prompt].map((letter) => letter.charCodeAt(0) - 97) : null);
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test("settings that are not allowed change nothing", () => {
  const wishes = [
    { seed: -1 }, { seed: 2 ** 53 }, { seed: 1.5 }, { seed: "3" }, { temperature: 0.05 }, { temperature: NaN }, { temperature: 4 },
    { top_k: 11 }, { top_k: -1 }, { top_k: 0.5 }, { top_p: 0 }, { top_p: 1.01 }, { greedy: 1 }, { greedy: "true" }, {},
  ]; // prettier-ignore
  for (const wish of wishes) assert.equal(change(settings, wish, 10), settings, JSON.stringify(wish));
  assert.deepEqual(change(settings, { seed: 0, temperature: 3, top_k: 10, top_p: 0.01, greedy: true }, 10), { seed: 0, temperature: 3, top_k: 10, top_p: 0.01, greedy: true }); // prettier-ignore
});

test("temperature 1 is in the middle of its slider, and steps are even by factors", () => {
  assert.equal(TEMPERATURES.at(0), 0.1);
  assert.equal(TEMPERATURES.at(-1), 3);
  assert.equal(TEMPERATURES[(TEMPERATURES.length - 1) / 2], 1);
  assert.ok(TEMPERATURES.every((value, place) => !place || value > Number(TEMPERATURES[place - 1])));
  assert.equal(TEMPERATURES[nearest(TEMPERATURES, 0.8)], 0.794);
  assert.deepEqual(topKs(9), [1, 2, 3, 4, 5, 6, 7, 8, 0]);
});

test("any place goes through an address and comes back the same", () => {
  const places = [
    { prompt: "abc", ids: [0, 1, 2], own: [] },
    { prompt: "abc", ids: [0, 1, 2, 9, 0, 4], own: [4] },
    { prompt: "abc", ids: [0, 1], own: [] },
    { prompt: "abc", ids: [0, 5, 6], own: [1] },
    { prompt: "abc", ids: [7, 7], own: [0, 1] },
  ];
  for (const place of places) {
    const written = toParameters(place, read(place.prompt) ?? [], { ...settings, greedy: true });
    const { id, parameters } = parseFragment(writeFragment("explorable-generation", written));
    assert.equal(id, "explorable-generation");
    const { wish, place: back } = fromParameters(parameters, read, "a", size);
    assert.deepEqual(back, place);
    assert.deepEqual(wish, { ...settings, greedy: true });
  }
});

test("a prompt of any characters goes through an address", () => {
  for (const prompt of ["a+b & c=d?#%", "“é” 🎭\n\tשלום", "<script>alert(1)</script>", "\u0000"]) {
    const written = toParameters({ prompt, ids: [1, 2], own: [] }, [1, 2], settings);
    const { parameters } = parseFragment(writeFragment("x", written));
    assert.equal(fromParameters(parameters, () => [1, 2], "", size).place?.prompt, prompt);
  }
});

test("what is not well formed in an address is left out, and of a path all or nothing", () => {
  const paths = [
    { path: "1,2,x" }, { path: "1,,2" }, { path: "10" }, { path: "-1" }, { path: "1.5" }, { path: "yy1" }, { path: "1,".repeat(5000) },
    { path: "1,2,3,4,5,6,7,8,9,1" }, { keep: "4" }, { keep: "-1" }, { keep: "0" }, { keep: "x", path: "1" }, { path: "" }, { path: "1e1" },
  ]; // prettier-ignore
  for (const parameters of paths)
    assert.deepEqual(fromParameters({ prompt: "abc", ...parameters }, read, "a", size).place, { prompt: "abc", ids: [0, 1, 2], own: [] }, JSON.stringify(parameters)); // prettier-ignore
  for (const prompt of ["", "A", "a".repeat(12), "a".repeat(5000)]) assert.equal(fromParameters({ prompt }, read, "a", size).place, null);
  assert.deepEqual(fromParameters({}, read, "ab", size).place, { prompt: "ab", ids: [0, 1], own: [] });
  const odd = { seed: "1e3", temperature: "0x1", topk: "3.5", topp: ".5", greedy: "yes" };
  for (const value of Object.values(fromParameters(odd, read, "a", size).wish)) assert.equal(value, undefined);
  const prototype = /** @type {Record<string, string>} */ ({ greedy: "toString", seed: "constructor" });
  assert.equal(change(settings, fromParameters(prototype, read, "a", size).wish, 10), settings);
});

test("each place has its number of the seed", () => {
  const numbers = createNumbers(7);
  const chance = createChance(7);
  const expected = Array.from({ length: 5 }, () => chance.uniform());
  assert.equal(numbers.at(4), expected[4]);
  assert.deepEqual([0, 1, 2, 3, 4].map((place) => numbers.at(place)), expected);
});

/** @param {number} n */
const made = (n) => ({ logits: Float32Array.of(n), row: Float32Array.of(n, -n), attention: Float32Array.of(n) });

test("the cache of a branch is the rows of its own tokens", () => {
  const tree = createTree();
  const a = tree.add(tree.root, 5, "prompt", made(1));
  const b = tree.add(a, 6, "drawn", made(2));
  const c = tree.add(a, 7, "own", made(3));
  const config = { n_layer: 1, n_head: 1, d_head: 1, ...size };
  assert.deepEqual([...cacheOf(b, config).data], [1, -1, 2, -2]);
  assert.deepEqual([...cacheOf(c, config).data], [1, -1, 3, -3]);
  assert.deepEqual(cacheOf(tree.root, config).dims, [0, 1, 2, 1]);
  assert.deepEqual(idsTo(c), [5, 7]);
  assert.equal(tree.find([5, 6, 9]), b);
  assert.equal(tree.find([1]), tree.root);
});

test("each token gets the part of the answer that is its own", () => {
  const outputs = {
    logits: float32([1, 2, 3, 4], [2, 2]),
    new: float32([5, 6], [2, 1, 1, 1]),
    attention: float32([1, 2, 0, 3, 4, 5, 10, 20, 0, 30, 40, 50], [2, 2, 3]), // two layers, after one token
  };
  const [first, second] = answers(outputs);
  assert.deepEqual(Object.values(first ?? {}).map((part) => [...part]), [[1, 2], [5], [1, 2, 10, 20]]);
  assert.deepEqual(Object.values(second ?? {}).map((part) => [...part]), [[3, 4], [6], [3, 4, 5, 30, 40, 50]]);
  assert.equal(first?.row.buffer.byteLength, 4, "and keeps no other's numbers");
});

test("branches have rows of their own, and arrow keys find them", () => {
  const tree = createTree();
  const add = (/** @type {any} */ parent, /** @type {number} */ token) => tree.add(parent, token, "drawn", made(0));
  const a = add(tree.root, 0);
  const b = add(a, 1);
  const c = add(b, 2);
  const other = add(a, 3);
  const third = add(b, 4);
  const placed = layout(tree.root);
  assert.deepEqual(placed.map(({ node, row }) => [node.token, row]), [[0, 0], [1, 0], [2, 0], [4, 1], [3, 2]]); // prettier-ignore
  assert.equal(neighbour(placed, c, "ArrowLeft"), b);
  assert.equal(neighbour(placed, a, "ArrowLeft"), null);
  assert.equal(neighbour(placed, a, "ArrowRight"), b);
  assert.equal(neighbour(placed, c, "ArrowDown"), third);
  assert.equal(neighbour(placed, third, "ArrowDown"), other);
  assert.equal(neighbour(placed, other, "ArrowUp"), third);
  assert.equal(neighbour(placed, c, "Home"), a);
  assert.equal(neighbour(placed, a, "End"), c);
  let deep = tree.root;
  for (let i = 0; i < 20_000; i++) deep = add(deep, 1);
  assert.equal(layout(tree.root).length, 20_005);
  assert.equal(pathTo(deep).length, 20_000);
});

test("tasks take turns, and a jump gives up those before it", async () => {
  const work = createWork();
  /** @type {string[]} */
  const done = [];
  /** @type {(() => void)[]} */
  const answer = [];
  const task = (/** @type {string} */ name) => async (/** @type {() => boolean} */ wanted) => {
    await new Promise((resolve) => answer.push(() => resolve(null)));
    done.push(wanted() ? name : `not ${name}`);
  };
  work.add(task("one"));
  work.add(task("two"));
  await turn();
  assert.equal(answer.length, 1, "the second waits");
  work.jump(task("jump"));
  await turn();
  assert.equal(answer.length, 2);
  answer.forEach((resolve) => resolve());
  await turn();
  assert.deepEqual(done, ["not one", "jump"]);
  assert.equal(work.active(), false);
  let paused = true;
  void work.pause(60_000).then(() => (paused = false));
  work.wake();
  await turn();
  assert.equal(paused, false);
});

/** An engine of a model whose next token is the last one and three more; it may be slow, or fail. */
function createFake() {
  let failing = false;
  /** @type {{graph: string, tokens: number, past: number}[]} */
  const asked = [];
  /** @type {(() => void)[]} */
  let held = [];
  let holding = false;
  /** @param {number} token */
  const drawn = (token) => {
    const p = Float32Array.from({ length: 10 }, (_, id) => (id === (token + 3) % 10 ? 1 : 0));
    return { token: int32((token + 3) % 10), p: float32(p), own: float32(p.map((value) => value * 0.9)), chances: float32([0.9, 1]) };
  };
  const engine = {
    /** @param {string} graph  @param {import("../src/engine/engine.js").Inputs} given */
    async run(graph, given) {
      const inputs = typeof given === "function" ? given() : given;
      const ids = [...(inputs["ids"]?.data ?? [])];
      asked.push({ graph, tokens: ids.length, past: inputs["past"]?.dims[0] ?? 0 });
      if (holding || failing) await new Promise((resolve) => held.push(() => resolve(null)));
      const last = graph === "sampling" ? Number(inputs["logits"]?.data[0]) : Number(ids.at(-1));
      const seen = ids.length + (inputs["past"]?.dims[0] ?? 0);
      const read = {
        logits: float32(ids, [ids.length, 1]),
        new: float32(ids, [ids.length, 1, 1, 1]),
        given: float32(ids.slice(1).map((id) => id / 10)),
        attention: float32(new Float32Array(ids.length * seen), [1, ids.length, seen]),
      };
      return { outputs: { ...(graph === "generation" && read), ...drawn(last) }, by: /** @type {const} */ ("page"), milliseconds: 1 };
    },
    status: () => ({ phase: failing ? "failed" : "idle" }),
    retry() {
      failing = false;
      engine.release();
    },
    release() {
      holding = false;
      for (const go of held) go();
      held = [];
    },
  };
  return { engine: /** @type {any} */ (engine), asked, hold: () => (holding = true), fail: () => (failing = true), release: engine.release };
}

function createReady() {
  const fake = createFake();
  const config = { n_layer: 1, n_head: 1, d_head: 1, ...size };
  const model = createPlainModel({ config, prompt: "ab", ids: [0, 1], own: [], ...settings });
  const writer = createDebugger(model, fake.engine, read);
  const text = () => writer.place().ids.join("");
  return { ...fake, model, writer, text };
}
const settle = async () => {
  for (let i = 0; i < 20; i++) await turn();
};

test("stepping draws, stepping back and on again computes nothing", async () => {
  const { writer, text, asked, model } = createReady();
  await settle();
  assert.equal(text(), "01");
  const reads = () => asked.filter(({ graph }) => graph === "generation").map(({ tokens, past }) => [tokens, past]);
  assert.deepEqual(reads(), [[2, 0]]);
  writer.step();
  writer.step();
  await settle();
  assert.equal(text(), "0147");
  assert.deepEqual(reads(), [[2, 0], [1, 2], [1, 3]]); // prettier-ignore
  assert.deepEqual(model.get("ids"), [0, 1, 4, 7]);
  const before = asked.length;
  writer.back();
  await turn();
  writer.back();
  await settle();
  assert.equal(text(), "01");
  writer.step();
  await settle();
  assert.equal(text(), "014");
  assert.ok(asked.slice(before).every(({ graph }) => graph === "sampling"));
  assert.equal(writer.shown()?.computed, 0);
});

test("a choice of one's own makes a branch, and says so", async () => {
  const { writer, text, model } = createReady();
  await settle();
  writer.step();
  await settle();
  writer.back();
  writer.choose(9);
  writer.step();
  await settle();
  assert.equal(text(), "0192");
  assert.deepEqual(model.get("own"), [2]);
  const shown = writer.shown();
  assert.deepEqual(shown?.path.map(({ by }) => by), ["prompt", "prompt", "own", "drawn"]); // prettier-ignore
  assert.deepEqual(shown?.path.map(({ given }) => given && Number(given.toFixed(3))), [null, 0.1, 0, 0.9]);
  assert.deepEqual(shown?.path.map(({ chance }) => chance), [null, null, 0, 1]);
  assert.equal(shown?.tree.size, 5);
});

test("it may go back into the prompt, and write on from there", async () => {
  const { writer, text, model } = createReady();
  await settle();
  writer.back();
  await settle();
  assert.equal(text(), "0");
  writer.back();
  await settle();
  assert.equal(text(), "0", "the first token stays");
  writer.step();
  await settle();
  assert.equal(text(), "03");
  assert.equal(model.get("prompt"), "ab");
});

test("at the full context it stops, and a fast run asks once for each token", async () => {
  const { writer, text, asked } = createReady();
  await settle();
  const before = asked.length;
  writer.write(50, true);
  await settle();
  assert.deepEqual(asked.slice(before).map(({ graph }) => graph), [...Array(10).fill("generation"), "sampling"]);
  assert.equal(text().length, 12);
  assert.equal(writer.shown()?.full, true);
  assert.equal(writer.shown()?.run?.tokens, 10);
  writer.step();
  await settle();
  assert.equal(text().length, 12);
});

test("a jump while an answer is on its way wins", async () => {
  const { writer, text, hold, release } = createReady();
  await settle();
  hold();
  writer.step();
  await settle();
  assert.equal(writer.shown()?.waiting, true);
  writer.jump({ prompt: "cd", ids: [2, 3], own: [] });
  await settle();
  assert.equal(text(), "01", "the last numbers stay");
  assert.equal(writer.shown()?.prompt, "cd");
  release();
  await settle();
  assert.equal(text(), "23");
  assert.equal(writer.shown()?.waiting, false);
  assert.equal(writer.shown()?.tree.size, 2);
});

test("when an answer fails, the next step asks again, and a jump goes another way", async () => {
  const { writer, text, fail, engine } = createReady();
  await settle();
  writer.step();
  await settle();
  fail();
  writer.step();
  await settle();
  assert.equal(text(), "014");
  writer.step();
  await settle();
  assert.equal(text(), "0147", "asked again, once");
  fail();
  writer.step();
  await settle();
  writer.back();
  engine.retry();
  await settle();
  assert.equal(text(), "014");
});

test("what Python says is taken over", async () => {
  const { writer, text, model } = createReady();
  await settle();
  model.set("ids", [0, 1, 8, 8]);
  model.set("own", [3]);
  await settle();
  assert.equal(text(), "0188");
  assert.deepEqual(writer.shown()?.path.map(({ by }) => by), ["prompt", "prompt", "drawn", "own"]); // prettier-ignore
  model.set("prompt", "j");
  await settle();
  assert.equal(text(), "9", "a new prompt begins a new text");
  model.set("prompt", "cd");
  model.set("ids", [2, 3, 3]);
  await settle();
  assert.equal(text(), "233", "unless the text comes with it");
  model.set("temperature", 2);
  await settle();
  assert.equal(writer.shown()?.sample.under.temperature, 2);
});

test("settings that change while a run is on are used by its next token, and the run is stopped by a word", async () => {
  const { writer, text } = createReady();
  await settle();
  writer.write(50, false);
  await settle();
  assert.equal(writer.shown()?.running, "step");
  const length = text().length;
  assert.ok(length > 2);
  writer.set({ seed: 5 });
  writer.stop();
  await settle();
  assert.equal(writer.shown()?.running, null);
  assert.equal(writer.shown()?.sample.under.seed, 5);
  assert.ok(text().length <= length + 1);
});

test("reset brings back the first state with a new tree", async () => {
  const { writer, text, model } = createReady();
  await settle();
  writer.set({ temperature: 2, greedy: true });
  writer.write(4, true);
  await settle();
  writer.reset();
  await settle();
  assert.equal(text(), "01");
  assert.equal(writer.shown()?.tree.size, 2);
  assert.deepEqual(writer.settings(), settings);
  assert.equal(model.get("temperature"), 0.8);
});

test("after it is taken away it asks and says nothing", async () => {
  const { writer, model, asked } = createReady();
  await settle();
  writer.write(50, false);
  await turn();
  writer.destroy();
  await settle();
  const count = asked.length;
  let drawn = 0;
  writer.subscribe(() => (drawn += 1));
  model.set("ids", [0, 1, 8]);
  await settle();
  assert.equal(asked.length, count);
  assert.equal(drawn, 0);
});

test("texts are compared from their start", () => {
  assert.equal(common([1, 2, 3], [1, 2, 4]), 2);
  assert.equal(common([], [1]), 0);
});
