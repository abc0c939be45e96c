import assert from "node:assert/strict";
import { test } from "node:test";
import { float32 } from "../src/engine/tensors.js";
import { batchAt, drawUniform } from "../src/explorables/training/batches.js";
import { roundUp } from "../src/explorables/training/curves.js";
import { createHistory } from "../src/explorables/training/history.js";
import { pack, readSet, sizeOf, stepQuestion, unpack, widthsOf } from "../src/explorables/training/network.js";
import { change, firstDifference, fromParameters, isSchedule, LIMITS, reschedule, runOf, settingsAt, toParameters, upTo } from "../src/explorables/training/rules.js";
import { createTrainer } from "../src/explorables/training/trainer.js";
import { parseFragment, writeFragment } from "../src/host/page_address.js";
import { createPlainModel } from "../src/host/plain_model.js";

/** @typedef {import("../src/explorables/training/rules.js").State} State */
/** @typedef {import("../src/explorables/training/rules.js").Change} Change */

const SETS = ["moons", "blobs"];
/** @type {State} */
const STATE = { data: "moons", activation: "relu", depth: 1, width: 2, seed: 0, schedule: [[0, 0.5, 32]], step: 0 };
const random = (/** @type {number} */ below) => Math.floor(Math.random() * below);
/** @template T @param {T[]} all @returns {T} */
const any = (all) => /** @type {T} */ (all[random(all.length)]);

// Settings

test("what is not allowed changes nothing", () => {
  const refused = [
    { data: "iris" }, { data: "__proto__" }, { activation: "gelu" }, { activation: 1 }, { depth: 0 }, { depth: 5 }, { depth: "2" },
    { width: 3 }, { width: NaN }, { seed: -1 }, { seed: 10 }, { seed: 0.5 }, { step: -1 }, { step: 2001 }, { step: "3" },
    { schedule: [] }, { schedule: "0,0.5,32" }, { schedule: [[1, 0.5, 32]] }, { schedule: [[0, 0.3, 32]] }, { schedule: [[0, 0.5, 3]] },
    { schedule: [[0, 0.5, 32], [0, 1, 32]] }, { schedule: [[0, 0.5, 32], [2001, 1, 32]] }, { schedule: [[0, 0.5]] }, { schedule: [null] },
    { schedule: Array.from({ length: 61 }, (_, step) => [step, any(LIMITS.rates), 32]) },
  ]; // prettier-ignore
  for (const wish of refused) assert.deepEqual(change(STATE, wish, SETS), STATE, JSON.stringify(wish));
});

/** @returns {Change[]} */
function randomSchedule(last = LIMITS.step) {
  /** @type {Change[]} */
  let schedule = [[0, any(LIMITS.rates), any(LIMITS.batches)]];
  for (let count = random(6), step = 0; count > 0; count--) {
    step += 1 + random(last / 6);
    if (step <= last) schedule = reschedule(schedule, step, { rate: any(LIMITS.rates), batch: any(LIMITS.batches) }) ?? schedule;
  }
  return schedule;
}

test("any state goes through an address and comes back, as far as it matters up to its step", () => {
  for (let i = 0; i < 300; i++) {
    const wish = {
      data: any(SETS), activation: any(LIMITS.activations), depth: any(LIMITS.depths), width: any(LIMITS.widths),
      seed: random(10), schedule: randomSchedule(), step: random(2001),
    }; // prettier-ignore
    const state = change(STATE, wish, SETS);
    assert.deepEqual(state, wish);
    const { parameters } = parseFragment(writeFragment("explorable-x", toParameters(state)));
    const restored = change(STATE, fromParameters(parameters), SETS);
    assert.deepEqual(restored, { ...state, schedule: upTo(state.schedule, state.step) });
    assert.equal(runOf(restored), runOf(state));
  }
});

test("the longest schedule fits into a link", () => {
  const schedule = Array.from({ length: LIMITS.changes }, (_, index) => /** @type {Change} */ ([index ? 1900 + index : 0, index % 2 ? 0.001 : 0.002, 256]));
  const state = { ...STATE, schedule, step: LIMITS.step };
  assert.deepEqual(change(STATE, fromParameters(toParameters(state)), SETS), state);
  assert.equal(reschedule(schedule, LIMITS.step, { rate: 5 }), null);
});

test("a hostile address changes nothing and throws nothing", () => {
  const values = ["", "NaN", "1e999", "<script>", "-", "1,2,3", "0x10", " 1", "Infinity", "0,0.5", ";", "\0", "9".repeat(10_000), "\ud800", "%"];
  for (const value of values)
    for (const key of ["data", "activation", "depth", "width", "seed", "rates", "step"])
      assert.deepEqual(change(STATE, fromParameters({ [key]: value }), SETS), STATE, `${key}=${value}`);
});

test("another learning rate or batch holds from its step on, and what was planned later is gone", () => {
  const schedule = /** @type {Change[]} */ ([[0, 0.5, 32], [10, 1, 32], [20, 2, 8]]); // prettier-ignore
  assert.deepEqual(reschedule(schedule, 15, { rate: 5 }), [[0, 0.5, 32], [10, 1, 32], [15, 5, 32]]); // prettier-ignore
  assert.deepEqual(reschedule(schedule, 10, { batch: 64 }), [[0, 0.5, 32], [10, 1, 64]]); // prettier-ignore
  assert.deepEqual(reschedule(schedule, 10, { rate: 0.5 }), [[0, 0.5, 32]]);
  assert.deepEqual(settingsAt(schedule, 9), { rate: 0.5, batch: 32 });
  assert.deepEqual(settingsAt(schedule, 20), { rate: 2, batch: 8 });
  assert.equal(firstDifference(schedule, schedule.slice()), null);
  assert.equal(firstDifference(schedule, schedule.slice(0, 2)), 20);
  assert.equal(firstDifference(schedule, /** @type {Change[]} */ ([[0, 0.5, 32], [7, 1, 32]])), 7); // prettier-ignore
  assert.equal(firstDifference(schedule, /** @type {Change[]} */ ([[0, 1, 32]])), 0);
  for (let i = 0; i < 100; i++) assert.ok(isSchedule(randomSchedule()));
});

// Batches

test("every epoch has each example once, and any step's batch is known by itself", () => {
  const schedule = /** @type {Change[]} */ ([[0, 0.5, 32], [20, 0.5, 64]]); // prettier-ignore
  const epoch = Array.from({ length: 8 }, (_, step) => batchAt(schedule, step, 3, 256));
  assert.deepEqual(epoch.flat().sort((a, b) => a - b), [...Array(256).keys()]); // prettier-ignore
  // At step 20, within an epoch of batches of 32, one of batches of 64 begins.
  const after = [20, 21, 22, 23].map((step) => batchAt(schedule, step, 3, 256));
  assert.deepEqual(after.flat().sort((a, b) => a - b), [...Array(256).keys()]); // prettier-ignore
  assert.notDeepEqual(batchAt(schedule, 8, 3, 256), batchAt(schedule, 0, 3, 256));
  assert.notDeepEqual(batchAt(schedule, 0, 4, 256), batchAt(schedule, 0, 3, 256));
  assert.deepEqual(batchAt(schedule, 5, 3, 256), epoch[5]);
  // Another learning rate leaves the order as it is.
  assert.deepEqual(batchAt([[0, 0.5, 32], [3, 1, 32]], 5, 3, 256), epoch[5]); // prettier-ignore
  assert.equal(new Set(batchAt([[0, 0.5, 256]], 9, 0, 256)).size, 256);
});

test("first weights have the network's shapes and depend on the seed alone", () => {
  const [first, second] = drawUniform(7, [2, 8, 3]);
  assert.deepEqual([first?.dims, second?.dims], [[8, 2], [3, 8]]); // prettier-ignore
  assert.deepEqual(drawUniform(7, [2, 8, 3]), [first, second]);
  assert.notDeepEqual(drawUniform(8, [2, 8, 3]), [first, second]);
  for (const tensor of [first, second]) assert.ok(tensor?.data.every((value) => value >= 0 && value <= 1));
});

// History

test("a history that would grow too large keeps every second step, every fourth, and the latest", () => {
  const history = createHistory(1000);
  for (let step = 0; step <= 500; step++) history.put(step, new Float32Array(10).fill(step));
  assert.equal(history.every, 8);
  for (const [asked, found] of [[0, 0], [7, 0], [8, 8], [250, 248], [499, 496], [500, 500]]) { // prettier-ignore
    const known = history.before(Number(asked));
    assert.deepEqual([known?.step, known?.parameters[0]], [found, found]);
  }
  history.put(251, new Float32Array(10).fill(251)); // trained again
  assert.equal(history.before(255)?.step, 251);
  history.truncate(300);
  assert.equal(history.before(500)?.step, 296);
});

test("measures are kept for every step up to the first gap", () => {
  const history = createHistory();
  history.measure(0, [1]);
  history.measure(1, [2]);
  history.measure(5, [9]);
  history.measure(0, [3]);
  assert.deepEqual(history.measures.map(([value]) => value), [3, 2]); // prettier-ignore
  history.truncate(0);
  assert.equal(history.measures.length, 1);
  assert.equal(history.before(9), null);
});

// The network as tensors

const bytes = (/** @type {ArrayBufferView} */ view) => Buffer.from(view.buffer).toString("base64");
const plane = {
  features: 2, classes: 2,
  x: bytes(Float32Array.from({ length: 512 }, (_, i) => (i % 13) / 13)), y: bytes(Uint8Array.from({ length: 256 }, (_, i) => i % 2)),
  held_x: bytes(Float32Array.from({ length: 256 }, (_, i) => (i % 7) / 7)), held_y: bytes(Uint8Array.from({ length: 128 }, (_, i) => i % 2)),
}; // prettier-ignore

test("a plane's grid goes from its top left corner to its bottom right, and images become numbers from 0 to 1", () => {
  const { look, side, x } = readSet("moons", plane);
  assert.equal(side, 0);
  assert.deepEqual(look.dims, [3721, 2]);
  assert.deepEqual([...look.data.slice(0, 2)].map((value) => value < 0), [true, false]); // prettier-ignore
  assert.deepEqual([...look.data.slice(-2)].map((value) => value < 0), [false, true]); // prettier-ignore
  assert.equal(x.data[1], Math.fround(1 / 13));
  const images = readSet("digits", { features: 4, classes: 10, x: bytes(Uint8Array.of(0, 255, 51, 1)), y: bytes(Uint8Array.of(7)), held_x: bytes(new Uint8Array(8)), held_y: bytes(Uint8Array.of(1, 2)) });
  assert.deepEqual([images.side, images.y.data[0], images.x.data[1], images.x.data[3]], [2, 7, 1, Math.fround(1 / 255)]);
  assert.equal(images.look, images.heldX);
});

test("parameters in one row come apart and together again", () => {
  const widths = [2, 4, 3];
  assert.equal(sizeOf(widths), 2 * 4 + 4 + 4 * 3 + 3);
  const row = Float32Array.from({ length: sizeOf(widths) }, () => Math.random());
  const named = unpack(row, widths);
  assert.deepEqual(Object.entries(named).map(([name, { dims }]) => [name, dims]), [["w1", [4, 2]], ["b1", [4]], ["w2", [3, 4]], ["b2", [3]]]); // prettier-ignore
  assert.deepEqual(pack(named, widths), row);
});

test("a question that no picture is wanted of asks for one answer of it", () => {
  const examples = readSet("moons", plane);
  const parameters = unpack(new Float32Array(sizeOf(widthsOf(examples, STATE))), widthsOf(examples, STATE));
  const { graph, inputs } = stepQuestion(examples, STATE, parameters, false);
  assert.equal(graph, "training-step-1");
  assert.deepEqual(inputs.look?.dims, [1, 2]);
  assert.deepEqual([inputs.activation?.data[0], inputs.learning_rate?.data[0], inputs.chosen?.data.length], [0, 0.5, 32]);
});

// The trainer

/**
 * An engine whose step adds the learning rate to every parameter; the loss is the first weight. From `breaks` on it is no
 * number. It answers when it is let.
 */
function stubEngine({ breaks = Infinity } = {}) {
  /** @type {{graph: string, whole: boolean, at: number}[]} */
  const asked = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  let held = false;
  let phase = "idle";
  /** @param {string} graph  @param {import("../src/engine/tensors.js").Tensors} inputs */
  async function run(graph, inputs) {
    asked.push({ graph, whole: Number(inputs.look?.dims[0]) > 1, at: Number(inputs.w1?.data[0]) });
    if (held) await new Promise((resolve) => waiting.push(() => resolve(null)));
    const answer = (/** @type {import("../src/engine/tensors.js").Tensors} */ outputs) => ({ outputs, by: "page", milliseconds: 0 });
    if (graph === "first-weights") {
      const { dims } = /** @type {import("../src/engine/tensors.js").Tensor} */ (inputs.uniform);
      const zeros = float32(new Float32Array(Number(dims[0]) * Number(dims[1])), dims);
      return answer({ he: zeros, glorot: zeros });
    }
    const rate = Number(inputs.learning_rate?.data[0]);
    const names = Object.keys(inputs).filter((name) => /^[wb]\d$/.test(name));
    const first = Number(inputs.w1?.data[0]);
    const loss = first >= breaks ? NaN : first;
    const next = names.map((name) => {
      const { data, dims } = /** @type {import("../src/engine/tensors.js").Tensor} */ (inputs[name]);
      return [`new_${name}`, float32(Float32Array.from(data, (value) => value + rate), dims)];
    });
    const scalars = ["train_loss", "held_loss", "train_accuracy", "held_accuracy"].map((name) => [name, float32(loss)]);
    return answer(Object.fromEntries([...next, ...scalars]));
  }
  const engine = { run, status: () => ({ phase }) };
  return {
    engine: /** @type {import("../src/engine/engine.js").Engine} */ (/** @type {unknown} */ (engine)),
    asked,
    hold: () => (held = true),
    /** Answer what waits. */
    release() {
      held = false;
      for (const resolve of waiting.splice(0)) resolve();
    },
    fail: () => (phase = "failed"),
  };
}

const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0));
};
const modelWith = (/** @type {Partial<State>} */ state = {}, /** @type {unknown} */ recorded = {}) =>
  createPlainModel({ ...STATE, ...state, sets: { moons: plane, blobs: plane }, recorded });

/** @param {Parameters<typeof stubEngine>[0] & {model?: ReturnType<typeof modelWith>}} [options] */
async function startTrainer({ model = modelWith(), ...options } = {}) {
  const stub = stubEngine(options);
  /** @type {unknown[]} */
  const progress = [];
  const trainer = createTrainer(model, stub.engine, (now) => progress.push(now));
  await settle();
  const shown = () => {
    const now = trainer.shown();
    assert.ok(now);
    return now;
  };
  const loss = () => Number(shown().outputs.train_loss?.data[0]);
  return { ...stub, model, trainer, shown, loss, progress };
}

test("it begins with the first weights and takes one question per step, with the picture only at the end", async () => {
  const { trainer, shown, asked, loss } = await startTrainer();
  assert.deepEqual(asked.map(({ graph, whole }) => [graph, whole]), [["first-weights", false], ["first-weights", false], ["training-step-1", true]]); // prettier-ignore
  assert.deepEqual([shown().state.step, loss(), shown().end], [0, 0, 0]);
  asked.length = 0;
  trainer.goTo(5);
  assert.ok(shown().waiting);
  assert.equal(shown().state.step, 0, "the last numbers stay");
  await settle();
  // Step 1 came with step 0's answer.
  assert.deepEqual(asked.map(({ at, whole }) => [at, whole]), [[0.5, false], [1, false], [1.5, false], [2, false], [2.5, true]]); // prettier-ignore
  assert.deepEqual([shown().state.step, shown().waiting, loss()], [5, false, 2.5]);
  assert.deepEqual(shown().measures.map(([value]) => value), [0, 0.5, 1, 1.5, 2, 2.5]); // prettier-ignore
});

test("scrubbing back shows the step again and trains nothing anew", async () => {
  const { trainer, shown, asked, loss } = await startTrainer();
  trainer.goTo(8);
  await settle();
  asked.length = 0;
  trainer.goTo(3);
  await settle();
  assert.deepEqual([shown().state.step, shown().end, loss(), asked.length], [3, 8, 1.5, 1]);
  trainer.goTo(4);
  await settle();
  assert.deepEqual([shown().state.step, shown().end, asked.length], [4, 8, 2]);
});

test("another learning rate goes on from the step that is shown, and what came after is gone", async () => {
  const { trainer, shown, loss } = await startTrainer();
  trainer.goTo(8);
  await settle();
  trainer.goTo(3);
  await settle();
  assert.equal(trainer.branch({ rate: 10 }), true);
  assert.deepEqual([shown().end, shown().before?.length], [3, 9]);
  await settle();
  assert.deepEqual([shown().state.step, loss()], [3, 1.5]);
  trainer.goTo(5);
  await settle();
  assert.deepEqual(shown().measures.map(([value]) => value), [0, 0.5, 1, 1.5, 11.5, 21.5]); // prettier-ignore
  assert.deepEqual(shown().wanted.schedule, [[0, 0.5, 32], [3, 10, 32]]); // prettier-ignore
});

test("other data or another network begins anew, with the learning rate of now", async () => {
  const { trainer, shown } = await startTrainer();
  trainer.goTo(4);
  await settle();
  trainer.branch({ rate: 2 });
  trainer.restart({ width: 4 });
  await settle();
  assert.deepEqual([shown().state.step, shown().end, shown().widths, shown().wanted.schedule], [0, 0, [2, 4, 2], [[0, 2, 32]]]);
  assert.equal(shown().before?.length, 5, "on the same data the losses can be compared");
  trainer.restart({ data: "blobs" });
  await settle();
  assert.equal(shown().before, null);
});

test("where the loss ceases to be a number the run ends, and a smaller learning rate goes on before it", async () => {
  const { trainer, shown, loss } = await startTrainer({ breaks: 3 });
  trainer.goTo(100);
  await settle();
  assert.deepEqual([shown().broken, shown().state.step, shown().end, trainer.wanted().step], [6, 6, 6, 6]);
  assert.ok(Number.isNaN(loss()));
  trainer.goTo(50);
  await settle();
  assert.equal(shown().state.step, 6);
  trainer.goTo(5);
  await settle();
  trainer.branch({ rate: 0.001 });
  await settle();
  assert.equal(shown().broken, null);
  trainer.goTo(8);
  await settle();
  assert.deepEqual([shown().state.step, shown().broken], [8, null]);
});

test("an answer to what is no longer wanted is no use to the run that took its place", async () => {
  const { trainer, shown, hold, release, loss } = await startTrainer();
  hold();
  trainer.goTo(2);
  await settle();
  trainer.branch({ rate: 5 }); // wanted at step 2, while the question of step 1 is open
  trainer.restart({ seed: 3 });
  trainer.goTo(1);
  release();
  await settle();
  assert.deepEqual([shown().state.seed, shown().state.step, loss()], [3, 1, 5]);
});

test("an answer to the old learning rate does not become the new one's next step", async () => {
  const { trainer, loss, hold, release } = await startTrainer();
  hold();
  trainer.goTo(2);
  await settle(); // the question of step 1 is open
  trainer.set({ schedule: [[0, 0.5, 32], [1, 5, 32]], step: 3 }); // prettier-ignore
  release();
  await settle();
  assert.equal(loss(), 10.5);
});

test("a question that failed gives way to what is wanted now", async () => {
  const { trainer, shown, asked, hold, fail } = await startTrainer();
  hold();
  trainer.goTo(2);
  await settle();
  const before = asked.length;
  trainer.goTo(3);
  await settle();
  assert.equal(asked.length, before, "while one is open, none is asked");
  fail();
  trainer.goTo(0);
  trainer.goTo(1);
  await settle();
  assert.ok(asked.length > before);
  assert.equal(shown().state.step, 0);
});

test("the model is written when things have come to rest, and not while it plays", async () => {
  const { trainer, model } = await startTrainer();
  let saved = 0;
  model.save_changes = () => (saved += 1);
  trainer.setPlaying(true);
  trainer.goTo(3);
  await settle();
  assert.deepEqual([model.get("step"), saved], [0, 0]);
  trainer.setPlaying(false);
  assert.deepEqual([model.get("step"), saved], [3, 1]);
  trainer.branch({ batch: 64 });
  await settle();
  assert.deepEqual([model.get("schedule"), saved], [[[0, 0.5, 32], [3, 0.5, 64]], 2]); // prettier-ignore
});

test("a change that comes from Python is followed, and one that is not allowed is not", async () => {
  const { shown, model } = await startTrainer();
  model.set("step", 4);
  await settle();
  assert.equal(shown().state.step, 4);
  model.set("activation", "tanh");
  await settle();
  assert.deepEqual([shown().state.activation, shown().state.step], ["tanh", 4]);
  model.set("depth", 99);
  await settle();
  assert.equal(shown().state.depth, 1);
});

test("what was recorded of the run need not be trained again", async () => {
  const rows = [0, 2, 5].map((step) => new Float32Array(12).fill(step / 2));
  const recorded = {
    settings: { data: "moons", activation: "relu", depth: 1, width: 2, seed: 0, schedule: [[0, 0.5, 32]] },
    every: 2,
    parameters: bytes(Float32Array.from(rows.slice(0, 2).concat([new Float32Array(12).fill(2), ...rows.slice(2)]).flatMap((row) => [...row]))),
    measures: bytes(Float32Array.from({ length: 24 }, (_, index) => Math.floor(index / 4) / 2)),
  };
  const { trainer, shown, asked, loss, progress } = await startTrainer({ model: modelWith({ step: 5 }, recorded) });
  assert.deepEqual(asked.map(({ whole, at }) => [whole, at]), [[true, 2.5]]); // prettier-ignore
  assert.deepEqual([shown().end, loss(), shown().measures.length], [5, 2.5, 6]);
  asked.length = 0;
  trainer.goTo(3);
  await settle();
  assert.deepEqual(asked.map(({ whole, at }) => [whole, at]), [[false, 1], [true, 1.5]]); // prettier-ignore
  trainer.restart({ seed: 1 });
  await settle();
  assert.equal(shown().end, 0);
  asked.length = 0;
  trainer.reset();
  await settle();
  assert.deepEqual([shown().end, shown().state.step, asked.length], [5, 5, 1]);
  assert.equal(progress.filter(Boolean).length, 0);
});

test("a long way tells how far it is", async () => {
  const { trainer, progress } = await startTrainer();
  trainer.goTo(90);
  for (let i = 0; i < 20; i++) await settle();
  assert.deepEqual(progress.filter(Boolean), [{ step: 10, of: 90 }, { step: 50, of: 90 }]); // prettier-ignore
  assert.equal(progress.at(-1), null);
});

test("after its end a trainer asks and draws no more", async () => {
  const { trainer, asked, model } = await startTrainer();
  trainer.subscribe(() => assert.fail("was drawn"));
  trainer.goTo(50);
  trainer.destroy();
  await settle();
  const { length } = asked;
  model.set("step", 7);
  await settle();
  assert.equal(asked.length, length);
});

test("axes end at round numbers", () => {
  for (const [value, round] of [[0.79, 0.8], [0.81, 1], [1, 1], [2.36, 2.4], [2.302585, 2.4], [9.1, 10], [0.0123, 0.016]]) // prettier-ignore
    assert.equal(roundUp(Number(value)), round);
});
