/**
 * A text as a row of its tokens, one of which is chosen. Each may carry a bar and a number: how much of something it has.
 * One token is reached by the tab key, the others by arrow keys; moving there chooses.
 *
 * @typedef {object} TokenRowOptions
 * @property {string} label
 * @property {string} name  For style and tests: `data-grid`.
 * @property {(index: number) => void} onPick  A click, a tap, an arrow key.
 * @property {(index: number) => void} [onPoint]  The mouse is over a token.
 * @property {() => void} [onLeave]
 * @property {(index: number) => void} [onPress]  A click or a tap, in place of `onPick`; Enter or Space on the chosen token.
 * @property {(event: KeyboardEvent) => void} [onKey]  Any other key.
 *
 * @typedef {object} Token
 * @property {string} text  As it is shown; see `token_text.js`.
 * @property {string} describe  For a screen reader.
 * @property {string} [hint]  Says more, on hover.
 * @property {Share | null} [share]  Null: it can have none, which hatching shows.
 * @property {string} [below]  A small line under the text, where there is no share.
 * @property {string} [mark]  For style: `data-mark`.
 * @property {boolean} [endsLine]  The next token begins a line.
 *
 * @typedef {{value: number, size: number, fill: string, text: string, signed?: boolean}} Share  The exact number; the bar's size
 *   from 0 to 1 and its colour; the number as it is written; whether its bar stands on a line in the middle, or hangs from it.
 */
import { h, OWN_KEYS, put } from "./dom.js";
import { follow } from "./roving.js";

/** @param {TokenRowOptions} options */
export function createTokenRow({ label, name, onPick, onPoint, onLeave, onPress, onKey }) {
  const element = h("div", { class: "dlc-tokens", role: "listbox", "aria-label": label, "aria-orientation": "horizontal", "data-grid": name });
  /** @type {ReturnType<typeof createChip>[]} */
  let chips = [];
  let chosen = 0;

  /** @param {number} index */
  function createChip(index) {
    const text = h("bdi", { class: "dlc-token-text" });
    const bar = h("span", { class: "dlc-token-bar" }, h("span"));
    const number = h("span", { class: "dlc-token-number" });
    const chip = h(
      "div",
      { ...OWN_KEYS, class: "dlc-token", role: "option", tabindex: -1, "data-index": index, onclick: () => press(index) },
      text,
    );
    chip.addEventListener("pointerenter", ({ pointerType }) => {
      if (pointerType === "mouse") onPoint?.(index);
    });
    const end = h("span", { class: "dlc-token-end" });
    return { chip, text, bar, number, end, drawn: /** @type {{token: Token, selected: boolean, reachable: boolean} | null} */ (null) };
  }

  /** @param {number} index */
  function pick(index) {
    onPick(index);
    chips[index]?.chip.focus({ preventScroll: true });
  }

  /** @param {number} index */
  function press(index) {
    if (!onPress) return pick(index);
    onPress(index);
    chips[index]?.chip.focus({ preventScroll: true });
  }

  /** The token above or below: the nearest one in the next line of the row. @param {number} index  @param {number} direction */
  function across(index, direction) {
    const boxes = chips.map(({ chip }) => chip.getBoundingClientRect());
    const from = /** @type {DOMRect} */ (boxes[index]);
    let best = index;
    let least = Infinity;
    boxes.forEach((box, other) => {
      const lines = (box.top - from.top) * direction;
      const distance = 10 * lines + Math.abs(box.left - from.left);
      if (lines > box.height / 2 && distance < least) [best, least] = [other, distance];
    });
    return best;
  }

  element.addEventListener("keydown", (event) => {
    const [, along] = follow(event, [0, chosen], { rows: 1, columns: chips.length }) ?? [0, -1];
    if (along < 0 && onPress && (event.key === "Enter" || event.key === " ") && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      event.stopPropagation();
      return onPress(chosen);
    }
    if (along < 0) return onKey?.(event);
    const vertical = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    event.preventDefault();
    event.stopPropagation();
    const next = vertical ? across(chosen, vertical) : along;
    if (next !== chosen || !chips[next]?.chip.matches("[aria-selected=true]")) pick(next);
  });
  element.addEventListener("pointerleave", () => onLeave?.());

  return {
    element,
    /**
     * @param {Token[]} tokens
     * @param {number} index  The chosen one; -1 for none.
     */
    draw(tokens, index) {
      const focused = chips.some(({ chip }) => chip.matches(":focus"));
      for (const { chip, end } of chips.splice(tokens.length)) {
        chip.remove();
        end.remove();
      }
      while (chips.length < tokens.length) {
        const made = createChip(chips.length);
        chips.push(made);
        element.append(made.chip);
      }
      chosen = index >= 0 ? index : Math.max(0, Math.min(chosen, tokens.length - 1));
      tokens.forEach((token, place) => {
        const made = /** @type {(typeof chips)[number]} */ (chips[place]);
        const selected = place === index;
        const reachable = place === chosen;
        // The very same token again, of a text that grows: there may be hundreds.
        if (made.drawn?.token === token && made.drawn.selected === selected && made.drawn.reachable === reachable) return;
        made.drawn = { token, selected, reachable };
        const { text, describe, hint, share, below, mark, endsLine } = token;
        const { chip, text: shown, bar, number, end } = made;
        if (shown.textContent !== text) shown.textContent = text;
        put(chip, {
          "aria-label": describe,
          "aria-selected": String(selected),
          tabindex: reachable ? 0 : -1,
          title: hint ?? null,
          "data-mark": mark ?? null,
          "data-value": share?.value ?? null,
        });
        if (!endsLine) end.remove();
        else if (end.parentNode !== element) chip.after(end);
        if (share === undefined) {
          bar.remove();
          if (below === undefined) number.remove();
          else if (number.parentNode !== chip) chip.append(number);
          if (number.textContent !== (below ?? "")) number.textContent = below ?? "";
          chip.classList.remove("is-weighed", "is-hidden");
          return;
        }
        if (bar.parentNode !== chip) chip.append(bar, number);
        chip.classList.add("is-weighed");
        chip.classList.toggle("is-hidden", share === null);
        put(/** @type {Element} */ (bar.firstElementChild), { style: share ? barStyle(share) : null });
        const written = share?.text ?? "–";
        if (number.textContent !== written) number.textContent = written;
      });
      // The focused token may be gone, with the text that it was in.
      if (focused && !chips[chosen]?.chip.matches(":focus")) chips[chosen]?.chip.focus({ preventScroll: true });
    },
    focus: () => chips[chosen]?.chip.focus({ preventScroll: true }),
  };
}

/** @param {Share} share */
function barStyle({ value, size, fill, signed }) {
  const height = (signed ? 50 : 100) * size;
  const bottom = signed ? `; bottom: ${value < 0 ? 50 - height : 50}%` : "";
  return `height: ${height}%${bottom}; background: ${fill}`;
}

/** @typedef {ReturnType<typeof createTokenRow>} TokenRow */
