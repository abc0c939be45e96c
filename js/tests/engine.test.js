import assert from "node:assert/strict";
import { test } from "node:test";
import { createEngine } from "../src/engine/engine.js";
import { EngineFailure } from "../src/engine/failure.js";
import { createKernelRunner } from "../src/engine/kernel_runner.js";
import { createPageEngine } from "../src/engine/page_runner.js";
import { at, flag, float32, fromBytes, int32, readAll, sameTensors } from "../src/engine/tensors.js";
import { createPlainModel } from "../src/host/plain_model.js";

/** @typedef {import("../src/engine/tensors.js").Tensors} Tensors */

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
const question = (/** @type {number} */ value) => ({ x: float32(value) });

/** A runner that answers when the test says so. */
function heldRunner() {
  /** @type {{graph: string, value: number, answer: () => void, fail: (failure: unknown) => void, progress: (p: {loaded: number, total: number} | null) => void}[]} */
  const asked = [];
  /** @type {import("../src/engine/engine.js").Runner} */
  const runner = {
    by: "page",
    run: (graph, inputs, progress) =>
      new Promise((resolve, fail) => {
        const value = Number(inputs["x"]?.data[0]);
        asked.push({ graph, value, fail, progress, answer: () => resolve({ y: float32(value * 10) }) });
      }),
  };
  return { asked, runner };
}

/** @param {import("../src/engine/engine.js").Runner} runner  @param {unknown[]} [remembered] */
function engineOf(runner, remembered = []) {
  const page = /** @type {import("../src/shared/types.js").Page} */ (/** @type {unknown} */ ({ runner }));
  return createEngine({ model: createPlainModel({ remembered }), page });
}
/** @param {Promise<import("../src/engine/engine.js").Answer | null>} answer */
const valueOf = async (answer) => (await answer)?.outputs["y"]?.data[0] ?? null;

test("of the questions that wait only the newest is asked, and answers come in order", async () => {
  const { asked, runner } = heldRunner();
  const engine = engineOf(runner);
  const answers = [1, 2, 3, 4].map((value) => engine.run("g", question(value)));
  assert.deepEqual(asked.map(({ value }) => value), [1]); // prettier-ignore
  asked[0]?.answer();
  assert.deepEqual(await Promise.all(answers.slice(0, 3).map(valueOf)), [10, null, null]);
  assert.deepEqual(asked.map(({ value }) => value), [1, 4]); // prettier-ignore
  asked[1]?.answer();
  assert.equal(await valueOf(/** @type {any} */ (answers[3])), 40);
});

test("channels do not stand in each other's way", async () => {
  const { asked, runner } = heldRunner();
  const engine = engineOf(runner);
  const answers = [engine.run("g", question(1)), engine.run("h", question(2)), engine.run("g", question(3), "other")];
  assert.deepEqual(asked.map(({ graph, value }) => graph + value), ["g1", "h2", "g3"]); // prettier-ignore
  for (const { answer } of asked) answer();
  assert.deepEqual(await Promise.all(answers.map(valueOf)), [10, 20, 30]);
});

test("what was asked when the page was built needs nobody", async () => {
  const { asked, runner } = heldRunner();
  const written = (/** @type {number} */ value) => ({
    type: "float32",
    dims: [],
    data: Buffer.from(Float32Array.of(value).buffer).toString("base64"),
  });
  const engine = engineOf(runner, [{ graph: "g", inputs: { x: written(5) }, outputs: { y: written(7) } }]);
  const answer = await engine.run("g", question(5));
  assert.deepEqual([answer?.by, answer?.outputs["y"]?.data[0], asked.length], ["record", 7, 0]);
  // Another number, another graph or another input is another question.
  for (const [graph, inputs] of /** @type {[string, Tensors][]} */ ([
    ["g", question(5.5)],
    ["h", question(5)],
    ["g", { z: float32(5) }],
    ["g", { x: int32(5) }],
    ["g", { x: float32([5]) }],
  ])) void engine.run(graph, inputs, String(asked.length));
  assert.equal(asked.length, 5);
});

test("an answer that is overtaken by a remembered one is not delivered after it", async () => {
  const { asked, runner } = heldRunner();
  const tensor = { type: "float32", dims: [], data: Buffer.from(Float32Array.of(5).buffer).toString("base64") };
  const engine = engineOf(runner, [{ graph: "g", inputs: { x: tensor }, outputs: { y: tensor } }]);
  const slow = engine.run("g", question(1));
  assert.equal(await valueOf(engine.run("g", question(5))), 5);
  assert.equal(await valueOf(slow), null);
  const next = engine.run("g", question(2));
  asked[0]?.answer();
  await settle();
  const last = engine.run("g", question(3));
  assert.equal(asked.length, 2, "one question at a time");
  asked[1]?.answer();
  assert.equal(await valueOf(next), 20);
  asked[2]?.answer();
  assert.equal(await valueOf(last), 30);
});

test("what failed is told, and asked again on request", async () => {
  const { asked, runner } = heldRunner();
  const engine = engineOf(runner);
  /** @type {string[]} */
  const phases = [];
  engine.subscribe(({ phase, failure }) => phases.push(failure ? `${phase} ${failure.code}` : phase));
  const answer = engine.run("g", question(1));
  asked[0]?.progress({ loaded: 1, total: 2 });
  asked[0]?.progress(null);
  asked[0]?.fail(new EngineFailure("missing-file", "graph.onnx: 404"));
  await settle();
  engine.retry();
  asked[1]?.answer();
  assert.equal(await valueOf(answer), 10);
  assert.deepEqual(phases, ["idle", "running", "loading", "running", "failed missing-file", "running", "idle"]);
});

test("an answer on one channel does not hide what failed on another", async () => {
  const { asked, runner } = heldRunner();
  const engine = engineOf(runner);
  const [lost, found] = [engine.run("g", question(1)), engine.run("h", question(2))];
  asked[0]?.fail(new EngineFailure("missing-file", "weights"));
  await settle();
  asked[1]?.answer();
  assert.equal(await valueOf(found), 20);
  assert.equal(engine.status().phase, "failed");
  assert.equal(engine.status().failure?.code, "missing-file");
  engine.retry();
  assert.equal(engine.status().failure, null);
  asked[2]?.answer();
  assert.equal(await valueOf(lost), 10);
  assert.equal(engine.status().phase, "idle");
});

test("a newer question takes the place of one that failed", async () => {
  const { asked, runner } = heldRunner();
  const engine = engineOf(runner);
  const first = engine.run("g", question(1));
  asked[0]?.fail(new Error("whatever"));
  await settle();
  assert.equal(engine.status().failure?.code, "broken");
  const second = engine.run("g", question(2));
  assert.equal(await valueOf(first), null);
  asked[1]?.answer();
  assert.equal(await valueOf(second), 20);
  assert.equal(engine.status().phase, "idle");
  engine.retry();
  assert.equal(asked.length, 2, "nothing is left to ask again");
});

test("after its end an engine asks nothing, tells nothing and holds nobody", async () => {
  const { asked, runner } = heldRunner();
  const engine = engineOf(runner);
  let told = 0;
  engine.subscribe(() => (told += 1));
  const answers = [engine.run("g", question(1)), engine.run("g", question(2))];
  const before = told;
  engine.destroy();
  asked[0]?.answer();
  assert.deepEqual(await Promise.all(answers.map(valueOf)), [null, null]);
  assert.equal(await engine.run("g", question(3)), null);
  assert.deepEqual([asked.length, told], [1, before]);
});

/** A kernel at the other end of a model: what it was sent, and a way to answer. */
function kernel() {
  const model = createPlainModel({});
  /** @type {{content: any, buffers: ArrayBuffer[]}[]} */
  const sent = [];
  /** @type {((message: unknown, buffers?: DataView[]) => void)[]} */
  const listeners = [];
  model.send = (content, _callbacks, buffers = []) => void sent.push({ content, buffers });
  model.on = (event, callback) => void (event === "msg:custom" && listeners.push(callback));
  model.off = (_event, callback) => void listeners.splice(listeners.indexOf(/** @type {any} */ (callback)), 1);
  const say = (/** @type {unknown} */ message, /** @type {DataView[]} */ buffers = []) => listeners.forEach((hear) => hear(message, buffers));
  return { model, sent, listeners, say };
}

test("a kernel is asked with bytes and answers with bytes, wherever in a buffer they start", async () => {
  const { model, sent, say, listeners } = kernel();
  const runner = createKernelRunner(model);
  const answer = runner.run("g", { x: float32([1, 2, 3], [3]), on: flag(true) }, () => {});
  const [{ content, buffers }] = /** @type {[(typeof sent)[0]]} */ (sent);
  assert.deepEqual(
    [content.kind, content.graph, content.inputs],
    ["ask", "g", [{ name: "x", type: "float32", dims: [3] }, { name: "on", type: "bool", dims: [] }]], // prettier-ignore
  );
  assert.deepEqual([...new Float32Array(/** @type {ArrayBuffer} */ (buffers[0]))], [1, 2, 3]);
  say({ kind: "answer", id: "another view's", outputs: [] });
  const bytes = new Uint8Array(9);
  bytes.set(new Uint8Array(Float32Array.of(4, 5).buffer), 1);
  const outputs = [{ name: "y", type: "float32", dims: [2] }];
  say({ kind: "answer", id: content.id, outputs }, [new DataView(bytes.buffer, 1)]);
  assert.deepEqual([...(/** @type {Tensors} */ (await answer)["y"]?.data ?? [])], [4, 5]);
  runner.destroy?.();
  assert.equal(listeners.length, 0);
});

test("what a kernel refuses comes as its words; a silent one is reported", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { model, sent, say } = kernel();
  const runner = createKernelRunner(model);
  const refused = runner.run("g", {}, () => {});
  say({ kind: "refused", id: sent[0]?.content.id, detail: "ValueError: ids is empty" });
  await assert.rejects(refused, { code: "refused", message: "ValueError: ids is empty" });
  const silent = runner.run("g", {}, () => {});
  t.mock.timers.tick(20_000);
  await assert.rejects(silent, { code: "silent-kernel" });
});

/** @param {Record<string, unknown>} world */
function inWorld(world) {
  const before = Object.fromEntries(Object.keys(world).map((key) => [key, /** @type {any} */ (globalThis)[key]]));
  Object.assign(globalThis, world);
  return () => Object.assign(globalThis, before);
}

class FakeWorker extends EventTarget {
  /** @type {FakeWorker[]} */
  static all = [];
  /** @type {any[]} */
  asked = [];
  /** @type {ArrayBuffer[][]} */
  moved = [];
  ended = false;
  constructor() {
    super();
    FakeWorker.all.push(this);
  }
  /** @param {unknown} message  @param {ArrayBuffer[]} moved */
  postMessage(message, moved) {
    this.asked.push(structuredClone(message, { transfer: moved }));
    this.moved.push(moved);
  }
  terminate() {
    this.ended = true;
  }
  /** @param {unknown} data */
  say(data) {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
}

const files = { g: { graph: "g.onnx.gz", weights: null, bytes: 1 } };
const program = { worker: "worker.js", wasm: "ort.wasm.gz" };

test("one worker serves a page; it starts with the first question, and anew after it broke", async () => {
  FakeWorker.all = [];
  const leave = inWorld({ Worker: FakeWorker });
  const createRunner = createPageEngine(program);
  const [one, other] = [createRunner(files), createRunner(files)];
  assert.equal(FakeWorker.all.length, 0);
  const answers = [one.run("g", {}, () => {}), other.run("g", {}, () => {})];
  assert.equal(FakeWorker.all.length, 1);
  const [worker] = /** @type {[FakeWorker]} */ (FakeWorker.all);
  assert.deepEqual(worker.asked[0].files, files.g);
  worker.say({ kind: "answer", id: worker.asked[1].id, outputs: { y: float32(1) } });
  assert.equal((await answers[1])?.["y"]?.data[0], 1);
  worker.dispatchEvent(new Event("error", { cancelable: true }));
  await assert.rejects(/** @type {any} */ (answers[0]), { code: "worker-blocked" });
  assert.ok(worker.ended);
  const again = one.run("g", {}, () => {});
  FakeWorker.all[1]?.say({ kind: "failed", id: FakeWorker.all[1].asked[0].id, code: "no-memory", detail: "std::bad_alloc" });
  await assert.rejects(again, { code: "no-memory" });
  assert.ok(FakeWorker.all[1]?.ended, "what it holds cannot be relied on");
  leave();
});

test("without WebAssembly or workers it says so, and unknown graphs are named", async () => {
  const runner = createPageEngine(program)(files);
  const Refusing = class {
    constructor() {
      throw new Error("refused by policy");
    }
  };
  let leave = inWorld({ Worker: Refusing });
  await assert.rejects(runner.run("g", {}, () => {}), { code: "worker-blocked", message: "refused by policy" });
  await assert.rejects(runner.run("h", {}, () => {}), { code: "refused", message: /graph is "h"; this page has g/ });
  leave();
  leave = inWorld({ WebAssembly: undefined, Worker: FakeWorker });
  await assert.rejects(runner.run("g", {}, () => {}), { code: "no-webassembly" });
  leave();
});

test("large inputs are made for each try, and handed over to the worker instead of copied", async () => {
  FakeWorker.all = [];
  const leave = inWorld({ Worker: FakeWorker });
  const page = /** @type {any} */ ({ runner: createPageEngine(program)(files) });
  const engine = createEngine({ model: createPlainModel({ remembered: [] }), page });
  let count = 0;
  const kept = float32([7, 8]);
  const answer = engine.run("g", () => ({ x: float32([(count += 1)]), y: float32([0]) }));
  const copied = engine.run("g", { x: kept }, "other");
  await settle();
  const [worker] = /** @type {[FakeWorker]} */ (FakeWorker.all);
  assert.equal(worker.moved[0]?.length, 2);
  assert.equal(worker.moved[1]?.length, 0);
  worker.say({ kind: "failed", id: worker.asked[0].id, code: "broken", detail: "" });
  worker.say({ kind: "answer", id: worker.asked[1].id, outputs: { y: float32(1) } });
  await copied;
  engine.retry();
  await settle();
  assert.equal(count, 2, "what was handed over is made anew");
  worker.say({ kind: "answer", id: worker.asked[2].id, outputs: { y: float32(2) } });
  assert.equal(await valueOf(answer), 2);
  leave();
});

test("tensors know what they hold", () => {
  const tensor = float32([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [2, 3, 2]);
  assert.deepEqual([...at(tensor, 1)], [6, 7, 8, 9, 10, 11]);
  assert.deepEqual([...at(tensor, 1, 2)], [10, 11]);
  assert.deepEqual([...at(tensor, 0, 1, 1)], [3]);
  assert.equal(at(tensor, 1).buffer, tensor.data.buffer, "a view, not a copy");
  assert.ok(sameTensors({ x: float32(NaN) }, { x: float32(NaN) }));
  assert.ok(!sameTensors({ x: float32([1, 2], [1, 2]) }, { x: float32([1, 2], [2, 1]) }));
  assert.ok(!sameTensors({ x: flag(true) }, { x: flag(false) }));
  const odd = new Uint8Array([9, 0, 0, 128, 63]).subarray(1);
  assert.deepEqual([...fromBytes("float32", [1], odd).data], [1]);
  assert.deepEqual(readAll({ x: { type: "int32", dims: [1], data: "BwAAAA==" } }), { x: int32([7]) });
});

test("what an earlier page of the visit has loaded is opened before anybody asks, and nothing else", async () => {
  FakeWorker.all = [];
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = { getItem: (/** @type {string} */ key) => kept.get(key) ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value) };
  const leave = inWorld({ Worker: FakeWorker, sessionStorage: storage });
  const graphs = { ...files, h: { graph: "h.onnx.gz", weights: "weights.gz", bytes: 1 } };
  const first = createPageEngine(program)(graphs);
  first.prepare?.();
  assert.equal(FakeWorker.all.length, 0, "on the first page nothing is loaded");
  const answer = first.run("g", {}, () => {});
  FakeWorker.all[0]?.say({ kind: "answer", id: FakeWorker.all[0].asked[0].id, outputs: {} });
  await answer;

  createPageEngine({ ...program, wasm: "newer.wasm.gz" })(graphs).prepare?.();
  assert.equal(FakeWorker.all.length, 1, "another edition's program is not there yet");
  createPageEngine(program)(graphs).prepare?.();
  assert.deepEqual(FakeWorker.all[1]?.asked, [{ files: files.g, wasm: program.wasm }]);
  leave();
});

test("a browser that keeps nothing, or holds nonsense, computes all the same", async () => {
  for (const getItem of [() => "{", () => "7", () => { throw new Error("denied"); }]) { // prettier-ignore
    FakeWorker.all = [];
    const setItem = () => { throw new Error("full"); }; // prettier-ignore
    const leave = inWorld({ Worker: FakeWorker, sessionStorage: { getItem, setItem } });
    const runner = createPageEngine(program)(files);
    runner.prepare?.();
    assert.equal(FakeWorker.all.length, 0);
    const answer = runner.run("g", {}, () => {});
    FakeWorker.all[0]?.say({ kind: "answer", id: FakeWorker.all[0].asked[0].id, outputs: { y: float32(1) } });
    assert.equal((await answer)["y"]?.data[0], 1);
    leave();
  }
});

test("an answer tells how long the computation alone took, where that is known", async () => {
  FakeWorker.all = [];
  const leave = inWorld({ Worker: FakeWorker });
  const page = /** @type {any} */ ({ runner: createPageEngine(program)(files) });
  const engine = createEngine({ model: createPlainModel({ remembered: [{ graph: "g", inputs: {}, outputs: {} }] }), page });
  const answer = engine.run("g", question(1));
  await settle();
  FakeWorker.all[0]?.say({ kind: "answer", id: FakeWorker.all[0].asked[0].id, outputs: {}, computing: 1.25 });
  assert.equal((await answer)?.computing, 1.25);
  assert.deepEqual(await engine.run("g", {}), { outputs: {}, by: "record", milliseconds: 0 });
  leave();
});
