import assert from "node:assert/strict";
import { test } from "node:test";
import { float32 } from "../src/engine/tensors.js";
import { createPlainModel } from "../src/host/plain_model.js";
import { createStepper } from "../src/explorables/convolution/state.js";
import { follow } from "../src/shared/roving.js";

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

function stepperModel() {
  const pixels = Float32Array.from({ length: 2 * 25 }, (_, i) => (i % 7) / 7);
  return createPlainModel({
    images: { shape: [2, 5, 5], data: Buffer.from(pixels.buffer).toString("base64") },
    image: 0,
    kernel: [[1, 0, 0], [0, 0, 0], [0, 0, 0]],
    stride: 1,
    padding: 0,
    position: [0, 0],
  }); // prettier-ignore
}

/** An engine that answers at once; the output is the pixel in the window's corner times the kernel's first weight. */
function stubEngine() {
  /** @param {string} _graph  @param {import("../src/engine/tensors.js").Tensors} inputs */
  const run = async (_graph, { image, kernel }) => {
    assert.ok(image && kernel);
    const [rows, columns] = /** @type {[number, number]} */ (image.dims.map((size) => size + 4));
    const size = Number(kernel.dims[0]);
    const padded = float32(new Float32Array(rows * columns), [rows, columns]);
    image.data.forEach((value, index) => (padded.data[(Math.floor(index / 5) + 2) * columns + (index % 5) + 2] = value));
    const dims = [rows - size + 1, columns - size + 1];
    const windows = float32(new Float32Array(Number(dims[0]) * Number(dims[1]) * size * size), [...dims, size * size]);
    const output = float32(new Float32Array(Number(dims[0]) * Number(dims[1])), dims);
    output.data.forEach((_, index) => {
      const corner = Math.floor(index / Number(dims[1])) * columns + (index % Number(dims[1]));
      output.data[index] = Number(padded.data[corner]) * Number(kernel.data[0]);
    });
    return { outputs: { padded, windows, products: windows, output }, by: /** @type {const} */ ("record"), milliseconds: 0 };
  };
  return /** @type {import("../src/engine/engine.js").Engine} */ (/** @type {unknown} */ ({ run }));
}

/** A stepper with its first numbers. */
async function startStepper(model = stepperModel()) {
  const stepper = createStepper(model, stubEngine());
  assert.equal(stepper.shown(), null);
  await settle();
  const shown = () => {
    const now = stepper.shown();
    assert.ok(now);
    return now;
  };
  return { ...stepper, shown };
}

test("the plain model tells listeners of changes, and only of changes", () => {
  const model = createPlainModel({ a: 1 });
  /** @type {unknown[]} */
  const heard = [];
  const listener = (/** @type {any} */ _, /** @type {unknown} */ value) => heard.push(value);
  model.on("change:a", listener);
  model.set("a", 1);
  model.set("a", 2);
  model.off("change:a", listener);
  model.set("a", 3);
  assert.deepEqual(heard, [2]);
  assert.equal(model.get("a"), 3);
});

test("a listener may leave while it is called", () => {
  const model = createPlainModel({ a: 1 });
  let calls = 0;
  const once = () => {
    calls += 1;
    model.off("change:a", once);
  };
  model.on("change:a", once);
  model.on("change:a", () => (calls += 10));
  model.set("a", 2);
  model.set("a", 3);
  assert.equal(calls, 21);
});

test("off without names removes everything", () => {
  const model = createPlainModel({ a: 1 });
  model.on("change:a", () => assert.fail("was called"));
  model.on("change", () => assert.fail("was called"));
  model.off();
  model.set("a", 2);
});

test("the stepper writes its changes into the model and draws them once", async () => {
  const model = stepperModel();
  let saved = 0;
  model.save_changes = () => (saved += 1);
  const stepper = await startStepper(model);
  let drawn = 0;
  stepper.subscribe(() => (drawn += 1));
  stepper.set({ stride: 2, padding: 1, position: [1, 1] });
  await settle();
  assert.equal(model.get("stride"), 2);
  assert.deepEqual(model.get("position"), [1, 1]);
  assert.deepEqual([saved, drawn], [1, 1]);
  stepper.set({ stride: 9 });
  await settle();
  assert.equal(saved, 1);
});

test("a change that comes from Python is shown", async () => {
  const model = stepperModel();
  const stepper = await startStepper(model);
  model.set("kernel", [[2]]);
  await settle();
  const { output, state, sum } = stepper.shown();
  assert.deepEqual(state.kernel, [[2]]);
  assert.equal(output.width, 5);
  assert.equal(sum, 0);
});

test("pointing moves what is shown and leaves the state alone", async () => {
  const stepper = await startStepper();
  stepper.point([2, 1]);
  assert.deepEqual(stepper.shown().at, [2, 1]);
  assert.deepEqual(stepper.shown().state.position, [0, 0]);
  stepper.point(null);
  assert.deepEqual(stepper.shown().at, [0, 0]);
});

test("playing reveals one pixel per step and ends with the whole map", async () => {
  const stepper = await startStepper();
  const seen = [];
  while (stepper.step(1, { reveal: true })) seen.push(stepper.shown().revealed);
  assert.deepEqual(seen, [2, 3, 4, 5, 6, 7, 8]);
  assert.equal(stepper.shown().revealed, null);
  assert.deepEqual(stepper.shown().state.position, [2, 2]);
  assert.equal(stepper.step(1), false);
});

test("while numbers are on their way the last ones stay, and can be looked at", async () => {
  const stepper = await startStepper();
  const before = stepper.shown();
  stepper.set({ kernel: [[2, 0], [0, 0]] }); // prettier-ignore
  stepper.go([1, 2]);
  const meanwhile = stepper.shown();
  assert.ok(meanwhile.waiting);
  assert.deepEqual(meanwhile.wanted.kernel.length, 2);
  assert.deepEqual([meanwhile.state.kernel, meanwhile.at], [before.state.kernel, [1, 2]]);
  assert.deepEqual(meanwhile.output, before.output);
  await settle();
  const after = stepper.shown();
  assert.deepEqual([after.waiting, after.state.kernel.length, after.at], [false, 2, [1, 2]]);
  assert.equal(after.sum, 0); // pixel (1, 2) has the value 7 % 7 / 7
});

test("a stride and a padding pick their windows from the graph's", async () => {
  const stepper = await startStepper();
  stepper.set({ padding: 2, stride: 3 });
  const { output, padded } = stepper.shown();
  assert.deepEqual([padded.height, padded.width, output.height, output.width], [9, 9, 3, 3]);
  const corners = [0, 3, 6].flatMap((row) => [0, 3, 6].map((column) => padded.values[row * 9 + column]));
  assert.deepEqual([...output.values], corners);
});

test("reset brings back the first state", async () => {
  const stepper = await startStepper();
  stepper.set({ image: 1, kernel: [[3]], stride: 3, position: [1, 1] });
  stepper.reset();
  await settle();
  const { image, kernel, stride, position } = stepper.shown().state;
  assert.deepEqual([image, kernel.length, stride, position], [0, 3, 1, [0, 0]]);
});

test("after its end a stepper no longer listens", async () => {
  const model = stepperModel();
  const stepper = await startStepper(model);
  stepper.subscribe(() => assert.fail("was drawn"));
  stepper.destroy();
  model.set("stride", 2);
  await settle();
});

test("arrow keys move within the grid, other keys do not", () => {
  const size = { rows: 4, columns: 6 };
  const press = (/** @type {string} */ key, more = {}) =>
    follow({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more }, [2, 5], size);
  assert.deepEqual(press("ArrowRight"), [2, 5]);
  assert.deepEqual(press("ArrowLeft"), [2, 4]);
  assert.deepEqual(press("ArrowDown"), [3, 5]);
  assert.deepEqual(press("Home"), [2, 0]);
  assert.deepEqual(press("Home", { ctrlKey: true }), [0, 0]);
  assert.deepEqual(press("End", { ctrlKey: true }), [3, 5]);
  assert.deepEqual(press("PageUp"), [0, 5]);
  assert.equal(press("a"), null);
  assert.equal(press("ArrowLeft", { altKey: true }), null);
});
