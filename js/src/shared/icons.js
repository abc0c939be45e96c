/** The controls' icons, drawn on a 24-unit square. They are decoration: each control has a name in words. */
import { s } from "./dom.js";

const PATHS = {
  stepBack: "M6 5v14M18 5l-9 7 9 7z",
  step: "M18 5v14M6 5l9 7-9 7z",
  play: "M7 4.5l12 7.5-12 7.5z",
  pause: "M8 5v14M16 5v14",
  fast: "M4 5l7 7-7 7zM13 5l7 7-7 7z",
  dice: "M5 5h14v14H5zM9 9v.2M15 9v.2M12 12v.2M9 15v.2M15 15v.2",
  nextRow: "M5 7h14M5 12h14M12 12v8m-4-4l4 4 4-4",
  undo: "M9 14L4 9l5-5M4 9h10a5.5 5.5 0 0 1 0 11h-3",
  reset: "M5 12a7 7 0 1 0 2.2-5.1M5 4v4.5h4.5",
  share: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  keys: "M9 9.2a3.1 3.1 0 1 1 4.6 2.7c-1 .6-1.6 1.2-1.6 2.3M12 17.6v.2",
};

/** @typedef {keyof typeof PATHS} IconName */

/** @param {IconName} name */
export function icon(name) {
  return s(
    "svg",
    { class: "dlc-icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    s("path", { d: PATHS[name], "data-icon": name }),
  );
}
