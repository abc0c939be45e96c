/**
 * One token: its id, how it came into the vocabulary, and the characters that it is made of, in UTF-8 bytes.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */
import { h, put } from "../../shared/dom.js";
import { readable } from "../../shared/token_text.js";
import { hex } from "./reading.js";
import { tokenAt } from "./rules.js";

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {import("./reading.js").Reader} read
 */
export function createDetail(text, read) {
  const title = h("p", { class: "dlc-part-title" }, text("detail"));
  const sentence = h("p", { class: "dlc-tokenizer-sentence" });
  const characters = h("div", { class: "dlc-tokenizer-characters" });
  const element = h("section", { class: "dlc-part dlc-tokenizer-detail", "aria-label": text("detail") }, title, sentence, characters);

  /** Where a token comes from. @param {import("./reading.js").Token} token  @param {string} cut */
  function story({ id, text: token, known }, cut) {
    const values = { token, id: id ?? "", characters: read.sizes.characters, words: read.wordCount.toLocaleString("en"), merges: read.pairs.mergeCount };
    if (cut !== "bpe" || id === null) return text(`detail_${cut}${known ? "" : "_unknown"}`, values);
    if (read.pairs.isSpecial(id)) return text("detail_special", values);
    const origin = read.pairs.origin(id);
    if (!origin) return text("detail_byte", values);
    return text("detail_merged", { ...values, rank: origin.rank + 1, left: read.label(origin.left), right: read.label(origin.right) });
  }

  return {
    element,
    /** @param {Shown} shown  @param {import("./reading.js").Reading} reading */
    draw({ state }, reading) {
      const { cut, step, at } = state;
      const tokens = reading.tokens(cut, step);
      const token = tokens[tokenAt(tokens, at)];
      put(element, { "data-id": token?.id ?? null, "data-first": token?.first ?? null });
      if (!token) {
        sentence.textContent = text("detail_none");
        characters.replaceChildren();
        return;
      }
      sentence.textContent = story(token, cut);
      const touched = reading.characters.filter(({ first, bytes }) => first < token.after && first + bytes.length > token.first);
      characters.replaceChildren(
        ...touched.map(({ character, first, bytes }) =>
          h(
            "div",
            { class: "dlc-tokenizer-character", "data-code": Number(character.codePointAt(0)) },
            h("bdi", { class: "dlc-tokenizer-glyph" }, readable(character)),
            h("span", { class: "dlc-tokenizer-code" }, `U+${hex(Number(character.codePointAt(0))).padStart(4, "0")}`),
            h(
              "span",
              { class: "dlc-tokenizer-bytes" },
              ...bytes.map((byte, index) => {
                const own = token.first <= first + index && first + index < token.after;
                return h("span", { class: "dlc-tokenizer-byte", "data-value": byte, "data-own": own, title: text(own ? "byte_own" : "byte_other", { byte }) }, hex(byte));
              }),
            ),
          ),
        ),
      );
    },
  };
}
