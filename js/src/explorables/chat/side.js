/**
 * One side: how it reads, how full its context is, the conversation in tokens with what is read and what is not, and what the
 * present token was drawn from.
 *
 * @typedef {import("./talk.js").Reply} Reply
 * @typedef {import("./rules.js").Position} Position
 * @typedef {{way: import("./talk.js").Way, replies: Reply[], position: Position | null, state: import("../../shared/explorable.js").State}} Given
 *
 * @typedef {object} SideOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {import("./words.js").Words} words
 * @property {(step: number) => void} onStep
 * @property {((turn: number, place: number, token: number) => void) | undefined} [onChoose]
 */
import { createBars } from "../../shared/drawing/bars.js";
import { h, put } from "../../shared/dom.js";
import { full } from "../../shared/format.js";
import { createTokenRow } from "../../shared/token_row.js";
import { numbers, sampleOf } from "./words.js";
import { createWindow } from "./window.js";

/** The most probable tokens, and the one that was taken where it is none of them. */
const BARS = 9;

/** @param {string} name  @param {SideOptions} options */
export function createSide(name, { text, words, onStep, onChoose }) {
  const title = h("div", { class: "dlc-part-title" });
  const note = h("p", { class: "dlc-chat-note" });
  const row = createTokenRow({ label: "", name: `tokens-${name}`, onPick: pick });
  const scroll = h("div", { class: "dlc-chat-scroll" }, row.element);
  const looked = h("p", { class: "dlc-readout", "data-readout": "token" });
  const filling = createWindow(text, words);
  const work = h("p", { class: "dlc-chat-work" });
  const draw = h("p", { class: "dlc-readout", "data-readout": "draw" });
  const end = h("p", { class: "dlc-chat-end" });
  const bars = createBars({ text, words, count: BARS, onChoose: onChoose && ((token) => chosen(token)) });
  const drawn = h("div", { class: "dlc-chat-drawn" }, work, bars.element, draw, end);
  const element = h("section", { class: "dlc-part dlc-chat-side", "data-side": name }, title, note, scroll, looked, filling.element, drawn);

  /** @type {Given | null} */
  let given = null;
  /** The token looked at; null: the present one. @type {number | null} */
  let at = null;

  const present = () => {
    const reply = given?.position ? given.replies[given.position.turn] : undefined;
    if (!given?.position || !reply) return null;
    const places = Math.min(given.position.places, reply.steps.length);
    return { reply, places, position: given.position, step: reply.steps[places - 1] };
  };
  /** @param {number} token */
  function chosen(token) {
    const now = present();
    if (now?.places) onChoose?.(now.position.turn, now.places - 1, token);
  }
  /** @param {number} index */
  function pick(index) {
    const now = present();
    if (!now) return;
    const place = index - now.reply.ids.length;
    at = index;
    if (place >= 0 && place !== now.position.places - 1) onStep(now.position.start + place + 1);
    else drawRow();
  }

  function drawRow() {
    const now = present();
    if (!now || !given) return row.draw([], 0);
    const { reply, places, step } = now;
    const ids = [...reply.ids, ...reply.steps.slice(0, places).map(({ token }) => token)];
    const roles = words.roles(ids);
    // The one that was just taken is what came of the reading.
    const until = ids.length - (places ? 1 : 0);
    const from = step ? until - step.reads : given.way === "article" && places ? until - 1 : reply.cut;
    const index = Math.min(at ?? ids.length - 1, ids.length - 1);
    const isRead = (/** @type {number} */ place) => place >= from && place < until;
    row.draw(
      ids.map((id, place) => {
        const read = isRead(place) || place >= until;
        const values = { token: words.label(id), place, role: text(`role_${roles[place]}`) };
        const own = place >= reply.ids.length && reply.steps[place - reply.ids.length]?.chosen;
        return {
          text: words.label(id),
          describe: text(read ? "chip" : "chip_unread", values),
          mark: [roles[place], !read && "unread", own && "own", place >= until && "taken"].filter(Boolean).join(" "),
          endsLine: words.endsTurn(id),
        };
      }),
      index,
    );
    put(row.element, { "data-tokens": ids.join(" ") });
    const place = index - reply.ids.length;
    const drawn = reply.steps[place];
    const reading = isRead(index) ? "read" : index < reply.cut && given.way === "whole" ? "unread_cut" : "unread";
    const values = { token: words.label(Number(ids[index])), place: index, role: text(`role_${roles[index]}`), read: text(reading) };
    looked.textContent = drawn && place >= 0 ? words.ofStep(drawn) : text("other_token", values);
    const [own = null, p = null] = drawn && place >= 0 ? numbers(drawn, "chances") : [];
    put(looked, { "data-token": Number(ids[index]), "data-own": own, "data-p": p, title: own === null ? null : `${full(own)} → ${full(Number(p))}` });
  }

  return {
    element,
    /** @param {Given} next */
    draw(next) {
      const before = given;
      given = next;
      const { way, position, state } = next;
      title.textContent = text(`${way}_title`);
      put(element, { "aria-label": text(`${way}_title`) });
      put(row.element, { "aria-label": text("tokens", { side: text(`${way}_short`) }) });
      note.textContent = text(`${way}_note`);
      const now = present();
      const moved = before?.position?.turn !== position?.turn || before?.position?.places !== position?.places || before?.replies !== next.replies;
      if (moved) at = null;
      put(element, { "data-empty": !now });
      drawRow();
      if (moved) scroll.scrollTop = scroll.scrollHeight;
      if (!now) return;
      const { reply, places, step } = now;
      filling.draw(reply, places, state, way);
      put(element, { "data-turn": position?.turn ?? null, "data-place": places - 1 });
      put(drawn, { "data-nothing": !step });
      if (!step) {
        work.textContent = text("nothing_drawn");
        draw.textContent = end.textContent = "";
        bars.element.hidden = true;
        return;
      }
      bars.element.hidden = false;
      const { reads, cached } = step;
      const key = cached ? "cache_most" : reads === 1 ? "cache_none" : "cache_all";
      work.textContent = text(key, { reads: words.tokens(reads) });
      put(work, { "data-reads": reads, "data-cached": cached });
      bars.draw(sampleOf(step));
      draw.textContent = words.ofDraw(step, state["greedy"]);
      const [from = NaN, to = NaN] = numbers(step, "between");
      put(draw, { "data-uniform": step.uniform, "data-from": from, "data-to": to, "data-kept": Number(numbers(step, "kept")[0]), title: full(step.uniform) });
      end.textContent = words.ofEnd(reply, places - 1, state["longest"]);
      put(end, { "data-end": reply.writing || places < reply.steps.length ? "on" : reply.ended ? "mark" : "longest" });
    },
  };
}
