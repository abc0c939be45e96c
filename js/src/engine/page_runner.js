/**
 * Answers in a published page: a web worker runs onnxruntime, so that the page never freezes. One worker serves all
 * explorables of the page. It is started by the first question, or, where an earlier page of the visit has loaded the same
 * files, as soon as the page has come to rest; and it keeps what it has loaded.
 *
 * @typedef {import("./tensors.js").Tensors} Tensors
 * @typedef {import("./engine.js").Progress} Progress
 * @typedef {{graph: string, weights: string | null, bytes: number}} GraphFiles  Addresses, and what both weigh.
 * @typedef {{worker: string, wasm: string}} Program  Addresses.
 * @typedef {{resolve: (outputs: Tensors) => void, reject: (failure: EngineFailure) => void, onProgress: (progress: Progress | null) => void, onComputed: (milliseconds: number) => void}} Open
 */
import { EngineFailure } from "./failure.js";
import { createVisit } from "./visit.js";

/** What a question needs, the engine's program first. @param {Program} program  @param {GraphFiles} files */
const needed = ({ wasm }, { graph, weights }) => [wasm, graph, ...(weights === null ? [] : [weights])];

/**
 * @param {Program} program
 */
export function createPageEngine(program) {
  const visit = createVisit();
  /** @type {Worker | null} */
  let worker = null;
  /** @type {Map<number, Open>} */
  const open = new Map();
  let asked = 0;

  /** Give up the worker: every question fails, and the next one starts another. @param {EngineFailure} failure */
  function abandon(failure) {
    worker?.terminate();
    worker = null;
    const failed = [...open.values()];
    open.clear();
    for (const { reject } of failed) reject(failure);
  }

  /** @param {MessageEvent} event */
  function onMessage({ data }) {
    const question = open.get(data.id);
    if (!question) return;
    if (data.kind === "progress") return question.onProgress({ loaded: data.loaded, total: data.total });
    if (data.kind === "loaded") return question.onProgress(null);
    open.delete(data.id);
    if (data.kind === "answer") {
      question.onComputed(data.computing);
      question.resolve(data.outputs);
    }
    // After memory ran out, nothing that the worker holds can be relied on.
    else if (data.code === "no-memory") {
      question.reject(new EngineFailure(data.code, data.detail));
      abandon(new EngineFailure(data.code, data.detail));
    } else question.reject(new EngineFailure(data.code, data.detail));
  }

  function start() {
    if (typeof WebAssembly !== "object") throw new EngineFailure("no-webassembly", "WebAssembly is not defined");
    let made;
    try {
      made = new Worker(program.worker, { type: "module" });
    } catch (error) {
      throw new EngineFailure("worker-blocked", error instanceof Error ? error.message : String(error));
    }
    made.addEventListener("message", onMessage);
    made.addEventListener("error", (event) => {
      event.preventDefault();
      abandon(new EngineFailure("worker-blocked", event.message || program.worker));
    });
    return made;
  }

  /**
   * The runner of one explorable.
   * @param {Record<string, GraphFiles>} graphs
   * @returns {import("./engine.js").Runner}
   */
  return function createPageRunner(graphs) {
    return {
      by: "page",
      async run(graph, inputs, onProgress, handOver = false, onComputed = () => {}) {
        const files = graphs[graph];
        if (!files) throw new EngineFailure("refused", `graph is ${JSON.stringify(graph)}; this page has ${Object.keys(graphs).join(", ")}`);
        worker ??= start();
        const id = (asked += 1);
        const question = worker;
        /** @type {Tensors} */
        const outputs = await new Promise((resolve, reject) => {
          open.set(id, { resolve, reject, onProgress, onComputed });
          const buffers = handOver ? Object.values(inputs).map(({ data }) => data.buffer) : [];
          question.postMessage({ id, files, wasm: program.wasm, inputs }, [...new Set(buffers)]);
        });
        visit.remember(needed(program, files));
        return outputs;
      },
      /** Open what earlier pages of the visit have loaded already: a reader who asked there will ask here. */
      prepare() {
        const known = Object.values(graphs).filter((files) => visit.knows(needed(program, files)));
        try {
          for (const files of known) (worker ??= start()).postMessage({ files, wasm: program.wasm });
        } catch {
          // Who asks is told.
        }
      },
    };
  };
}
