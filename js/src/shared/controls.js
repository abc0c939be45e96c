/**
 * The row of controls, in the order that all explorables share: choose, step back, step, play, reset, share, keys.
 *
 * A control that cannot do anything now is marked as disabled but keeps its place in the tab order, so that focus is not
 * lost under a reader's hand; a control that can never do anything here is not there at all.
 */
import { h, OWN_KEYS, put } from "./dom.js";
import { icon } from "./icons.js";

/**
 * @typedef {object} Choice
 * @property {string} name  For style and tests: `data-control`.
 * @property {string} label
 * @property {{value: string, text: string, group?: string}[]} options
 * @property {(value: string) => void} onChoose
 *
 * @typedef {object} Action
 * @property {import("./icons.js").IconName} name
 * @property {string} label
 * @property {string} [hint]  Says more than the label, on hover.
 * @property {() => void} onPress
 */

/** @param {Choice} choice */
export function createChoice({ name, label, options, onChoose }) {
  const select = h("select", { ...OWN_KEYS, "data-control": name, onchange: () => onChoose(select.value) });
  /** @type {Map<string, Element>} */
  const groups = new Map();
  for (const { value, text, group } of options) {
    let parent = /** @type {Element} */ (select);
    if (group) {
      parent = groups.get(group) ?? h("optgroup", { label: group });
      groups.set(group, parent);
      select.append(parent);
    }
    parent.append(h("option", { value }, text));
  }
  const element = h("label", { class: "dlc-choice" }, h("span", {}, label), select);
  return {
    element,
    /** Show what is chosen. An option that only reports a state stays out of the list until then. @param {string} value */
    show(value) {
      for (const option of select.options) option.hidden = option.value === "" && value !== "";
      if (select.value !== value) select.value = value;
    },
  };
}

/**
 * @typedef {object} Slider
 * @property {string} name
 * @property {string} label
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {(place: number) => string} write  What stands beside it, and is read out, at a place.
 * @property {(place: number) => void} onMove
 *
 * @typedef {object} Switch
 * @property {string} name
 * @property {string} label
 * @property {(on: boolean) => void} onChange
 *
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {number} longest  Characters it takes.
 * @property {(text: string) => void} onInput  While the reader types.
 * @property {number} [rows]  More than one makes it a text area.
 */

/** A slider with its value beside it. @param {Slider} slider */
export function createSlider({ name, label, min, max, step, write, onMove }) {
  const value = h("output", { class: "dlc-slider-value" });
  const input = h("input", { type: "range", ...OWN_KEYS, min, max, step, "data-control": name, oninput: () => onMove(input.valueAsNumber) });
  const element = h("label", { class: "dlc-choice dlc-slider" }, h("span", {}, label, " ", value), input);
  return {
    element,
    input,
    /** @param {number} place */
    show(place) {
      if (input.valueAsNumber !== place) input.value = String(place);
      const text = write(place);
      if (value.textContent !== text) value.textContent = text;
      put(input, { "aria-valuetext": text });
    },
    /** @param {number} last  The last place there is now. */
    extend: (last) => put(input, { max: last }),
  };
}

/** Something that is on or off. @param {Switch} options */
export function createSwitch({ name, label, onChange }) {
  const input = h("input", { type: "checkbox", role: "switch", ...OWN_KEYS, "data-control": name, onchange: () => onChange(input.checked) });
  const element = h("label", { class: "dlc-choice dlc-switch" }, h("span", {}, label), input);
  return {
    element,
    /** @param {boolean} on */
    show: (on) => void (input.checked = on),
  };
}

/** Text that the reader writes. @param {Field} options */
export function createField({ name, label, longest, onInput, rows = 1 }) {
  const shared = { ...OWN_KEYS, class: "dlc-field", "data-control": name, maxlength: longest, spellcheck: "false", autocomplete: "off", dir: "auto" };
  const oninput = () => onInput(input.value);
  const input = rows > 1 ? h("textarea", { ...shared, rows, oninput }) : h("input", { type: "text", ...shared, oninput });
  // Keys that mean something to the figure around it mean themselves here.
  input.addEventListener("keydown", (event) => {
    if (/** @type {KeyboardEvent} */ (event).key !== "Escape") event.stopPropagation();
  });
  const element = h("label", { class: "dlc-choice dlc-text" }, h("span", {}, label), input);
  return {
    element,
    input,
    /** @param {string} text */
    show: (text) => {
      if (input.value !== text) input.value = text;
    },
  };
}

/** @param {Action} action */
export function createAction({ name, label, hint, onPress }) {
  const press = () => {
    if (element.getAttribute("aria-disabled") !== "true") onPress();
  };
  const naming = { "data-control": name, title: hint ?? label, "aria-label": label };
  const element = h("button", { type: "button", ...OWN_KEYS, ...naming, onclick: press }, icon(name));
  return {
    element,
    press,
    /** @param {boolean} able */
    enable: (able) => put(element, { "aria-disabled": able ? null : "true" }),
    /** Become another action in the same place: play and pause. @param {import("./icons.js").IconName} image @param {string} text */
    become(image, text) {
      if (element.getAttribute("aria-label") === text) return;
      put(element, { "aria-label": text, title: text });
      element.querySelector("svg")?.replaceWith(icon(image));
    },
  };
}

/** @typedef {ReturnType<typeof createAction>} ActionControl */
