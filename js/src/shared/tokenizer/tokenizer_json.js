/** Reads what `BPETokenizer.to_json` gives: the format of Hugging Face's `tokenizers`, as far as it is byte-level BPE. */

import { numbered } from "./byte_pair_tokenizer.js";

/** What these settings must be; any other value makes other tokens. */
const SETTINGS = {
  truncation: null,
  padding: null,
  normalizer: null,
  "pre_tokenizer.type": "ByteLevel",
  "pre_tokenizer.add_prefix_space": false,
  "pre_tokenizer.use_regex": true,
  post_processor: null,
  "decoder.type": "ByteLevel",
  "model.type": "BPE",
  "model.dropout": null,
  "model.continuing_subword_prefix": null,
  "model.end_of_word_suffix": null,
  "model.byte_fallback": false,
  "model.ignore_merges": false,
};

/**
 * @param {any} fields  the parsed JSON
 * @returns {[import("./byte_pair_tokenizer.js").BytePairDescription, [string, string][]]}  the description, and the merges
 */
export function fromTokenizerJson(fields) {
  for (const [path, allowed] of Object.entries(SETTINGS)) {
    const value = path.split(".").reduce((inner, name) => inner?.[name], fields);
    if (value !== allowed) throw new Error(`${path} is ${JSON.stringify(value)}; allowed is ${JSON.stringify(allowed)}`);
  }
  for (const token of fields.added_tokens)
    if (token.single_word || token.lstrip || token.rstrip || token.normalized)
      throw new Error(`added_tokens has ${token.content} with conditions; allowed are tokens that stand anywhere`);
  /** @type {Record<string, number>} */
  const special = Object.fromEntries(fields.added_tokens.map((/** @type {any} */ token) => [token.content, token.id]));
  const { vocab, merges } = fields.model;
  const tokens = merges.map((/** @type {[string, string]} */ halves) => halves.join("")).join(" ");
  /** @type {import("./byte_pair_tokenizer.js").BytePairDescription} */
  const description = { kind: "bpe", special, tokens };
  const ids = Object.entries({ ...vocab, ...special });
  const written = numbered(description);
  const stray = ids.find(([token, id]) => written[id] !== token);
  if (stray || ids.length !== written.length)
    throw new Error(
      `vocab has ${stray ? stray.join(" with the id ") : `${ids.length} tokens`}; allowed are the special tokens and, in` +
        " the ids that they leave, the bytes and what each merge makes, in order",
    );
  return [description, merges];
}
