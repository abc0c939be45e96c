/**
 * What the cell computes at the step that is shown: a strip for each part, one bar for each unit. The chosen part's strip is
 * reached by the tab key; arrow keys go to another unit or another part.
 *
 * @typedef {object} VectorsOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {(wish: {part?: string, unit?: number}) => void} onChoose
 */
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createVectorStrip } from "../../shared/vector_strip.js";
import { moved } from "./rules.js";

/** @param {VectorsOptions} options */
export function createVectors({ text, onChoose }) {
  const title = h("div", { class: "dlc-part-title" });
  const rows = h("div", { class: "dlc-recurrent-vectors has-place", role: "group", "aria-label": text("vectors"), "data-grid": "vectors" });
  const readout = h("p", { class: "dlc-readout" });
  const element = h("section", { class: "dlc-part" }, title, rows, readout);
  /** @type {ReturnType<typeof createRow>[]} */
  let made = [];
  let kind = "";
  let count = 0;
  let chosen = { row: 0, place: 0 };
  /** What the mouse is over. @type {{name: string, place: number} | null} */
  let pointed = null;
  /** @type {import("./numbers.js").Numbers | null} */
  let last = null;

  /** @param {import("./rules.js").Part} part */
  function createRow({ name, sign }) {
    const strip = createVectorStrip({
      name,
      onPoint(place) {
        pointed = { name, place };
        tell();
      },
      onPick(unit) {
        pointed = null;
        onChoose({ part: name, unit });
      },
    });
    const label = h(
      "button",
      { type: "button", ...OWN_KEYS, class: "dlc-recurrent-label", "data-part": name, onclick: () => onChoose({ part: name }) },
      h("span", {}, text(name)),
      h("i", {}, sign),
    );
    rows.append(label, strip.element);
    return { name, sign, strip, label };
  }
  /** What is pointed at, or else the open unit. */
  function tell() {
    if (!last) return;
    const { name, place } = pointed ?? { name: made[chosen.row]?.name ?? "hidden", place: chosen.place };
    const value = last.value(name, place);
    readout.textContent = text("readout", { part: text(name), unit: place, value: full(value) });
    put(readout, { "data-value": value, "data-part": name, "data-unit": place });
  }
  rows.addEventListener("pointerleave", () => {
    pointed = null;
    tell();
  });
  rows.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (!(/** @type {Element} */ (event.target).matches(".dlc-strip"))) return;
    const next = moved(event.key, chosen, made.length, count);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    onChoose({ part: made[next.row]?.name ?? "hidden", unit: next.place });
    made[next.row]?.strip.element.focus();
  });

  return {
    element,
    /** @param {import("../../shared/explorable.js").Shown} shown  @param {import("./numbers.js").Numbers} numbers */
    draw({ wanted, scales }, numbers) {
      last = numbers;
      const { parts, character } = numbers;
      if (numbers.kind !== kind) {
        kind = numbers.kind;
        pointed = null;
        rows.replaceChildren();
        made = parts.map(createRow);
      }
      count = numbers.now("hidden").length;
      const row = Math.max(0, made.findIndex(({ name }) => name === wanted["part"]));
      chosen = { row, place: wanted["unit"] };
      title.textContent = text("vectors_title", { character, units: count });
      put(rows, { style: `--dlc-place: ${chosen.place}; --dlc-count: ${count}` });
      made.forEach(({ name, strip, label }, index) => {
        strip.draw(numbers.now(name), scales.diverging, numbers.limit(name));
        strip.stand(chosen.place, text("strip", { part: text(name) }), text("strip_value", { unit: chosen.place, value: short(numbers.value(name, chosen.place)) }));
        put(strip.element, { tabindex: index === row ? 0 : -1 });
        put(label, { "aria-pressed": String(index === row) });
      });
      tell();
    },
  };
}
