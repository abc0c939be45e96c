/**
 * The web worker of a published page: loads onnxruntime and graphs, and runs them. Files come gzipped and are inflated
 * here, so that any static host serves them small.
 *
 * @typedef {import("./failure.js").FailureCode} FailureCode
 * @typedef {import("./tensors.js").Tensors} Tensors
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";

/** Sessions are kept, the latest used last; an old one is given up for its memory. */
const KEPT = 8;

class LoadFailure extends Error {
  /** @param {FailureCode} code  @param {string} detail */
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}

/** Bytes on their way, over all files of one question. */
function createMeter(/** @type {(loaded: number, total: number) => void} */ report) {
  let loaded = 0;
  let total = 0;
  return {
    expect: (/** @type {number} */ bytes) => (total += bytes),
    count: (/** @type {number} */ bytes) => report((loaded += bytes), total),
    /** Whether anything had to be loaded. */
    hasCounted: () => loaded > 0,
  };
}

/** @typedef {ReturnType<typeof createMeter>} Meter */

/** Files that are here or on their way, by address. @type {Map<string, Promise<Uint8Array>>} */
const files = new Map();

/** @param {string} url  @param {Meter} meter */
function fetchOnce(url, meter) {
  const known = files.get(url);
  if (known) return known;
  const coming = fetchInflated(url, meter);
  files.set(url, coming);
  // What failed may be there next time.
  coming.catch(() => files.delete(url));
  return coming;
}

/** @param {string} url  @param {Meter} meter */
async function fetchInflated(url, meter) {
  /** @type {Response} */
  let response;
  try {
    // Names tell the content: what the browser has under this one is right, however old it is.
    response = await fetch(url, { cache: "force-cache" });
  } catch (error) {
    throw new LoadFailure("missing-file", `${url}: ${error instanceof Error ? error.message : error}`);
  }
  if (!response.ok || !response.body) throw new LoadFailure("missing-file", `${url}: ${response.status} ${response.statusText}`);
  meter.expect(Number(response.headers.get("content-length") ?? 0));
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  const reader = response.body.getReader();
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      parts.push(step.value);
      meter.count(step.value.length);
    }
  } catch (error) {
    throw new LoadFailure("missing-file", `${url}: ${error instanceof Error ? error.message : error}`);
  }
  const blob = new Blob(parts);
  const [first = 0, second = 0] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  // A host may have sent it as "content-encoding: gzip", and the browser have inflated it already.
  const gzipped = first === 0x1f && second === 0x8b;
  const stream = gzipped ? blob.stream().pipeThrough(new DecompressionStream("gzip")) : blob.stream();
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @type {Promise<void> | null} */
let ready = null;

/** Hand onnxruntime its program, once. @param {string} url  @param {Meter} meter */
function prepare(url, meter) {
  ready ??= fetchOnce(url, meter).then((program) => {
    env.wasm.wasmBinary = /** @type {ArrayBuffer} */ (program.buffer);
    env.wasm.numThreads = 1; // more would need headers that static hosts do not send
    env.logLevel = "error";
  });
  ready.catch(() => (ready = null));
  return ready;
}

/** @type {Promise<unknown>} */
let turn = Promise.resolve();

/**
 * onnxruntime's program does one thing at once: a session that is made while another one is would lose its weights, which
 * stand in one place for all.
 * @template Result
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
function inTurn(work) {
  const done = turn.then(work);
  turn = done.catch(() => {}); // whoever asked for it is told
  return done;
}

/** @type {Map<string, Promise<InferenceSession>>} */
const sessions = new Map();

/** @param {{graph: string, weights: string | null}} addresses  @param {string} wasm  @param {Meter} meter */
function open({ graph, weights }, wasm, meter) {
  const known = sessions.get(graph);
  if (known) {
    sessions.delete(graph);
    sessions.set(graph, known);
    return known;
  }
  const coming = (async () => {
    const [operations, numbers] = await Promise.all([
      fetchOnce(graph, meter),
      weights === null ? null : fetchOnce(weights, meter),
      prepare(wasm, meter),
    ]);
    const externalData = numbers ? { externalData: [{ path: "weights", data: numbers }] } : {};
    // Graphs come simplified. More of it would take longer than it gives back; what has no weights, and is much small
    // arithmetic unrolled, runs no faster for any.
    const graphOptimizationLevel = weights === null ? "disabled" : "basic";
    return inTurn(() => InferenceSession.create(operations, { executionProviders: ["wasm"], graphOptimizationLevel, ...externalData }));
  })();
  sessions.set(graph, coming);
  coming.catch(() => {
    sessions.delete(graph);
    // What came may have been damaged on its way: the next try fetches it anew.
    for (const url of [graph, weights]) if (url !== null) files.delete(url);
  });
  for (const [name, session] of sessions) {
    if (sessions.size <= KEPT) break;
    sessions.delete(name);
    void session.then((old) => inTurn(() => old.release())).catch(() => {});
  }
  return coming;
}

/**
 * @param {InferenceSession} session
 * @param {Tensors} inputs
 * @returns {Promise<Tensors>}
 */
async function run(session, inputs) {
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { type, dims, data }]) => [name, new Tensor(type, /** @type {any} */ (data), dims)]),
  );
  const results = await session.run(feeds);
  return Object.fromEntries(
    Object.entries(results).map(([name, { type, dims, data }]) => [
      name,
      { type: /** @type {import("./tensors.js").TensorType} */ (type), dims: [...dims], data: /** @type {any} */ (data) },
    ]),
  );
}

/** @param {unknown} error @returns {FailureCode} */
function codeOf(error) {
  if (error instanceof LoadFailure) return error.code;
  const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return /out of memory|bad_alloc|RangeError|memory access|allocation/i.test(words) ? "no-memory" : "broken";
}

/** Questions are answered in their order. */
let answers = Promise.resolve();

addEventListener("message", ({ data: { id, files: addresses, wasm, inputs } }) => {
  const asked = id !== undefined; // otherwise this is only made ready
  const meter = createMeter((loaded, total) => asked && postMessage({ kind: "progress", id, loaded, total }));
  const session = open(addresses, wasm, meter);
  session.catch(() => {}); // it is awaited below, in turn
  if (!asked) return;
  answers = answers.then(async () => {
    try {
      const opened = await session;
      if (meter.hasCounted()) postMessage({ kind: "loaded", id });
      const { outputs, computing } = await inTurn(async () => {
        const start = performance.now();
        return { outputs: await run(opened, inputs), computing: performance.now() - start };
      });
      const buffers = Object.values(outputs).map(({ data }) => data.buffer);
      postMessage({ kind: "answer", id, outputs, computing }, { transfer: [...new Set(buffers)] });
    } catch (error) {
      postMessage({ kind: "failed", id, code: codeOf(error), detail: error instanceof Error ? error.message : String(error) });
    }
  });
});
