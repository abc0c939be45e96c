import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../src/explorables/digits/asking.js";
import { best, BLANK, change, drawn, line, moved } from "../src/explorables/digits/rules.js";
import { fromText, toText } from "../src/shared/pixel_text.js";

const level = (/** @type {string} */ image, /** @type {number} */ row, /** @type {number} */ column) => fromText(image)?.[28 * row + column];

test("a stroke leaves a dot at each pixel on its way, soft at the edge", () => {
  assert.deepEqual(line([3, 3], [3, 3]), [[3, 3]]);
  assert.deepEqual(line([0, 0], [2, 4]), [[0, 0], [1, 1], [1, 2], [2, 3], [2, 4]]); // prettier-ignore
  const image = drawn(BLANK, line([10, 5], [10, 12]), "pen");
  for (let column = 5; column <= 12; column++) assert.equal(level(image, 10, column), 255);
  assert.deepEqual([level(image, 9, 8), level(image, 9, 4), level(image, 8, 8)], [190, 90, 0]);
  // Ink is never lost by more ink.
  assert.equal(drawn(image, [[10, 8]], "pen"), image);
});

test("the pad ends at its edges, and the eraser takes away", () => {
  const corner = drawn(BLANK, [[0, 0], [27, 27]], "pen"); // prettier-ignore
  assert.equal(fromText(corner)?.filter((ink) => ink > 0).length, 8);
  assert.equal(drawn(corner, [[0, 0], [27, 27]], "eraser"), BLANK); // prettier-ignore
});

test("what is moved over the edge is gone", () => {
  const image = drawn(BLANK, [[14, 14]], "pen");
  const away = moved(moved(image, -1, 2), 1, -2);
  assert.equal(away, image);
  assert.equal(level(moved(image, -1, 2), 13, 16), 255);
  let out = image;
  for (let step = 0; step < 16; step++) out = moved(out, 0, 1);
  assert.equal(out, BLANK);
});

test("only an image is taken", () => {
  const state = { image: BLANK, tool: "pen" };
  for (const image of [undefined, null, 3, "", "z", "FF".repeat(784), "<b>", BLANK, ["z"], `${BLANK}g`]) {
    assert.equal(change(state, { image }), state);
  }
  const other = toText(new Uint8Array(784).fill(7));
  assert.deepEqual(change(state, { image: other }), { image: other, tool: "pen" });
  for (const tool of ["brush", null, 1, "pen"]) assert.equal(change(state, { tool }), state);
  assert.deepEqual(change(state, { tool: "eraser" }), { image: BLANK, tool: "eraser" });
  assert.equal(best([0.1, 0.5, 0.4]), 1);
});

test("networks are asked one after the other, and of drawings that wait only the newest", async () => {
  /** @type {string[]} */
  const asked = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  const model = /** @type {any} */ ({ get: () => [{ kind: "mlp" }, { kind: "cnn" }] });
  /** @type {any} */
  const answered = (/** @type {string} */ graph) =>
    new Promise((resolve) => {
      asked.push(graph);
      waiting.push(() => resolve({ outputs: { probabilities: { data: [1] } }, by: "page", milliseconds: 7 }));
    });
  const states = [0, 1, 2].map((ink) => ({ image: toText(new Uint8Array(784).fill(ink)) }));
  /** @type {[number, any][]} */
  const settled = [];
  const start = (/** @type {number} */ index) => void ask(/** @type {any} */ (states[index]), model, answered).then((answers) => settled.push([index, answers]));
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  start(0);
  await turn();
  start(1);
  start(2);
  // The first answer of each network took as long as loading: it is asked again.
  for (let count = 1; count <= 6; count++) {
    assert.equal(asked.length, count);
    waiting[count - 1]();
    await turn();
  }
  assert.deepEqual(asked, ["mlp", "mlp", "cnn", "cnn", "mlp", "cnn"].map((kind) => `digits-${kind}`)); // prettier-ignore
  assert.deepEqual(settled.map(([index]) => index), [0, 2]); // prettier-ignore
  assert.deepEqual(settled[0]?.[1].readings[1], { probabilities: [1], milliseconds: 7 });
});
