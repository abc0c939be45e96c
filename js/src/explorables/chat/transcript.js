/**
 * The conversation as it is read by people: what the user says, and side by side the replies. Pressing a reply goes to its end.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./talk.js").Answers} Answers
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { lengths, standingAt } from "./rules.js";
import { strip } from "./template.js";

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(step: number) => void} onStep
 */
export function createTranscript(text, onStep) {
  const head = h("div", { class: "dlc-chat-heads", "aria-hidden": "true" }, ...["whole", "beside"].map((side) => h("span", { "data-side": side })));
  const list = h("div", { class: "dlc-chat-turns" });
  const empty = h("p", { class: "dlc-chat-empty" }, text("none_yet"));
  const element = h("section", { class: "dlc-chat-transcript", "aria-label": text("conversation") }, head, empty, list);
  /** @type {ReturnType<typeof createTurn>[]} */
  let rows = [];
  /** Where each reply ends. @type {number[]} */
  let ends = [];

  /** @param {number} turn */
  function createTurn(turn) {
    const user = h("p", { class: "dlc-chat-user", "data-turn": turn, dir: "auto" });
    const replies = ["whole", "beside"].map((side) =>
      h("button", { type: "button", ...OWN_KEYS, class: "dlc-chat-reply", "data-side": side, "data-turn": turn, dir: "auto", onclick: () => onStep(Number(ends[turn])) }),
    );
    return { user, replies, element: h("div", { class: "dlc-chat-turn" }, user, ...replies) };
  }

  return {
    element,
    /** @param {Shown} shown  @param {(reply: import("./talk.js").Reply, places: number) => string} soFar */
    draw({ state, wanted, answers, waiting }, soFar) {
      const both = /** @type {Answers} */ (answers);
      const position = standingAt(both, state["step"]);
      let sum = 0;
      ends = lengths(both).map((length) => (sum += length));
      const turns = /** @type {string[]} */ (wanted["turns"]);
      for (const { element } of rows.splice(turns.length)) element.remove();
      while (rows.length < turns.length) {
        const made = createTurn(rows.length);
        rows.push(made);
        list.append(made.element);
      }
      empty.hidden = turns.length > 0;
      head.hidden = !turns.length;
      const heads = ["whole", wanted["beside"]];
      [...head.children].forEach((child, index) => (child.textContent = text(`${heads[index]}_short`)));
      rows.forEach(({ user, replies, element }, turn) => {
        user.textContent = turns[turn] ?? "";
        const later = !position || turn > position.turn;
        put(element, { "data-present": turn === position?.turn, "data-later": later });
        for (const [index, button] of replies.entries()) {
          const reply = index ? both.beside[turn] : both.whole[turn];
          const known = reply && ends[turn] !== undefined && state["turns"][turn] === turns[turn];
          const places = later ? 0 : turn === position.turn ? position.places : Infinity;
          const said = known ? strip(soFar(reply, places)) : "";
          const whole = known && !reply.writing && places >= reply.steps.length;
          button.hidden = !known && !waiting;
          button.textContent = said || text(whole ? "silent" : "silent_so_far");
          put(button, {
            "aria-label": text("reply_of", { turn: turn + 1, side: text(`${heads[index]}_short`), text: button.textContent }),
            "aria-disabled": known ? null : "true",
            "data-whole": Boolean(whole),
          });
        }
      });
    },
  };
}
