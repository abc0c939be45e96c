/** Reading a prompt: its tokens, or in words why it cannot be read. */

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("../../shared/tokenizer.js").Tokenizer} tokenizer
 * @param {{block_size: number}} config
 */
export function createPromptReader(text, tokenizer, { block_size }) {
  /** @type {{prompt: string, ids: number[] | null, refusal: string | null}} */
  let last = { prompt: "", ids: null, refusal: text("prompt_empty") };

  /** @param {string} prompt */
  function consider(prompt) {
    if (prompt === last.prompt) return last;
    let ids = null;
    let refusal = null;
    try {
      ids = tokenizer.encode(prompt);
    } catch {
      refusal = text("prompt_unreadable");
    }
    if (ids && !ids.length) refusal = text("prompt_empty");
    if (ids && ids.length >= block_size) refusal = text("prompt_long", { count: ids.length.toLocaleString("en"), most: block_size - 1 });
    last = { prompt, ids: refusal === null ? ids : null, refusal };
    return last;
  }
  return {
    /** The tokens; null for a prompt that cannot be read. @param {string} prompt */
    read: (prompt) => consider(prompt).ids,
    /** @param {string} prompt */
    refusal: (prompt) => consider(prompt).refusal,
  };
}
