/**
 * Lines that show where numbers come from and go to: from the window on the image down to its numbers, and from the sum up
 * to its pixel. Decoration over the stage: they take no clicks and are not read out.
 */
import { put, s } from "../../shared/dom.js";

/** @typedef {{from: DOMRect, to: DOMRect}} Link */

/**
 * Where a line from one point to another has come to at a height.
 * @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @param {number} y
 */
const crossing = (x0, y0, x1, y1, y) => (y1 === y0 ? x1 : x0 + ((x1 - x0) * (y - y0)) / (y1 - y0));

/** @param {HTMLElement} stage  Positioned; the lines are drawn over the whole of it. */
export function createLinks(stage) {
  const beam = s("path", { class: "dlc-beam" });
  const edges = s("path", { class: "dlc-beam-edge" });
  const arrow = s("path", { class: "dlc-arrow" });
  const head = s("path", { class: "dlc-arrow-head" });
  const svg = s("svg", { class: "dlc-links", "aria-hidden": "true" }, beam, edges, arrow, head);
  stage.append(svg);

  return {
    /**
     * @param {Link} magnified  The window on the image, and its numbers.
     * @param {number} edge  The image's lower edge: the beam is tinted only below it, since a tint over pixels would lie
     *   about their values.
     * @param {Link | null} written  The sum, and its pixel; null draws no line between them.
     */
    draw(magnified, edge, written) {
      const origin = stage.getBoundingClientRect();
      if (!origin.width) return;
      put(svg, { viewBox: `0 0 ${origin.width} ${origin.height}` });
      const x = (/** @type {number} */ value) => (value - origin.left).toFixed(1);
      const y = (/** @type {number} */ value) => (value - origin.top).toFixed(1);

      const { from, to } = magnified;
      put(edges, {
        d:
          `M${x(from.left)},${y(from.bottom)}L${x(to.left)},${y(to.top)}` +
          `M${x(from.right)},${y(from.bottom)}L${x(to.right)},${y(to.top)}`,
      });
      const left = crossing(from.left, from.bottom, to.left, to.top, edge);
      const right = crossing(from.right, from.bottom, to.right, to.top, edge);
      put(beam, { d: `M${x(left)},${y(edge)}L${x(to.left)},${y(to.top)}H${x(to.right)}L${x(right)},${y(edge)}Z` });

      put(arrow, { visibility: written ? "visible" : "hidden" });
      put(head, { visibility: written ? "visible" : "hidden" });
      if (!written) return;
      const start = { x: written.from.left + written.from.width / 2, y: written.from.top };
      const end = { x: written.to.left + written.to.width / 2, y: written.to.bottom + 2 };
      const bend = (start.y - end.y) / 2;
      put(arrow, {
        d: `M${x(start.x)},${y(start.y)}C${x(start.x)},${y(start.y - bend)} ${x(end.x)},${y(end.y + bend)} ${x(end.x)},${y(end.y + 5)}`,
      });
      put(head, { d: `M${x(end.x)},${y(end.y)}l-4,7h8z` });
    },
  };
}
