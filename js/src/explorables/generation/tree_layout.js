/**
 * Where the tree's tokens stand: a column for each place of the text, and a row for each branch. The first that was tried goes
 * on in its parent's row, each other one below what is there already.
 *
 * @typedef {import("./tree.js").Node} Node
 * @typedef {{node: Node, row: number}} Placed
 */

/** @param {Node} root  @returns {Placed[]} every node but the root, parents before children */
export function layout(root) {
  /** @type {Placed[]} */
  const placed = [];
  let rows = 0;
  // Not by recursion: a text may be long. Of the open ones, the last is next: so the first child comes first.
  /** @type {{node: Node, row: number | null}[]} */
  const open = [{ node: root, row: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { node } = next;
    const row = next.row ?? (rows += 1);
    if (node.parent) placed.push({ node, row });
    const children = node.children.map((child, index) => ({ node: child, row: index ? null : row }));
    open.push(...children.reverse());
  }
  return placed;
}

/**
 * From a node to the one that an arrow key leads to: along its branch, or to the nearest branch above or below.
 * @param {Placed[]} placed  @param {Node} from  @param {string} key
 * @returns {Node | null}
 */
export function neighbour(placed, from, key) {
  const here = placed.find(({ node }) => node === from);
  if (!here) return null;
  switch (key) {
    case "ArrowLeft":
      return from.parent?.parent ? from.parent : null;
    case "ArrowRight":
      return from.children[0] ?? null;
    case "Home":
      return placed[0]?.node ?? null;
    case "End": {
      let last = from;
      while (last.children[0]) last = last.children[0];
      return last;
    }
    case "ArrowUp":
    case "ArrowDown": {
      const down = key === "ArrowDown";
      const rows = placed.filter(({ row }) => (down ? row > here.row : row < here.row));
      const row = down ? Math.min(...rows.map((other) => other.row)) : Math.max(...rows.map((other) => other.row));
      // In that row the token at the same place, or else the one nearest to it.
      const far = (/** @type {Placed} */ other) => Math.abs(other.node.place - from.place);
      const line = rows.filter((other) => other.row === row);
      return line.sort((one, other) => far(one) - far(other))[0]?.node ?? null;
    }
    default:
      return null;
  }
}
