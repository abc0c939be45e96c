/**
 * The most probable next tokens, one bar each: an outline for what the model says, filled for what is drawn from. Where they
 * can be chosen, pressing a bar chooses its token; one bar is reached by the tab key, the others by arrow keys.
 *
 * @typedef {object} BarsOptions
 * @property {import("../format.js").Translate} text
 * @property {import("./words.js").TokenWords} words
 * @property {number} [count]  How many bars there are; where there is little room, the style sheet leaves out the last.
 * @property {((token: number) => void) | undefined} [onChoose]
 */
import { h, OWN_KEYS, put } from "../dom.js";
import { full, short } from "../format.js";
import { follow } from "../roving.js";
import { FATES, value } from "./words.js";

/** The part of the track that the longest bar has, in per cent; the rest is for words. */
const LONGEST = 66;

/** @param {BarsOptions} options */
export function createBars({ text, words, count = 20, onChoose }) {
  let reachable = 0;
  const rows = Array.from({ length: count }, (_, index) => {
    const parts = {
      token: h("bdi", { class: "dlc-bar-token" }),
      own: h("span", { class: "dlc-bar-own" }),
      p: h("span", { class: "dlc-bar-p" }),
      note: h("span", { class: "dlc-bar-note" }),
      numbers: h("span", { class: "dlc-bar-numbers" }),
    };
    const track = h("span", { class: "dlc-bar-track" }, parts.p, parts.own, parts.note);
    const content = [parts.token, track, parts.numbers];
    if (!onChoose) return { button: h("div", { class: "dlc-bar", role: "listitem" }, ...content), ...parts };
    const button = h("button", { type: "button", ...OWN_KEYS, class: "dlc-bar", tabindex: index ? -1 : 0, onclick: () => choose(index) }, ...content);
    button.addEventListener("focus", () => reach(index));
    return { button, ...parts };
  });
  const element = h(
    "div",
    { class: "dlc-bars", role: onChoose ? "group" : "list", "aria-label": text(onChoose ? "bars_label" : "bars_only"), "data-grid": "bars" },
    ...rows.map(({ button }) => button),
  );

  /** @param {number} index */
  function reach(index) {
    put(/** @type {Element} */ (rows[reachable]?.button), { tabindex: -1 });
    reachable = index;
    put(/** @type {Element} */ (rows[index]?.button), { tabindex: 0 });
  }
  /** @param {number} index */
  function choose(index) {
    const token = rows[index]?.button.dataset["token"];
    if (token !== undefined) onChoose?.(Number(token));
  }
  element.addEventListener("keydown", (event) => {
    const there = rows.filter(({ button }) => button.offsetParent !== null).length;
    const next = follow(event, [reachable, 0], { rows: there, columns: 1 });
    if (!next) return;
    const ends = { Home: 0, End: there - 1 }[event.key];
    event.preventDefault();
    event.stopPropagation();
    rows[ends ?? next[0]]?.button.focus();
  });

  return {
    element,
    /** @param {import("./words.js").Sample} sample */
    draw(sample) {
      const drawn = value(sample, "token", 0);
      const tried = new Set(sample.of.children.map(({ token }) => token));
      const ids = rows.map((_, index) => value(sample, "order", index));
      const longest = Math.max(...ids.flatMap((id) => [value(sample, "own", id), value(sample, "p", id)]).filter(Number.isFinite));
      rows.forEach(({ button, token, own, p, note, numbers }, index) => {
        const id = ids[index];
        button.hidden = id === undefined || Number.isNaN(id);
        if (id === undefined || button.hidden) return;
        const [before, after] = [value(sample, "own", id), value(sample, "p", id)];
        const fate = FATES[value(sample, "cut", id)] ?? "kept";
        const marks = [id === drawn && text("drawn_next"), fate !== "kept" && text(fate), tried.has(id) && text("tried")].filter(Boolean);
        token.textContent = words.label(id);
        put(own, { style: `width: ${(LONGEST * before) / longest}%` });
        put(p, { style: `width: ${(LONGEST * after) / longest}%` });
        note.textContent = marks.join(", ");
        put(note, { style: `left: ${(LONGEST * Math.max(before, after)) / longest}%` });
        numbers.textContent = `${short(before)} → ${short(after)}`;
        put(button, {
          "data-token": id,
          "data-own": before,
          "data-p": after,
          "data-fate": fate,
          "data-drawn": id === drawn,
          title: `${full(before)} → ${full(after)}`,
          "aria-label": [words.ofRank(sample, index + 1, short), ...marks.filter((mark) => mark !== text(fate))].join(", "),
        });
      });
    },
  };
}
