/**
 * The kernel's weights as a square of number fields. A field shows three significant digits, and the full number while it
 * is edited; what cannot be a weight is marked and said, and the kernel stays as it was.
 *
 * @typedef {object} KernelEditorOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {(kernel: number[][]) => void} onEdit
 * @property {(message: string) => void} onRefuse
 * @property {() => void} onLeave  The Escape key.
 */
import { isWeight, LIMITS } from "./rules.js";
import { h, OWN_KEYS, put } from "../../shared/dom.js";
import { editable, full } from "../../shared/format.js";

/** @param {KernelEditorOptions} options */
export function createKernelEditor({ text, onEdit, onRefuse, onLeave }) {
  const element = h("div", {
    class: "dlc-number-grid",
    role: "group",
    "aria-label": text("kernel_label"),
    "data-grid": "kernel",
  });
  /** @type {number[][]} */
  let kernel = [];
  /** @type {HTMLInputElement[]} */
  let fields = [];

  /** @param {HTMLInputElement} field  @param {number} index  @param {boolean} finished */
  function take(field, index, finished) {
    const size = kernel.length;
    const value = field.value.trim() === "" ? NaN : Number(field.value);
    const valid = isWeight(value);
    put(field, { "aria-invalid": valid || !finished ? null : "true" });
    if (!valid) {
      if (finished) onRefuse(text("weight_refused", { limit: LIMITS.weight }));
      return;
    }
    const row = Math.floor(index / size);
    if (kernel[row]?.[index % size] === value) return;
    onEdit(kernel.map((line, r) => line.map((old, c) => (r === row && c === index % size ? value : old))));
  }

  /** @param {number} size */
  function rebuild(size) {
    put(element, { style: `--dlc-size: ${size}` });
    fields = Array.from({ length: size * size }, (_, index) => {
      const field = h("input", {
        ...OWN_KEYS,
        class: "dlc-number dlc-weight",
        type: "number",
        step: "0.1",
        autocomplete: "off",
        "aria-label": text("weight_label", { row: Math.floor(index / size), column: index % size }),
        oninput: () => take(field, index, false),
        // A wheel over a focused number field would change the weight while the reader means to scroll.
        onwheel: () => field.blur(),
        onfocus: () => {
          const weight = weightAt(index);
          if (field.value === editable(weight)) field.value = String(weight);
          field.select();
        },
        onblur: () => {
          take(field, index, true);
          put(field, { "aria-invalid": null });
          field.value = editable(weightAt(index));
        },
      });
      return field;
    });
    element.replaceChildren(
      ...Array.from({ length: size }, (_, line) =>
        h("div", { class: "dlc-row" }, ...fields.slice(line * size, (line + 1) * size)),
      ),
    );
  }

  const weightAt = (/** @type {number} */ index) =>
    /** @type {number} */ (kernel[Math.floor(index / kernel.length)]?.[index % kernel.length]);

  element.addEventListener("keydown", (event) => {
    const index = fields.indexOf(/** @type {HTMLInputElement} */ (event.target));
    if (index < 0) return;
    if (event.key === "Enter") take(/** @type {HTMLInputElement} */ (fields[index]), index, true);
    else if (event.key === "Escape") onLeave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return {
    element,
    /** Put the caret into the kernel's middle. */
    focus: () => fields[(fields.length - 1) >> 1]?.focus(),
    /**
     * @param {number[][]} next
     * @param {Float32Array} weights  The same in float32.
     * @param {(value: number) => import("../../shared/colour.js").Colour} colour
     */
    draw(next, weights, colour) {
      if (next.length !== kernel.length) rebuild(next.length);
      const before = kernel.flat();
      kernel = next;
      const active = /** @type {Document | ShadowRoot} */ (element.getRootNode()).activeElement;
      fields.forEach((field, index) => {
        const value = /** @type {number} */ (weights[index]);
        const { fill, ink } = colour(value);
        const weight = weightAt(index);
        const style = `background: ${fill}; color: ${ink}; --dlc-chars: ${editable(weight).length}`;
        put(field, { "data-value": value, title: full(value), style });
        if (field !== active) field.value = editable(weight);
        // The field under the caret keeps what is being typed, unless its weight was changed from elsewhere.
        else if (weight !== before[index] && weight !== Number(field.value)) field.value = String(weight);
      });
    },
  };
}
