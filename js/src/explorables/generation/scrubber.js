/**
 * Something wide to be pointed along, by mouse, finger or arrow keys: for a screen reader a slider that stands at one of its
 * places.
 *
 * @typedef {object} ScrubberOptions
 * @property {string} name  For style and tests: `data-scrub`.
 * @property {string} label
 * @property {number} first  The number of the first place.
 * @property {(along: number) => number} placeAt  The place at a part, 0 to 1, of the width.
 * @property {(place: number) => void} onMove
 * @property {(place: number) => void} [onEnter]
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";

/** Places that a page key moves by. */
const PAGE = 10;

/**
 * @param {ScrubberOptions} options
 * @param {...Node} content
 */
export function createScrubber({ name, label, first, placeAt, onMove, onEnter }, ...content) {
  const element = h(
    "div",
    { ...OWN_KEYS, class: "dlc-scrubber", role: "slider", tabindex: 0, "aria-label": label, "aria-valuemin": first, "data-scrub": name },
    ...content,
  );
  let last = first;
  let now = first;
  /** @param {number} place */
  const move = (place) => onMove(Math.min(last, Math.max(first, place)));

  /** @param {PointerEvent} event */
  function point(event) {
    const box = element.getBoundingClientRect();
    move(placeAt(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))));
  }
  element.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" || event.buttons) point(event);
  });
  element.addEventListener("pointerdown", point);
  element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const to = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageUp: now + PAGE,
      PageDown: now - PAGE,
      Home: first,
      End: last,
    }[event.key];
    if (to !== undefined) move(to);
    else if (event.key === "Enter" && onEnter) onEnter(now);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    element,
    /** Say where it stands. @param {number} place  @param {number} most  The last place.  @param {string} words */
    stand(place, most, words) {
      [now, last] = [place, most];
      put(element, { "aria-valuenow": place, "aria-valuemax": most, "aria-valuetext": words });
    },
  };
}
