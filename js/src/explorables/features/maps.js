/**
 * All maps of a layer, small; of a layer without places, all its units. One is chosen.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./rules.js").Stage} Stage
 */
import { at } from "../../engine/tensors.js";
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { coloursOf, largest } from "./pictures.js";
import { hasPlaces } from "./rules.js";

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {() => number} now  The chosen one, also while its numbers are on their way.
 * @param {(channel: number) => void} onChoose
 */
export function createMaps(text, now, onChoose) {
  const title = h("div", { class: "dlc-part-title" });
  const list = h("div", { class: "dlc-features-maps", role: "listbox", "aria-label": text("maps_label"), "aria-orientation": "horizontal" });
  const element = h("section", { class: "dlc-part" }, title, list);
  /** @type {{element: HTMLElement, canvas: HTMLCanvasElement, number: HTMLElement}[]} */
  let items = [];
  /** What is painted: the numbers and the colours. @type {unknown[]} */
  let painted = [];

  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -items.length, End: items.length }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = now() + by;
    const last = items.length - 1;
    const to = event.key === "Home" ? 0 : event.key === "End" ? last : next;
    if (to < 0 || to > last) return;
    onChoose(to);
    // It is drawn at the end of this turn.
    setTimeout(() => items[to]?.element.focus());
  });

  /** @param {number} count */
  function rebuild(count) {
    items = Array.from({ length: count }, (_, channel) => {
      const canvas = h("canvas", { width: 1, height: 1 });
      const number = h("span");
      const element = h("div", { ...OWN_KEYS, class: "dlc-features-map", role: "option", tabindex: -1, "data-channel": channel, onclick: () => onChoose(channel) }, canvas, number);
      return { element, canvas, number };
    });
    list.replaceChildren(...items.map((item) => item.element));
  }

  return {
    element,
    /** @param {Shown} shown  @param {Stage} stage */
    draw({ state, answers, scales }, stage) {
      const [count, height, width] = stage.shape;
      const maps = answers["features"].maps;
      if (items.length !== count) rebuild(count);
      const chosen = state["unit"][0];
      const places = hasPlaces(stage);
      title.textContent = text(places ? "maps" : "units", { count });
      const written = stage.kind === "logits";
      put(list, { "data-places": places, "data-written": written });
      if (painted[0] !== maps || painted[1] !== scales) {
        painted = [maps, scales];
        const colours = coloursOf(stage, largest(maps.data), scales);
        items.forEach(({ element: item, canvas, number }, channel) => {
          /** @type {import("../../engine/tensors.js").TensorData} */
          const values = places ? at(maps, channel) : maps.data.subarray(channel, channel + 1);
          Object.assign(canvas, { width, height });
          const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
          values.forEach((value, place) => {
            context.fillStyle = colours(value).fill;
            context.fillRect(place % width, Math.floor(place / width), 1, 1);
          });
          const name = text(places ? "map" : "unit_number", { channel });
          const label = places ? name : `${name}: ${full(Number(values[0]))}`;
          put(item, { "aria-label": label, title: label, "data-value": places ? null : Number(values[0]) });
          number.textContent = written ? `${channel}: ${short(Number(values[0]))}` : "";
          put(number, { style: written ? `color: ${colours(Number(values[0])).ink}` : null });
        });
      }
      items.forEach(({ element: item }, channel) => put(item, { "aria-selected": String(channel === chosen), tabindex: channel === chosen ? 0 : -1 }));
    },
  };
}
