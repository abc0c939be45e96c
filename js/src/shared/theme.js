/** Which of the two themes the surroundings have, and the colour scales that go with it. */
import { scale } from "./colour.js";
import { PALETTES } from "./palettes.js";

/** @typedef {{diverging: import("./colour.js").Scale, even: import("./colour.js").Scale}} Scales */

/** Says whether the page is dark: the book's theme, JupyterLab, VS Code and Colab first, then the system. */
export function isDark() {
  const { documentElement: html, body } = document;
  const declared = html.dataset["theme"] ?? html.getAttribute("theme");
  if (declared === "dark" || declared === "light") return declared === "dark";
  const lab = body.dataset["jpThemeLight"];
  if (lab !== undefined) return lab === "false";
  if (body.classList.contains("vscode-light") || body.classList.contains("vscode-high-contrast-light")) return false;
  if (/\bvscode-(dark|high-contrast)\b/.test(body.className)) return true;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/**
 * Keep `root` in the page's theme: sets `data-dlc-theme` and calls back with the scales, at once and on each change.
 * @param {HTMLElement} root
 * @param {(scales: Scales) => void} callback
 * @returns {() => void} what ends it
 */
export function followTheme(root, callback) {
  /** @type {string | undefined} */
  let shown;
  const apply = () => {
    const name = isDark() ? "dark" : "light";
    if (name === shown) return;
    shown = name;
    root.dataset["dlcTheme"] = name;
    callback({ diverging: scale(PALETTES[name].diverging), even: scale(PALETTES[name].even) });
  };
  apply();
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", apply);
  const observer = new MutationObserver(apply);
  const options = { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light", "class"] };
  observer.observe(document.documentElement, options);
  observer.observe(document.body, options);
  return () => {
    observer.disconnect();
    system.removeEventListener("change", apply);
  };
}

/** Whether the reader asked for less motion, and word when that changes. */
export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)");
