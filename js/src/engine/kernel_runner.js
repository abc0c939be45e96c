/**
 * Answers from a live kernel: each question goes to the explorable's Python object (`Explorable._answer`), which runs the
 * torch function.
 *
 * @typedef {import("./tensors.js").Tensors} Tensors
 */
import { EngineFailure } from "./failure.js";
import { fromBytes } from "./tensors.js";

/** How long a kernel may be silent before the reader is told. It may only be busy: then a second try helps. */
const PATIENCE = 15_000; // milliseconds

/**
 * @param {import("../shared/types.js").Model} model
 * @returns {import("./engine.js").Runner}
 */
export function createKernelRunner(model) {
  // Several views of one widget hear every answer; each listens for its own.
  const own = `${Date.now().toString(36)}-${Math.floor(performance.now() * 1000).toString(36)}-${(count += 1)}`;
  let asked = 0;
  /** @type {Map<string, {resolve: (outputs: Tensors) => void, reject: (failure: EngineFailure) => void, timer: ReturnType<typeof setTimeout>}>} */
  const open = new Map();

  /** @param {any} message  @param {DataView[]} [buffers] */
  const onMessage = (message, buffers = []) => {
    const question = open.get(message?.id);
    if (!question) return;
    open.delete(message.id);
    clearTimeout(question.timer);
    if (message.kind === "refused") question.reject(new EngineFailure("refused", message.detail));
    else {
      const outputs = /** @type {any[]} */ (message.outputs).map(({ name, type, dims }, index) => [
        name,
        fromBytes(type, dims, /** @type {DataView} */ (buffers[index])),
      ]);
      question.resolve(Object.fromEntries(outputs));
    }
  };
  model.on("msg:custom", onMessage);

  return {
    by: "kernel",
    run(graph, inputs) {
      return new Promise((resolve, reject) => {
        const id = `${own}-${(asked += 1)}`;
        const timer = setTimeout(() => {
          open.delete(id);
          reject(new EngineFailure("silent-kernel", `no answer in ${PATIENCE / 1000} s`));
        }, PATIENCE);
        open.set(id, { resolve, reject, timer });
        const entries = Object.entries(inputs);
        const descriptions = entries.map(([name, { type, dims }]) => ({ name, type, dims }));
        const buffers = entries.map(([, { data }]) => /** @type {ArrayBuffer} */ (data.slice().buffer));
        model.send({ kind: "ask", id, graph, inputs: descriptions }, undefined, buffers);
      });
    },
    destroy() {
      model.off("msg:custom", onMessage);
      for (const { timer } of open.values()) clearTimeout(timer);
      open.clear();
    },
  };
}

let count = 0;
