/**
 * Tokens as they are shown, and what is said about them.
 *
 * @typedef {import("./talk.js").Drawn} Drawn
 * @typedef {import("./talk.js").Reply} Reply
 * @typedef {import("./rules.js").Position} Position
 * @typedef {"mark" | "user" | "reply"} Role
 */
import { createTokenWords } from "../../shared/drawing/words.js";
import { short } from "../../shared/format.js";
import { standingAt } from "./rules.js";
import { markIn } from "./template.js";

/** Numbers of the answer for one token. @param {Drawn} drawn  @param {string} name */
export const numbers = ({ outputs }, name) => Array.from(outputs[name]?.data ?? []);

/**
 * What a token was drawn from, as far as it is known: the most probable tokens, and the one that was taken.
 * @param {Drawn} drawn @returns {import("../../shared/drawing/words.js").Sample}
 */
export function sampleOf(drawn) {
  const best = numbers(drawn, "best");
  const [own = NaN, p = NaN] = numbers(drawn, "chances");
  const of = (/** @type {string} */ name, /** @type {number} */ own) => ({
    data: /** @type {Record<number, number>} */ ({ ...Object.fromEntries(best.map((id, index) => [id, numbers(drawn, `best_${name}`)[index]])), [drawn.token]: own }),
  });
  return {
    // The one behind them has a rank of its own.
    ranks: [...best.map((_, index) => index + 1), Number(numbers(drawn, "rank")[0]) + 1],
    of: { children: drawn.chosen ? [{ token: drawn.token }] : [] },
    outputs: {
      token: { data: [drawn.drawn] },
      order: { data: best.includes(drawn.token) ? best : [...best, drawn.token] },
      own: of("own", own),
      p: of("p", p),
      cut: of("cut", Number(numbers(drawn, "fate")[0])),
    },
  };
}

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("../../shared/tokenizer.js").Tokenizer} tokenizer
 * @param {import("./template.js").Template} template
 */
export function createWords(text, tokenizer, template) {
  const base = createTokenWords(text, tokenizer);
  const { label } = base;
  /** @param {Drawn} drawn  @param {(value: number) => string} write */
  function ofDrawn(drawn, write = short) {
    const [own = NaN, p = NaN] = numbers(drawn, "chances");
    return text("numbers", { own: write(own), p: write(p), rank: Number(numbers(drawn, "rank")[0]) + 1 });
  }
  return {
    ...base,
    /** Whose token each is, in the template. @param {number[]} ids @returns {Role[]} */
    roles(ids) {
      /** @type {Role} */
      let role = "user";
      return ids.map((id) => {
        if (!template.stop.has(id)) return role;
        role = id === template.ids.reply ? "reply" : "user";
        return "mark";
      });
    },
    /** Whether a turn ends with a token. @param {number} id */
    endsTurn: (id) => id === template.ids.end,
    /** How a token of a reply came there. @param {Drawn} drawn */
    ofStep: (drawn) => text(drawn.chosen ? "came_chosen" : "came_drawn", { token: label(drawn.token), drawn: label(drawn.drawn), numbers: ofDrawn(drawn) }),
    /** How the draw chose. @param {Drawn} drawn  @param {boolean} greedy */
    ofDraw(drawn, greedy) {
      if (drawn.chosen) return "";
      if (greedy) return text("draw_greedy", { token: label(drawn.token) });
      const [from = NaN, to = NaN] = numbers(drawn, "between");
      return text("draw_number", { number: short(drawn.uniform), from: short(from), to: short(to), token: label(drawn.token) });
    },
    /** @param {Reply} reply  @param {number} place  @param {number} longest */
    ofEnd({ steps, ended, writing }, place, longest) {
      const token = label(Number(steps[place]?.token));
      if (writing || place < steps.length - 1) return text("goes_on", { token });
      return ended ? text("ends_mark", { token }) : text("ends_longest", { longest });
    },
    /** @param {number} count */
    tokens: (count) => (count === 1 ? text("tokens_one") : text("tokens_few", { count })),
    /** A reply as far as it is there. @param {Reply} reply  @param {number} places */
    soFar: ({ steps }, places) => tokenizer.decode(steps.slice(0, places).map(({ token }) => token).filter((id) => !template.stop.has(id))), // prettier-ignore
    /** The tokens of the present reply on both sides, with their numbers. @param {import("./talk.js").Answers} answers  @param {number} step */
    rows(answers, step) {
      const position = standingAt(answers, step);
      if (!position) return [];
      return Array.from({ length: position.places }, (_, place) => [
        String(place),
        ...[answers.whole, answers.beside].flatMap((replies) => {
          const drawn = replies[position.turn]?.steps[place];
          return drawn ? [label(drawn.token), ...numbers(drawn, "chances")] : ["", "", ""];
        }),
      ]);
    },
    /** @param {Reply[]} replies  @param {Position} position */
    announce(replies, { turn, places }) {
      const steps = replies[turn]?.steps ?? [];
      const drawn = steps[Math.min(places, steps.length) - 1];
      return drawn ? text("announce_side", { place: steps.indexOf(drawn), token: label(drawn.token), value: short(Number(numbers(drawn, "chances")[0])) }) : "";
    },
    /** Whether a reply spells a mark, so that the conversation cannot be written on. @param {import("../../shared/explorable.js").Shown | null} shown */
    spelled: (shown) => Boolean(shown) && [...shown?.answers["whole"] ?? [], ...shown?.answers["beside"] ?? []].some((/** @type {Reply} */ { text }) => markIn(text) !== null), // prettier-ignore
  };
}

/** @typedef {ReturnType<typeof createWords>} Words */
