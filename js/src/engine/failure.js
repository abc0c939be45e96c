/** Why the engine gave no answer: a code, for which the catalogue has a sentence, and the detail for whoever asks. */

/** @typedef {"no-webassembly" | "worker-blocked" | "no-memory" | "missing-file" | "silent-kernel" | "refused" | "broken"} FailureCode */

export class EngineFailure extends Error {
  /** @param {FailureCode} code  @param {string} detail */
  constructor(code, detail) {
    super(detail);
    this.name = "EngineFailure";
    this.code = code;
  }
}

/** @param {unknown} error @returns {EngineFailure} */
export function asFailure(error) {
  // By its name: the page's runner comes in the host's bundle, which has a class of its own.
  if (error instanceof Error && error.name === "EngineFailure") return /** @type {EngineFailure} */ (error);
  return new EngineFailure("broken", error instanceof Error ? error.message : String(error));
}
