/** How full the context is: what is read, what of it are whose words, what is kept free for the reply, and what is cut off. */
import { h, put } from "../../shared/dom.js";

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./words.js").Words} words
 */
export function createWindow(text, words) {
  const strip = h("div", { class: "dlc-chat-window", "aria-hidden": "true" });
  const sentence = h("p", { class: "dlc-readout", "data-readout": "window" });
  return {
    element: h("div", { class: "dlc-chat-filling" }, strip, sentence),
    /**
     * @param {import("./talk.js").Reply} reply  @param {number} places  @param {import("../../shared/explorable.js").State} state
     * @param {import("./talk.js").Way} way
     */
    draw(reply, places, state, way) {
      const { ids, cut, turnsCut, steps } = reply;
      const { context, longest } = state;
      const taken = steps[places - 1];
      const reads = taken?.reads ?? ids.length - cut;
      const until = ids.length + Math.max(0, places - 1);
      const before = until - reads;
      const free = longest - Math.max(0, places - 1);
      const all = [...ids, ...steps.slice(0, Math.max(0, places - 1)).map(({ token }) => token)];
      const roles = words.roles(all).slice(before);
      /** Neighbours of one role are one part. @type {{role: string, count: number}[]} */
      const parts = [];
      for (const role of roles) {
        const end = parts.at(-1);
        if (end?.role === role) end.count += 1;
        else parts.push({ role, count: 1 });
      }
      if (way !== "article" || !places) parts.push({ role: "free", count: free });
      strip.replaceChildren(...parts.map(({ role, count }) => h("span", { "data-role": role, style: `width: ${(100 * count) / context}%` })));
      const key = way === "whole" ? (cut ? "window_cut" : "window") : before ? "window_unread" : "window";
      sentence.textContent = text(key, { reads, context, free, cut: before, turns: turnsCut });
      put(sentence, { "data-reads": reads, "data-context": context, "data-free": free, "data-cut": before, "data-turns": turnsCut });
    },
  };
}
