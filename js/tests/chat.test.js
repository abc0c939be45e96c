import assert from "node:assert/strict";
import { test } from "node:test";
import { float32, int32 } from "../src/engine/tensors.js";
import { change, choose, last, LIMITS, standingAt, refusal, say } from "../src/explorables/chat/rules.js";
import { talkOf } from "../src/explorables/chat/talk.js";
import { createTemplate, keptTurns, MARKS, markIn, strip } from "../src/explorables/chat/template.js";
import { sampleOf } from "../src/explorables/chat/words.js";
import { createPlainModel } from "../src/host/plain_model.js";
import { createChance } from "../src/shared/chance.js";
import { createTokenizer } from "../src/shared/tokenizer.js";

/** Marks have the ids 0 to 2, and each byte one of its own. */
const description = { kind: "bpe", special: { [MARKS.end]: 0, [MARKS.user]: 1, [MARKS.reply]: 2 }, tokens: "" };
const tokenizer = createTokenizer(description);
const { write, ids } = createTemplate(tokenizer);
const code = (/** @type {string} */ letter) => Number(tokenizer.encode(letter)[0]);
const speech = { write, blockSize: 100, vocabSize: 259 };
/** @type {import("../src/shared/explorable.js").State} */
const state = { turns: ["ab", "c"], choices: [], beside: "article", context: 100, longest: 10, seed: 1, temperature: 1, top_k: 0, top_p: 1, greedy: false, step: LIMITS.step };

test("the template is as Python writes it", () => {
  assert.deepEqual(ids, { end: 0, user: 1, reply: 2 });
  assert.deepEqual(write(["a"]), [1, code("a"), 2]);
  assert.deepEqual(write(["a", "b"]), [1, code("a"), 2, code("b"), 0]);
  assert.deepEqual(write(["a", "b", "c"]), [1, code("a"), 2, code("b"), 0, 1, code("c"), 2]);
  assert.equal(markIn("a<|reply|>"), MARKS.reply);
  assert.equal(markIn("a<|repl|>"), null);
  assert.equal(strip("\u3000\x1c a\ufeff \n"), "a\ufeff");
});

test("a full history loses its oldest turns in pairs", () => {
  const turns = ["a", "b", "c", "d", "e"];
  const length = write(turns).length;
  assert.deepEqual(keptTurns(write, turns, length), turns);
  assert.deepEqual(keptTurns(write, turns, length - 1), ["c", "d", "e"]);
  assert.deepEqual(keptTurns(write, turns, 3), ["e"]);
  assert.equal(keptTurns(write, turns, 2), null);
});

test("what cannot be said has a reason", () => {
  const reason = (/** @type {string} */ turn, now = state) => refusal(turn, now, speech)?.key ?? null;
  assert.equal(reason(" a "), null);
  assert.equal(reason(" \n"), "refused_empty");
  assert.equal(reason("<|end|>"), "refused_mark");
  assert.equal(reason("\ud800"), "refused_half");
  assert.equal(reason("a".repeat(88)), null);
  assert.equal(reason("a".repeat(89)), "refused_room");
  assert.equal(reason("a", { ...state, turns: Array(24).fill("a") }), "refused_full");
});

test("what is not allowed leaves the state as it is", () => {
  const hostile = [
    { turns: "ab" }, { turns: [1] }, { turns: [""] }, { turns: [" a"] }, { turns: ["<|user|>"] }, { turns: ["a".repeat(89)] },
    { turns: ["a".repeat(201)] }, { turns: Array(25).fill("a") }, { turns: ["\udfff"] }, { turns: null }, { turns: ["ab", "c"] },
    { choices: [[0, 0]] }, { choices: [[0, 0, 1], [0, 0, 2]] }, { choices: [[0, 1, 1], [0, 0, 2]] }, { choices: [[24, 0, 1]] },
    { choices: [[0, 60, 1]] }, { choices: [[0, 0, 259]] }, { choices: [["0", 0, 1]] }, { choices: {} }, { beside: "whole" },
    { beside: null }, { context: 63 }, { context: 101 }, { context: 64.5 }, { longest: 7 }, { longest: 61 }, { seed: -1 },
    { temperature: 0 }, { top_k: 260 }, { top_p: 0 }, { greedy: "yes" }, { step: -1 }, { step: 1441 }, { step: "3" }, {},
  ]; // prettier-ignore
  for (const wish of hostile) assert.equal(change(state, wish, speech), state, JSON.stringify(wish));
  const long = { ...state, turns: ["a".repeat(60)] };
  assert.equal(change(long, { context: 70 }, speech), long, "a turn would not fit any more");
  assert.equal(change(long, { context: 80 }, speech)["context"], 80);
  assert.deepEqual(change(state, { step: 3, beside: "turn", longest: 8 }, speech), { ...state, step: 3, beside: "turn", longest: 8 });
});

test("a choice drops what was chosen after it, and a second time it is left to the draw", () => {
  const chosen = { ...state, choices: [[0, 1, 5], [0, 3, 6], [1, 0, 7]] }; // prettier-ignore
  assert.deepEqual(choose(chosen, 0, 2, 9), { choices: [[0, 1, 5], [0, 2, 9]] }); // prettier-ignore
  assert.deepEqual(choose(chosen, 0, 3, 6), { choices: [[0, 1, 5]] });
  assert.deepEqual(choose(chosen, 0, 3, 9), { choices: [[0, 1, 5], [0, 3, 9]] }); // prettier-ignore
  assert.deepEqual(say(state, " d "), { turns: ["ab", "c", "d"], step: LIMITS.step });
});

/** A model that says "x" twice and ends; after "c" it says "y" for ever. @param {Record<string, unknown>} [more] */
function world(more = {}) {
  const config = { n_layer: 1, n_head: 1, d_head: 1, block_size: 100, vocab_size: 259 };
  const model = createPlainModel({ tokenizer: description, config, known: {}, ...state, ...more });
  /** @type {{ids: number[], past: number[], uniform: number, chosen: number}[]} */
  const asked = [];
  /** @type {import("../src/shared/explorable.js").Run} */
  const run = async (_, inputs) => {
    const given = typeof inputs === "function" ? inputs() : inputs;
    const numbers = (/** @type {string} */ name) => Array.from(given[name]?.data ?? []);
    const read = numbers("ids");
    // In the cache, a token's row is the token twice.
    const past = numbers("past").filter((_, index) => index % 2 === 0);
    asked.push({ ids: read, past, uniform: Number(numbers("uniform")[0]), chosen: Number(numbers("chosen")[0]) });
    const all = [...past, ...read];
    const said = all.slice(all.lastIndexOf(ids.reply) + 1);
    const drawn = all.includes(code("c")) ? code("y") : said.length > 1 ? ids.end : code("x");
    const token = Number(numbers("chosen")[0]) >= 0 ? Number(numbers("chosen")[0]) : drawn;
    return { token: int32(token), drawn: int32(drawn), new: float32(read.flatMap((id) => [id, id]), [read.length, 1, 2, 1]) };
  };
  const words = (/** @type {import("../src/explorables/chat/talk.js").Reply[]} */ replies) => replies.map(({ text }) => text);
  return { talk: talkOf(model), asked, run, words };
}

test("the whole conversation is read once for each reply, and then token by token from the cache", async () => {
  const { talk, asked, run, words } = world();
  const answers = await talk.answer({ ...state, turns: ["ab"] }, run);
  assert.deepEqual(words(answers.whole), ["xx"]);
  const opening = write(["ab"]);
  assert.deepEqual(asked.slice(0, 3).map(({ ids, past }) => [ids, past]), [[opening, []], [[code("x")], opening], [[code("x")], [...opening, code("x")]]]); // prettier-ignore
  const chance = createChance(1);
  for (const { uniform } of asked.slice(0, 3)) assert.equal(uniform, Math.fround(chance.uniform()));
  assert.deepEqual(answers.whole[0]?.steps.map(({ reads, cached }) => [reads, cached]), [[4, 0], [5, 4], [6, 5]]); // prettier-ignore
});

test("the last replies are shown as they are written, once all before are there", async () => {
  const { talk, run, words } = world();
  /** @type {import("../src/explorables/chat/talk.js").Answers[]} */
  const shown = [];
  const answers = await talk.answer({ ...state, turns: ["ab", "c"], longest: 3 }, run, (some) => shown.push(some));
  const last = shown.map(({ whole, beside }) => `${words(whole)[1]}|${words(beside)[1]}`);
  assert.deepEqual(last, ["y|", "yy|", "yyy|", "yyy|y", "yyy|yx", "yyy|yxx"]);
  assert.ok(shown.every(({ whole, beside }) => words(whole)[0] === "xx" && words(beside)[0] === words(answers.beside)[0]));
  assert.deepEqual(shown.map(({ whole }) => whole[1]?.writing), [true, true, true, false, false, false]); // prettier-ignore
  assert.ok([...answers.whole, ...answers.beside].every(({ writing }) => !writing));
});

test("the article's loop reads one token alone, and has no cache", async () => {
  const { talk, asked, run } = world();
  const answers = await talk.answer({ ...state, turns: ["ab"] }, run);
  const own = asked.slice(3);
  assert.deepEqual(own.slice(0, 2).map(({ ids, past }) => [ids, past]), [[write(["ab"]), []], [[code("x")], []]]); // prettier-ignore
  assert.ok(own.every(({ past }) => past.length === 0));
  assert.equal(answers.beside[0]?.steps.length, 10, "it never meets its end");
  assert.equal(answers.beside[0]?.ended, false);
});

test("what was computed is not asked again, and each turn alone shares the first reply", async () => {
  const { talk, asked, run, words } = world();
  const now = { ...state, beside: "turn" };
  const answers = await talk.answer(now, run);
  assert.deepEqual(words(answers.whole), ["xx", "yyyyyyyyyy"]);
  assert.deepEqual(words(answers.beside), ["xx", "yyyyyyyyyy"]);
  assert.equal(asked.length, 3 + 10 + 10);
  assert.deepEqual([answers.whole[1]?.cut, answers.beside[1]?.cut], [0, write(["ab", "xx"]).length]);
  await talk.answer(now, run);
  assert.equal(asked.length, 23);
  await talk.answer({ ...now, seed: 2, turns: ["ab"] }, run);
  assert.equal(asked.length, 26);
});

test("what came with the page is not asked, as long as the state is the one that it belongs to", async () => {
  const steps = { token: { type: "int32", dims: [2], data: Buffer.from(Int32Array.of(code("w"), ids.end).buffer).toString("base64") } };
  const known = { state, replies: [{ way: "whole", turn: 0, read: write(["ab"]), steps }] };
  const { talk, asked, run, words } = world({ known });
  const now = { ...state, turns: ["ab"], beside: "turn" };
  const answers = await talk.answer(now, run);
  assert.deepEqual([words(answers.whole), words(answers.beside), asked.length], [["w"], ["w"], 0]);
  assert.deepEqual(words((await talk.answer({ ...now, seed: 2 }, run)).whole), ["xx"]);
});

test("a choice is handed on, and what is cut off is not read", async () => {
  const { talk, asked, run, words } = world();
  const answers = await talk.answer({ ...state, choices: [[0, 1, code("z")]], context: 64, longest: 56 }, run);
  assert.deepEqual(asked.slice(0, 3).map(({ chosen }) => chosen), [-1, code("z"), -1]); // prettier-ignore
  assert.deepEqual(words(answers.whole)[0], "xz");
  const second = answers.whole[1];
  assert.deepEqual([second?.cut, second?.turnsCut, second?.steps[0]?.reads], [7, 2, 3]);
});

test("a reply that spells a mark ends the conversation", async () => {
  const { talk, run } = world();
  const choices = [...MARKS.end].map((letter, place) => [0, place, code(letter)]);
  const answers = await talk.answer({ ...state, choices }, run);
  assert.equal(answers.whole.length, 1);
  assert.equal(last(answers), 10, "steps are counted over what both have");
});

test("steps go through the longer replies, side by side", async () => {
  const { talk, run } = world();
  const answers = await talk.answer({ ...state, turns: ["ab", "ab"] }, run);
  assert.equal(last(answers), 20);
  assert.deepEqual([0, 10, 11, 20, 99].map((step) => standingAt(answers, step)), [
    { turn: 0, places: 0, start: 0 }, { turn: 0, places: 10, start: 0 }, { turn: 1, places: 1, start: 10 },
    { turn: 1, places: 10, start: 10 }, { turn: 1, places: 10, start: 10 },
  ]); // prettier-ignore
  assert.equal(standingAt({ whole: [], beside: [] }, 3), null);
});

test("a token that is none of the most probable stands behind them, with its own rank", () => {
  const outputs = { best: int32([7, 8]), best_own: float32([0.5, 0.25]), best_p: float32([1, 0]), best_cut: int32([0, 3]), chances: float32([0.125, 0]), rank: int32(5), fate: int32(3) };
  const drawn = { token: 9, drawn: 7, chosen: true, uniform: 0.5, reads: 1, cached: 0, outputs };
  const sample = sampleOf(drawn);
  assert.deepEqual(sample.outputs["order"]?.data, [7, 8, 9]);
  assert.deepEqual(sample.ranks, [1, 2, 6]);
  assert.deepEqual([7, 8, 9].map((id) => sample.outputs["own"]?.data[id]), [0.5, 0.25, 0.125]); // prettier-ignore
  assert.deepEqual(sampleOf({ ...drawn, token: 8 }).outputs["order"]?.data, [7, 8]);
});
