/**
 * Marks in a picture, used by hand and by keys: a press takes the nearest one, a mouse points at it, arrow keys lead to another,
 * and Enter or the space bar presses the one that has the focus. Where a mark stands, and which one is next, its picture knows.
 */
import { nearest } from "./axis.js";

/** @typedef {{element: HTMLElement, index: number}} Mark  `index`: its number, which `data-index` tells too. */

/** The mark under a hand, of some. @param {Mark[]} marks  @param {MouseEvent} event  @param {number} from  The one that gives way to others in its place. */
export function markUnder(marks, event, from) {
  const places = marks.map(({ element, index }) => {
    const box = element.getBoundingClientRect();
    return { index, x: box.left + box.width / 2, y: box.top + box.height / 2 };
  });
  return nearest(places, event.clientX, event.clientY, from);
}

/**
 * @param {HTMLElement} plot
 * @param {object} options
 * @param {(event: MouseEvent, from: number) => number | null} options.under
 * @param {() => number} options.givingWay  The mark that gives way to others in its place when it is pressed again; -1 for none.
 * @param {(index: number) => void} options.onPress
 * @param {(index: number | null) => void} options.onPoint
 */
export function followHand(plot, { under, givingWay, onPress, onPoint }) {
  plot.addEventListener("click", (event) => {
    const found = under(event, givingWay());
    if (found !== null) onPress(found);
  });
  plot.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") onPoint(under(event, -1));
  });
  plot.addEventListener("pointerleave", () => onPoint(null));
}

/**
 * @param {HTMLElement} element
 * @param {object} options
 * @param {() => number} options.chosen  Where one is when the focus is on no mark.
 * @param {(from: number, key: string) => number | null} options.next  Where a key leads; null where it does nothing.
 * @param {(index: number) => void} options.onMove
 * @param {(index: number) => void} [options.onPress]  By default the same.
 */
export function followKeys(element, { chosen, next, onMove, onPress = onMove }) {
  element.addEventListener("keydown", (event) => {
    if (event.altKey || event.shiftKey || event.ctrlKey || event.metaKey) return;
    const from = Number(/** @type {HTMLElement} */ (event.target).dataset["index"] ?? chosen());
    const press = event.key === "Enter" || event.key === " ";
    const to = press ? from : next(from, event.key);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    (press ? onPress : onMove)(to);
  });
}
