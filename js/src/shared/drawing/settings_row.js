/**
 * The settings of a draw: temperature, top-k, top-p, greedy, and the seed.
 *
 * @typedef {import("./settings.js").Settings} Settings
 *
 * @typedef {object} SettingsOptions
 * @property {import("../format.js").Translate} text
 * @property {number} vocabSize
 * @property {(wish: import("./settings.js").Wish) => void} onSet
 * @property {(message: string) => void} onRefuse
 * @property {Node[]} [further]  Settings of another kind, after these.
 */
import { createAction, createField, createSlider, createSwitch } from "../controls.js";
import { h, put } from "../dom.js";
import { short } from "../format.js";
import { LIMITS, nearest, TEMPERATURES, TOP_PS, topKs } from "./settings.js";

/** @param {SettingsOptions} options */
export function createSettingsRow({ text, vocabSize, onSet, onRefuse, further = [] }) {
  const ks = topKs(vocabSize);
  /** @type {Settings | null} */
  let settings = null;
  /** @param {keyof Settings} key */
  const now = (key) => Number(settings?.[key]);
  /** @param {string} name  @param {number[]} places  @param {keyof Settings} key  @param {() => string} write */
  const slider = (name, places, key, write) =>
    createSlider({
      name,
      label: text(key),
      min: 0,
      max: places.length - 1,
      step: 1,
      write,
      onMove: (place) => onSet({ [key]: places[place] }),
    });
  const temperature = slider("temperature", TEMPERATURES, "temperature", () => short(now("temperature")));
  const all = () => text("all");
  const isAll = () => now("top_k") === 0 || now("top_k") === vocabSize;
  const topK = slider("topK", ks, "top_k", () => (isAll() ? all() : String(now("top_k"))));
  const topP = slider("topP", TOP_PS, "top_p", () => (now("top_p") === 1 ? all() : short(now("top_p"))));
  const greedy = createSwitch({ name: "greedy", label: text("greedy"), onChange: (on) => onSet({ greedy: on }) });
  const seed = createField({
    name: "seed",
    label: text("seed"),
    longest: 16,
    onInput(written) {
      const value = /^\d+$/.test(written) ? Number(written) : NaN;
      put(seed.input, { "aria-invalid": Number.isSafeInteger(value) ? null : "true" });
      if (Number.isSafeInteger(value)) onSet({ seed: value });
      else onRefuse(text("seed_refused", { most: LIMITS.seed.toLocaleString("en") }));
    },
  });
  put(seed.input, { inputmode: "numeric" });
  seed.input.addEventListener("blur", () => {
    put(seed.input, { "aria-invalid": null });
    if (settings) seed.show(String(settings.seed));
  });
  const other = createAction({
    name: "dice",
    label: text("other_seed"),
    onPress: () => onSet({ seed: now("seed") < LIMITS.seed ? now("seed") + 1 : 0 }),
  });
  const parts = [temperature, topK, topP, greedy].map(({ element }) => element);
  const element = h(
    "div",
    { class: "dlc-settings", role: "group", "aria-label": text("settings") },
    ...parts,
    h("div", { class: "dlc-seed" }, seed.element, other.element),
    ...further,
  );
  return {
    element,
    /** @param {Settings} next */
    draw(next) {
      settings = next;
      temperature.show(nearest(TEMPERATURES, next.temperature));
      topK.show(isAll() ? ks.length - 1 : nearest(ks.slice(0, -1), next.top_k));
      topP.show(nearest(TOP_PS, next.top_p));
      greedy.show(next.greedy);
      // What the reader writes is left alone until it is written.
      if (!seed.input.matches(":focus")) seed.show(String(next.seed));
      element.classList.toggle("is-greedy", next.greedy);
    },
  };
}
