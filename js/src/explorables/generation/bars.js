/**
 * The most probable next tokens, one bar each: an outline for what the model says, filled for what is drawn from. Pressing a
 * bar chooses its token. One bar is reached by the tab key, the others by arrow keys.
 *
 * @typedef {object} BarsOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {import("./words.js").Words} words
 * @property {(token: number) => void} onChoose
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { follow } from "../../shared/roving.js";
import { FATES, value } from "./words.js";

/** How many bars there are; where there is little room, the style sheet leaves out the last. */
const COUNT = 20;
/** The part of the track that the longest bar has, in per cent; the rest is for words. */
const LONGEST = 66;

/** @param {BarsOptions} options */
export function createBars({ text, words, onChoose }) {
  let reachable = 0;
  const rows = Array.from({ length: COUNT }, (_, index) => {
    const parts = {
      token: h("bdi", { class: "dlc-bar-token" }),
      own: h("span", { class: "dlc-bar-own" }),
      p: h("span", { class: "dlc-bar-p" }),
      note: h("span", { class: "dlc-bar-note" }),
      numbers: h("span", { class: "dlc-bar-numbers" }),
    };
    const track = h("span", { class: "dlc-bar-track" }, parts.p, parts.own, parts.note);
    const button = h(
      "button",
      { type: "button", ...OWN_KEYS, class: "dlc-bar", tabindex: index ? -1 : 0, onclick: () => choose(index) },
      parts.token,
      track,
      parts.numbers,
    );
    button.addEventListener("focus", () => reach(index));
    return { button, ...parts };
  });
  const element = h("div", { class: "dlc-bars", role: "group", "aria-label": text("bars_label"), "data-grid": "bars" }, ...rows.map(({ button }) => button));

  /** @param {number} index */
  function reach(index) {
    put(/** @type {Element} */ (rows[reachable]?.button), { tabindex: -1 });
    reachable = index;
    put(/** @type {Element} */ (rows[index]?.button), { tabindex: 0 });
  }
  /** @param {number} index */
  function choose(index) {
    const token = rows[index]?.button.dataset["token"];
    if (token !== undefined) onChoose(Number(token));
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
    /** @param {import("./types.js").Sample} sample */
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
