/** The list of keys, opened by its button or by `?` from anywhere in the widget, closed by either or by Escape. */
import { createAction } from "./controls.js";
import { h, put, uniqueId } from "./dom.js";

/**
 * @param {import("./format.js").Translate} text
 * @param {...string} lists  The texts that list the keys: one line each, the key and what it does parted by a tab.
 */
export function createKeyHelp(text, ...lists) {
  const id = uniqueId("keys");
  const rows = lists
    .flatMap((list) => text(list).split("\n"))
    .map((line) => line.split("\t"))
    .flatMap(([keys, meaning]) => [h("dt", {}, h("kbd", {}, keys)), h("dd", {}, meaning)]);
  const panel = h("div", { class: "dlc-keys", id, role: "region", "aria-label": text("keys"), hidden: true }, h("dl", {}, ...rows));
  /** @param {boolean} open */
  const show = (open) => {
    panel.hidden = !open;
    put(action.element, { "aria-expanded": String(open) });
  };
  const action = createAction({ name: "keys", label: text("keys"), onPress: () => show(panel.hidden) });
  put(action.element, { "aria-controls": id, "aria-expanded": "false" });
  return {
    action,
    panel,
    /** @param {KeyboardEvent} event */
    onKey(event) {
      if (event.key === "?" && !event.ctrlKey && !event.metaKey && !event.altKey) show(panel.hidden);
      else if (event.key === "Escape" && !panel.hidden) show(false);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
