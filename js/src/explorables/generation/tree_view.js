/**
 * The tree of all texts that were tried, as a drawing that scrolls: the present text stands out, and each token leads to its
 * place. One token is reached by the tab key, the others by arrow keys.
 *
 * @typedef {import("./tree.js").Node} Node
 * @typedef {import("./types.js").Shown} Shown
 *
 * @typedef {object} TreeViewOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {import("./words.js").Words} words
 * @property {(node: Node) => void} onGo
 */
import { h, OWN_KEYS, put, s } from "../../shared/dom.js";
import { layout, neighbour } from "./tree_layout.js";

/** Sizes in pixels; a character of the labels is about so wide. */
const SIZE = { character: 7.4, padding: 8, height: 26, row: 34, gap: 16, margin: 6 };

/** @param {TreeViewOptions} options */
export function createTreeView({ text, words, onGo }) {
  const links = s("g", { class: "dlc-tree-links" });
  const trail = s("path", { class: "dlc-tree-trail" });
  const nodes = s("g", { role: "tree", "aria-label": text("tree_label") });
  const svg = s("svg", { class: "dlc-tree" }, links, trail, nodes);
  const element = h("div", { class: "dlc-tree-scroll", "data-grid": "tree" }, svg);
  /** @type {Map<Node, {group: SVGGElement, link: SVGPathElement}>} */
  let made = new Map();
  /** @type {import("./tree_layout.js").Placed[]} */
  let placed = [];
  /** @type {Node | null} */
  let reachable = null;

  /** @param {Node} node */
  const widthOf = ({ token }) => [...words.label(token)].length * SIZE.character + 2 * SIZE.padding;

  /** @param {Node} node */
  function make(node) {
    const width = widthOf(node);
    const group = s(
      "g",
      { ...OWN_KEYS, class: "dlc-tree-node", role: "treeitem", tabindex: -1, "aria-level": node.place + 1, "data-by": node.by, "data-token": node.token, "data-place": node.place, onclick: () => onGo(node) },
      s("rect", { width, height: SIZE.height, rx: 6 }),
      s("text", { x: width / 2, y: SIZE.height / 2, "text-anchor": "middle", "dominant-baseline": "central" }, words.label(node.token)),
    );
    group.addEventListener("focus", () => reach(node));
    const parts = { group, link: s("path") };
    made.set(node, parts);
    nodes.append(group);
    links.append(parts.link);
    return parts;
  }
  /** @param {Node} node */
  function reach(node) {
    const before = reachable && made.get(reachable);
    if (before) put(before.group, { tabindex: -1 });
    reachable = node;
    put(/** @type {Element} */ (made.get(node)?.group), { tabindex: 0 });
  }

  element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !reachable) return;
    const next = neighbour(placed, reachable, event.key);
    if (next) made.get(next)?.group.focus();
    else if (event.key === "Enter" || event.key === " ") onGo(reachable);
    else if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    event.stopPropagation();
  });

  /** Scroll so that a token is seen, and nothing but this drawing. @param {number} left  @param {number} width  @param {number} top */
  function reveal(left, width, top) {
    const room = 3 * SIZE.row;
    if (left < element.scrollLeft + room || left + width > element.scrollLeft + element.clientWidth - room)
      element.scrollLeft = Math.max(0, left - element.clientWidth * 0.6);
    if (top < element.scrollTop || top + SIZE.row > element.scrollTop + element.clientHeight)
      element.scrollTop = Math.max(0, top - element.clientHeight / 2);
  }

  return {
    element,
    /** @param {Shown} shown */
    draw({ tree, path, node: present }) {
      const hadFocus = [...made.values()].some(({ group }) => group.matches(":focus"));
      placed = layout(tree.root);
      const there = new Set(placed.map(({ node }) => node));
      for (const [node, { group, link }] of made) {
        if (there.has(node)) continue;
        group.remove();
        link.remove();
        made.delete(node);
      }
      /** @type {number[]} */
      const widths = [];
      for (const { node } of placed) widths[node.place] = Math.max(widths[node.place] ?? 0, widthOf(node));
      /** @type {number[]} */
      const lefts = [];
      widths.reduce((left, width, place) => ((lefts[place] = left), left + width + SIZE.gap), SIZE.margin);
      const on = new Set(path);
      /** @type {string[]} */
      const ways = [];
      const top = (/** @type {number} */ row) => SIZE.margin + row * SIZE.row;
      const rowOf = new Map(placed.map(({ node, row }) => [node, row]));
      for (const { node, row } of placed) {
        const { group, link } = made.get(node) ?? make(node);
        const left = Number(lefts[node.place]);
        put(group, {
          transform: `translate(${left} ${top(row)})`,
          "aria-label": words.ofChip(node),
          "aria-selected": String(node === present),
          "data-on": on.has(node),
        });
        const middle = top(row) + SIZE.height / 2;
        const parent = node.parent;
        const from = parent?.parent ? { x: Number(lefts[parent.place]) + widthOf(parent), y: top(Number(rowOf.get(parent))) + SIZE.height / 2 } : null;
        const bend = left - SIZE.gap / 2;
        const way = from ? `M${from.x},${from.y}H${bend}V${middle}H${left}` : "";
        put(link, { d: way });
        if (on.has(node)) ways.push(way);
      }
      put(trail, { d: ways.join("") });
      const rows = Math.max(0, ...placed.map(({ row }) => row)) + 1;
      const size = { width: lefts.reduce((_, left, place) => left + Number(widths[place]) + SIZE.margin, 0), height: top(rows) };
      put(svg, { ...size, viewBox: `0 0 ${size.width} ${size.height}` });
      reach(present);
      if (hadFocus) made.get(present)?.group.focus({ preventScroll: true });
      reveal(Number(lefts[present.place]), widthOf(present), top(Number(rowOf.get(present))));
    },
  };
}
