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
