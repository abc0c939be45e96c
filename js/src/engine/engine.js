/**
 * The engine: `run(graph, inputs)` asks a torch function. Where there is a kernel, Python runs it; in a published page,
 * onnxruntime runs the graph that was exported from it. What the first picture needs was asked when the page was built.
 *
 * Questions on one channel are answered in their order, one at a time. While one is being answered, only the newest that
 * waits is kept: an older one is superseded, and gives null. A question that fails waits for `retry`, or to be superseded.
 *
 * @typedef {import("./tensors.js").Tensors} Tensors
 * @typedef {import("./failure.js").EngineFailure} EngineFailure
 * @typedef {"record" | "kernel" | "page"} Source  Asked when the page was built; Python; this page.
 * @typedef {{outputs: Tensors, by: Source, milliseconds: number, computing?: number}} Answer  How long it took from the
 *   question to the answer, and, where that is known, the computation alone: without loading, and without waiting.
 * @typedef {{loaded: number, total: number}} Progress  Bytes; the total is 0 while it is not known.
 * @typedef {"idle" | "loading" | "running" | "failed"} Phase
 * @typedef {{phase: Phase, progress: Progress | null, failure: EngineFailure | null, answer: {by: Source, milliseconds: number} | null, answers: number}} Status
 *
 * @typedef {object} Runner
 * @property {Source} by
 * @property {(graph: string, inputs: Tensors, onProgress: (progress: Progress | null) => void, handOver?: boolean, onComputed?: (milliseconds: number) => void) => Promise<Tensors>} run
 *   Progress is null once everything is there. Whoever hands the inputs over needs them no more. Rejects with an
 *   `EngineFailure`.
 * @property {() => void} [prepare]  Get ready to answer, if that costs no bytes.
 * @property {() => void} [destroy]
 *
 * @typedef {Tensors | (() => Tensors)} Inputs  Large ones may be made when they are needed: so they are handed over, and not
 *   copied.
 * @typedef {{graph: string, inputs: Inputs, made: Tensors | null, settle: (answer: Answer | null) => void}} Question
 * @typedef {{asked: Question | null, waiting: Question | null, failed: Question | null, failure: EngineFailure | null}} Channel
 */
import { asFailure } from "./failure.js";
import { createKernelRunner } from "./kernel_runner.js";
import { readAll, sameTensors } from "./tensors.js";

/**
 * The engine of one explorable.
 * @param {Pick<import("../shared/types.js").RenderContext, "model" | "page">} context
 */
export function createEngine({ model, page }) {
  /** @type {Runner} */
  const runner = page ? page.runner : createKernelRunner(model);
  /** @type {{graph: string, inputs: Record<string, any>, outputs: Record<string, any>}[]} */
  const written = model.get("remembered") ?? [];
  const records = written.map(({ graph, inputs, outputs }) => ({ graph, inputs: readAll(inputs), outputs: readAll(outputs) }));

  /** @type {Map<string, Channel>} */
  const channels = new Map();
  /** @type {Set<(status: Status) => void>} */
  const listeners = new Set();
  /** @type {Status} */
  let status = { phase: "idle", progress: null, failure: null, answer: null, answers: 0 };
  let ended = false;
  /** @param {Partial<Status>} change */
  const report = (change) => {
    if (ended) return;
    status = { ...status, ...change };
    for (const listener of listeners) listener(status);
  };
  /** Where things stand over all channels: what failed on one is still to be said when another was answered. */
  const standing = () => {
    const all = [...channels.values()];
    const failure = all.find(({ failed }) => failed)?.failure ?? null;
    const phase = /** @type {Phase} */ (all.some(({ asked }) => asked) ? "running" : failure ? "failed" : "idle");
    return { phase, failure };
  };

  /** @param {Channel} channel */
  async function work(channel) {
    const question = channel.waiting;
    if (channel.asked || !question) return;
    channel.waiting = null;
    channel.asked = question;
    report(standing());
    const start = performance.now();
    try {
      const inputs = question.made ?? made(question.inputs);
      question.made = null;
      const onProgress = (/** @type {Progress | null} */ progress) => report({ phase: progress ? "loading" : "running", progress });
      /** @type {{computing?: number}} */
      const took = {};
      const onComputed = (/** @type {number} */ computing) => void (took.computing = computing);
      const outputs = await runner.run(question.graph, inputs, onProgress, typeof question.inputs === "function", onComputed);
      if (channel.asked === question) channel.asked = null;
      const answer = { by: runner.by, milliseconds: performance.now() - start };
      report({ ...standing(), progress: null, answer, answers: status.answers + 1 });
      question.settle(ended ? null : { outputs, ...answer, ...took });
    } catch (error) {
      if (channel.asked === question) channel.asked = null;
      if (ended || channel.waiting) question.settle(null);
      else {
        channel.failed = question;
        channel.failure = asFailure(error);
        report({ ...standing(), progress: null });
      }
    }
    if (!ended) void work(channel);
  }

  /** @param {Channel} channel  @param {"waiting" | "failed" | "asked"} place */
  function drop(channel, place) {
    channel[place]?.settle(null);
    channel[place] = null;
  }

  return {
    /**
     * Ask a graph. Null when a newer question on the same channel took this one's place, or the explorable is gone.
     * @param {string} graph
     * @param {Inputs} inputs
     * @param {string} [name]  The channel; by default each graph has its own.
     * @returns {Promise<Answer | null>}
     */
    run(graph, inputs, name = graph) {
      if (ended) return Promise.resolve(null);
      const channel = channels.get(name) ?? { asked: null, waiting: null, failed: null, failure: null };
      channels.set(name, channel);
      drop(channel, "waiting");
      drop(channel, "failed");
      const now = made(inputs);
      const record = records.find((known) => known.graph === graph && sameTensors(known.inputs, now));
      if (record) {
        // An answer that is still on its way would arrive later, and is to an older question.
        drop(channel, "asked");
        if (status.phase === "failed") report(standing());
        return Promise.resolve({ outputs: record.outputs, by: "record", milliseconds: 0 });
      }
      return new Promise((settle) => {
        channel.waiting = { graph, inputs, made: now, settle };
        void work(channel);
      });
    },
    /** Ask again what failed. */
    retry() {
      for (const channel of channels.values()) {
        channel.waiting ??= channel.failed;
        channel.failed = null;
        void work(channel);
      }
    },
    status: () => status,
    /** @param {(status: Status) => void} listener  Called now and on each change. @returns {() => void} what ends it */
    subscribe(listener) {
      listeners.add(listener);
      listener(status);
      return () => void listeners.delete(listener);
    },
    destroy() {
      ended = true;
      listeners.clear();
      for (const channel of channels.values()) {
        drop(channel, "waiting");
        drop(channel, "failed");
      }
      // A page's runner serves all its explorables; a kernel's is this one's own.
      runner.destroy?.();
    },
  };
}

/** @param {Inputs} inputs */
const made = (inputs) => (typeof inputs === "function" ? inputs() : inputs);

/** @typedef {ReturnType<typeof createEngine>} Engine */
