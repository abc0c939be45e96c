/** A live region that speaks the latest message once things have come to rest, so that a fast hand is not read out. */
import { h } from "./dom.js";

const REST = 450; // milliseconds

export function createAnnouncer() {
  const element = h("div", { class: "dlc-unseen", role: "status", "aria-live": "polite", "aria-atomic": "true" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  return {
    element,
    /** @param {string} message */
    say(message) {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        if (element.textContent !== message) element.textContent = message;
      }, REST);
    },
    destroy: () => clearTimeout(waiting),
  };
}
