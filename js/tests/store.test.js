import assert from "node:assert/strict";
import { test } from "node:test";
import { createEngine } from "../src/engine/engine.js";
import { float32 } from "../src/engine/tensors.js";
import { createPlainModel } from "../src/host/plain_model.js";
import { createStore } from "../src/shared/store.js";

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

/**
 * A number that may be from 0 to 9, a text, and a step; asked is ten times the number.
 * @param {Record<string, unknown>} [state]
 * @param {import("../src/shared/explorable.js").Spec["ask"]} [ask]
 */
function world(state = {}, ask = async ({ x }, run) => run("tenfold", { x: float32(x) })) {
  /** @type {{value: number, answer: () => void}[]} */
  const asked = [];
  /** @type {import("../src/engine/engine.js").Runner} */
  const runner = {
    by: "page",
    run: (_, inputs) =>
      new Promise((resolve) => {
        const value = Number(inputs["x"]?.data[0]);
        asked.push({ value, answer: () => resolve({ y: float32(value * 10) }) });
      }),
  };
  const model = createPlainModel({ remembered: [], x: 1, word: "a", step: 0, ...state });
  const engine = createEngine({ model, page: /** @type {any} */ ({ runner }) });
  const store = createStore(
    {
      keys: ["x", "word", "step"],
      silent: ["word"],
      change(before, wish) {
        const next = { ...before };
        if (Number.isInteger(wish["x"]) && wish["x"] >= 0 && wish["x"] < 10) next["x"] = wish["x"];
        if (typeof wish["word"] === "string") next["word"] = wish["word"];
        if (Number.isInteger(wish["step"])) next["step"] = wish["step"];
        return Object.keys(next).every((key) => next[key] === before[key]) ? before : next;
      },
      ask,
    },
    model,
    engine,
  );
  return { asked, model, store };
}

test("numbers follow the state, and the last ones stay meanwhile", async () => {
  const { asked, store, model } = world();
  assert.equal(store.numbers(), null);
  asked[0]?.answer();
  await settle();
  assert.deepEqual(store.numbers()?.state, { x: 1, word: "a", step: 0 });
  store.set({ x: 2, word: "b" });
  const between = store.numbers();
  assert.deepEqual(between?.state, { x: 1, word: "b", step: 0 }, "what asks for no numbers is there at once");
  assert.deepEqual([between?.waiting, between?.answers["y"].data[0], model.get("x")], [true, 10, 2]);
  asked[1]?.answer();
  await settle();
  assert.deepEqual([store.numbers()?.waiting, store.numbers()?.answers["y"].data[0]], [false, 20]);
});

test("while much changes, answers are shown as they come, and none after a newer one", async () => {
  const { asked, store } = world();
  for (const x of [2, 3, 4]) store.set({ x });
  assert.equal(asked.length, 1);
  asked[0]?.answer();
  await settle();
  assert.equal(store.numbers()?.state["x"], 1);
  assert.deepEqual(asked.map(({ value }) => value), [1, 4]); // prettier-ignore
  asked[1]?.answer();
  await settle();
  assert.deepEqual([store.numbers()?.state["x"], store.numbers()?.waiting], [4, false]);
});

test("who asks one question after the other stops when something newer is asked", async () => {
  const { asked, store } = world({}, async ({ x }, run) => {
    let y = x;
    for (let step = 0; step < 2; step++) y = Number((await run("tenfold", { x: float32(y) }))["y"]?.data[0]);
    return { y };
  });
  store.set({ x: 2 });
  for (let answered = 0; answered < 5; answered++) {
    asked[answered]?.answer();
    await settle();
  }
  assert.deepEqual(asked.map(({ value }) => value), [1, 2, 20]); // prettier-ignore
  assert.deepEqual([store.numbers()?.waiting, store.numbers()?.answers["y"]], [false, 200]);
});

test("what is there is shown while more is on its way, and nothing of it after something newer", async () => {
  const { asked, store } = world({}, async ({ x }, run, ...[, , show]) => {
    const first = await run("tenfold", { x: float32(x) }, "first");
    show({ y: first["y"], whole: false });
    const second = await run("tenfold", { x: float32(x + 0.5) }, "second");
    return { y: second["y"], whole: true };
  });
  const now = () => [store.numbers()?.waiting, store.numbers()?.answers["y"].data[0], store.numbers()?.answers["whole"]];
  asked[0]?.answer();
  await settle();
  assert.deepEqual(now(), [true, 10, false]);
  asked[1]?.answer();
  await settle();
  assert.deepEqual(now(), [false, 15, true]);
  store.set({ x: 2 });
  asked[2]?.answer();
  await settle();
  assert.deepEqual(now(), [true, 20, false]);
});

test("what is not allowed changes nothing, and steps and silent keys ask nothing", async () => {
  const { asked, store } = world();
  asked[0]?.answer();
  await settle();
  store.set({ x: 99 });
  store.set({ step: 3, word: "c" });
  assert.deepEqual(store.state(), { x: 1, word: "c", step: 3 });
  await settle();
  assert.equal(asked.length, 1);
});

test("changes are undone one by one; steps are not among them", () => {
  const { store, model } = world();
  store.set({ x: 2 });
  store.set({ step: 5 });
  store.set({ word: "z" });
  store.undo();
  assert.deepEqual(store.state(), { x: 2, word: "a", step: 5 });
  store.undo();
  assert.deepEqual([store.state()["x"], model.get("x"), store.canUndo()], [1, 1, false]);
  store.undo();
  store.set({ x: 7 });
  store.reset();
  assert.equal(store.state()["x"], 1);
  store.undo();
  assert.equal(store.state()["x"], 7, "a reset too");
});

test("an address holds what differs, and brings it back", () => {
  const { store } = world();
  store.set({ x: 3, word: "a & b?" });
  assert.deepEqual(store.toParameters(), { x: "3", word: "a & b?" });
  const { store: other } = world();
  other.restore(store.toParameters());
  assert.deepEqual(other.state(), store.state());
  for (const hostile of [{ x: "{" }, { x: "null" }, { x: "1e9" }, { x: "[3]" }, { nothing: "1" }]) {
    const { store: another } = world();
    another.restore(/** @type {Record<string, string>} */ (hostile));
    assert.deepEqual(another.state(), { x: 1, word: "a", step: 0 });
  }
});

test("what Python changes is taken over, and after the end nothing is heard or asked", async () => {
  const { asked, store, model } = world();
  let drawn = 0;
  store.subscribe(() => (drawn += 1));
  model.set("x", 5);
  model.set("word", "b");
  await settle();
  assert.deepEqual([store.state()["x"], store.state()["word"], store.canUndo()], [5, "b", false]);
  const before = drawn;
  store.destroy();
  model.set("x", 6);
  asked[0]?.answer();
  await settle();
  assert.deepEqual([store.state()["x"], drawn], [5, before]);
});

test("what goes on with a change is undone together with it", () => {
  const { store } = world();
  store.set({ x: 2 });
  store.set({ x: 3 });
  store.set({ x: 4 }, true);
  store.set({ x: 5 }, true);
  store.undo();
  assert.equal(store.state()["x"], 2);
  store.undo();
  assert.deepEqual([store.state()["x"], store.canUndo()], [1, false]);
});

test("whoever asks one question after the other does not take the place of a newer state's", async () => {
  /** @type {{value: number, answer: () => void}[]} */
  const asked = [];
  /** @type {import("../src/engine/engine.js").Runner} */
  const runner = {
    by: "page",
    run: (_, inputs) =>
      new Promise((resolve) => {
        const value = Number(inputs["x"]?.data[0]);
        asked.push({ value, answer: () => resolve({ y: float32(value) }) });
      }),
  };
  const model = createPlainModel({ remembered: [], x: 1 });
  const store = createStore(
    {
      keys: ["x"],
      change: (before, { x }) => ({ ...before, x }),
      async ask({ x }, run) {
        const first = await run("twice", { x: float32(10 * x) });
        return [first, await run("twice", { x: float32(10 * x + 1) })];
      },
    },
    model,
    createEngine({ model, page: /** @type {any} */ ({ runner }) }),
  );
  store.set({ x: 2 });
  for (let turn = 0; turn < 4; turn++) {
    await settle();
    asked.at(-1)?.answer();
  }
  await settle();
  assert.deepEqual(asked.map(({ value }) => value), [10, 20, 21]); // prettier-ignore
  assert.deepEqual([store.numbers()?.state["x"], store.numbers()?.waiting], [2, false]);
});
