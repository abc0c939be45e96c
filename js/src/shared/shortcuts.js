/** Keys that do the same in every explorable, from anywhere in it: each presses one of its controls. */

const KEYS = new Map([[",", "stepBack"], [".", "step"], ["p", "play"], ["u", "undo"], ["r", "reset"]]); // prettier-ignore
/** Where a letter is a letter. */
const WRITTEN = "input:not([type=range], [type=checkbox], [type=radio]), textarea, select";

/**
 * @param {Record<string, import("./controls.js").ActionControl | null | undefined>} actions  By their names.
 * @returns {(event: KeyboardEvent) => void} for the explorable's root
 */
export const createShortcuts = (actions) => (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const action = actions[KEYS.get(event.key) ?? ""];
  if (!action || /** @type {Element} */ (event.target).matches(WRITTEN)) return;
  event.preventDefault();
  event.stopPropagation();
  action.press();
};
