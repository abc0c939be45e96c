/**
 * The tree of all texts that were tried: each node is a token, and the way from the root to it a text. A node keeps what the
 * model made of its token, so that a step back or into another branch computes nothing.
 *
 * @typedef {"prompt" | "drawn" | "own"} Origin
 *
 * @typedef {object} Node
 * @property {number} id  Its turn, counted from 0, the root.
 * @property {number} token  −1 for the root.
 * @property {number} place  In the text, counted from 0; −1 for the root, which stands before it.
 * @property {Node | null} parent
 * @property {Node[]} children  In the order in which they were tried.
 * @property {Origin} by  How it came there first.
 * @property {number | null} given  The probability that the model gave it before; null for the first token.
 * @property {number | null} chance  Its probability among those drawn from, under the settings at that time; null where it
 *   came in another way.
 * @property {Read | null} read  Null for the root.
 *
 * @typedef {object} Read  What the model made of the token.
 * @property {Float32Array} logits  (vocab_size,), of the token after it
 * @property {Float32Array} row  its keys and values: one row of the cache
 * @property {Float32Array} attention  (n_layer, place + 1), the mean over the heads
 */

export function createTree() {
  /** @type {Node} */
  const root = { id: 0, token: -1, place: -1, parent: null, children: [], by: "prompt", given: null, chance: null, read: null };
  let size = 0;
  return {
    root,
    /** How many tokens it has. */
    get size() {
      return size;
    },
    /** @param {Node} parent  @param {number} token  @param {Origin} by  @param {Read} read @returns {Node} */
    add(parent, token, by, read) {
      size += 1;
      /** @type {Node} */
      const node = { id: size, token, place: parent.place + 1, parent, children: [], by, given: null, chance: null, read };
      parent.children.push(node);
      return node;
    },
    /** The node that a text leads to, as far as it was tried. @param {number[]} ids @returns {Node} */
    find(ids) {
      /** @type {Node} */
      let node = root;
      for (const id of ids) {
        const next = childOf(node, id);
        if (!next) break;
        node = next;
      }
      return node;
    },
  };
}

/** @param {Node} node  @param {number} token */
export const childOf = (node, token) => node.children.find((child) => child.token === token) ?? null;

/** The nodes from the first token to this one. @param {Node} node */
export function pathTo(node) {
  /** @type {Node[]} */
  const path = [];
  for (let at = node; at.parent; at = at.parent) path.push(at);
  return path.reverse();
}

/** @param {Node} node */
export const idsTo = (node) => pathTo(node).map(({ token }) => token);

/** @typedef {ReturnType<typeof createTree>} Tree */
