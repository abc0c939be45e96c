/**
 * What stands around every explorable's figure: a title, one row of controls in one order, the same keys, a note to the reader,
 * the engine's line, the numbers as a table, and what is read out. It follows the theme and the page's address.
 *
 * First a frame is made, of whose parts the figure needs some; then it is built around the figure; then it is set going.
 *
 * @typedef {import("./controls.js").ActionControl} Action
 *
 * @typedef {object} Content
 * @property {Node[]} controls  At the head of the row.
 * @property {Record<string, Action | undefined>} actions  At its end, by the names that keys know them by; then "share" and the keys.
 * @property {string[]} keys  The texts that list the keys beside its own, `keys_NAME`, and those that all explorables have.
 * @property {Node[]} elements  The figure, with the note in its place.
 * @property {() => Record<string, string>} parameters  What a link to the present state says.
 * @property {() => import("./data_table.js").TableContent | null} table
 * @property {string} leap  What "play" does for a reader who asked for less motion.
 *
 * @typedef {object} Life
 * @property {(scales: import("./theme.js").Scales) => void} recolour  The theme's colours, at once and when it changes.
 * @property {() => void} onMotion  The reader asked for less motion, or for more.
 * @property {(parameters: Record<string, string>) => void} restore  Go to the state that the page's address tells.
 * @property {() => void} destroy  What ends the explorable's own.
 */
import { createEngine } from "../engine/engine.js";
import { createEngineStatus } from "../engine/status.js";
import { createAnnouncer } from "./announcer.js";
import { createAction } from "./controls.js";
import { createDataTable } from "./data_table.js";
import { h, uniqueId } from "./dom.js";
import { translator } from "./format.js";
import { createKeyHelp } from "./key_help.js";
import { shareLink } from "./share.js";
import { createShortcuts } from "./shortcuts.js";
import { followTheme, reducedMotion } from "./theme.js";

/** @param {import("./types.js").RenderContext} context  @param {string} name  Of its style, `dlc-NAME`. */
export function createFrame({ model, el, page }, name) {
  const text = translator(model.get("strings"));
  const engine = createEngine({ model, page });
  const status = createEngineStatus(engine, text);
  const announcer = createAnnouncer();
  const motion = reducedMotion();
  const note = h("p", { class: "dlc-note", role: "status" });
  /** A sentence for the reader; "" for none. @param {string} message */
  const say = (message) => {
    if (note.textContent !== message) note.textContent = message;
  };
  /**
   * Whatever the reader does ends a play: a deed that first does so.
   * @param {() => void} stop  Ends it.
   */
  const ending =
    (stop) =>
    /** @template {any[]} Given  @param {(...given: Given) => void} deed */
    (deed) =>
    (/** @type {Given} */ ...given) => {
      stop();
      say("");
      deed(...given);
    };

  /** @param {Content} content */
  function build({ controls, actions, keys, elements, parameters, table: content, leap }) {
    const share =
      page &&
      createAction({
        name: "share",
        label: text("share"),
        hint: text("share_hint"),
        onPress: () => void shareLink(page.link(parameters()), text).then(say),
      });
    const help = createKeyHelp(text, `keys_${name}`, ...keys, "keys_undo", "keys_all");
    const table = createDataTable(text, content);
    const titleId = uniqueId("title");
    const root = h(
      "div",
      { class: `dlc dlc-${name}`, role: "group", "aria-labelledby": titleId, "aria-busy": "true" },
      h("p", { class: "dlc-title", id: titleId }, text("title")),
      h(
        "div",
        { class: "dlc-controls", role: "group", "aria-label": text("controls") },
        ...controls,
        h("div", { class: "dlc-actions" }, ...[...Object.values(actions), share, help.action].map((action) => action?.element)),
      ),
      help.panel,
      ...elements,
      status.element,
      table.element,
      h("p", { class: "dlc-caption" }, text("caption")),
      announcer.element,
    );
    root.addEventListener("keydown", help.onKey);
    root.addEventListener("keydown", createShortcuts(actions));

    return {
      root,
      drawTable: table.draw,
      /** @param {boolean} playing */
      drawPlay(playing) {
        if (playing) actions["play"]?.become("pause", text("pause"));
        else if (motion.matches) actions["play"]?.become("nextRow", leap);
        else actions["play"]?.become("play", text("play"));
      },
      /** @param {Life} life  @returns {() => void} what takes the explorable away again */
      start({ recolour, onMotion, restore, destroy }) {
        el.replaceChildren(root);
        const endTheme = followTheme(root, recolour);
        motion.addEventListener("change", onMotion);
        if (page && Object.keys(page.parameters()).length) restore(page.parameters());
        const endAddress = page?.onChange(restore);
        return () => {
          endAddress?.();
          motion.removeEventListener("change", onMotion);
          endTheme();
          destroy();
          announcer.destroy();
          status.destroy();
          engine.destroy();
          root.remove();
        };
      },
    };
  }

  return { text, engine, status, announcer, motion, note, say, ending, build };
}
