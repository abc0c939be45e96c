/**
 * The template of a conversation, and what of it is read when the context is full: the twin of `dlcompare.dialogue` and of
 * `dlcompare.chat.kept_turns`. A test holds both against Python.
 */

/** The marks, by what they begin or end. */
export const MARKS = { end: "<|end|>", user: "<|user|>", reply: "<|reply|>" };

/** What Python's `str.strip` takes for white space. */
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const AROUND = new RegExp(`^${SPACE}|${SPACE}$`, "gu");

/** A text without white space around it, as Python has it. @param {string} text */
export const strip = (text) => text.replace(AROUND, "");

/** The mark that a text contains, or null. @param {string} text */
export const markIn = (text) => Object.values(MARKS).find((mark) => text.includes(mark)) ?? null;

/** @typedef {(turns: string[]) => number[]} Write  Turns (user, reply, user, …) as ids, after a user's up to where the reply begins. */

/** @param {import("../../shared/tokenizer.js").Tokenizer} tokenizer */
export function createTemplate(tokenizer) {
  const id = (/** @type {string} */ mark) => Number(tokenizer.encode(mark)[0]);
  const ids = { end: id(MARKS.end), user: id(MARKS.user), reply: id(MARKS.reply) };
  /** Texts come again and again. @type {Map<string, number[]>} */
  const known = new Map();
  /** @param {string} text */
  function encode(text) {
    const before = known.get(text);
    if (before) return before;
    const found = tokenizer.encode(text);
    if (known.size > 500) known.clear();
    known.set(text, found);
    return found;
  }

  return {
    ids,
    /** The tokens that end a reply. */
    stop: new Set(Object.values(ids)),
    /** @type {Write} */
    write: (turns) => [
      ...turns.flatMap((text, place) => (place % 2 ? [ids.reply, ...encode(text), ids.end] : [ids.user, ...encode(text)])),
      ...(turns.length % 2 ? [ids.reply] : []),
    ],
  };
}

/** @typedef {ReturnType<typeof createTemplate>} Template */

/**
 * The last turns of a history that fit into so many tokens: the oldest turn of the user and its reply are dropped together
 * until the rest fits. Null where not even the last turn does.
 * @param {Write} write  @param {string[]} turns  @param {number} room
 */
export function keptTurns(write, turns, room) {
  for (let start = 0; start < turns.length; start += 2) {
    const kept = turns.slice(start);
    if (write(kept).length <= room) return kept;
  }
  return null;
}
